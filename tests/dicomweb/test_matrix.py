"""Every route against every kind of caller: one authorisation for all of them. A route without a row here fails."""

import json
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from gateway.dicomweb.app import PREFIXES, ROUTES
from kernel.access import Role, Scope
from kernel.access.accounts import NewAccount
from kernel.access.request import SAFE_METHODS
from tests.dicomweb.conftest import running_node
from tests.dicomweb.test_routes import call, path_of
from tests.support.builders import a_ct
from tests.support.workitems import a_workitem

PASSWORD = "a long password"
JSON = "application/dicom+json"


class Expected(NamedTuple):
    """What who has the right is answered, and who has it for another site."""

    right: int
    stranger: int
    at_site: int = 0  # for a stranger under the site's own URL; as elsewhere when 0
    later: int = 0  # for who has the right, once somebody else was there


SEEN, HIDDEN = Expected(200, 404), Expected(200, 200)  # a study by its name; a list, which is empty for a stranger
_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
MATRIX = {
    "OPTIONS ": Expected(200, 200),
    "OPTIONS /": Expected(200, 200),
    "POST /studies": Expected(200, 200, 403),  # each stores for its own site
    "POST /studies/{study}": Expected(200, 200, 403),
    "POST /uploads": Expected(200, 200, 403),
    "POST /uploads/known": Expected(200, 200, 403),  # each of its own site
    "POST /uploads/slides": Expected(201, 201, 403),
    "GET /uploads/slides": Expected(200, 200, 403),  # each its own
    "GET /uploads/slides/{upload}": Expected(404, 404, 403),
    "PATCH /uploads/slides/{upload}": Expected(404, 404, 403),
    "DELETE /uploads/slides/{upload}": Expected(404, 404, 403),
    "DELETE /studies/{study}": Expected(409, 404),  # it may be the only copy
    "DELETE /studies/{study}/series/{series}": Expected(409, 404),
    f"DELETE {_INSTANCE}": Expected(409, 404),
    "POST /$deidentify": Expected(200, 200, 403),  # with the keys of the caller's own site
    "POST /manifests": Expected(204, 204, 403),
    "POST /commitment-requests/{transaction}": Expected(200, 200, 403),
    "GET /commitment-requests/{transaction}": Expected(200, 200, 403),  # each its own
    "GET /changes": HIDDEN,
    "GET /studies": HIDDEN,
    "GET /series": HIDDEN,
    "GET /instances": HIDDEN,
    "GET /studies/{study}": SEEN,
    "GET /studies/{study}/series": HIDDEN,
    "GET /studies/{study}/instances": HIDDEN,
    "GET /studies/{study}/metadata": SEEN,
    "GET /studies/{study}/medium": SEEN,
    "GET /studies/{study}/medium.iso": SEEN,
    "GET /studies/{study}/rendered": SEEN,
    "GET /studies/{study}/thumbnail": SEEN,
    "GET /studies/{study}/series/{series}": SEEN,
    "GET /studies/{study}/series/{series}/instances": HIDDEN,
    "GET /studies/{study}/series/{series}/metadata": SEEN,
    "GET /studies/{study}/series/{series}/rendered": SEEN,
    "GET /studies/{study}/series/{series}/thumbnail": SEEN,
    f"GET {_INSTANCE}": SEEN,
    f"GET {_INSTANCE}/metadata": SEEN,
    f"GET {_INSTANCE}/rendered": SEEN,
    f"GET {_INSTANCE}/thumbnail": SEEN,
    f"GET {_INSTANCE}/frames/{{frames}}": SEEN,
    f"GET {_INSTANCE}/frames/{{frames}}/tiers/{{tier}}": SEEN,
    f"GET {_INSTANCE}/frames/{{frames}}/rendered": SEEN,
    f"GET {_INSTANCE}/frames/{{frames}}/thumbnail": SEEN,
    f"GET {_INSTANCE}/bulkdata/{{path:path}}": SEEN,
    "GET /studies/{study}/bulkdata": SEEN,
    "GET /studies/{study}/pixeldata": SEEN,
    "GET /studies/{study}/series/{series}/bulkdata": SEEN,
    "GET /studies/{study}/series/{series}/pixeldata": SEEN,
    f"GET {_INSTANCE}/bulkdata": SEEN,
    f"GET {_INSTANCE}/pixeldata": SEEN,
    "POST /workitems": Expected(400, 400, 403),  # an empty one
    "GET /workitems": HIDDEN,
    "GET /workitems/{workitem}": SEEN,
    "POST /workitems/{workitem}": Expected(200, 404, 403, later=409),  # canceled meanwhile
    "PUT /workitems/{workitem}/state": Expected(400, 400, 403),
    "POST /workitems/{workitem}/cancelrequest": Expected(202, 404, 403, later=409),
    "POST /workitems/{workitem}/subscribers/{ae}": Expected(201, 404, later=403),  # the title is its first holder's
    "DELETE /workitems/{workitem}/subscribers/{ae}": Expected(200, 404, later=404),
    "POST /workitems/{workitem}/subscribers/{ae}/suspend": Expected(404, 404),  # of worklists only
}


def name_of(row) -> str:
    return f"{row.method} {row.path}"


def test_every_route_has_a_row_in_the_matrix():
    assert sorted({name_of(row) for row in ROUTES} ^ MATRIX.keys()) == []


