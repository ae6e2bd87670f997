"""Every error of the exchange, in four families by what can be done about it.

    ExchangeError
    |-- Refused       the sender must change something; sending the same again fails again
    |-- Denied        not allowed; audited
    |-- Retriable     later may work
    `-- Corrupt       ours is damaged; stop and tell

A message carries fields, never a patient's identity: UIDs of the exchange, tags, numbers, limits.
`gateway/status.py` has the one table from these classes to DIMSE and HTTP statuses.
"""

from typing import Any, ClassVar


class ExchangeError(Exception):
    """Base of all errors of the exchange; `text` is a format string over `fields`."""

    text: ClassVar[str] = "The exchange failed."

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(self.text.format(**fields))

    @property
    def code(self) -> str:
        """A stable machine name, such as `StorageFull`."""
        return type(self).__name__

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.fields)


def _rebuild(kind: type[ExchangeError], fields: dict[str, Any]) -> ExchangeError:
    return kind(**fields)


# --- Refused ----------------------------------------------------------------------------------------------------------


class Refused(ExchangeError):
    """The sender must change something."""

    text = "The request was refused: {reason}."


class MalformedInstance(Refused):
    """Bytes that are not a DICOM data set (PS3.5 7, PS3.10 7)."""

    text = "Not a readable DICOM data set: {reason}. Check the file at the sender."


class MalformedSlide(Refused):
    """Bytes that are no slide that this node can read."""

    text = "Not a readable slide: {reason}. Check the file at the scanner."


class MissingIdentifier(Refused):
    """A UID without which nothing can be kept apart is absent."""

    text = "{keyword} is missing. The sender must give one."


class InvalidIdentifier(Refused):
    """A UID that PS3.5 9.1 does not allow."""

    text = "{keyword} is not a UID: {reason}. The sender must give a valid one."


class IdentityMismatch(Refused):
    """The command and the data set, or the URL and the data set, name different instances."""

    text = "{keyword} in the data set differs from {elsewhere}."


class UnsupportedSOPClass(Refused):
    """A SOP class that policy does not take."""

    text = "SOP class {sop_class_uid} is not taken here: {reason}."


class UnsupportedTransferSyntax(Refused):
    """A transfer syntax that cannot be read, or cannot be decoded for this request."""

    text = "Transfer syntax {transfer_syntax_uid} is not supported here: {reason}."


class LimitExceeded(Refused):
    """A stranger's count, size, depth or time went over a named bound."""

    text = "{limit} exceeded: {value} is more than {bound}."


class InstanceConflict(Refused):
    """Different bytes under a SOP Instance UID that is already here; both are kept, apart."""

    text = "Instance {sop_instance_uid} is already here with different content; the new one was set apart."


class InvalidQuery(Refused):
    """A query that the matching rules do not allow."""

    text = "The query is not valid: {reason}."


class QueryTooBroad(InvalidQuery):
    """A query that is understood and would cost too much."""

    text = "The query matches too broadly: {reason}. Narrow it by date or by an identifier."


class IdentifierMismatch(Refused):
    """The identifier of a retrieval is not one of its SOP class (PS3.4 C.4.2.1.5)."""

    text = "The identifier does not match the SOP class: {reason}."


class InputNotRead(Refused):
    """A file, folder or member of a zip that a command was given and cannot read."""

    text = "It was not read: {why}."


class UnknownDestination(Refused):
    """A move to somewhere that no `[[destination]]` names, or that may not have identified studies."""

    text = "Move destination {destination} is not known here: {reason}."


class DuplicateTransaction(Refused):
    """A Transaction UID that the caller used for other instances (PS3.18 13.4.3)."""

    text = "Transaction UID {transaction_uid} is in use for other instances."


class TooManyMatches(Refused):
    """More instances match than one retrieval may have (PS3.7: counts are 16 bits)."""

    text = "{value} instances match; one retrieval has at most {bound}."


class InvalidRequest(Refused):
    """A request that cannot be understood."""

    text = "The request is not valid: {reason}."


class MethodNotAllowed(Refused):
    """A method that this address does not have; the field `allowed` has those that it has, as Allow wants them."""

    text = "This address takes other methods: {allowed}."


class UnsupportedMediaType(Refused):
    """A body whose media type is not taken."""

    text = "Media type {media_type} is not taken; send {offered}."


class NotAcceptable(Refused):
    """No representation that the client accepts; the text says what is on offer."""

    text = "None of the accepted media types can be given. On offer: {offered}."


class NotFound(Refused):
    """Nothing of that name, or nothing that the caller may see."""

    text = "There is no such {what}."


class NoPixelData(NotFound):
    """An instance that has no pixels, where a frame or a picture of one was asked for."""


class AmbiguousStudy(Refused):
    """One UID at several sites, all of which the caller may see."""

    text = "Study {study_instance_uid} is here from more than one site. Name the site."


class DocumentChanged(Refused):
    """Work on a state of a document that is no longer the present one."""

    text = "Series {series_instance_uid} was saved by somebody else since; open it again."


class DraftChanged(Refused):
    """A draft that another window of the same person kept since."""

    text = "Another window kept this draft since; its present version is {version}."


