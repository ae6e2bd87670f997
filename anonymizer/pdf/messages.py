"""What is said between us and the process that draws pages: a document and a page; its picture and its text layer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a document to draw; `index` counts from zero."""

    document: bytes
    index: int


@dataclass(frozen=True, slots=True)
class LayerWord:
    """A word of the text layer, its box in pixels of the picture, and the number of its line."""

    text: str
    line: int
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as RGB by pixel, 8 bits a sample; or why there is none, in one stable word."""

    pages: int = 0  # of the document
    rows: int = 0
    columns: int = 0
    data: bytes = b""
    words: tuple[LayerWord, ...] = ()
    refusal: str = ""
