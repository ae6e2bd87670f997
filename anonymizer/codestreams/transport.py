"""Words within a video in an MPEG-2 transport stream (ISO/IEC 13818-1): tables, headers, and units across packets.

No packet moves. Tables that say where the pictures are stay, without what their descriptors tell; the pictures' packets
stay, with their clocks and times alone; all other packets become null packets. Only streams of pictures leave: sound and
data are looked at by nobody here.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Final, NamedTuple, overload

from anonymizer.codestreams.frame import PADDING, Frame, Stretch
from anonymizer.codestreams.video import CODECS, words_in_stream
from kernel.dicom.pixels.frames import Span
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.errors import MalformedInstance

PACKET_BYTES: Final = 188
PACKETS_MAX: Final = 4_000_000  # some 750 MB
SYNC: Final = b"\x47"
_OTHER_PACKETS: Final = ((4, 192), (0, 204))  # where the first sync byte is, and how far apart they are
_SYNCS: Final = 4
_STUFFING: Final = b"\xff"
_PROGRAMS_PID: Final = 0
_NULL_PID: Final = 0x1FFF
_NULL_HEADER: Final = b"\x1f\xff\x10"  # behind the sync byte
_PROGRAMS, _PROGRAM = 0, 2  # table identifiers
_CRC_BYTES: Final = 4
_CLOCK_BYTES: Final = 6
_TIMES_BYTES: Final[Mapping[int, int]] = {0: 0, 2: 5, 3: 10}  # by the flags of PTS and DTS
_UNTOLD_TAG: Final = 0xFF  # of a descriptor
_OF_NUMBERS: Final[Mapping[int, int]] = {
    0x02: 3,
    0x28: 4,
    0x2A: 4,
    0x38: 17,
}  # descriptors of pictures: tag, bytes at most
_REGISTRATION: Final = 0x05
_REGISTERED: Final = frozenset({b"HEVC", b"HDMV", b"AVC1"})
_TYPES: Final[Mapping[str, int]] = {"MPEG-2": 0x02, "H.264": 0x1B, "HEVC": 0x24}
_SOUND: Final = frozenset({0x03, 0x04, 0x0F, 0x11, 0x1C, 0x81, 0x82, 0x84, 0x85, 0x86, 0x87})


class _Tables(NamedTuple):
    """The two sections that say where the pictures are; they stay the same throughout."""

    programs: bytes
    program: bytes
    program_pid: int
    pictures_pid: int


class _Payloads(Sequence[Span]):
    """Where the bytes of the pictures are; compact, as there are millions."""

    def __init__(self) -> None:
        self._offsets, self._lengths = array("Q"), array("B")

    def add(self, offset: int, length: int) -> None:
        self._offsets.append(offset)
        self._lengths.append(length)

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> list[Span]: ...
    def __getitem__(self, index: int | slice) -> Span | list[Span]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return Span(self._offsets[index], self._lengths[index])


def is_transport(frame: Frame) -> bool:
    """Return whether a video begins as a transport stream does.

    Raises
    ------
    MalformedInstance
        It does, in packets of another size.
    """
    for begin, size in _OTHER_PACKETS:
        if (
            all(frame.read(begin + at * size, 1) == SYNC for at in range(_SYNCS))
            and frame.read(PACKET_BYTES, 1) != SYNC
        ):
            raise _held(f"is a transport stream in packets of {size} bytes: send it in packets of {PACKET_BYTES}")
    return (
        frame.length >= PACKET_BYTES
        and frame.read(0, 1) == SYNC
        and (frame.length < 2 * PACKET_BYTES or frame.read(PACKET_BYTES, 1) == SYNC)
    )


def words_in_transport(frame: Frame, coding: str) -> Iterator[Stretch]:
    """Yield the stretches where words may stand that are not blank, and what is put there; not in their order.

    Raises
    ------
    MalformedInstance
        It has streams of more than pictures or several programs, its pictures are of another coding, packets are missing,
        scrambled or damaged, or its tables are longer than a packet or change.
    LimitExceeded
        More than PACKETS_MAX.
    """
    count = frame.length // PACKET_BYTES
    if count > PACKETS_MAX:
        raise exceeded("PACKETS_MAX", count, PACKETS_MAX)
    view, base = frame.flat()
    tables = _tables(view, base, count, coding)
    pictures = _Pictures(base)
    for position, packet in _packets(view, base, count):
        pid = _pid(packet)
        if pid in {_PROGRAMS_PID, tables.program_pid}:
            yield from _in_table(position, packet, tables)
        elif pid == tables.pictures_pid:
            yield from pictures.words(position, packet)
        else:
            yield from _nulled(position, packet)
    yield from frame.words(count * PACKET_BYTES, frame.length - count * PACKET_BYTES)
    if not pictures.payloads:
        raise _held("is a transport stream without pictures")
    stream = Frame(view, pictures.payloads)
    for position, length, fill in words_in_stream(stream, CODECS[coding]):
        yield from (Stretch(place.offset - base, place.length, fill) for place in stream.places(position, length))


def _held(why: str) -> MalformedInstance:
    return malformed(f"a video of the pixel data {why}")


# --- packets ----------------------------------------------------------------------------------------------------------


def _packets(view: memoryview, base: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield the packets and their positions within the frame."""
    for position in range(0, count * PACKET_BYTES, PACKET_BYTES):
        packet = bytes(view[base + position : base + position + PACKET_BYTES])
        if packet[0] != SYNC[0]:
            raise _held("is a transport stream with bytes between its packets")
        if _pid(packet) != _NULL_PID and (packet[1] & 0x80 or packet[3] & 0xC0):
            raise _held("is a transport stream with damaged or scrambled packets")
        yield position, packet


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _payload(packet: bytes) -> int:
    """Return where its payload begins."""
    control = packet[3] & 0x30
    begin = 4 if control == 0x10 else 5 + packet[4]
    if not control or begin > PACKET_BYTES or (control == 0x20 and begin != PACKET_BYTES):
        raise _held("is a transport stream with damaged packets")
    return begin


