"""What a peer may say, as bytes: builders and Hypothesis strategies for the upper layer and for command sets."""

import string

from hypothesis import strategies as st

from gateway.dimse.upper_layer import commands, pdu, wire
from gateway.dimse.upper_layer.pdu import (
    AnsweredContext,
    AssociateAccept,
    AssociateRequest,
    ContextResult,
    ProposedContext,
    Role,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
USER = pdu.UserInformation(16384, "1.2.3.4", "SCRIPT")


def an_associate_request(**changes) -> AssociateRequest:
    values = {
        "called_ae_title": "VIENANH",
        "calling_ae_title": "SCRIPT",
        "contexts": (ProposedContext(1, VERIFICATION, (IMPLICIT,)), ProposedContext(3, CT, (EXPLICIT, IMPLICIT))),
        "user": USER,
    }
    return AssociateRequest(**(values | changes))


def accept_all(request: AssociateRequest) -> AssociateAccept:
    answers = tuple(
        AnsweredContext(context.context_id, ContextResult.ACCEPTANCE, context.transfer_syntaxes[0])
        for context in request.contexts
    )
    return AssociateAccept(request.called_ae_title, request.calling_ae_title, answers, USER)


def a_pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    return bytes((kind, 0)) + (len(body) if length is None else length).to_bytes(4, "big") + body


def a_value(context_id: int, control: int, data: bytes) -> bytes:
    """Make a presentation data value: control 1 is a command, 2 the last of its kind."""
    return (len(data) + 2).to_bytes(4, "big") + bytes((context_id, control)) + data


def a_message(command, data_set: bytes | None = None, *, context_id: int = 3, fragment_bytes: int = 1000) -> bytes:
    """Make the PDUs of one message, a value a PDU."""
    sent = b""
    for control, data in ((1, commands.encode(command)), (0, data_set)):
        if data is None:
            continue
        starts = range(0, len(data), fragment_bytes) or (0,)
        for start in starts:
            last = 2 if start + fragment_bytes >= len(data) else 0
            sent += a_pdu(4, a_value(context_id, control | last, data[start : start + fragment_bytes]))
    return sent


def pdus_of(data: bytes) -> list[bytes]:
    """Cut bytes at the borders of PDUs."""
    found, start = [], 0
    while start < len(data):
        end = start + 6 + int.from_bytes(data[start + 2 : start + 6], "big")
        found.append(data[start:end])
        start = end
    return found


def a_store_request(sop_instance_uid: str = "1.2.3", sop_class_uid: str = CT, message_id: int = 1, **changes):
    return {
        "AffectedSOPClassUID": sop_class_uid,
        "CommandField": commands.Field.C_STORE_RQ,
        "MessageID": message_id,
        "Priority": 0,
        "CommandDataSetType": 1,
        "AffectedSOPInstanceUID": sop_instance_uid,
    } | changes


def an_echo_request(message_id: int = 1):
    return {
        "AffectedSOPClassUID": VERIFICATION,
        "CommandField": commands.Field.C_ECHO_RQ,
        "MessageID": message_id,
        "CommandDataSetType": commands.NO_DATA_SET,
    }


uids = st.lists(st.integers(0, 99999).map(str), min_size=2, max_size=8).map(".".join)
titles = st.text(string.ascii_uppercase + string.digits + "_- ", min_size=1, max_size=16).map(str.strip).filter(bool)
numbers = st.integers(0, 65535)
users = st.builds(
    pdu.UserInformation,
    pdu_bytes_max=st.integers(0, 2**32 - 1),
    implementation_class_uid=uids,
    implementation_version_name=titles | st.just(""),
    roles=st.lists(
        st.builds(Role, uids, st.booleans(), st.booleans()), max_size=3, unique_by=lambda r: r.sop_class_uid
    ).map(tuple),
    extended=st.lists(
        st.builds(pdu.Extended, uids, st.binary(max_size=20)), max_size=3, unique_by=lambda e: e.sop_class_uid
    ).map(tuple),
    common=st.lists(st.builds(pdu.CommonExtended, uids, uids, st.lists(uids, max_size=3).map(tuple)), max_size=2).map(
        tuple
    ),
    operations=st.none() | st.builds(pdu.Operations, numbers, numbers),
    identity=st.none()
    | st.builds(pdu.Identity, st.integers(0, 255), st.booleans(), st.binary(max_size=30), st.binary(max_size=30)),
    identity_response=st.none() | st.binary(max_size=30),
)
context_ids = st.lists(st.integers(0, 127).map(lambda n: 2 * n + 1), max_size=5, unique=True)
requests = st.builds(
    AssociateRequest,
    called_ae_title=titles,
    calling_ae_title=titles,
    contexts=context_ids.flatmap(
        lambda ids: st.tuples(
            *(
                st.builds(ProposedContext, st.just(i), uids, st.lists(uids, min_size=1, max_size=4).map(tuple))
                for i in ids
            )
        )
    ),
    user=users,
)
accepts = st.builds(
    AssociateAccept,
    called_ae_title=titles,
    calling_ae_title=titles,
    contexts=context_ids.flatmap(
        lambda ids: st.tuples(
            *(st.builds(AnsweredContext, st.just(i), st.sampled_from(ContextResult), uids) for i in ids)
        )
    ),
    user=users,
)
pdus = st.one_of(
    requests,
    accepts,
    st.builds(pdu.AssociateReject, st.integers(1, 2), st.integers(1, 3), st.integers(1, 10)),
    st.just(pdu.ReleaseRequest()),
    st.just(pdu.ReleaseReply()),
    st.builds(pdu.Abort, st.sampled_from((0, 2)), st.integers(0, 6)),
)
values_by_vr = {
    "UI": uids,
    "AE": titles,
    "LO": titles,
    "US": numbers,
    "AT": st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
}
command_sets = st.fixed_dictionaries(
    {"CommandField": numbers},
    optional={key: values_by_vr[vr] for key, vr in commands.ELEMENTS.values() if key != "CommandField"},
)
# a conversation: an association, then messages, then perhaps noise
conversations = st.builds(
    lambda messages, noise: wire.encode(an_associate_request()) + b"".join(messages) + noise,
    st.lists(
        st.one_of(
            st.builds(
                lambda data, size: a_message(a_store_request(), data, fragment_bytes=size),
                st.binary(max_size=300),
                st.integers(1, 120),
            ),
            st.just(a_message(an_echo_request(), context_id=1)),
            st.just(wire.encode(pdu.ReleaseRequest())),
            st.just(wire.encode(pdu.Abort(0, 0))),
        ),
        max_size=5,
    ),
    st.binary(max_size=40),
)
