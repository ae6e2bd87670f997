"""On which line of a TOML file something stands: `tomllib` does not say. For messages; an odd layout gets a near line."""

import re

_TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"([^"]*)"|'([^']*)')\s*=""")


class Lines:
    """The keys of a TOML file by their line, counted from one."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._first: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], int] = {}  # of what the key is given
        at = ("", "")
        for number, line in enumerate(self._text, start=1):
            if found := _TABLE.match(line):
                at = (found[1].replace('"', "").replace(" ", ""), "")
            elif found := _KEY.match(line):
                at = (at[0], found[1] or found[2] or found[3] or "")
            self._first.setdefault(at, number)
            self._last[at] = number

    def of(self, table: str, key: str, item: str = "") -> int:
        """Return the line of an item of a key of a table, or of as much of it as there is; 1 when there is nothing."""
        where = (table, key)
        first = self._first.get(where) or self._first.get((table, "")) or 1
        if item:
            for number in range(first, self._last.get(where, first) + 1):
                if f'"{item}"' in self._text[number - 1] or f"'{item}'" in self._text[number - 1]:
                    return number
        return first