def _put(position: int, old: bytes, new: bytes) -> Iterator[Stretch]:
    """Yield what makes these bytes those, a stretch for each run of one byte."""
    changed = [(at, new[at]) for at in range(len(new)) if old[at] != new[at]]
    for _, run in groupby(enumerate(changed), lambda one: (one[1][0] - one[0], one[1][1])):
        (_, (first, byte)), *others = run
        yield Stretch(position + first, 1 + len(others), bytes((byte,)))


def _stuffed(position: int, packet: bytes, begin: int, end: int) -> Iterator[Stretch]:
    if packet[begin:end].strip(PADDING):
        yield Stretch(position + begin, end - begin, _STUFFING)


def _nulled(position: int, packet: bytes) -> Iterator[Stretch]:
    """Yield what makes it a packet that readers pass over."""
    yield from _put(position + 1, packet[1:4], _NULL_HEADER)
    yield from _stuffed(position, packet, 4, PACKET_BYTES)


def _in_adaptation(position: int, packet: bytes) -> Iterator[Stretch]:
    """Yield what makes all of its adaptation field stuffing but indicators and the clock (2.4.3.4)."""
    if not packet[3] & 0x20 or not packet[4]:
        return
    end, kept = 5 + packet[4], 6 + (_CLOCK_BYTES if packet[5] & 0x10 else 0)
    if kept > end:
        raise _held("is a transport stream with damaged packets")
    yield from _put(position + 5, packet[5:6], bytes((packet[5] & 0xF0,)))
    yield from _stuffed(position, packet, kept, end)


