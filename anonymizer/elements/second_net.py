"""The second net: every text that survives the profile is searched for the patient, and for phrases of telling form.

What the table keeps was chosen by its attribute, not by what people type into it. A value in which a phrase is found
has the phrase replaced, or goes as a whole where that cannot be done. Text is read in every character set in which
Vietnamese is met, whatever is declared. Verdicts are kept per patient: the texts of a series hardly differ.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.patient import Patient
from anonymizer.words import runs
from anonymizer.words.runs import Span, aligned, words_of
from anonymizer.words.tokens import Seed, Tokens, seeds_of, tokens_of
from kernel.dicom.scanning.elements import Header
from kernel.dicom.vocabulary.charset import decode

TEXT_BYTES_MAX: Final = 4 * 1024 * 1024  # of one value; a longer one goes
NETS_MAX: Final = 64  # patients whose verdicts are kept
VERDICTS_MAX: Final = 4_096  # values of one patient
SEARCHED: Final = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "CS"})
NUMBERS: Final = frozenset({"DS", "IS", "AS"})  # a name in one of these is no number
REMOVED: Final = "REMOVED"
PHRASE_REMOVED: Final = "[REMOVED]"

_LENGTHS_MAX: Final = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240}  # characters (PS3.5 6.2), of each value
_SEVERAL: Final = frozenset({"SH", "LO", "UC", "CS"})  # a backslash parts values
_BY_NATURE: Final = frozenset({  # long digits and dates belong there: codes and their schemes, models, software
    0x00080100, 0x00080102, 0x00080103, 0x00080119, 0x00080120, 0x00081090, 0x00181020,
})  # fmt: skip
_NUMERIC: Final = b"0123456789+-.eE \\\0DWMYdwmy"


class Net:
    """What is looked for in the texts of one patient's instances."""

    __slots__ = ("_charsets", "_fallback_charset", "_tokens", "_verdicts", "passed")

    def __init__(self, tokens: Tokens, charsets: tuple[str, ...], fallback_charset: str | None) -> None:
        self._tokens = tokens
        self._charsets = charsets
        self._fallback_charset = fallback_charset
        self._verdicts: dict[tuple[str, bytes, bool], bytes | None] = {}
        self.passed: set[bytes] = set()  # values that hold nothing, whatever their attribute

    def cleaned(self, vr: str, value: bytes, *, by_form: bool = True) -> bytes | None:
        """Return what an encoded value becomes, or None when it may stay as it is.

        Parameters
        ----------
        by_form
            Whether phrases of telling form go, too; False where long digits or names of places are meant to stay.
        """
        if vr in NUMBERS:
            return b"" if len(value.translate(None, _NUMERIC)) > 1 else None
        if len(value) > TEXT_BYTES_MAX:
            return REMOVED.encode()
        key = (vr, value, by_form)
        if key not in self._verdicts:
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
                self.passed.clear()
            new = self._verdicts[key] = self._judged(vr, value, by_form=by_form)
            if new is None and by_form:
                self.passed.add(value)
        return self._verdicts[key]

    def finds(self, text: str, *, by_form: bool = True) -> bool:
        """Whether a decoded text names the patient, or anybody by its form."""
        return bool(self.spans(*aligned(text), by_form=by_form))

    def without(self, text: str) -> str:
        """Return a decoded text without the phrases that tell."""
        composed, folded = aligned(text)
        spans = self.spans(composed, folded)
        return _replaced(composed, spans) if spans else text

    def spans(self, text: str, folded: str, *, by_form: bool = True) -> list[Span]:
        """Return the phrases found, merged and ascending; `text` and `folded` as `anonymizer.words.runs.aligned` gives."""
        words = words_of(folded)
        found = list(self._tokens.find(text, folded, words))
        if by_form:
            found += runs.find(text, folded, words)
        return _merged(found)

    def _judged(self, vr: str, value: bytes, *, by_form: bool) -> bytes | None:
        bare = value.rstrip(b" \0")
        if b"\0" in bare:  # padding, and bytes of somebody else's memory behind it
            bare = bare[: bare.index(b"\0")]
            return self._judged(vr, bare, by_form=by_form) or bare
        own = decode(bare, self._charsets, self._fallback_charset)
        text, folded = aligned(own)
        spans = self.spans(text, folded, by_form=by_form)
        if spans:
            return self._encoded(vr, text, spans, bare)
        others = (reading for reading in _readings(bare) if reading != own)
        if any(self.finds(reading, by_form=by_form) for reading in others):
            return REMOVED.encode()
        return None

    def _encoded(self, vr: str, text: str, spans: list[Span], original: bytes) -> bytes:
        """Return a text without its phrases in the character set that it came in, or no more than a word."""
        if vr == "CS":
            return b"\\".join(
                REMOVED.encode() if self.finds(part) else part.encode("ascii", "replace") for part in text.split("\\")
            )
        new = _replaced(text, spans)
        bound = _LENGTHS_MAX.get(vr, len(new))
        if vr in _SEVERAL:
            new = "\\".join(part if len(part.strip()) <= bound else REMOVED for part in new.split("\\"))
        if len(new) > bound and vr not in _SEVERAL:
            return REMOVED.encode()
        if new.isascii():
            return new.encode()
        encoded = new.encode()
        same = decode(encoded, self._charsets, self._fallback_charset) == new and _is_utf_8(original)
        return encoded if same else REMOVED.encode()


def net_of(header: Header, patient: Patient, fallback_charset: str | None) -> Net:
    """Return the net of an original instance; the same one for instances that name the same people and numbers."""
    return _net(seeds_of(header), patient.charsets, fallback_charset)


@lru_cache(maxsize=NETS_MAX)
def _net(seeds: tuple[Seed, ...], charsets: tuple[str, ...], fallback_charset: str | None) -> Net:
    return Net(tokens_of(seeds, charsets, fallback_charset), charsets, fallback_charset)


@cache
def kept_on_purpose(profile: Profile) -> frozenset[int]:
    """Return the attributes in which a profile wants places, devices or codes: searched for the patient alone."""
    retained = (
        int(tag, 16)
        for tag, rule in profile.rules.items()
        if rule.code == "K" and rule.option is not None and "x" not in tag and tag != "PRIVATE"
    )
    return frozenset(retained) | _BY_NATURE


# --- texts ------------------------------------------------------------------------------------------------------------


def _readings(value: bytes) -> Iterator[str]:
    """Yield what bytes outside ASCII may mean, whatever is declared."""
    if value.isascii():
        return
    if _is_utf_8(value):
        yield value.decode()
        return
    yield decode(value, (), "cp1258")
    yield decode(value, (), "tcvn3")
    yield value.decode("latin-1")
    yield value.decode("gb18030", "replace")


def _is_utf_8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _merged(found: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(found):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _replaced(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += [text[position : span.start], PHRASE_REMOVED]
        position = span.end
    return "".join((*parts, text[position:]))
