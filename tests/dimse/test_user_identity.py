"""User identity negotiation: who is believed, who is rejected, what it opens, and that secrets stay secret."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydicom import dcmread
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from sqlalchemy import select

from gateway.dimse.listening import identity as listening
from gateway.dimse.listening.identity import Leave
from gateway.dimse.upper_layer import user_items
from gateway.dimse.upper_layer.pdu import (
    Abort,
    AbortReason,
    AssociateAccept,
    AssociateReject,
    ContextResult,
    Identity,
    ProposedContext,
    UserInformation,
)
from gateway.dimse.upper_layer.wire import encode
from kernel.access import NewAccount, Principal
from kernel.access.identity import Proved
from kernel.archive.tables import study
from kernel.audit import audit
from kernel.clock import ManualClock
from kernel.errors import Busy
from tests.dimse import scripts
from tests.dimse.conftest import Node, Peer
from tests.support.builders import a_ct, as_file
from tests.support.entities import an_entity
from tests.support.wired import wired_node

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PASSWORD = "mat khau rat dai"
REJECTED, FOR_NOW = AssociateReject(1, 1, 1), AssociateReject(2, 1, 1)
SECRET = "a secret of at least thirty-two bytes"
PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def by_password(name: str = "pacs", password: str = PASSWORD) -> Identity:
    return Identity(2, True, name.encode(), password.encode())


def request(identity: Identity | None, *abstract_syntaxes: str) -> dict:
    contexts = [
        ProposedContext(2 * number + 1, uid, (scripts.IMPLICIT,))
        for number, uid in enumerate(abstract_syntaxes or (scripts.VERIFICATION,))
    ]
    return {"contexts": tuple(contexts), "user": UserInformation(16384, "1.2.3", identity=identity)}


@pytest.fixture
def start(start_node):
    """Start a node with an account `pacs` of role integrator; unnamed callers may nothing but C-ECHO."""

    def started(**dimse) -> Node:
        node = start_node(**{"unknown_caller_services": (), "user_identity": "accepted"} | dimse)
        node.access.accounts.create(NewAccount("pacs", ["integrator"], ["BVB"]), PASSWORD, by="test")
        node.access.accounts.create(NewAccount("once", ["reader"], must_change=True), PASSWORD, by="test")
        return node

    return started


# --- the policy -------------------------------------------------------------------------------------------------------

PROVED, WRONG = by_password(), by_password(password="wrong")
NAME_ONLY, KERBEROS = Identity(1, True, b"pacs"), Identity(3, True, b"ticket")


@pytest.mark.parametrize(
    ("policy", "identity", "taken"),
    [
        ("off", None, True),
        ("off", WRONG, True),  # not looked at
        ("accepted", None, True),
        ("accepted", PROVED, True),
        ("accepted", NAME_ONLY, True),  # passed over: it proves nothing
        ("accepted", WRONG, False),
        ("accepted", by_password("once"), False),  # a one-time password is for the sign-in page
        ("accepted", Identity(2, True, b"\xff", b"\xff"), False),
        ("accepted", KERBEROS, False),
        ("accepted", Identity(5, True, b"a.b.c"), False),  # no key is configured
        ("accepted", Identity(99, True, b""), False),
        ("required", PROVED, True),
        ("required", None, False),
        ("required", NAME_ONLY, False),
        ("required", WRONG, False),
    ],
)
def test_who_is_taken_depends_on_the_policy_and_the_proof(start, policy, identity, taken):
    answer = start(user_identity=policy).answers(**request(identity))

    assert isinstance(answer, AssociateAccept) if taken else answer == REJECTED


@pytest.mark.parametrize(("asked", "identity", "response"), [(True, PROVED, b""), (False, PROVED, None)])
def test_a_positive_response_is_given_when_it_is_asked_for(start, asked, identity, response):
    node = start()
    wanted = Identity(2, asked, identity.primary, identity.secondary)

    assert node.answers(**request(wanted)).user.identity_response == response
    assert node.answers(**request(NAME_ONLY)).user.identity_response is None


def test_who_guesses_is_throttled(start):
    node = start()
    answers = [node.answers(**request(WRONG)) for _ in range(9)]

    assert answers[0] == REJECTED
    assert answers[-1] == FOR_NOW
    assert node.answers(**request(PROVED)) == FOR_NOW


def test_a_pynetdicom_user_signs_in(start):
    node = start(user_identity="required")
    identity = UserIdentityNegotiation()
    identity.user_identity_type = 2
    identity.positive_response_requested = True
    identity.primary_field, identity.secondary_field = b"pacs", PASSWORD.encode()
    entity = an_entity("PYNET")
    entity.add_requested_context(scripts.VERIFICATION)

    association = entity.associate("127.0.0.1", node.port, ext_neg=[identity])
    assert association.is_established
    assert association.send_c_echo().Status == 0
    association.release()


# --- what it opens ----------------------------------------------------------------------------------------------------


def results(answer) -> list[bool]:
    return [context.result is ContextResult.ACCEPTANCE for context in answer.contexts]


def test_an_account_opens_to_unnamed_callers_what_its_rights_say(start):
    node = start()

    assert results(node.answers(**request(None, FIND, scripts.CT))) == [False, False]
    assert results(node.answers(**request(PROVED, FIND, scripts.CT))) == [True, True]


def test_what_an_account_of_another_site_stores_is_of_that_site(start):
    node = start()
    entity = an_entity("PYNET")
    entity.add_requested_context(scripts.CT)
    identity = UserIdentityNegotiation()
    identity.user_identity_type = 2
    identity.primary_field, identity.secondary_field = b"pacs", PASSWORD.encode()

    association = entity.associate("127.0.0.1", node.port, ext_neg=[identity])
    assert association.send_c_store(dcmread(BytesIO(as_file(a_ct())))).Status == 0
    association.release()

    assert [row.site for row in node.rows(select(study))] == ["BVB"]


def test_an_account_of_several_other_sites_stores_for_none(start):
    node = start()
    node.access.accounts.create(NewAccount("both", ["integrator"], ["BVB", "BVC"]), PASSWORD, by="test")

    assert results(node.answers(**request(by_password("both"), FIND, scripts.CT))) == [True, False]


def test_a_source_with_a_table_keeps_to_its_table_whoever_uses_it(start):
    node = start(sources=[{"name": "ct", "services": ["store"]}])

    assert results(node.answers(**request(PROVED, FIND, scripts.CT))) == [False, True]


def test_the_account_is_who_the_audit_names(start):
    node = start()

    node.answers(**request(PROVED))
    node.answers(**request(WRONG))

    lines = node.rows(select(audit.c.who, audit.c.outcome).order_by(audit.c.seq))[-2:]
    assert [actor for actor, _ in lines] == ["pacs", "pacs"]
    assert lines[0].outcome != lines[1].outcome


# --- for how long -----------------------------------------------------------------------------------------------------

AN_ECHO = scripts.a_message(scripts.an_echo_request(), context_id=1)


@pytest.fixture
def looks_always(monkeypatch):
    monkeypatch.setattr(listening, "LOOK_EVERY_S", 0.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_disabled("pacs", disabled=True, by="test"),
        lambda accounts: accounts.set_rights("pacs", ["reader"], None, by="test"),
    ],
)
def test_an_association_of_an_account_that_was_changed_is_aborted(start, looks_always, change):
    node = start()
    with node.call(**request(PROVED)) as peer:
        peer.say(AN_ECHO)
        assert peer.hear_response()["Status"] == 0

        change(node.access.accounts)
        peer.say(AN_ECHO)

        assert peer.hear() == Abort(0, AbortReason.NOT_SPECIFIED)


def test_a_proof_is_not_good_for_ever(start, monkeypatch):
    monkeypatch.setattr(listening, "PROOF_S_MAX", 0.0)
    with start().call(**request(PROVED)) as peer:
        peer.say(AN_ECHO)

        assert peer.hear() == Abort(0, AbortReason.NOT_SPECIFIED)


class Told:
    """Who says what the test has it say."""

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def stands(self, who):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def a_leave(prover, until: datetime | None = None, clock: ManualClock | None = None) -> Leave:
    who = Principal("viewer", "token", frozenset(), frozenset())
    return Leave(Proved(who, until), prover, clock or ManualClock())


def test_a_token_that_ended_lets_what_began_go_on_and_nothing_begin():
    clock = ManualClock()
    leave = a_leave(Told(True), clock.now() + timedelta(minutes=5), clock)
    assert leave.may_ask()

    clock.advance(300)

    assert (leave.may_ask(), leave.may_go_on()) == (False, True)


def test_a_token_does_not_outlive_the_bound():
    clock = ManualClock()
    leave = a_leave(Told(True), clock.now() + timedelta(days=9), clock)

    clock.advance(listening.PROOF_S_MAX)

    assert not leave.may_ask()


def test_the_account_is_looked_at_now_and_then_and_not_given_up_because_nobody_answers():
    clock, prover = ManualClock(), Told(Busy(what="the owner"))
    leave = a_leave(prover, None, clock)
    assert (leave.may_go_on(), prover.asked) == (True, 0)

    clock.advance(listening.LOOK_EVERY_S)
    assert (leave.may_go_on(), prover.asked) == (True, 1)
    prover.answer = False

    assert (leave.may_go_on(), leave.may_ask(), prover.asked) == (False, False, 2)


# --- tokens -----------------------------------------------------------------------------------------------------------


def a_key(algorithm: str, folder: Path):
    """Return what signs, and the file of what verifies."""
    file = folder / "jwt.key"
    if algorithm == "HS256":
        file.write_text(SECRET + "\n")
        return SECRET, file
    key = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(key.public_key().public_bytes(*PUBLIC))
    return key, file


def claims(**changes) -> dict:
    told = {
        "sub": "pacs",
        "aud": "vienanh",
        "iss": "hospital",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    } | changes
    return {key: value for key, value in told.items() if value is not None}


@pytest.fixture
def with_tokens(start, tmp_path):
    def started(algorithm: str = "HS256", **dimse):
        key, file = a_key(algorithm, tmp_path)
        settings = {
            "jwt_key_file": file,
            "jwt_algorithm": algorithm,
            "jwt_audience": "vienanh",
            "jwt_issuer": "hospital",
        }
        return start(**settings | dimse), key

    return started


def by_token(token: str) -> Identity:
    return Identity(5, True, token.encode())


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS256"])
def test_a_token_signed_as_agreed_is_the_account_that_it_names(with_tokens, algorithm):
    node, key = with_tokens(algorithm)

    answer = node.answers(**request(by_token(jwt.encode(claims(), key, algorithm)), FIND))

    assert results(answer) == [True]
    assert answer.user.identity_response == b""


PAST = datetime.now(UTC) - timedelta(minutes=5)


@pytest.mark.parametrize(
    "told",
    [
        claims(exp=PAST),
        claims(exp=None),
        claims(exp="soon"),
        claims(exp=10**400),
        claims(nbf=datetime.now(UTC) + timedelta(hours=1)),
        claims(aud="somebody else"),
        claims(aud=None),
        claims(iss="somebody else"),
        claims(sub=None),
        claims(sub="once"),  # may not sign in yet, and the token has no scopes
        claims(sub="nobody"),
        claims(sub="x" * 200, scope="dicomweb:read"),
        claims(sub="nobody", scope="everything"),
    ],
)
def test_a_token_that_says_something_else_is_rejected(with_tokens, told):
    node, key = with_tokens()

    assert node.answers(**request(by_token(jwt.encode(told, key, "HS256")), FIND)) == REJECTED


def test_a_token_signed_otherwise_is_rejected(with_tokens, tmp_path):
    node, key = with_tokens("RS256")
    public = (tmp_path / "jwt.key").read_bytes()
    other = rsa.generate_private_key(65537, 2048)
    header, payload, _ = jwt.encode(claims(), key, "RS256").split(".")
    forged = [
        jwt.encode(claims(), other, "RS256"),
        jwt.encode(claims(), None, "none"),
        jwt.encode(claims(), public[30:90], "HS256"),  # the public key as a secret: the algorithm is fixed
        f"{header}.{payload}.",
        "x" * 20_000,
        "",
    ]

    assert [node.answers(**request(by_token(token))) for token in forged] == [REJECTED] * len(forged)


def test_a_token_of_nobody_here_opens_what_its_scopes_say(with_tokens):
    node, key = with_tokens()
    told = claims(sub="viewer", scope="dicomweb:read and-more", sites=["BVB", 7, "../"])

    answer = node.answers(**request(by_token(jwt.encode(told, key, "HS256")), FIND, scripts.CT))
    who = node.access.identify(5, jwt.encode(told, key, "HS256").encode(), b"", "127.0.0.1").who

    assert results(answer) == [True, False]
    assert (who.name, who.sites) == ("viewer", {"BVB"})


@pytest.mark.parametrize(("end", "proved_for"), [(None, timedelta(minutes=6)), (10**30, timedelta(days=366))])
def test_the_end_of_a_token_is_the_end_of_the_proof(with_tokens, end, proved_for):
    node, key = with_tokens()
    now = datetime.now(UTC)
    token = jwt.encode(claims(exp=end or now + timedelta(minutes=5)), key, "HS256")

    proved = node.access.identify(5, token.encode(), b"", "127.0.0.1")

    assert timedelta(seconds=-1) < proved.until - now - proved_for < timedelta(seconds=60)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_printed_or_logged(start, capsys, logged):
    node = start()

    node.answers(**request(PROVED))
    node.answers(**request(by_password(password="wrong but secret")))

    told = "".join([*capsys.readouterr(), logged.getvalue()])
    assert "association" in told
    for secret in (PASSWORD, "wrong but secret"):
        assert secret not in told
        assert secret not in repr(by_password(password=secret))


def test_an_identity_is_read_as_it_was_written():
    identity = by_password()
    user = UserInformation(1, "1.2", identity=identity)

    assert user_items.decode(user_items.encode(user)).identity == identity
    assert encode(scripts.an_associate_request(user=user)).count(PASSWORD.encode()) == 1


def test_a_listener_in_a_process_of_its_own_asks_the_node_who_somebody_is(tmp_path, migrated_sqlite):
    dimse = {"unknown_caller_services": (), "user_identity": "required"}
    with wired_node(tmp_path / "node", migrated_sqlite, processes=1, dimse=dimse) as node:
        node.stores.access.accounts.create(NewAccount("pacs", ["integrator"]), PASSWORD, by="test")
        for identity, taken in ((PROVED, True), (WRONG, False), (None, False)):
            with Peer(node.listener.port, scripts.an_associate_request(**request(identity, FIND))) as peer:
                assert isinstance(peer.answer, AssociateAccept) is taken
