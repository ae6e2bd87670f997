"""Performed steps as listener processes have them: asked of the process that owns the database."""

from typing import Final

import msgspec

from consult.performing import PerformedSteps
from kernel.archive.owner.asking import LocalOwner, Owner
from kernel.dicom.models import plain

CREATE: Final = "mpps.create"
CHANGE: Final = "mpps.change"


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What a modality said of a step: its data set as it came."""

    site: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    fallback_charset: str | None
    data_set: bytes


_encode = msgspec.msgpack.Encoder().encode
_said = msgspec.msgpack.Decoder(Said).decode


def create(owner: Owner, said: Said) -> None:
    """Have a step created. Raises as `PerformedSteps.create`, MalformedInstance, and Busy."""
    owner.ask(CREATE, _encode(said))


def change(owner: Owner, said: Said) -> None:
    """Have a step changed. Raises as `PerformedSteps.change`, MalformedInstance, and Busy."""
    owner.ask(CHANGE, _encode(said))


def serve_performed(owner: LocalOwner, steps: PerformedSteps) -> None:
    """Answer the questions of `create` and `change`."""

    def created(body: bytes) -> bytes:
        one = _said(body)
        model = plain.read(one.data_set, one.transfer_syntax_uid, one.fallback_charset)
        steps.create(one.site, one.sop_instance_uid, model)
        return b""

    def changed(body: bytes) -> bytes:
        one = _said(body)
        model = plain.read(one.data_set, one.transfer_syntax_uid, one.fallback_charset)
        steps.change(one.site, one.sop_instance_uid, model)
        return b""

    owner.serve(CREATE, created)
    owner.serve(CHANGE, changed)
