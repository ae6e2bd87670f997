"""What a person chose on the screens is there at every computer, for that person alone."""

import pytest

from kernel.access import NewAccount, Principal, Role
from kernel.access.preferences import CHARACTERS_MAX
from kernel.access.principal import ROLE_SCOPES
from kernel.errors import InvalidRequest
from tests.server.conftest import PASSWORD


def test_what_was_kept_is_there_at_the_next_sign_in_and_for_nobody_else(room):
    room.stores.access.accounts.create(NewAccount("minh", ["reader"]), PASSWORD, by="test")
    with room.signed_in() as client:
        assert client.get("/api/preferences").json() == {"settings": ""}
        assert client.put("/api/preferences", json={"settings": '{"language": "en"}'}).status_code == 204
        assert client.put("/api/preferences", json={"settings": '{"language": "vi"}'}).status_code == 204

    with room.signed_in() as client:
        assert client.get("/api/preferences").json() == {"settings": '{"language": "vi"}'}
    with room.signed_in("minh") as client:
        assert client.get("/api/preferences").json() == {"settings": ""}


def test_more_than_anybody_chooses_is_refused(room):
    with room.signed_in() as client:
        assert client.put("/api/preferences", json={"settings": "x" * 16_384}).status_code == 204
        assert client.put("/api/preferences", json={"settings": "x" * 16_385}).status_code == 400


def test_the_bound_holds_whoever_asks_and_is_told(room):
    lan = Principal("lan", "account", frozenset({Role.READER}), ROLE_SCOPES[Role.READER])

    with pytest.raises(InvalidRequest, match="The request is not valid: preferences have 16384 characters at most"):
        room.stores.access.preferences.keep(lan, "x" * (CHARACTERS_MAX + 1))

    assert room.stores.access.preferences.of(lan) == ""


def test_a_program_has_no_preferences(room):
    token = room.stores.access.tokens.create("his", ["api:read"], by="test")
    with room.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/api/preferences").json() == {"settings": ""}
        assert client.put("/api/preferences", json={"settings": "{}"}).status_code == 403
