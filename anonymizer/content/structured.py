"""Clean Structured Content and Clean Graphics (PS3.15 E.3.4, E.3.3): the tree stays, what names somebody in it goes.

Both walk the sequence with the rules of `anonymizer.profiles.content_items` in the rewriter's hands: references and UIDs are
mapped, dates moved, names and identifying items replaced, and every text searched by the second net. Curves
(group 50xx) are not kept, overlays (60xx) only by `anonymizer.pixels.overlays`, which looks at their bitmaps.
"""

from typing import TYPE_CHECKING

from anonymizer.profiles.content_items import CONTENT_SEQUENCE, are_understood

if TYPE_CHECKING:
    from anonymizer.elements.packing import Chunks
    from anonymizer.elements.rewriting import Rewriter
    from kernel.dicom.scanning.elements import Element


def clean_content(rewriter: "Rewriter", element: "Element") -> "Chunks | None":
    """Clean a tree of content items; None when an item has a value type that nobody knows."""
    if element.tag == CONTENT_SEQUENCE and not are_understood(element.items or (), rewriter.view):
        return None
    return _walked(rewriter, element)


def clean_graphics(rewriter: "Rewriter", element: "Element") -> "Chunks | None":
    """Clean the annotations of a presentation state: graphics stay, texts are searched."""
    return _walked(rewriter, element)


def _walked(rewriter: "Rewriter", element: "Element") -> "Chunks":
    chunks = rewriter.sequence(element)
    return [rewriter.view[element.start : element.end]] if chunks is None else chunks
