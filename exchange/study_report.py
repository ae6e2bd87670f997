"""`vienanh archive report`: what de-identification made of a study at this node, for whoever must answer for it."""

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from exchange.deidentify_report import Piece, Report, described, write_report
from exchange.options import ConfigFile, DataFolder, read_config
from exchange.screen import out, plain_errors
from exchange.stores import opened
from kernel.archive import index
from kernel.archive.blobs import Blobs
from kernel.errors import NotFound
from routing.copies import Copy, HeldInstance, copies_of, held_of


def report_study(
    study_uid: Annotated[str, typer.Argument(help="The Study Instance UID at this node.")],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write: a page (.html), or JSON.")],
    site: Annotated[str | None, typer.Option(help="The site, when two sites have the same UID.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Write what was made of a study by de-identification: by which profile, what is held, and each text that is left."""
    with plain_errors(), opened(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            owner = index.study_row(connection, study_uid, None if site is None else frozenset({site})).site
            copies, held = copies_of(connection, owner, study_uid), held_of(connection, owner, study_uid)
        if not copies and not held:
            raise NotFound(what="de-identified copy of this study")
        write_report(file, report_of(stores.blobs, copies, held))
        out.print(f"{len(copies)} copies, {len(held)} held: {file}", markup=False)


def report_of(blobs: Blobs, copies: list[Copy], held: list[HeldInstance]) -> Report:
    """Return the report; a study that went by two profiles has two copies, each described."""
    records = [copy.record for copy in copies]
    actions = Counter[str]()
    for record in records:
        actions.update(record["actions"])
    return {
        "profile": " ".join(sorted({record["profile"] for record in records})),
        "profile_digest": " ".join(sorted({record["profile_digest"] for record in records})),
        "method_codes": sorted({code for record in records for code in record["method_codes"]}),
        "key_id": " ".join(sorted({record["key_id"] for record in records})),
        "totals": {"written": len(copies), "held": len(held), "unreadable": 0},
        "actions": dict(sorted(actions.items())),
        "held": [{"input": one.sop_instance_uid, "reason": one.because, "tag": one.in_tag} for one in held],
        "unreadable": [],
        "studies": [
            described(uid, [_piece(blobs, copy) for copy in found])
            for (_, uid), found in groupby(copies, key=lambda copy: (copy.variant, copy.study_instance_uid))
        ],
    }


def _piece(blobs: Blobs, copy: Copy) -> Piece:
    return Piece(copy.series_instance_uid, copy.sop_instance_uid, blobs.path(copy.blob_key))