class _Pictures:
    """The packets of the one stream of pictures, in their order."""

    def __init__(self, base: int) -> None:
        self.payloads = _Payloads()
        self._base = base
        self._counter: int | None = None  # of the last packet with a payload
        self._has_begun = False
        self._left: int | None = None  # bytes of the PES packet; None: it does not say

    def words(self, position: int, packet: bytes) -> Iterator[Stretch]:
        """Yield the stretches of its headers, and note where its payload is."""
        begin = _payload(packet)
        is_start = bool(packet[1] & 0x40)
        if not self._has_begun and not is_start:  # the end of what began before
            yield from _nulled(position, packet)
            return
        yield from _in_adaptation(position, packet)
        if not packet[3] & 0x10:
            return
        counter = packet[3] & 0x0F
        is_told = bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x80)  # that the counter goes on elsewhere
        if self._counter is not None and counter != (self._counter + 1) & 0x0F and not is_told:
            raise _held(
                "is a transport stream of which packets are missing or double: send it as a bare stream or as MP4"
            )
        self._counter = counter
        if is_start:
            self._has_begun = True
            end = begin + 9 + (packet[begin + 8] if begin + 8 < PACKET_BYTES else PACKET_BYTES)
            yield from self._in_header(position, packet, begin, end)
            begin = end
        if self._left is not None:
            self._left -= PACKET_BYTES - begin
            if self._left < 0:
                raise _held("is a transport stream with bytes behind a packet of its pictures")
        if begin < PACKET_BYTES:
            self.payloads.add(self._base + position + begin, PACKET_BYTES - begin)

    def _in_header(self, position: int, packet: bytes, begin: int, end: int) -> Iterator[Stretch]:
        """Yield what makes all of the PES header stuffing but its times (2.4.3.6)."""
        if end > PACKET_BYTES:
            raise _held("is a transport stream with headers longer than a packet")
        if (
            packet[begin : begin + 3] != b"\0\0\1"
            or packet[begin + 3] & 0xF0 != 0xE0
            or packet[begin + 6] & 0xF0 != 0x80
        ):
            raise _held("is a transport stream with headers that are not of pictures")
        times = _TIMES_BYTES.get(packet[begin + 7] >> 6, PACKET_BYTES)
        if begin + 9 + times > end:
            raise _held("is a transport stream with damaged headers")
        yield from _put(position + begin + 7, packet[begin + 7 : begin + 8], bytes((packet[begin + 7] & 0xC0,)))
        yield from _stuffed(position, packet, begin + 9 + times, end)
        length = int.from_bytes(packet[begin + 4 : begin + 6], "big")
        self._left = length - (end - begin - 6) if length else None


# --- tables -----------------------------------------------------------------------------------------------------------


def _tables(view: memoryview, base: int, count: int, coding: str) -> _Tables:
    """Return the tables, each the first of its kind."""
    programs, program_pid = b"", -1
    for _, packet in _packets(view, base, count):
        if not packet[1] & 0x40 or _pid(packet) not in {_PROGRAMS_PID, program_pid}:
            continue
        if _pid(packet) == _PROGRAMS_PID and not programs:
            programs = _section(packet, _PROGRAMS)
            entries = [programs[at : at + 4] for at in range(8, len(programs) - _CRC_BYTES, 4)]
            pids = [int.from_bytes(entry[2:], "big") & 0x1FFF for entry in entries if entry[:2] != b"\0\0"]
            if len(pids) != 1 or pids[0] in {_PROGRAMS_PID, _NULL_PID}:
                raise _held("is a transport stream of not one program: send it with one")
            program_pid = pids[0]
        elif _pid(packet) == program_pid:
            program = _section(packet, _PROGRAM)
            return _Tables(programs, program, program_pid, _pictures_pid(program, coding, program_pid))
    raise _held("is a transport stream without tables of what is in it")


