"""What is stored together shares commits, and waits for nobody: whole instances are taken when their sender pauses."""

from pathlib import Path
from typing import Any

import pytest

from gateway.dicomweb.http import body
from gateway.dicomweb.store import taking
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.tables import instance
from kernel.errors import Busy
from tests.dicomweb.conftest import Node, body_of, running_node
from tests.dicomweb.test_stow import raw_request, until
from tests.support.builders import a_ct, a_ct_series, as_file


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many instances each commit was asked for."""
    asked: list[int] = []
    submit_all = LocalCommitter.submit_all

    def counted(committer: LocalCommitter, items: Any) -> Any:
        asked.append(len(items))
        return submit_all(committer, items)

    monkeypatch.setattr(LocalCommitter, "submit_all", counted)
    return asked


def test_instances_that_come_quickly_share_commits(node: Node, groups: list[int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taking, "SLOW_S", float("inf"))

    stored = node.store(*a_ct_series(2 * taking.GROUP_MAX + 1))

    assert stored.status_code == 200
    assert groups == [taking.GROUP_MAX, taking.GROUP_MAX, 1]
    assert len(node.rows(instance)) == 2 * taking.GROUP_MAX + 1


def test_an_instance_that_came_slowly_does_not_wait_for_the_next(
    node: Node, groups: list[int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(taking, "SLOW_S", -1.0)

    assert node.store(*a_ct_series(3)).status_code == 200
    assert groups == [1, 1, 1]


def test_whole_instances_are_taken_while_their_sender_pauses(node: Node, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taking, "SLOW_S", float("inf"))
    content = body_of([as_file(ds) for ds in a_ct_series(3)])

    with raw_request(node, length=len(content), sent=content[:-100]) as connection:
        assert until(lambda: len(node.rows(instance)) == 2)
        connection.sendall(content[-100:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")

    assert len(node.rows(instance)) == 3


def test_whole_instances_of_a_body_that_ends_too_soon_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taking, "SLOW_S", float("inf"))
    monkeypatch.setattr(body, "LULL_S", float("inf"))
    monkeypatch.setattr(body, "LULLS_EVERY_S", float("inf"))
    content = body_of([as_file(a_ct(instance=number, rows=512, columns=512)) for number in (1, 2, 3)])
    with running_node(tmp_path) as node:
        with raw_request(node, length=len(content), sent=content[:-1000]):
            named = node.config.node.data / "blobs"
            assert until(lambda: len([*named.glob("[0-9a-f][0-9a-f]/*")]) == 2)
            assert until(lambda: len(node.stages()) == 1)
            assert node.rows(instance) == []

        assert until(lambda: len(node.rows(instance)) == 2)
        assert until(lambda: not node.stages())


def test_one_that_is_refused_fails_alone(node: Node, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taking, "SLOW_S", float("inf"))
    good, bad = as_file(a_ct(instance=1)), a_ct(instance=2)
    bad.StudyInstanceUID = "no UID"

    stored = node.store(good, as_file(bad), as_file(a_ct(instance=3)))

    assert stored.status_code == 202
    assert len(node.rows(instance)) == 2
    assert len(node.quarantined()) == 1


def test_a_group_that_cannot_be_committed_is_told_to_come_again_and_nothing_of_it_is_promised(
    node: Node, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any) -> Any:
        raise Busy(what="the database's queue is full")

    with monkeypatch.context() as patched:
        patched.setattr(LocalCommitter, "submit_all", full)
        refused = node.store(*a_ct_series(3))

    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    assert (node.rows(instance), node.stages()) == ([], [])
    assert node.store(*a_ct_series(3)).status_code == 200
