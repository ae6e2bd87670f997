"""One order: the parts of a body de-identified one after the other, their new bytes on disk until they are sent back.

What is in memory is one chunk, the header of one instance and a line for each that is held. Nothing is kept: the parts
are stages that are discarded, the answer is an unnamed file. `feed` and `finish` are called by one thread at a time.
"""

import json
import mmap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from anonymizer.engine.opening import opened
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.keys import Keys
from anonymizer.release import Held, release
from gateway.dicomweb.http.multipart import PART_TAIL, Event, PartBegin, PartData, PartEnd, body_tail, part_head
from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.receiver import Framing
from kernel.archive.blobs.spool import Spool
from kernel.archive.blobs.store import Blobs, discard
from kernel.archive.records import Staged
from kernel.errors import ExchangeError, Refused, StorageFull

HEAD: Final[Mapping[str, str]] = {"Content-Type": "application/dicom"}
REPORT_HEAD: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Deidentification:
    """What a node has for it: profiles by name, the keys of each site."""

    profiles: Mapping[str, Profile]
    keys_of: Callable[[str], Keys]
    default: str = "tele-read"  # profile of an order that names none
    # By site: what cleans pixels, with the zones of its devices; None: nobody does, and kinds that show names are held.
    cleaner_of: Callable[[str], Cleaner | None] = lambda _: Cleaner()


@dataclass(slots=True)
class Order:
    """One request; `held` has for each part that does not come back its place in the body, from one, and why."""

    framing: Framing
    blobs: Blobs
    spool: Spool
    boundary: bytes
    profile: Profile
    keys: Keys = field(repr=False)
    instance_bytes_max: int
    cleaner: Cleaner | None
    made: int = 0
    held: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _part: Part | None = None
    _failed: ExchangeError | None = None

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the next chunks of the body.

        Raises
        ------
        InvalidRequest, LimitExceeded
            The body cannot be taken apart.
        StorageFull
            There is no room for the answer.
        """
        for chunk in chunks:
            for event in self.framing.feed(chunk):
                self._handle(event)

    def finish(self) -> None:
        """Say that the body has ended, and end the answer with the report."""
        self.framing.finish()
        if self._part is not None:
            self._end_part(self._part)
        self._append(part_head(self.boundary, REPORT_HEAD), self.report(), PART_TAIL, body_tail(self.boundary))

    def report(self) -> bytes:
        """Return what became of the parts: reasons and tags, never a value."""
        report = {"profile": self.profile.label, "made": self.made, "held": self.held}
        return json.dumps(report, separators=(",", ":")).encode()

    def abort(self) -> None:
        """Forget everything; safe to call twice."""
        if self._part is not None:
            self._part.discard()
            self._part = None
        self.spool.close()

    def _handle(self, event: Event) -> None:
        match event:
            case PartBegin(headers):
                self._part, self._failed = Part(self.blobs, headers, self.instance_bytes_max), None
            case PartData(data):
                assert self._part is not None, "data follow the beginning of a part"
                if self._failed is None:
                    try:
                        self._part.write(data)
                    except StorageFull:
                        raise
                    except ExchangeError as error:  # this part is held; the rest of the body is still read
                        self._failed = error
            case PartEnd():
                assert self._part is not None, "an end follows the beginning of a part"
                self._end_part(self._part)

    def _end_part(self, part: Part) -> None:
        self._part = None
        if self._failed is not None:
            part.discard()
            self._hold(self._failed.code)
            return
        staged = part.finish()
        try:
            if part.refusal is not None:
                self._hold(part.refusal.code)
            else:
                self._deidentify(staged)
        except Refused as refusal:
            self._hold(refusal.code)
        finally:
            discard(staged)

    def _deidentify(self, staged: Staged) -> None:
        with staged.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            source, _, header = opened(content)
            keys = self.keys
            result = release(source, header, profile=self.profile, keys=keys, issuer=keys.site, cleaner=self.cleaner)
            if isinstance(result, Held):
                self._hold(result.because, result.in_tag)
            elif result.pixel_review:
                self._hold(result.pixel_review, "(7FE0,0010)")
            else:
                self._append(part_head(self.boundary, HEAD), *result.made.chunks(source), PART_TAIL)
                self.made += 1

    def _hold(self, because: str, in_tag: str = "") -> None:
        place = self.made + len(self.held) + 1
        self.held.append({"part": place, "because": because} | ({"tag": in_tag} if in_tag else {}))

    def _append(self, *pieces: bytes | memoryview) -> None:
        for piece in pieces:
            self.spool.append(piece)
