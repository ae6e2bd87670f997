"""Words within a video in an MP4 or QuickTime file (ISO/IEC 14496-12 and -15): boxes, and units within samples.

No length and no offset changes. Boxes that pictures need stay, without their texts, times and reserved fields; all
others become `free` and blank, and so does what of the media data is no sample. Only tracks of pictures leave: sound and
text are looked at by nobody here.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Final, NamedTuple

from anonymizer.codestreams.boxes import Box, boxes_in
from anonymizer.codestreams.frame import Frame, Stretch
from anonymizer.codestreams.video import CODECS, words_in_unit
from kernel.dicom.pixels.frames import Span
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.errors import MalformedInstance

FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"uuid", b"pnot"})
BOXES_MAX: Final = 1_000  # within one box
TRACKS_MAX: Final = 16
SAMPLES_MAX: Final = 500_000  # of all tracks: four hours at thirty a second
UNITS_MAX: Final = 2_000_000  # of all samples
CONFIGURATION_BYTES_MAX: Final = 65_536
_NUL: Final = b"\0"
_FREE: Final = b"free"
_OF_NOTHING: Final = frozenset({_FREE, b"skip", b"wide"})
_BRANDS: Final = frozenset(
    b"isom iso2 iso3 iso4 iso5 iso6 mp41 mp42 avc1 hvc1 hev1 M4VH M4VP MSNV 3gp4 dash".split()
) | {
    b"qt  ",
    b"M4V ",
}
_KEPT: Final[Mapping[bytes, frozenset[bytes]]] = {  # what stays of each box of boxes, at most one of each
    b"trak": frozenset({b"tkhd", b"edts", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"hdlr", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"stbl": frozenset({b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"co64"}),
}
# Bytes of one entry of a table behind its version and count; of edits, by version.
_TABLES: Final[Mapping[bytes, int]] = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stsc": 12, b"stco": 4, b"co64": 8}
_EDIT_BYTES: Final = (12, 20)
# Fields that stay, from the content's first byte to before another, by kind and version. Others are times or reserved.
_FIELDS: Final[Mapping[tuple[bytes, int], Sequence[tuple[int, int]]]] = {
    (b"mvhd", 0): ((0, 4), (12, 26), (36, 72), (96, 100)),
    (b"mvhd", 1): ((0, 4), (20, 38), (48, 84), (108, 112)),
    (b"tkhd", 0): ((0, 4), (12, 16), (20, 24), (32, 38), (40, 84)),
    (b"tkhd", 1): ((0, 4), (20, 24), (28, 36), (44, 50), (52, 96)),
    (b"mdhd", 0): ((0, 4), (12, 22)),
    (b"mdhd", 1): ((0, 4), (20, 34)),
    (b"vmhd", 0): ((0, 12),),
    (b"hdlr", 0): ((0, 4), (8, 12)),  # neither names nor manufacturers
}
_ENTRY: Final = ((6, 8), (24, 36), (40, 42), (74, 78))  # of a visual sample entry: no vendor, no compressor's name
_ENTRY_BYTES: Final = 78
_SMALL: Final[Mapping[bytes, int]] = {b"pasp": 8, b"clap": 32, b"btrt": 12, b"fiel": 2, b"mdcv": 24, b"clli": 4}
_COLORS: Final[Mapping[bytes, int]] = {b"nclx": 11, b"nclc": 10}
_PROFILES: Final = frozenset({b"prof", b"rICC"})
_ENTRIES: Final[Mapping[str, tuple[frozenset[bytes], bytes]]] = {  # sample entries of a coding, and their configuration
    "H.264": (frozenset({b"avc1", b"avc3"}), b"avcC"),
    "HEVC": (frozenset({b"hvc1", b"hev1"}), b"hvcC"),
}
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 144})  # whose configuration goes on behind its parameter sets
_OF_NO_PICTURES: Final[Mapping[bytes, str]] = {
    b"soun": "sound",
    **dict.fromkeys((b"text", b"sbtl", b"subt", b"subp", b"clcp"), "text"),
    b"tmcd": "time codes",
    b"meta": "metadata",
}


class _Placed(NamedTuple):
    """A box, and where its head begins."""

    start: int
    box: Box


class _Track(NamedTuple):
    samples: Sequence[Span]  # positions within the frame
    length_bytes: int  # of the length before each unit


def words_in_mp4(frame: Frame, coding: str) -> Iterator[Stretch]:
    """Yield the stretches where words may stand that are not blank, and what is put there; not in their order.

    Raises
    ------
    MalformedInstance
        It has tracks of more than pictures, its pictures are of another coding, it is fragmented, or not understood.
    LimitExceeded
        More than BOXES_MAX, TRACKS_MAX, SAMPLES_MAX, UNITS_MAX or CONFIGURATION_BYTES_MAX.
    """
    if coding not in _ENTRIES:
        raise _held("is MP4, which its transfer syntax does not know: send it as a bare stream")
    boxes = _boxes(frame, 0, frame.length)
    if any(one.box.kind in {b"moof", b"mvex"} for one in (*boxes, *_boxes_of(frame, _one(boxes, b"moov").box))):
        raise _held("is a fragmented MP4, which is not followed: send it with one movie box")
    tracks: list[_Track] = []
    for one in boxes:
        if one.box.kind == b"ftyp":
            yield from _brands(frame, one.box)
        elif one.box.kind == b"moov":
            yield from _movie(frame, one.box, coding, tracks)
        elif one.box.kind != b"mdat":
            yield from _freed(frame, one)
    if not tracks:
        raise _held("has no track of pictures")
    yield from _between(frame, tracks, [one.box for one in boxes if one.box.kind == b"mdat"])
    yield from _in_samples(frame, tracks, coding)


def _movie(frame: Frame, movie: Box, coding: str, tracks: list[_Track]) -> Iterator[Stretch]:
    """Yield the stretches of its boxes, and note its tracks of pictures."""
    boxes = _boxes_of(frame, movie)
    count = sum(one.box.kind == b"trak" for one in boxes)
    if count > TRACKS_MAX:
        raise exceeded("TRACKS_MAX", count, TRACKS_MAX)
    for one in boxes:
        if one.box.kind == b"mvhd":
            yield from _versioned(frame, one.box)
        elif one.box.kind != b"trak":
            yield from _freed(frame, one)
        elif track := _track(frame, one.box, coding, SAMPLES_MAX - sum(len(track.samples) for track in tracks)):
            tracks.append(track)
            yield from _in_track(frame, one.box, coding)
        else:
            yield from _freed(frame, one)


def _track(frame: Frame, box: Box, coding: str, samples_max: int) -> _Track | None:
    """Return what a track of pictures holds; None if it holds nothing, whatever it is of."""
    media = _one(_boxes_of(frame, box), b"mdia").box
    boxes = _boxes_of(frame, media)
    table = _one(_boxes_of(frame, _one(boxes, b"minf").box), b"stbl").box
    handler = frame.read(_one(boxes, b"hdlr").box.begin + 8, 4)
    tables = _boxes_of(frame, table)
    samples = _samples(frame, tables, samples_max)
    if handler != b"vide" and samples:
        what = _OF_NO_PICTURES.get(handler, "something that is no picture")
        raise _held(f"has a track of {what}, which nobody here can look at: send it without")
    if handler != b"vide" or not samples:
        return None
    configuration = _configuration(frame, _entry(frame, _one(tables, b"stsd").box, coding), coding)
    return _Track(samples, configuration.length_bytes)


def _samples(frame: Frame, tables: Sequence[_Placed], samples_max: int) -> list[Span]:
    """Return where the samples are, chunk by chunk (ISO/IEC 14496-12 8.7)."""
    sizes = _one(tables, b"stsz").box
    size, count = _numbers(frame, sizes, 4, 2)
    if count > samples_max:
        raise exceeded("SAMPLES_MAX", count, SAMPLES_MAX)
    if not count:
        return []
    lengths = iter((size,) * count if size else _numbers(frame, sizes, 12, count))
    is_long = any(one.box.kind == b"co64" for one in tables)
    places = _one(tables, b"co64" if is_long else b"stco").box
    (chunks,) = _numbers(frame, places, 4, 1)
    if chunks > SAMPLES_MAX:
        raise exceeded("SAMPLES_MAX", chunks, SAMPLES_MAX)
    offsets = _numbers(frame, places, 8, chunks, "Q" if is_long else "I")
    groups = _one(tables, b"stsc").box
    (runs,) = _numbers(frame, groups, 4, 1)
    if runs > chunks:
        raise _held("has impossible tables of samples")
    told = _numbers(frame, groups, 8, 3 * runs)
    firsts = (*told[::3], chunks + 1)
    is_told = firsts[0] == 1 and all(one < two for one, two in pairwise(firsts)) and set(told[2::3]) == {1}
    if (
        not is_told
        or sum(each * (two - one) for each, (one, two) in zip(told[1::3], pairwise(firsts), strict=True)) != count
    ):
        raise _held("has impossible tables of samples")
    samples: list[Span] = []
    for each, (one, two) in zip(told[1::3], pairwise(firsts), strict=True):
        for offset in offsets[one - 1 : two - 1]:
            position = offset
            for _ in range(each):
                samples.append(Span(position, next(lengths)))
                position += samples[-1].length
    return samples


def _numbers(frame: Frame, box: Box, at: int, count: int, form: str = "I") -> tuple[int, ...]:
    length = count * struct.calcsize(">" + form)
    if at + length > box.length:
        raise _held("has impossible tables of samples")
    return struct.unpack(f">{count}{form}", frame.read(box.begin + at, length))


# --- boxes ------------------------------------------------------------------------------------------------------------


def _held(why: str) -> MalformedInstance:
    return malformed(f"a video of the pixel data {why}")


def _boxes(frame: Frame, position: int, end: int) -> list[_Placed]:
    placed: list[_Placed] = []
    for box in boxes_in(frame, position, end):
        if len(placed) == BOXES_MAX:
            raise exceeded("BOXES_MAX", len(placed) + 1, BOXES_MAX)
        placed.append(_Placed(position, box))
        position = box.end
    return placed


def _boxes_of(frame: Frame, box: Box) -> list[_Placed]:
    return _boxes(frame, box.begin, box.end)


def _one(boxes: Sequence[_Placed], kind: bytes) -> _Placed:
    found = [one for one in boxes if one.box.kind == kind]
    if len(found) != 1:
        raise _held(f"is an MP4 that has not one box {kind.decode('ascii')} in its place")
    return found[0]


def _zeroed(frame: Frame, position: int, end: int) -> Iterator[Stretch]:
    yield from (one._replace(fill=_NUL) for one in frame.words(position, end - position))


def _freed(frame: Frame, one: _Placed) -> Iterator[Stretch]:
    """Yield what makes a box a blank one that readers pass over."""
    kind = one.box.kind
    if kind and kind not in _OF_NOTHING:
        yield from (Stretch(one.start + 4 + at, 1, _FREE[at : at + 1]) for at in range(4) if kind[at] != _FREE[at])
    yield from frame.words(one.box.begin, one.box.length)


def _brands(frame: Frame, box: Box) -> Iterator[Stretch]:
    for position in range(box.begin, min(box.end, box.begin + 4 * BOXES_MAX), 4):
        if position == box.begin + 4 or frame.read(position, min(4, box.end - position)) not in _BRANDS:
            yield from _zeroed(frame, position, min(position + 4, box.end))
    yield from _zeroed(frame, min(box.end, box.begin + 4 * BOXES_MAX), box.end)


def _but(frame: Frame, box: Box, kept: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
    """Yield what is not among the fields that stay."""
    if box.length < kept[-1][1]:
        raise _held("has a box that is too short")
    position = box.begin
    for first, last in kept:
        yield from _zeroed(frame, position, box.begin + first)
        position = box.begin + last
    yield from _zeroed(frame, position, box.end)


def _versioned(frame: Frame, box: Box) -> Iterator[Stretch]:
    version = frame.read(box.begin, 1)
    kept = _FIELDS.get((box.kind, version[0] if version else -1))
    if kept is None:
        raise _held("has a box of an unknown version")
    yield from _but(frame, box, kept)


def _in_track(frame: Frame, parent: Box, coding: str) -> Iterator[Stretch]:
    """Yield the stretches of its boxes; `_KEPT` says how deep they nest."""
    boxes = _boxes_of(frame, parent)
    for one in boxes:
        box = one.box
        if box.kind not in _KEPT[parent.kind]:
            yield from _freed(frame, one)
            continue
        _one(boxes, box.kind)
        if box.kind in _KEPT:
            yield from _in_track(frame, box, coding)
        elif box.kind == b"stsd":
            yield from _in_description(frame, box, coding)
        elif box.kind == b"dref":
            yield from _in_references(frame, box)
        elif box.kind == b"stsz":
            size, count = _numbers(frame, box, 4, 2)
            yield from _but(frame, box, ((0, 12 if size else 12 + 4 * count),))
        elif box.kind == b"elst":
            yield from _in_table(frame, box, _EDIT_BYTES[frame.read(box.begin, 1) == b"\1"])
        elif box.kind in _TABLES:
            yield from _in_table(frame, box, _TABLES[box.kind])
        else:
            yield from _versioned(frame, box)


def _in_table(frame: Frame, box: Box, entry_bytes: int) -> Iterator[Stretch]:
    (count,) = _numbers(frame, box, 4, 1)
    yield from _but(frame, box, ((0, 8 + entry_bytes * count),))


def _in_references(frame: Frame, box: Box) -> Iterator[Stretch]:
    _numbers(frame, box, 4, 1)
    for _, one in _boxes(frame, box.begin + 8, box.end):
        if not one.kind:
            yield from _zeroed(frame, one.begin, one.end)
            continue
        if one.kind not in {b"url ", b"alis"} or one.length < 4 or not frame.read(one.begin + 3, 1)[0] & 1:
            raise _held("has samples in another file")
        yield from _but(frame, one, ((0, 4),))


# --- descriptions and samples -----------------------------------------------------------------------------------------


class _Configuration(NamedTuple):
    box: Box
    length_bytes: int
    units: Sequence[tuple[int, int]]  # first position, and that behind the last
    end: int  # of what is understood


def _entry(frame: Frame, box: Box, coding: str) -> Box:
    (count,) = _numbers(frame, box, 4, 1)
    entries = _boxes(frame, box.begin + 8, box.end)
    if count != 1 or [bool(one.box.kind) for one in entries[:2]] not in ([True], [True, False]):
        raise _held("describes its pictures in several ways: send it encoded in one")
    entry = entries[0].box
    if entry.kind not in _ENTRIES[coding][0] or entry.length < _ENTRY_BYTES:
        raise _held("has pictures of another coding than its transfer syntax says")
    return entry


def _in_description(frame: Frame, box: Box, coding: str) -> Iterator[Stretch]:
    entry = _entry(frame, box, coding)
    yield from _zeroed(frame, entry.end, box.end)
    yield from _but(frame, entry._replace(end=entry.begin + _ENTRY_BYTES), _ENTRY)
    boxes = _boxes(frame, entry.begin + _ENTRY_BYTES, entry.end)
    for one in boxes:
        inner = one.box
        if inner.kind in _SMALL:
            yield from _but(frame, inner, ((0, _SMALL[inner.kind]),))
        elif inner.kind == b"colr":
            yield from _in_colors(frame, one)
        elif inner.kind != _ENTRIES[coding][1]:
            yield from _freed(frame, one)
    configuration = _configuration(frame, entry, coding)
    for begin, end in configuration.units:
        yield from words_in_unit(frame, CODECS[coding], begin, end)
    yield from _zeroed(frame, configuration.end, configuration.box.end)


def _in_colors(frame: Frame, one: _Placed) -> Iterator[Stretch]:
    kind = frame.read(one.box.begin, min(4, one.box.length))
    if kind in _COLORS:
        yield from _but(frame, one.box, ((0, _COLORS[kind]),))
    elif kind in _PROFILES:
        yield from frame.profile_words([Stretch(one.box.begin + 4, one.box.length - 4)])
    else:
        yield from _freed(frame, one)


def _configuration(frame: Frame, entry: Box, coding: str) -> _Configuration:
    """Return where units are in the configuration of a decoder (ISO/IEC 14496-15 5.3.3.1, 8.3.3.1)."""
    box = _one(_boxes(frame, entry.begin + _ENTRY_BYTES, entry.end), _ENTRIES[coding][1]).box
    if box.length > CONFIGURATION_BYTES_MAX:
        raise exceeded("CONFIGURATION_BYTES_MAX", box.length, CONFIGURATION_BYTES_MAX)
    data = frame.read(box.begin, box.length)
    units: list[tuple[int, int]] = []

    def after(position: int, count: int) -> int:
        for _ in range(count):
            length = int.from_bytes(data[position : position + 2], "big")
            if not length or position + 2 + length > len(data):
                raise _held("has a damaged configuration of its decoder")
            units.append((box.begin + position + 2, box.begin + position + 2 + length))
            position += 2 + length
        return position

    try:
        if coding == "H.264":
            position = after(6, data[5] & 31)
            position = after(position + 1, data[position])
            if data[1] in _HIGH_PROFILES and len(data) >= position + 4:
                position = after(position + 4, data[position + 3])
            length_bytes = (data[4] & 3) + 1
        else:
            position, length_bytes = 23, (data[21] & 3) + 1
            for _ in range(data[22]):
                position = after(position + 3, int.from_bytes(data[position + 1 : position + 3], "big"))
    except IndexError:
        raise _held("has a damaged configuration of its decoder") from None
    return _Configuration(box, length_bytes, units, box.begin + min(position, len(data)))


def _between(frame: Frame, tracks: Sequence[_Track], media: Sequence[Box]) -> Iterator[Stretch]:
    """Yield what of the media data is no sample."""
    samples = sorted(chain.from_iterable(track.samples for track in tracks))
    if any(one.offset + one.length > two.offset for one, two in pairwise(samples)):
        raise _held("has samples that overlap")
    at = 0
    for box in media:
        position = box.begin
        while (
            at < len(samples) and position <= samples[at].offset and samples[at].offset + samples[at].length <= box.end
        ):
            yield from frame.words(position, samples[at].offset - position)
            position = samples[at].offset + samples[at].length
            at += 1
        yield from frame.words(position, box.end - position)
    if at < len(samples):
        raise _held("has samples that are not in its media data")


def _in_samples(frame: Frame, tracks: Sequence[_Track], coding: str) -> Iterator[Stretch]:
    """Yield the stretches of units, each behind its length."""
    codec, count = CODECS[coding], 0
    for samples, length_bytes in tracks:
        for sample in samples:
            position, end = sample.offset, sample.offset + sample.length
            while position < end:
                count += 1
                if count > UNITS_MAX:
                    raise exceeded("UNITS_MAX", count, UNITS_MAX)
                head = frame.read(position, length_bytes + 1)
                begin = position + length_bytes
                position = begin + int.from_bytes(head[:length_bytes], "big")
                if position > end:
                    raise _held("has a unit that is longer than its sample")
                if begin < position and head[length_bytes] in codec.firsts:
                    yield from words_in_unit(frame, codec, begin, position)
