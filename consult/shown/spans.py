"""Frame numbers as short text: "1-60,72", counted from one, in order, none twice. Pure."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import pairwise


def numbers_in(text: str) -> set[int]:
    """Return the frame numbers of a text that `text_of` made."""
    found: set[int] = set()
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def text_of(numbers: Iterable[int]) -> str:
    """Return frame numbers as text, neighbours as one span; empty for none."""
    spans: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def gaps_in(numbers: AbstractSet[int], count: int) -> str:
    """Return those of 1 to `count` that are not among `numbers`, as text; however great `count` is, it costs `numbers`."""
    spans: list[str] = []
    inside = sorted(number for number in numbers if number <= count)
    for before, after in pairwise((0, *inside, count + 1)):
        first, last = before + 1, after - 1
        if first <= last:
            spans.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(spans)
