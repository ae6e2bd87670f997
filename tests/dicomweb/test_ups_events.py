"""Event reports of work items over a WebSocket: to whom, in order, after an absence, and to nobody else."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from consult.workitems import WorkitemDesk
from gateway.dicomweb.ups import ups_channels, ups_events
from kernel.access import NewAccount
from tests.dicomweb.conftest import TOKEN, Node
from tests.dicomweb.test_ups import ITEM, asks, creates, posts
from tests.support.access import HOME, PASSWORD
from tests.support.workitems import UID

WORKLIST = "/dicom-web/workitems/1.2.840.10008.5.1.4.34.5/subscribers/"
PATIENCE_S = 20


@contextmanager
def channel(node: Node, ae_title: str = "READER1", token: str = TOKEN, **options) -> Iterator[ClientConnection]:
    url = f"ws{node.url.removeprefix('http')}/dicom-web/ws/subscribers/{ae_title}"
    headers = options.pop("headers", {"Authorization": f"Bearer {token}"})
    with connect(url, additional_headers=headers, proxy=None, **options) as opened:
        yield opened


def hears(opened: ClientConnection) -> tuple[str, int, str]:
    """Return the next report: work item, event type, state."""
    model = json.loads(opened.recv(timeout=PATIENCE_S))
    assert model["00000002"]["Value"] == ["1.2.840.10008.5.1.4.34.6.4"]
    assert 1 <= model["00000110"]["Value"][0] <= 0xFFFF
    return model["00001000"]["Value"][0], model["00001002"]["Value"][0], model.get("00741000", {}).get("Value", [""])[0]


def hears_until(until_s: float, opened: ClientConnection) -> None:
    while time.monotonic() < until_s:
        opened.recv(timeout=PATIENCE_S)


def test_a_subscriber_hears_what_happens_as_it_happens(node: Node):
    subscribed = posts(node, WORKLIST + "READER1")

    with channel(node) as opened:
        creates(node)
        first = hears(opened)
        asks(node, "IN PROGRESS")
        second = hears(opened)

    assert subscribed.status_code == 201
    assert subscribed.headers["Content-Location"] == (
        f"ws{node.url.removeprefix('http')}/dicom-web/ws/subscribers/READER1"
    )
    assert (first, second) == ((UID, 1, "SCHEDULED"), (UID, 1, "IN PROGRESS"))


def test_each_report_of_a_channel_has_a_message_id_of_its_own(node: Node):
    posts(node, WORKLIST + "READER1")

    with channel(node) as opened:
        ids: list[int] = []
        for uid in ("1.2.1", "1.2.2"):
            creates(node, uid)
            ids += json.loads(opened.recv(timeout=PATIENCE_S))["00000110"]["Value"]

    assert ids == [1, 2]


def test_the_url_of_a_channel_is_one_whatever_the_ae_title(node: Node):
    title = "READ%20%22ROOM%22"

    where = posts(node, WORKLIST + title).headers["Content-Location"]

    assert where.endswith(f"/ws/subscribers/{title}")
    with channel(node, title) as opened:
        creates(node)
        assert hears(opened) == (UID, 1, "SCHEDULED")


def test_what_happened_while_a_subscriber_was_away_is_told_when_it_is_back(node: Node):
    posts(node, WORKLIST + "READER1")
    with channel(node) as opened:
        creates(node, "1.2.1")
        before = hears(opened)
    creates(node, "1.2.2")
    creates(node, "1.2.3")

    with channel(node) as opened:
        assert [before, hears(opened), hears(opened)] == [(f"1.2.{n}", 1, "SCHEDULED") for n in (1, 2, 3)]


def test_who_does_not_subscribe_hears_nothing(node: Node):
    posts(node, WORKLIST + "READER1")

    with channel(node, "READER2") as other, channel(node) as opened:
        creates(node)
        hears(opened)
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.1)


def test_a_filtered_subscription_needs_its_filter_and_hears_what_matches(node: Node):
    filtered = "/dicom-web/workitems/1.2.840.10008.5.1.4.34.5.1/subscribers/READER1"

    assert posts(node, filtered).status_code == 400
    assert posts(node, filtered + "?filter=Nonsense=1").status_code == 400
    assert posts(node, filtered + "?filter=PatientName=le*,ScheduledProcedureStepPriority=HIGH").status_code == 201
    with channel(node) as opened:
        creates(node, "1.2.1")
        creates(node, "1.2.2", PatientName="LÊ^ĐỨC")
        assert hears(opened) == ("1.2.2", 1, "SCHEDULED")


def test_suspending_and_leaving_are_answered(node: Node):
    posts(node, WORKLIST + "READER1")

    assert posts(node, WORKLIST + "READER1/suspend").status_code == 200
    assert posts(node, ITEM + "/subscribers/READER1/suspend").status_code == 404
    assert posts(node, WORKLIST + "READER1", method="DELETE").status_code == 404
    creates(node)
    assert posts(node, ITEM + "/subscribers/READER1").status_code == 201
    assert posts(node, ITEM + "/subscribers/READER1", method="DELETE").status_code == 200
    assert posts(node, "/dicom-web/workitems/1.2.404/subscribers/READER1").status_code == 404
    assert posts(node, WORKLIST + "A%5CB").status_code == 400


def test_a_deletion_lock_is_granted_to_who_may_write(node: Node):
    token = node.a_token("worklist:read")

    granted = posts(node, WORKLIST + "READER1?deletionlock=true")
    refused = posts(node, WORKLIST + "READER2?deletionlock=true", token=token)

    assert "Warning" not in granted.headers
    assert (refused.status_code, "Deletion Lock not granted." in refused.headers["Warning"]) == (201, True)


@pytest.mark.parametrize(
    ("scopes", "status"), [((), 401), (("dicomweb:read", "api:read"), 403)], ids=["no token", "another right"]
)
def test_a_channel_opens_for_nobody_without_the_right(node: Node, scopes: tuple[str, ...], status: int):
    token = node.a_token(*scopes) if scopes else "nonsense"

    with pytest.raises(InvalidStatus) as refused, channel(node, token=token):
        pass

    assert refused.value.response.status_code == status


def test_nobody_listens_at_the_channel_of_another(node: Node):
    mine = node.a_token("worklist:read")
    posts(node, WORKLIST + "READER1", token=mine)
    stranger = node.access.tokens.create("a stranger", ["worklist:read"], by="test")

    with pytest.raises(InvalidStatus) as refused, channel(node, token=stranger):
        pass

    assert refused.value.response.status_code == 403
    assert posts(node, WORKLIST + "READER1", token=stranger).status_code == 403


def test_a_page_of_another_site_cannot_open_a_channel_with_a_readers_cookie(node: Node):
    node.access.accounts.create(NewAccount("lan", ["reader"]), PASSWORD, by="test")
    cookie = node.access.open_session(node.access.authenticate_password("lan", PASSWORD, HOME), HOME)
    cookies = {"Cookie": f"vienanh_session={cookie}"}

    with pytest.raises(InvalidStatus) as refused, channel(node, headers=cookies, origin="https://evil.example"):
        pass
    with channel(node, headers=cookies, origin=node.url):
        pass

    assert refused.value.response.status_code == 403


def test_a_second_channel_of_a_subscriber_takes_over(node: Node):
    posts(node, WORKLIST + "READER1")

    with channel(node) as old, channel(node) as new:
        with pytest.raises(ConnectionClosed) as ended:
            old.recv(timeout=PATIENCE_S)
        creates(node)
        assert hears(new) == (UID, 1, "SCHEDULED")

    assert ended.value.rcvd.code == ups_events.DISPLACED


def test_more_channels_than_may_be_are_refused(node: Node, monkeypatch):
    monkeypatch.setattr(ups_channels, "CHANNELS_MAX", 1)

    with channel(node), pytest.raises(InvalidStatus) as refused, channel(node, "READER2"):
        pass

    assert refused.value.response.status_code == 503


def test_a_token_that_is_revoked_ends_its_channel(node: Node, monkeypatch):
    monkeypatch.setattr(ups_events, "LOOK_AGAIN_S", 0.1)
    token = node.a_token("worklist:read")

    with channel(node, token=token) as opened:
        (info,) = [one for one in node.access.tokens.list() if one.revoked_at is None]
        node.access.tokens.revoke(info.token_id, by="test")
        with pytest.raises(ConnectionClosed) as ended:
            opened.recv(timeout=PATIENCE_S)

    assert ended.value.rcvd.code == ups_events.POLICY


def test_a_token_that_is_revoked_ends_a_channel_that_is_never_without_news(node: Node, monkeypatch):
    monkeypatch.setattr(ups_events, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(WorkitemDesk, "waiting", lambda *_: [(1, {})])
    token = node.a_token("worklist:read")
    until_s = time.monotonic() + PATIENCE_S

    with channel(node, token=token) as opened:
        (info,) = [one for one in node.access.tokens.list() if one.revoked_at is None]
        node.access.tokens.revoke(info.token_id, by="test")
        with pytest.raises(ConnectionClosed) as ended:
            hears_until(until_s, opened)

    assert ended.value.rcvd.code == ups_events.POLICY
