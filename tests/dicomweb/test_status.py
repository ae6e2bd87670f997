"""The table of statuses, against a second transcription from PS3.4 B.2.3, PS3.7 C and PS3.18 I.2."""

import pytest

from gateway.status import STATUSES, dimse_status, failure_reason, http_status
from kernel import errors

SECOND_TRANSCRIPTION = """
MalformedInstance         C000 400 C000
MalformedSlide            C000 400 C000
MissingIdentifier         A900 409 A900
InvalidIdentifier         A900 409 A900
IdentityMismatch          A900 409 A900
UnsupportedSOPClass       0122 409 0122
UnsupportedTransferSyntax C122 406 C122
LimitExceeded             C001 413 C001
InstanceConflict          0111 409 0111
AmbiguousStudy            C000 409 C000
InvalidQuery              A900 400 A900
InvalidRequest            C000 400 C000
MethodNotAllowed          C000 405 C000
UnsupportedMediaType      C000 415 C000
NotAcceptable             C000 406 C000
NotFound                  0112 404 0112
InvalidConfiguration      0110 500 0110
InvalidRule               0110 500 0110
ResidualIdentity          C002 409 C002
NotAuthenticated          0124 401 0124
Forbidden                 0124 403 0124
Throttled                 0124 429 0124
UnknownCaller             0124 403 0124
StorageFull               A700 503 A700
DatabaseUnavailable       A700 503 A700
Busy                      A700 503 A700
ShuttingDown              A700 503 A700
PeerUnreachable           A700 502 A700
PeerBusy                  A700 503 A700
DigestMismatch            0110 500 0110
BlobMissing               0110 500 0110
AuditChainBroken          0110 500 0110
VaultDamaged              0110 500 0110
"""
ROWS = [line.split() for line in SECOND_TRANSCRIPTION.strip().splitlines()]


def of_class(name: str) -> errors.ExchangeError:
    """An error of that class without its text, which the table does not need."""
    kind = getattr(errors, name)
    return kind.__new__(kind)


@pytest.mark.parametrize(("name", "dimse", "http", "reason"), ROWS, ids=[row[0] for row in ROWS])
def test_every_error_has_its_three_statuses(name, dimse, http, reason):
    error = of_class(name)

    assert (dimse_status(error), http_status(error), failure_reason(error)) == (
        int(dimse, 16),
        int(http),
        int(reason, 16),
    )


def test_an_error_without_a_row_answers_as_its_family():
    class PolicyRefused(errors.MissingIdentifier):
        text = "No."

    assert (dimse_status(PolicyRefused()), http_status(PolicyRefused())) == (0xA900, 409)


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(), KeyboardInterrupt(), errors.ExchangeError()])
def test_what_is_not_one_of_our_families_is_a_processing_failure(error):
    assert (dimse_status(error), http_status(error), failure_reason(error)) == (0x0110, 500, 0x0110)


def test_only_errors_that_may_pass_later_say_out_of_resources():
    later = {kind.__name__ for kind, row in STATUSES.items() if row.dimse == 0xA700}

    assert later == {"Retriable", "PeerUnreachable", "QueryTooBroad"}