class World:
    """One node with one study, and callers of every kind."""

    def __init__(self, node) -> None:
        self.node, self.ds = node, a_ct()
        assert node.store(self.ds).status_code == 200
        (commit,) = [row for row in ROUTES if name_of(row) == "POST /commitment-requests/{transaction}"]
        for site in ("BV1", "BV9"):
            assert self.ask(commit, PREFIXES[0], **bearer(self.token(*Scope, site=site))).status_code == 200
        (create,) = [row for row in ROUTES if name_of(row) == "POST /workitems"]
        with node.http() as client:
            made = client.post(f"/dicom-web{create.path}?1.2.3.2", json=a_workitem(), headers={"Content-Type": JSON})
        assert made.status_code == 201
        node.access.accounts.create(NewAccount("somebody", [role.value for role in Role]), PASSWORD, by="test")
        principal = node.access.authenticate_password("somebody", PASSWORD, "127.0.0.1")
        self.cookie = node.access.open_session(principal, "127.0.0.1")
        self.csrf = node.access.csrf_of_session(self.cookie)
        tokens = node.access.tokens
        self.expired = tokens.create("expired", list(Scope), lifetime=timedelta(0), by="test")
        self.revoked = tokens.create("revoked", list(Scope), by="test")
        (revoked,) = [one for one in tokens.list() if one.name == "revoked"]
        tokens.revoke(revoked.token_id, by="test")

    def token(self, *scopes: Scope, site: str | None = None) -> str:
        return self.node.access.tokens.create("a caller", list(scopes), site=site, by="test")

    def ask(self, row, prefix: str, ds=None, **headers: str) -> Any:
        ds = ds or (a_ct(seed="stored") if row.method == "POST" else self.ds)  # a stranger stores another one
        return call(self.node, row, path_of(row, prefix, ds), None, ds, **headers)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    with running_node(tmp_path_factory.mktemp("matrix")) as node:
        yield World(node)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


CALLERS = {  # what they are answered: a status, or the word of the matrix; and on unsafe methods
    "nobody": (401, 401),
    "a wrong token": (401, 401),
    "an expired token": (401, 401),
    "a revoked token": (401, 401),
    "a password instead of a token": (401, 401),
    "a forged cookie": (401, 401),
    "every scope but this": (403, 403),
    "a cookie alone": ("right", 403),
    "a cookie with another page's value": ("right", 403),
    "a cookie from another site's page": ("right", 403),
    "our own page": ("right", "right"),
    "this scope alone": ("right", "right"),
    "another site's token": ("stranger", "stranger"),
}


def headers_of(caller: str, world: World, row) -> dict[str, str]:
    """Return what a caller sends."""
    cookie = {"Cookie": f"vienanh_session={world.cookie}"}
    match caller:
        case "nobody":
            return {}
        case "a wrong token":
            return bearer("vat_0000_wrong")
        case "an expired token":
            return bearer(world.expired)
        case "a revoked token":
            return bearer(world.revoked)
        case "a password instead of a token":
            return {"Authorization": "Basic c29tZWJvZHk6eA=="}
        case "a forged cookie":
            return {"Cookie": f"vienanh_session={world.cookie[:-2]}xx"}
        case "every scope but this":
            return bearer(world.token(*(scope for scope in Scope if scope is not row.scope)))
        case "a cookie alone":
            return cookie
        case "a cookie with another page's value":
            return {**cookie, "X-Vienanh-CSRF": "x"}
        case "a cookie from another site's page":
            return {**cookie, "X-Vienanh-CSRF": world.csrf, "Origin": "https://elsewhere.example"}
        case "our own page":
            return {**cookie, "X-Vienanh-CSRF": world.csrf, "Origin": world.node.url}
        case "this scope alone":
            return bearer(world.token(row.scope, *([Scope.ADMIN] if row.scope is Scope.DICOMWEB_DELETE else [])))
        case _:
            return bearer(world.token(*Scope, site="BV9"))


def expected_of(caller: str, row) -> tuple[int, ...]:
    """Return the statuses that the tables say."""
    said, row_says = CALLERS[caller][row.method not in SAFE_METHODS], MATRIX[name_of(row)]
    if isinstance(said, int):
        return (said,)
    return (row_says.stranger,) if said == "stranger" else (row_says.right, row_says.later or row_says.right)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", ROUTES, ids=name_of)
def test_each_caller_is_answered_as_the_matrix_says(world, row, caller):
    response = world.ask(row, PREFIXES[0], **headers_of(caller, world, row))

    assert response.status_code in expected_of(caller, row), response.text
    if response.status_code in (401, 403):
        assert response.json()["code"] in ("NotAuthenticated", "Forbidden")
        assert world.ds.StudyInstanceUID not in response.text


@pytest.mark.parametrize("row", ROUTES, ids=name_of)
def test_under_the_url_of_a_site_the_same_callers_are_turned_away(world, row):
    stranger = world.ask(row, PREFIXES[1], **bearer(world.token(*Scope, site="BV9")))
    nobody = world.ask(row, PREFIXES[1])

    expected = MATRIX[name_of(row)]
    assert (nobody.status_code, stranger.status_code) == (401, expected.at_site or expected.stranger)
    assert world.ds.PatientID not in stranger.text


@pytest.mark.parametrize("row", [row for row in ROUTES if "{study}" in row.path and row.method != "POST"], ids=name_of)
def test_a_study_of_another_site_is_answered_as_one_that_is_nowhere(world, row):
    token, nowhere = bearer(world.token(*Scope, site="BV9")), a_ct(seed="nowhere")

    theirs = world.ask(row, PREFIXES[0], **token)
    nobodys = world.ask(row, PREFIXES[0], nowhere, **token)

    assert theirs.status_code == nobodys.status_code
    assert _without_trace(theirs) == _without_trace(nobodys)
    assert {**theirs.headers, "date": ""} == {**nobodys.headers, "date": ""}


def _without_trace(response) -> Any:
    content = json.loads(response.content) if response.content else None
    return {**content, "trace": ""} if isinstance(content, dict) else content
