"""What is answered to an association request: contexts, roles, lengths."""

import pytest

from gateway.dimse.listening import negotiation
from gateway.dimse.listening.negotiation import Policy, negotiate
from gateway.dimse.scp.offer import Offers
from gateway.dimse.scp.offered import offers
from gateway.dimse.upper_layer.pdu import AssociateAccept, ContextResult, ProposedContext, Role, UserInformation
from gateway.peers import SERVICES, Source
from kernel.clock import SystemClock
from kernel.config import Config, DimseConfig
from kernel.dicom.vocabulary.syntaxes import STORAGE_CLASSES, SYNTAXES
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID
from tests.dimse.scripts import CT, EXPLICIT, IMPLICIT, VERIFICATION, an_associate_request

POLICY = Policy("VIENANH", check_called_ae_title=False, pdu_bytes_max=131072)
ANYBODY = Source("", "BVA", services=SERVICES)
OFFERS = offers(Config(), None, None, SystemClock())
J2K = "1.2.840.10008.1.2.4.90"


def answer(*contexts: ProposedContext, table: Offers = OFFERS, source: Source = ANYBODY, **user) -> AssociateAccept:
    given = negotiate(
        an_associate_request(contexts=contexts, user=UserInformation(0, "1.2", **user)), POLICY, table, source
    )
    assert isinstance(given, AssociateAccept)
    return given


def result(abstract_syntax: str, *transfer_syntaxes: str, **others) -> tuple[ContextResult, str]:
    (one,) = answer(ProposedContext(1, abstract_syntax, transfer_syntaxes), **others).contexts
    return one.result, one.transfer_syntax


def test_every_storage_class_is_taken_in_every_transfer_syntax():
    for uid in STORAGE_CLASSES:
        assert result(uid, EXPLICIT)[0] is ContextResult.ACCEPTANCE
    for syntax in SYNTAXES:
        assert result(CT, syntax) == (ContextResult.ACCEPTANCE, syntax)


@pytest.mark.parametrize("order", [(J2K, EXPLICIT, IMPLICIT), (IMPLICIT, J2K), (EXPLICIT, IMPLICIT)])
def test_the_first_syntax_of_the_proposers_own_order_is_taken(order):
    assert result(CT, *order) == (ContextResult.ACCEPTANCE, order[0])


def test_an_unknown_transfer_syntax_is_passed_over():
    assert result(CT, "1.2.3.4", IMPLICIT) == (ContextResult.ACCEPTANCE, IMPLICIT)
    assert result(CT, "1.2.3.4") == (ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED, "1.2.3.4")
    assert result(CT) == (ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED, IMPLICIT)


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.31",  # modality worklist
        "1.2.840.10008.5.1.4.1.2.2.1",  # study root find
        "1.2.840.10008.1.20.1",  # storage commitment push model
        "1.2.840.10008.3.1.2.3.3",  # MPPS
        "",
    ],
)
def test_services_that_do_not_exist_yet_are_politely_not_supported(uid):
    assert result(uid, IMPLICIT)[0] is ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED


@pytest.mark.parametrize("uid", ["1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.9999"])
def test_private_classes_and_those_of_newer_editions_are_a_matter_of_policy(uid):
    strict = offers(Config(dimse=DimseConfig(accept_private_sop_classes=False)), None, None, SystemClock())

    assert result(uid, EXPLICIT)[0] is ContextResult.ACCEPTANCE
    assert result(uid, EXPLICIT, table=strict)[0] is ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED


def test_verification_is_taken_in_uncompressed_syntaxes_only():
    assert result(VERIFICATION, J2K, IMPLICIT) == (ContextResult.ACCEPTANCE, IMPLICIT)


def test_a_requestor_may_be_scu_and_scp_of_storage_and_is_told_so_when_it_asks():
    context = ProposedContext(1, CT, (EXPLICIT,))

    both = answer(context, roles=(Role(CT, scu=True, scp=True),))
    unasked = answer(context)

    assert both.user.roles == (Role(CT, scu=True, scp=True),)
    assert unasked.user.roles == ()


def test_a_requestor_that_would_be_scp_only_of_what_we_never_ask_has_its_context_rejected():
    given = answer(ProposedContext(1, VERIFICATION, (EXPLICIT,)), roles=(Role(VERIFICATION, scu=False, scp=True),))

    assert given.contexts[0].result is ContextResult.USER_REJECTION
    assert given.user.roles == ()


def test_we_say_who_we_are_and_how_long_pdus_may_be():
    user = answer(ProposedContext(1, CT, (EXPLICIT,))).user

    assert (user.pdu_bytes_max, user.implementation_class_uid) == (131072, IMPLEMENTATION_CLASS_UID)
    assert user.implementation_version_name == "VIENANH"


def test_a_wrong_called_title_matters_only_when_it_is_checked():
    strict = Policy("NODE", check_called_ae_title=True, pdu_bytes_max=1)

    assert (
        negotiate(an_associate_request(called_ae_title="X"), strict, OFFERS, ANYBODY) == negotiation.REJECT_CALLED_TITLE
    )
    assert isinstance(negotiate(an_associate_request(called_ae_title="NODE"), strict, OFFERS, ANYBODY), AssociateAccept)
