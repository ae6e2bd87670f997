"""Errors are told: each place that makes one gives what its text asks for."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from kernel import errors

ROOMS = ("kernel", "anonymizer", "wsi", "routing", "consult", "viewer/server", "gateway", "exchange", "bench")
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.ExchangeError)
}


def made(tree: ast.AST) -> Iterator[tuple[ast.Call, type[errors.ExchangeError]]]:
    """Yield each call that makes an error, but those that pass on fields that they were given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in KINDS and all(keyword.arg for keyword in node.keywords):
                yield node, KINDS[name]


def lacking(node: ast.Call, kind: type[errors.ExchangeError]) -> set[str]:
    """Return the fields of the text that a call does not give."""
    return {field for _, field, _, _ in Formatter().parse(kind.text) if field} - {one.arg for one in node.keywords}


def test_whoever_makes_an_error_gives_what_its_text_says():
    calls = [
        (f"{path}:{node.lineno}", lacking(node, kind))
        for room in ROOMS
        for path in sorted(Path(room).rglob("*.py"))
        for node, kind in made(ast.parse(path.read_text()))
    ]

    assert len(calls) > 400
    assert [(where, lacks) for where, lacks in calls if lacks] == []


def test_the_search_finds_what_lacks_something():
    calls = list(made(ast.parse("raise InvalidRequest(problem='x')\nraise errors.Busy(what='x', retry_after_s=1)")))

    assert [lacking(*call) for call in calls] == [{"reason"}, set()]
