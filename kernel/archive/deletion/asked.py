"""Deleting, asked of the process that owns the database by a command beside it (`kernel.archive.owner.asking`)."""

from dataclasses import asdict
from typing import Any, Final

import msgspec

from kernel.archive.deletion.deletion import Deletions, Wish
from kernel.archive.deletion.removal import Target
from kernel.archive.owner.asking import LocalOwner, Owner

VERB: Final = "archive.delete"


def serve_deletions(owner: LocalOwner, deletions: Deletions) -> None:
    """Let `deletions` answer."""

    def answer(body: bytes) -> bytes:
        wish: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
        target = Target(**wish.pop("target"))
        return b"%d" % deletions.delete(Wish(target, **wish))

    owner.serve(VERB, answer)


def ask_deletion(owner: Owner, wish: Wish) -> int:
    """Have the owner delete; return how many instances. Raises as `Deletions.delete`, and `Busy`."""
    return int(owner.ask(VERB, msgspec.json.encode(asdict(wish))))
