"""`vienanh lanes`, `held`, `retry` and `release`: what is on its way, what stopped, and how to set it going."""

from typing import Annotated

import typer

from exchange.commands.held_advice import advice_on
from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table, when
from kernel.errors import NotFound
from routing import settings, status
from routing.jobs import JobState

BY = "command line"


def lanes(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Show each destination: backlog, oldest age, pause and its cause."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        names = tuple(settings.parse(stores.config).destinations)
        with stores.db.read() as connection:
            rows = status.lanes(connection, names, stores.clock.now())
        table(
            ("lane", "ready", "running", "held", "dead", "oldest", "state", "last delivery"),
            [
                (
                    row.name,
                    row.ready,
                    row.running,
                    row.held,
                    row.dead,
                    "" if row.oldest_age_s is None else f"{row.oldest_age_s:.0f} s",
                    "flows" if row.flowing else f"paused {row.paused_s:.0f} s: {row.cause} {row.status} {row.detail}",
                    row.delivered_at and when(row.delivered_at),
                )
                for row in rows
            ],
        )


def held(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List what waits for a person, and what can be done: held by de-identification or a rule, or refused there."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            rows = [
                (state.value, job.lane, job.study_instance_uid, job.sop_instance_uid, job.cause, job.detail)
                for state in (JobState.HELD, JobState.DEAD)
                for job in status.stopped_jobs(connection, state)
            ]
        table(("state", "lane", "study", "instance", "cause", "detail"), rows)
        for line in advice_on({row[4] for row in rows}):
            out.print(line, markup=False)


def retry(
    destination: Annotated[str, typer.Argument(help="The lane, as `vienanh lanes` shows it.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Try a destination again at once: its pause ends and what it refused is offered again."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        names = tuple(settings.parse(stores.config).destinations)
        with stores.db.read() as connection:
            known = {row.name for row in status.lanes(connection, names, stores.clock.now())}
        if destination not in known:
            raise NotFound(what="lane; `vienanh lanes` lists them")
        came_back = stores.db.write(lambda connection: status.retry(connection, destination, stores.clock.now()))
        out.print(f"{destination} is tried again; {came_back} refused jobs came back.")


def release(
    study_uid: Annotated[str, typer.Argument(help="The Study Instance UID at this node.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Release a held study: one held for its pixels goes, one held for residue is de-identified and searched again."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        came_back = stores.db.write(lambda connection: status.release(connection, study_uid, BY, stores.clock.now()))
        nothing = "Nothing of the study waits for a release; `vienanh held` lists what does."
        out.print(f"{came_back} jobs of the study were released." if came_back else nothing)