class FormChanged(Refused):
    """A form that was filled in on a state that is no longer the present one."""

    text = "The form was saved by somebody else since; its present revision is {revision}."


class CaseKnown(Refused):
    """A case of a validation that is on file already; what is on file is never replaced."""

    text = "This case is on file already."


class UploadMoved(Refused):
    """Bytes of an upload that are not the next ones; the message says which are."""

    text = "The next byte of this upload is {offset}."


class DeletionRefused(Refused):
    """Something that may not be deleted, or not yet."""

    text = "It cannot be deleted: {reason}."


class LookWanted(Refused):
    """Pixels that a person wants to send and has not been shown as a whole."""

    text = "Look at all of it first: {seen} of {wanted} pictures were shown."


class InvalidConfiguration(Refused):
    """A setting that cannot be used; names the key and where it was read."""

    text = "{source}: {key}: {reason}"


class InvalidRule(Refused):
    """A routing rule or profile that cannot be used."""

    text = "{source}: rule {rule}: {reason}"


class InvalidOrder(Refused):
    """An order of which something is missing or not in the form of its attribute; never repeats the value."""

    text = "The order cannot be taken: {field} {reason}."


class OrderConflict(Refused):
    """An order that comes too late, or for a step that does not fit."""

    text = "The order cannot be changed: {reason}."


class InvalidStep(Refused):
    """What a modality says of a performed step is not what PS3.4 F.7.2 wants; `tag` is the attribute."""

    text = "{keyword} {reason}."  # an Error Comment has 64 characters


class MissingAttribute(InvalidStep):
    """An attribute that must be there is not."""


class MissingValue(InvalidStep):
    """An attribute that must have a value has none."""


class InvalidValue(InvalidStep):
    """An attribute has a value that it may not have."""


class StepIsFinal(Refused):
    """A performed step that is completed or discontinued changes no more (PS3.4 F.7.2.2)."""

    text = "Performed Procedure Step Object may no longer be updated"


class StepExists(Refused):
    """A performed step of that UID is here."""

    text = "Performed procedure step {sop_instance_uid} is already here."


class WorkitemExists(Refused):
    """A work item of that UID is here (PS3.18 11.4)."""

    text = "Workitem {workitem_uid} is already here."


class WorkitemConflict(Refused):
    """A request that does not fit the state of the work item; the text is the standard's (PS3.18 11.6 to 11.8)."""

    text = "{warning}"


class TransactionRefused(Refused):
    """The Transaction UID, which is the lock of a work item, is absent or another one (PS3.18 11.7)."""

    text = "{warning}"


class VaultShut(Refused):
    """A request to open the vault that was not asked, approved or opened as two people must."""

    text = "The vault stays shut: {reason}."


class ResidualIdentity(Refused):
    """The independent search found identity in a de-identified instance; it is held."""

    text = "De-identified instance {sop_instance_uid} still carries identity in {where}; it is held."


# --- Denied -----------------------------------------------------------------------------------------------------------


class Denied(ExchangeError):
    """Not allowed; audited."""

    text = "Not allowed."


class NotAuthenticated(Denied):
    """No valid session or token."""

    text = "Sign in, or send a valid bearer token."


class Forbidden(Denied):
    """A known caller without the right."""

    text = "This account may not {action}."


class Throttled(Denied):
    """Too many attempts."""

    text = "Too many attempts. Try again in {retry_after_s} s."


class UnknownCaller(Denied):
    """A DIMSE peer that no source profile names."""

    text = "The caller is not known to this node: {reason}."


# --- Retriable --------------------------------------------------------------------------------------------------------


class Retriable(ExchangeError):
    """Later may work."""

    text = "Try again later."


class StorageFull(Retriable):
    """The disk watermark was crossed; nothing was taken."""

    text = "Not enough storage: {needed_bytes} bytes needed, {free_bytes} free above the reserve."


class DatabaseUnavailable(Retriable):
    """The database's engine failed in a way that may pass: full, locked, restarting."""

    text = "The database cannot be used now: {reason}."


class Busy(Retriable):
    """A bounded queue or count is full."""

    text = "Too busy: {what}."


class ShuttingDown(Retriable):
    """The node is stopping."""

    text = "The node is stopping."


class PeerUnreachable(Retriable):
    """The destination did not answer."""

    text = "{peer} cannot be reached: {reason}."


class PeerBusy(Retriable):
    """The destination answered that it cannot take more now."""

    text = "{peer} cannot take more now: {reason}."


# --- Corrupt ----------------------------------------------------------------------------------------------------------


class Corrupt(ExchangeError):
    """Ours is damaged; stop and tell."""

    text = "Stored data is damaged."


class DigestMismatch(Corrupt):
    """Stored bytes are not those that were promised."""

    text = "Blob {key} does not match its digest."


class BlobMissing(Corrupt):
    """The index names bytes that are not there."""

    text = "Blob {key} is missing."


class AuditChainBroken(Corrupt):
    """An audit line was changed or removed."""

    text = "The audit chain is broken at line {sequence}."


class VaultDamaged(Corrupt):
    """A sealed record does not open with its key."""

    text = "A sealed vault record cannot be opened with key {key_id}."
