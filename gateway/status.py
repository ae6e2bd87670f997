"""The one table from our errors to what a peer is told: DIMSE status, HTTP status, STOW-RS Failure Reason.

DIMSE statuses are those of PS3.4 table B.2-1 and PS3.7 annex C, HTTP statuses those of PS3.18 8.5, Failure Reasons
(0008,1197) those of PS3.18 table I.2-2. A class without a row answers as the nearest class above it; an exception that
is not ours is a processing failure. Nothing here has a text: an error carries its own (kernel/errors.py).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kernel import errors

SUCCESS: Final = 0x0000
INVALID_VALUE: Final = 0x0106
PROCESSING_FAILURE: Final = 0x0110
MISSING_ATTRIBUTE: Final = 0x0120
MISSING_VALUE: Final = 0x0121
NO_SUCH_INSTANCE: Final = 0x0112
DUPLICATE_INSTANCE: Final = 0x0111
SOP_CLASS_NOT_SUPPORTED: Final = 0x0122
NOT_AUTHORISED: Final = 0x0124
DUPLICATE_TRANSACTION_UID: Final = 0x0131
UNRECOGNIZED_OPERATION: Final = 0x0211
OUT_OF_RESOURCES: Final = 0xA700
CANNOT_COUNT_MATCHES: Final = 0xA701  # these two and the next are of C-MOVE and C-GET (PS3.4 C.4.2.1.5)
CANNOT_PERFORM: Final = 0xA702
MOVE_DESTINATION_UNKNOWN: Final = 0xA801
DATA_SET_MISMATCH: Final = 0xA900
CANNOT_UNDERSTAND: Final = 0xC000
OVER_A_LIMIT: Final = 0xC001  # of our own range of Cxxx (PS3.4 B.2.3): sending again does not help, unlike A7xx
RESIDUAL_IDENTITY: Final = 0xC002
TRANSFER_SYNTAX_NOT_SUPPORTED: Final = 0xC122


class Status(NamedTuple):
    """What the three kinds of peers are told about one class of error."""

    dimse: int  # of a C-STORE, C-FIND or C-MOVE response
    http: int  # of a whole request
    failure_reason: int  # of one instance in a STOW-RS response


STATUSES: Final[Mapping[type[BaseException], Status]] = MappingProxyType(
    {
        BaseException: Status(PROCESSING_FAILURE, 500, PROCESSING_FAILURE),
        errors.Refused: Status(CANNOT_UNDERSTAND, 400, CANNOT_UNDERSTAND),
        errors.MalformedInstance: Status(CANNOT_UNDERSTAND, 400, CANNOT_UNDERSTAND),
        errors.MalformedSlide: Status(CANNOT_UNDERSTAND, 400, CANNOT_UNDERSTAND),
        errors.MissingIdentifier: Status(DATA_SET_MISMATCH, 409, DATA_SET_MISMATCH),
        errors.InvalidIdentifier: Status(DATA_SET_MISMATCH, 409, DATA_SET_MISMATCH),
        errors.IdentityMismatch: Status(DATA_SET_MISMATCH, 409, DATA_SET_MISMATCH),
        errors.UnsupportedSOPClass: Status(SOP_CLASS_NOT_SUPPORTED, 409, SOP_CLASS_NOT_SUPPORTED),
        errors.UnsupportedTransferSyntax: Status(TRANSFER_SYNTAX_NOT_SUPPORTED, 406, TRANSFER_SYNTAX_NOT_SUPPORTED),
        errors.LimitExceeded: Status(OVER_A_LIMIT, 413, OVER_A_LIMIT),
        errors.InstanceConflict: Status(DUPLICATE_INSTANCE, 409, DUPLICATE_INSTANCE),
        errors.DocumentChanged: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.DraftChanged: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.FormChanged: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.CaseKnown: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.UploadMoved: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.DeletionRefused: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.LookWanted: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.AmbiguousStudy: Status(CANNOT_UNDERSTAND, 409, CANNOT_UNDERSTAND),
        errors.InvalidQuery: Status(DATA_SET_MISMATCH, 400, DATA_SET_MISMATCH),
        errors.QueryTooBroad: Status(OUT_OF_RESOURCES, 413, OUT_OF_RESOURCES),
        errors.IdentifierMismatch: Status(DATA_SET_MISMATCH, 400, DATA_SET_MISMATCH),
        errors.UnknownDestination: Status(MOVE_DESTINATION_UNKNOWN, 400, CANNOT_UNDERSTAND),
        errors.DuplicateTransaction: Status(DUPLICATE_TRANSACTION_UID, 409, DUPLICATE_TRANSACTION_UID),
        errors.TooManyMatches: Status(CANNOT_COUNT_MATCHES, 413, OVER_A_LIMIT),
        errors.MethodNotAllowed: Status(CANNOT_UNDERSTAND, 405, CANNOT_UNDERSTAND),
        errors.UnsupportedMediaType: Status(CANNOT_UNDERSTAND, 415, CANNOT_UNDERSTAND),
        errors.NotAcceptable: Status(CANNOT_UNDERSTAND, 406, CANNOT_UNDERSTAND),
        errors.NotFound: Status(NO_SUCH_INSTANCE, 404, NO_SUCH_INSTANCE),
        errors.InvalidConfiguration: Status(PROCESSING_FAILURE, 500, PROCESSING_FAILURE),
        errors.InvalidRule: Status(PROCESSING_FAILURE, 500, PROCESSING_FAILURE),
        errors.InvalidOrder: Status(INVALID_VALUE, 400, INVALID_VALUE),
        errors.OrderConflict: Status(PROCESSING_FAILURE, 409, PROCESSING_FAILURE),
        errors.MissingAttribute: Status(MISSING_ATTRIBUTE, 400, MISSING_ATTRIBUTE),
        errors.MissingValue: Status(MISSING_VALUE, 400, MISSING_VALUE),
        errors.InvalidValue: Status(INVALID_VALUE, 400, INVALID_VALUE),
        errors.StepIsFinal: Status(PROCESSING_FAILURE, 409, PROCESSING_FAILURE),
        errors.StepExists: Status(DUPLICATE_INSTANCE, 409, DUPLICATE_INSTANCE),
        errors.WorkitemExists: Status(DUPLICATE_INSTANCE, 409, DUPLICATE_INSTANCE),
        errors.WorkitemConflict: Status(PROCESSING_FAILURE, 409, PROCESSING_FAILURE),
        errors.VaultShut: Status(PROCESSING_FAILURE, 409, PROCESSING_FAILURE),
        errors.ResidualIdentity: Status(RESIDUAL_IDENTITY, 409, RESIDUAL_IDENTITY),
        errors.Denied: Status(NOT_AUTHORISED, 403, NOT_AUTHORISED),
        errors.NotAuthenticated: Status(NOT_AUTHORISED, 401, NOT_AUTHORISED),
        errors.Throttled: Status(NOT_AUTHORISED, 429, NOT_AUTHORISED),
        errors.Retriable: Status(OUT_OF_RESOURCES, 503, OUT_OF_RESOURCES),
        errors.PeerUnreachable: Status(OUT_OF_RESOURCES, 502, OUT_OF_RESOURCES),
        errors.Corrupt: Status(PROCESSING_FAILURE, 500, PROCESSING_FAILURE),
    }
)


def status(error: BaseException) -> Status:
    """Return the row of the error's class, or of the nearest class above it that has one."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def dimse_status(error: BaseException) -> int:
    """Return the Status (0000,0900) of a DIMSE response."""
    return status(error).dimse


def http_status(error: BaseException) -> int:
    """Return the status code of an HTTP response."""
    return status(error).http


def failure_reason(error: BaseException) -> int:
    """Return the Failure Reason (0008,1197) of one instance in a STOW-RS response."""
    return status(error).failure_reason
