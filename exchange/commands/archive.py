"""`vienanh trace`, `complete` and `quarantine`: what happened to a study, and what was refused."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from exchange.node.beside import own_committer
from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table, when
from kernel import events
from kernel.archive import index
from kernel.archive.ingest import quarantine as kept_apart
from kernel.errors import NotFound
from kernel.events import Event, EventName

quarantine = typer.Typer(no_args_is_help=True, help="Instances that were refused: list them, copy one out.")

Study = Annotated[str, typer.Argument(help="The Study Instance UID at this node.")]
Site = Annotated[str | None, typer.Option(help="The site, when two sites have the same UID.")]
_BY_INSTANCE = {EventName.INSTANCE_RECEIVED, EventName.INSTANCE_DEIDENTIFIED, EventName.INSTANCE_DELIVERED}


def trace(
    study_uid: Study,
    site: Site = None,
    every: Annotated[
        bool, typer.Option("--all", help="Print each instance's events instead of counting them.")
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Print what happened to a study at this node, with times."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            found = events.of_study(connection, site, study_uid)
        if not found:
            raise NotFound(what="study in the events of this node")
        start = found[0].at
        out.print(f"trace {found[0].trace_id}, begun {when(start)}", markup=False)
        rows = found if every else _condensed(found)
        table(
            ("at", "after", "event", "detail"),
            [(_clock(one.at), _after(one.at, start), one.name.value, _detail(one)) for one in rows],
        )


def _condensed(found: list[Event]) -> list[Event]:
    """Return events with those that repeat for each instance counted: the first of a run stands for it."""
    condensed: list[Event] = []
    for one in found:
        last = next((done for done in reversed(condensed) if done.name == one.name), None)
        if one.name in _BY_INSTANCE and last is not None:
            detail = {"instances": int(last.detail.get("instances", 1)) + 1, "until": _clock(one.at)}
            place = condensed.index(last)
            condensed[place] = Event(last.name, last.at, last.site, last.study_instance_uid, last.trace_id, detail)
        else:
            condensed.append(one)
    return condensed


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S.%f}"[:-3]


def _after(at: datetime, start: datetime) -> str:
    after_s = (at - start).total_seconds()
    return f"{after_s:+.3f} s" if after_s >= 0 else f"{after_s:+.3f} s: the clock was set back"


def _detail(one: Event) -> str:
    return " ".join(f"{key}={value}" for key, value in one.detail.items())


def complete(study_uid: Study, site: Site = None, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Say that a study is complete now ("send now"), without waiting for other evidence."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            found = index.study_row(connection, study_uid, None if site is None else frozenset({site}))
        changed = own_committer(stores).send_now(found.pk)
        out.print("The study counts as complete." if changed else "Nothing changed: it was, or instances are missing.")


@quarantine.command("list")
def list_quarantine(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List what was refused, newest first, and why."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            rows = kept_apart.listed(connection)
        table(
            ("id", "at", "reason", "from", "bytes"),
            [(row.pk, when(row.at), row.reason, f"{row.peer} {row.address}", row.size_bytes) for row in rows],
        )


@quarantine.command("export")
def export_quarantined(
    number: Annotated[int, typer.Argument(help="The id that `vienanh quarantine list` shows.")],
    file: Annotated[Path, typer.Argument(help="Where to write the bytes as they came.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Copy one refused instance out, to look at it. It may identify a patient."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            row = next((row for row in kept_apart.listed(connection) if row.pk == number), None)
        if row is None:
            raise NotFound(what="entry in the quarantine")
        with stores.blobs.open(row.blob_key) as source, file.open("xb") as target:
            shutil.copyfileobj(source, target)
        out.print(f"{row.size_bytes} bytes were written to {file}.", markup=False)
