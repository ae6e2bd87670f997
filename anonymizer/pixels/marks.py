"""Short clinical marks that may stay in a picture: side, projection, exposure, indices, measurements, scales.

Everything else that is written is masked. A number alone stays only if it is short; nothing that could be a date, a
time of day, a name, an age with a sex, or an identifier is here: no LONG, CHI or THI, which are names in Vietnam.
"""

import itertools
import re
from typing import Final

WORDS: Final = frozenset(
    [
        "L",
        "R",
        "LT",
        "RT",
        "LEFT",
        "RIGHT",
        "PA",
        "AP",
        "LAT",
        "LL",
        "RL",
        "LPO",
        "RPO",
        "LAO",
        "RAO",
        "CC",
        "MLO",
        "LCC",
        "RCC",
        "LMLO",
        "RMLO",
        "ML",
        "LM",
        "OBL",
        "DECUB",
        "SUPINE",
        "PRONE",
        "ERECT",
        "UPRIGHT",
        "PORTABLE",
        "TRANS",
        "SAG",
        "COR",
        "AX",
        "HEAD",
        "FEET",
        "A",
        "P",
        "H",
        "F",
        "S",
        "I",
        "FR",
        "FPS",
        "HZ",
        "KHZ",
        "MHZ",
        "DB",
        "GN",
        "GAIN",
        "DR",
        "FREQ",
        "FRQ",
        "DEPTH",
        "MAP",
        "PRF",
        "WF",
        "SV",
        "CF",
        "PW",
        "CW",
        "MI",
        "TIS",
        "TIB",
        "TIC",
        "TI",
        "KV",
        "KVP",
        "MA",
        "MAS",
        "MSV",
        "MGY",
        "DAP",
        "DLP",
        "CTDI",
        "CTDIVOL",
        "FOV",
        "SL",
        "SP",
        "TR",
        "TE",
        "TA",
        "W",
        "WW",
        "WL",
        "C",
        "IM",
        "SE",
        "ZOOM",
        "DIST",
        "AREA",
        "VOL",
        "CIRC",
        "D",
        "D1",
        "D2",
        "D3",
        "V",
        "VMAX",
        "VMIN",
        "PSV",
        "EDV",
        "RI",
        "PI",
        "HR",
        "BPM",
        "EF",
        "LVEF",
        "BPD",
        "HC",
        "AC",
        "FL",
        "EFW",
        "GA",
        "CRL",
        "MM",
        "CM",
        "M/S",
        "CM/S",
        "ML",
        "CM2",
        "CM3",
        "MM2",
        "HU",
        "DEG",
        "%",
        "X",
        "+",
        "-",
        "=",
        ":",
        "/",
        "Z1",
        "2D",
        "3D",
        "CH",
        "M3",
        "M2",
        "XRES",
        "RES",
        "PEN",
    ]
)
UNITS: Final = r"(?:MM|CM|ML|M/S|CM/S|MM2|CM2|CM3|HZ|KHZ|MHZ|DB|KV|KVP|MA|MAS|MS|S|MGY|MSV|FPS|BPM|HU|DEG|%|W|D|X)"
NUMBER: Final = re.compile(rf"[+-]?\d{{1,3}}(?:[.,]\d{{1,2}})?{UNITS}?")
LABELLED: Final = re.compile(rf"(?P<word>[A-Z0-9/]{{1,7}})[:=]?[+-]?\d{{1,4}}(?:[.,]\d{{1,2}})?{UNITS}?")
WORDS_MAX, CHARACTERS_MAX = 12, 60  # of a mark


def is_mark(text: str) -> bool:
    """Whether a line that was read is a clinical mark, every word of it."""
    words = text.upper().replace("(", " ").replace(")", " ").split()
    if not words or len(words) > WORDS_MAX or len(text) > CHARACTERS_MAX:
        return False
    return all(_is_part(word.strip(".,;:")) for word in words) and not _looks_like_a_date(words)


def _is_part(word: str) -> bool:
    if word in WORDS or NUMBER.fullmatch(word) or not word:
        return True
    labelled = LABELLED.fullmatch(word)
    return labelled is not None and labelled["word"].rstrip("0123456789") in WORDS


def _looks_like_a_date(words: list[str]) -> bool:
    """Whether bare numbers follow each other: a date, a telephone number or an identifier in groups."""
    bare = [word.strip(".,;:").isdecimal() for word in words]
    return any(one and other for one, other in itertools.pairwise(bare))