def _section(packet: bytes, table: int) -> bytes:
    """Return the section with which a packet begins, and which is all in it."""
    begin = _payload(packet)
    pointer = packet[begin : begin + 1]
    head = packet[begin + 1 : begin + 9]
    end = begin + 4 + (int.from_bytes(head[1:3], "big") & 0x0FFF)
    if pointer != b"\0" or len(head) < 8 or end > PACKET_BYTES or end < begin + 9 + _CRC_BYTES or head[6:] != b"\0\0":
        raise _held("is a transport stream with tables longer than a packet: send it as a bare stream or as MP4")
    section = packet[begin + 1 : end]
    if head[0] != table or not head[5] & 1 or _crc(section):
        raise _held("is a transport stream with damaged tables")
    return section


def _pictures_pid(section: bytes, coding: str, program_pid: int) -> int:
    """Return the packet identifier of the pictures, if the program has nothing else (2.4.4.8)."""
    streams = list(_streams(section))
    for kind, _ in streams:
        if kind != _TYPES[coding]:
            what = "sound" if kind in _SOUND else "something that is not of its transfer syntax"
            raise _held(f"is a transport stream with {what}, which nobody here can look at: send it without")
    clock = int.from_bytes(section[8:10], "big") & 0x1FFF
    pids = [pid for _, pid in streams]
    if len(pids) != 1 or clock not in {pids[0], _NULL_PID} or pids[0] in {_PROGRAMS_PID, program_pid, _NULL_PID}:
        raise _held("is a transport stream with not one stream of pictures, or with its clock elsewhere")
    return pids[0]


def _streams(section: bytes) -> Iterator[tuple[int, int]]:
    """Yield type and packet identifier of each stream."""
    end = len(section) - _CRC_BYTES
    position = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    while position + 5 <= end:
        yield section[position], int.from_bytes(section[position + 1 : position + 3], "big") & 0x1FFF
        position += 5 + (int.from_bytes(section[position + 3 : position + 5], "big") & 0x0FFF)
    if position != end:
        raise _held("is a transport stream with damaged tables")


def _in_table(position: int, packet: bytes, tables: _Tables) -> Iterator[Stretch]:
    begin = _payload(packet) + 1
    if not packet[3] & 0x10:
        yield from _in_adaptation(position, packet)
        return
    is_programs = _pid(packet) == _PROGRAMS_PID
    section = tables.programs if is_programs else tables.program
    end = begin + len(section)
    if packet[begin - 1 : end] != b"\0" + section:
        raise _held("is a transport stream whose tables change: send it as a bare stream or as MP4")
    yield from _in_adaptation(position, packet)
    if not is_programs:
        yield from _put(position + begin, section, _untold(section))
    yield from _stuffed(position, packet, end, PACKET_BYTES)


@lru_cache(maxsize=1)  # it is said ten times a second
def _untold(section: bytes) -> bytes:
    """Return the table of the program without what its descriptors tell, and with the checksum of that."""
    made = bytearray(section)
    streams = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    _blank_descriptors(made, 12, streams)
    _blank_descriptors(made, streams + 5, len(made) - _CRC_BYTES)
    made[-_CRC_BYTES:] = _crc(bytes(made[:-_CRC_BYTES])).to_bytes(_CRC_BYTES, "big")
    return bytes(made)


def _blank_descriptors(section: bytearray, position: int, end: int) -> None:
    while position < end:
        begin = position + 2
        following = begin + section[position + 1] if begin <= end else end + 1
        if following > end:
            raise _held("is a transport stream with damaged tables")
        tag, content = section[position], bytes(section[begin:following])
        is_registered = tag == _REGISTRATION and content in _REGISTERED
        if not is_registered and len(content) > _OF_NUMBERS.get(tag, -1):
            section[position] = _UNTOLD_TAG
            section[begin:following] = _STUFFING * len(content)
        position = following


@cache
def _crc_of_byte(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)
    return crc & 0xFFFFFFFF


def _crc(content: bytes) -> int:
    """Return the checksum of a section (annex A); 0 with its own behind it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _crc_of_byte(crc >> 24 ^ byte)
    return crc
