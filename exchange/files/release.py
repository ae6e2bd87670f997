"""Files de-identified group by group: read, released, written under their new UIDs. Work for processes; no screen.

Nothing is written unless `anonymizer.release` lets it go, and then whole or not at all (`exchange.files.outputs`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

from anonymizer.engine.opening import opened
from anonymizer.engine.result import Buffer, Mask, NewIdentity
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.zones import read_zones
from anonymizer.profiles.site_profile import chosen
from anonymizer.pseudonyms.keys import Keys
from anonymizer.release import Held, release
from exchange.files.inputs import DICOM_PREFIX, Entry, content_of
from exchange.files.outputs import Writer, Writing
from kernel.dicom.pixels.boxes import Box
from kernel.errors import Busy, InputNotRead, Refused

# What makes an instance of a photograph or a PDF, which by itself says not whose it is.
NEEDS_WRAPPING: Final = "vienanh wrap"
BARE: Final = (b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # how PDF, JPEG and PNG begin

State = Literal["written", "held", "unreadable"]
# Look for text in pixels and mask it; hold kinds that usually show a name; or let all go as they are.
PixelHandling = Literal["clean", "hold", "pass"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is done with every input."""

    output: Path
    profile: str  # built in, or of `profile_text`
    keys: Keys = field(repr=False)
    issuer: str
    fallback_charset: str | None
    pixels: PixelHandling
    profile_text: str = ""  # of a site's own profile; TOML
    zones: Path | None = None  # file of the places where devices write


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one input; no value of it."""

    label: str
    state: State
    reason: str = ""
    in_tag: str = ""
    file: str = ""  # written, relative to the output folder
    actions: tuple[tuple[str, int], ...] = ()
    masks: tuple[Mask, ...] = ()
    proposed: tuple[Box, ...] = ()  # of a held one: where text may be
    comments: int = 0  # within frames of the pixel data, made blank
    mended: bool = False  # its encoding was so odd that only pydicom understood it


def process(entries: Sequence[Entry], order: Order) -> list[Outcome]:
    """De-identify a group of inputs and write them, or tell why not; what is told to be written is on the disk."""
    with Writer(order.output) as writer:
        begun = [_begun(entry, order, writer) for entry in entries]
        return [_ended(outcome, writing, writer) for outcome, writing in begun]


def _begun(entry: Entry, order: Order, writer: Writer) -> tuple[Outcome, Writing | None]:
    try:
        with content_of(entry) as source:
            if bytes(source[:8]).startswith(BARE) and bytes(source[DICOM_PREFIX]) != b"DICM":
                return Outcome(entry.label, "unreadable", NEEDS_WRAPPING), None
            return _released(entry, source, order, writer)
    except InputNotRead as refusal:
        return Outcome(entry.label, "unreadable", refusal.fields["why"]), None
    except (Refused, Busy) as refusal:
        return Outcome(entry.label, "unreadable", refusal.code), None


def _ended(outcome: Outcome, writing: Writing | None, writer: Writer) -> Outcome:
    if writing is None or writer.end(writing):
        return outcome
    return Outcome(outcome.label, "held", "other-bytes-under-its-uid", "(0008,0018)")


def _released(entry: Entry, content: Buffer, order: Order, writer: Writer) -> tuple[Outcome, Writing | None]:
    source, _, header = opened(content)
    result = release(
        source,
        header,
        profile=chosen(order.profile, order.profile_text),
        keys=order.keys,
        issuer=order.issuer,
        fallback_charset=order.fallback_charset,
        cleaner=cleaner_of(order.zones) if order.pixels == "clean" else None,
    )
    if isinstance(result, Held):
        return Outcome(entry.label, "held", result.because, result.in_tag), None
    cleaning = result.cleaning
    if result.pixel_review and order.pixels != "pass":
        proposed = cleaning.proposed if cleaning else ()
        return Outcome(entry.label, "held", result.pixel_review, proposed=proposed), None
    name = _name(result.made.identity)
    outcome = Outcome(
        entry.label,
        "written",
        file=name,
        actions=tuple(sorted(result.made.record.actions.items())),
        masks=result.made.record.masks,
        comments=result.made.record.comments,
        mended=source is not content,
    )
    return outcome, writer.begin(name, result.made.chunks(source))


@cache
def cleaner_of(zones: Path | None) -> Cleaner:
    """Return what cleans pixels, with the zones of a file.

    Raises
    ------
    InvalidConfiguration
        They are not what they should be.
    """
    return Cleaner(zones=read_zones(zones) if zones else {})


def _name(identity: NewIdentity) -> str:
    """Return the name of a new file: new UIDs alone."""
    return f"{identity.study_instance_uid}/{identity.series_instance_uid}/{identity.sop_instance_uid}.dcm"
