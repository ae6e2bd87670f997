"""`vienanh archive`: delete a study, series or instance, and hold studies that nobody may delete."""

from typing import Annotated

import typer

from exchange.commands.study_report import report_study
from exchange.node.assemble import COMMIT_SOCKET, deletions_of
from exchange.node.beside import is_served, own_committer
from exchange.node.stores import Stores, begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors
from kernel.archive import index
from kernel.archive.deletion import holds
from kernel.archive.deletion.asked import ask_deletion
from kernel.archive.deletion.deletion import REASONS, Wish
from kernel.archive.deletion.removal import Target
from kernel.archive.owner.asking import RemoteOwner

app = typer.Typer(no_args_is_help=True, help="Delete from the archive, hold what nobody may delete, report on copies.")
app.command("report")(report_study)
BY = "command line"

Study = Annotated[str, typer.Argument(help="The Study Instance UID at this node.")]
Site = Annotated[str | None, typer.Option(help="The site, when two sites have the same UID.")]


@app.command("delete")
def delete(
    study_uid: Study,
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS)}.")],
    series: Annotated[str | None, typer.Option(help="Only this series, by its UID.")] = None,
    instance: Annotated[str | None, typer.Option(help="Only this instance of the series, by its UID.")] = None,
    site: Site = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also what waits for delivery, or may be the only copy.")
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Delete a study, or one series or instance of it; the node removes the bytes later."""
    if instance is not None and series is None:
        raise typer.BadParameter("--instance needs --series")
    with plain_errors(), begun(read_config(config, data)) as stores:
        target = Target(_site_of(stores, study_uid, site), study_uid, series, instance)
        count = _deleted(stores, Wish(target, BY, "admin", "", reason, is_admin=True, is_forced=force))
        out.print(f"{count} instances were deleted.")


@app.command("hold")
def hold(
    study_uid: Study,
    reason: Annotated[str, typer.Option(help="A case number or a word; never a patient's name.")],
    site: Site = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Put a study under a legal hold: nobody can delete it."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        owner, now = _site_of(stores, study_uid, site), stores.clock.now()
        stores.db.write(lambda connection: holds.place(connection, owner, study_uid, reason=reason, who=BY, at=now))
        out.print("The study is held.")


@app.command("unhold")
def unhold(study_uid: Study, site: Site = None, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Lift a legal hold."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        owner, now = _site_of(stores, study_uid, site), stores.clock.now()
        stores.db.write(lambda connection: holds.lift(connection, owner, study_uid, who=BY, at=now))
        out.print("The hold is lifted.")


def _site_of(stores: Stores, study_uid: str, site: str | None) -> str:
    with stores.db.read() as connection:
        return index.study_row(connection, study_uid, None if site is None else frozenset({site})).site


def _deleted(stores: Stores, wish: Wish) -> int:
    """Have the running node delete, as it remembers rows; without one, do it here."""
    if is_served(stores.config):
        owner = RemoteOwner(stores.config.node.data / COMMIT_SOCKET)
        try:
            return ask_deletion(owner, wish)
        finally:
            owner.close()
    return deletions_of(stores, own_committer(stores)).delete(wish)
