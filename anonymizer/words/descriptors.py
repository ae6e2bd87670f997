"""Which descriptions may stay: those made of radiology words, short numbers and technical marks alone.

A list of what is allowed, not of what is forbidden: a word that is not here is taken for a name. Everything is folded
(no accents, lower case). Vietnamese words that are also given names when folded (quang, chau, hang, thang, tam, loc,
tim, thin ...) are allowed only within a phrase that is no name.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

PHRASES: Final = (
    "chup cat lop vi tinh",
    "cat lop vi tinh",
    "chup cong huong tu",
    "cong huong tu",
    "sieu am",
    "co tiem thuoc can quang",
    "khong tiem thuoc can quang",
    "thuoc can quang",
    "can quang",
    "x quang",
    "cot song that lung",
    "cot song nguc",
    "cot song co",
    "cot song",
    "khung chau",
    "xuong chau",
    "khop hang",
    "so nao",
    "ham mat",
    "tim phoi",
    "o bung",
    "chi duoi",
    "chi tren",
    "ban tay",
    "ban chan",
    "co chan",
    "co tay",
    "dong mach",
    "tinh mach",
    "mach vanh",
    "nguc thang",
    "tuyen giap",
    "tuyen vu",
    "tien liet tuyen",
    "he tiet nieu",
    "than tiet nieu",
    "gan mat",
)
_BODY = """abdomen abdominal ankle aorta arm axilla bladder bone bowel brain breast bronchus calcaneus cardiac carotid
cervical cervix chest clavicle coccyx colon coronary cranium elbow extremity face facial femur fibula finger foot
forearm forefoot gallbladder hand head heart heel hip humerus iliac iliosacral kidney knee larynx leg liver lower
lumbar lung lungs mandible maxilla mediastinum nasal neck orbit orbits ovary pancreas patella pelvis pituitary
prostate radius renal rib ribs sacrum scapula shoulder sinus sinuses skull spine spleen sternum stomach temporal
testis thigh thoracic thorax thyroid tibia toe trachea ulna upper urinary uterus vascular vessel vessels wrist
"""
_TECHNIQUE = """acquisition adc add angio angiography and ap apical arterial asset average ax axial axials bilateral bolus
breathhold calcium care cbct cine contrast cor coronal cr ct cta ctdi cxr dce delay delayed derived diffusion dixon
dose dual dwi dx dynamic dyn early echo ep epi exam exposure fast fatsat fb fe fiesta filtered flair flash fluoro
follow for fov fr fs fse fused gated gradient gre hr hrct image images inspiration inversion iso ir iv kernel kv kvp
lat lateral left lf localiser localizer locator lossless lossy low lpo lt mag map mas max medium mip mm mpr mprage
mr mra mrcp mri ms native nm noncontrast normal oblique of pa perfusion phase plane planning portable post posterior
anterior pre prone protocol qa range raw recon reconstruction reference reformat rest retro right routine rpo rt
sag sagittal scan scano scanogram scout screen sec sequence series se single slab slice slices soft space spair
spgr spin spiral spir standard std stir stress study supine surview survey swi te test tfe thick tirm tissue tof
tomo topo topogram trace transverse transversal trufi tse ultrasound us venous vibe view volume vrt weighted window
with without xa xr xray
"""
_VIETNAMESE = """bung chup goi khong khop nao nghieng nguc phai phoi so sau tiem thuoc trai truoc va xoang xuong
"""  # folded
WORDS: Final = frozenset((_BODY + _TECHNIQUE + _VIETNAMESE).split())
TECHNICAL: Final = re.compile(r"[0-9]{1,3}[a-z]{0,3}|[a-z]|[a-z][0-9]{1,2}[a-z]{0,2}")  # 5mm, 120kv, b30f, t2w, l5
LENGTH_MAX: Final = 256
TEXTS_KEPT: Final = 1_024  # verdicts
DIGITS_MAX: Final = 8  # in all; more may be a telephone number in groups
LETTERS_MAX: Final = 2  # standing alone, such as L or R; more may be initials

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_DATE_LIKE = re.compile(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}")
_PHRASE = re.compile(r"\b(?:" + "|".join(PHRASES) + r")\b")


def fold(text: str) -> str:
    """Return lower-case text without marks; an own copy, because the residue check must not share it."""
    plain = text.replace("đ", "d").replace("Đ", "D")
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c)).lower()


@lru_cache(maxsize=TEXTS_KEPT)  # the slices of a series say the same
def is_harmless(text: str, names: frozenset[str]) -> bool:
    """Whether every word of a description is on the list or technical, and none is one of the patient's `names`.

    `names` are folded words. Letters of other scripts count as words that are not on the list; a digit run of more
    than three is never harmless.
    """
    folded = fold(text)
    if len(folded) > LENGTH_MAX or not folded.isascii() or _DATE_LIKE.search(folded):
        return False
    if sum(character.isdigit() for character in folded) > DIGITS_MAX:
        return False
    words = _words(folded)
    if any(word in names for word in words) or sum(len(word) == 1 and word.isalpha() for word in words) > LETTERS_MAX:
        return False
    return all(word in WORDS or TECHNICAL.fullmatch(word) for word in _words(_PHRASE.sub(" ", folded)))


def _words(folded: str) -> list[str]:
    return [word for word in _SEPARATORS.split(folded) if word]
