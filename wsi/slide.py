"""A slide that can be looked at: from an address of the pyramid to a JPEG that stands for itself.

Reading bytes and keeping what was made are the caller's, who may do them on an event loop, in a thread, from a disk or
from a store elsewhere.
"""

from collections.abc import Callable
from typing import NamedTuple

from kernel.errors import NotFound
from wsi.frame_form import FrameForm, as_jpeg
from wsi.jpeg import spliced_profile
from wsi.octave import blank_tile, reduced_tile
from wsi.pyramid import Octave, octaves
from wsi.tile_index import SlideIndex, Span

Read = Callable[[Span], bytes]
FormOf = Callable[[int], FrameForm]
"""Given one of the slide's files: how its frames are encoded."""


class Address(NamedTuple):
    """One tile as viewers ask for it, everything from zero."""

    path: int  # optical path
    plane: int  # focal plane
    octave: int
    column: int
    row: int

    def __str__(self) -> str:
        """Return it as it stands in a URL or a file's name."""
        return f"{self.path}-{self.plane}-{self.octave}-{self.column}_{self.row}"


class Slide:
    """An index with its pyramid; safe in threads."""

    def __init__(self, index: SlideIndex) -> None:
        self.index = index
        self.octaves = octaves(index)
        self._completions = [index.completion(number) for number in range(len(index.levels))]
        self._blanks: dict[int, bytes] = {}

    def octave(self, address: Address) -> Octave:
        """Return the octave of an address.

        Raises
        ------
        NotFound
            The slide has no such tile.
        """
        finest = self.index.levels[0]
        if not 0 <= address.octave < len(self.octaves):
            raise NotFound(what="tile")
        octave = self.octaves[address.octave]
        inside = 0 <= address.column < octave.columns and 0 <= address.row < octave.rows
        if not inside or not (0 <= address.plane < finest.planes and 0 <= address.path < finest.paths):
            raise NotFound(what="tile")
        return octave

    def as_stored(self, octave: Octave) -> bool:
        """Whether the tiles of an octave are the scanner's own bytes."""
        return octave.stored is not None and self.index.levels[octave.stored].coding == "jpeg"

    def stored(self, address: Address, octave: Octave, read: Read) -> bytes | None:
        """Return a tile of an octave that is `as_stored`; None where nothing was scanned.

        Raises
        ------
        MalformedSlide
            The stored tile is not what its level says.
        """
        assert octave.stored is not None
        span = self._span(address, octave)
        return self._completions[octave.stored].complete(read(span)) if span else None

    def decoded(self, address: Address, octave: Octave, read: Read, form_of: FormOf) -> bytes | None:
        """Return a stored tile that browsers do not show, as JPEG; None where nothing was scanned.

        The errors are those of `as_jpeg`.
        """
        span = self._span(address, octave)
        if span is None:
            return None
        form = form_of(span.file)
        return as_jpeg(form, read(form.whole(span)), self.index.icc_profile)

    def reduced(self, address: Address, octave: Octave, tile_of: Callable[[Address], bytes | None]) -> bytes:
        """Make a tile of an octave that is not stored; `tile_of` has those of its source.

        Raises
        ------
        MalformedSlide
            A tile of the source does not decode.
        What `tile_of` raises.
        """
        source = self.octaves[octave.source]

        def of_source(column: int, row: int) -> bytes | None:
            return tile_of(Address(address.path, address.plane, source.number, column, row))

        profile = spliced_profile(self.index.icc_profile)  # as in stored tiles: all octaves look alike
        return reduced_tile(octave, source, address.column, address.row, of_source, icc_profile=profile)

    def blank(self, octave: Octave) -> bytes:
        """Return a tile of bare glass."""
        number = octave.stored or 0
        if number not in self._blanks:
            self._blanks[number] = blank_tile(self.index.levels[number])
        return self._blanks[number]

    def _span(self, address: Address, octave: Octave) -> Span | None:
        """Return where a stored tile is; None where nothing was scanned, or the level was rounded down."""
        assert octave.stored is not None
        level = self.index.levels[octave.stored]
        if address.column >= level.columns or address.row >= level.rows:
            return None
        span = level.span(level.number(address.column, address.row, address.plane, address.path))
        return span if span.length else None
