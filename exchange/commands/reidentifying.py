"""`vienanh reidentify`: files that came back about released studies, led home with the vault of this node."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from anonymizer.pdf.shown_uids import uids_on_pages, uids_shown
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import VaultKind
from anonymizer.reidentify.dicom import ENCRYPTED, RETURNED_BYTES_MAX, UID_LEFT, named_in, reidentify
from anonymizer.reidentify.fhir import fhir
from anonymizer.reidentify.hl7 import hl7
from anonymizer.reidentify.messages import named_in_message, pdfs_in, studies_in
from anonymizer.reidentify.pdf import is_encrypted
from exchange.node.key_files import KeyFile, check_keys, site_keys
from exchange.node.stores import Stores, begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import err, out, plain_errors, progress_bar
from kernel.errors import LimitExceeded, Refused
from routing import ways_back
from routing.vault import Asker

EXIT_HELD: Final = 1
ASKER: Final = Asker("command line", "admin", "", "files")
HELD_WORDS: Final = {
    ways_back.NO_PSEUDONYM: "it names no pseudonym",
    ways_back.UNKNOWN_PSEUDONYM: "its pseudonym is not of this site",
    ways_back.UNKNOWN_STUDY: "its study never left this site",
    ways_back.OTHER_PATIENT: "its study is another patient's",
    ways_back.UNKNOWN_UID: "it names an instance that neither left this site nor came home; bring that one home first, or "
    "have the message sent again without it",
    UID_LEFT: "its document names a UID that left, where the original cannot be put in its place; have it sent again "
    "without it, or as text",
    ENCRYPTED: "its document is encrypted, so that nobody can tell what it names; have it sent again without a cipher",
}


def reidentify_files(
    source: Annotated[Path, typer.Argument(metavar="INPUT", exists=True, help="A file, or a folder.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", file_okay=False, help="Folder for the new files.")],
    key_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="The site's keys, when they are not where the node has them.")
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Re-identify DICOM objects, FHIR resources (JSON) and HL7 v2 messages, for example: vienanh reidentify in/ out/.

    Uses the vault of this node (--data or --config). What does not belong to a study that left this site for the
    pseudonym that it names is listed and not written; then the exit code is 1. The new files name patients: keep them
    at the site.
    """
    with plain_errors(), begun(read_config(config, data)) as stores:
        site = stores.config.node.site
        if key_file is None:
            check_keys(stores.config, stores.db)
        keys = KeyFile(key_file).read().keys(site) if key_file else site_keys(stores.config)(site)
        paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        output.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = 0
        with progress_bar() as progress:
            for path in progress.track(paths, description="re-identifying"):
                try:
                    why = _one(stores, keys, path, output)
                except Refused as refusal:
                    why = str(refusal)
                if why:
                    err.print(f"{path.name}: held: {why}", markup=False)
                    held += 1
        out.print(f"{len(paths) - held} of {len(paths)} files were written to {output}.", markup=False)
    if held or not paths:
        raise typer.Exit(EXIT_HELD)


def _one(stores: Stores, keys: Keys, path: Path, output: Path) -> str:
    """Re-identify one file; return why it is held, empty when it was written."""
    if path.stat().st_size > RETURNED_BYTES_MAX:
        raise LimitExceeded(limit="RETURNED_BYTES_MAX", value=path.stat().st_size, bound=RETURNED_BYTES_MAX)
    content = path.read_bytes()
    is_dicom = content[128:132] == b"DICM"
    named = named_in(content) if is_dicom else named_in_message(content)
    shown = uids_shown(content) if is_dicom else _shown_in_message(content)
    named = replace(named, uids=named.uids | shown)
    if not is_dicom:
        found = ways_back.opened(stores.db, keys, [(VaultKind.STUDY, uid) for uid in named.uids])
        named = studies_in(named, [token for _, token in found])
    way = ways_back.way_back(stores.db, keys, named, ASKER, now=stores.clock.now(), is_message=not is_dicom)
    if isinstance(way, str):
        return HELD_WORDS[way]
    if is_dicom:
        made = reidentify(content, way)
        if made.document == ENCRYPTED:
            return HELD_WORDS[ENCRYPTED]
        if made.document == UID_LEFT or (shown & way.uids.keys() and uids_shown(made.content) & way.uids.keys()):
            return HELD_WORDS[UID_LEFT]
        _write(output / f"{made.sop_instance_uid}.dcm", made.content)
    else:
        lead_back = hl7 if content.lstrip(b"\x0b").startswith(b"MSH") else fhir
        led_back = lead_back(content, way)
        if any(map(is_encrypted, pdfs_in(led_back))):
            return HELD_WORDS[ENCRYPTED]
        if (named_in_message(led_back).uids | _shown_in_message(led_back)) & way.uids.keys():
            return HELD_WORDS[UID_LEFT]
        _write(output / path.name, led_back)
    return ""


def _shown_in_message(content: bytes) -> frozenset[str]:
    return frozenset[str]().union(*map(uids_on_pages, pdfs_in(content)))


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
