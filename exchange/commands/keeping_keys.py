"""`vienanh keys`: which secrets a node has, a new seal for its vault, and, on purpose only, new identifiers."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from anonymizer.pseudonyms.keyring import Keyring, Secret
from anonymizer.pseudonyms.keys import key_id
from exchange.node.key_files import VARIABLE, KeyFile, SiteKeys, check_keys, from_environment, key_file, new_secret
from exchange.node.stores import Stores, begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import err, out, plain_errors, progress_bar, table
from kernel.audit import Action, Line, append
from kernel.config import Config
from kernel.errors import InvalidConfiguration
from routing.resealing import reseal_all, seals_in_use

BY = "command line"
RETIRE_AFTER = timedelta(hours=1)
app = typer.Typer(no_args_is_help=True, help="The site's secrets: list them, rotate the vault's seal.")


@app.command("list")
def list_keys(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List the epochs of the secrets, by names that tell nothing of them, and what is sealed with which."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        check_keys(stores.config, stores.db)
        ring = from_environment() or key_file(stores.config).read_or_create()
        site = stores.config.node.site
        used = seals_in_use(stores.db)
        rows = [_row("identifiers", one, site, "", one is ring.identifiers[-1]) for one in ring.identifiers]
        rows += [_row("seal", one, site, _count(one, used), one is ring.seals[-1]) for one in ring.seals]
        table(("kind", "epoch", f"name at {site}", "since", "records", "state"), rows)


@app.command("rotate")
def rotate(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Begin a new seal, and seal every record of the vault anew; the node may run meanwhile.

    UIDs, pseudonyms and date shifts stay. Old seals stay in the key file, to open backups, until `keys retire`.
    """
    with plain_errors(), begun(read_config(config, data)) as stores:
        file = _file(stores.config)
        check_keys(stores.config, stores.db)
        with file.changing():
            _change(stores, file, file.read_or_create().with_seal(new_secret(), _now(stores)), "seal rotated")
        count = _resealed(stores, file)
        out.print(f"The vault has a new seal; {count} records were sealed anew. Back up {file.path} now.", markup=False)


@app.command("retire")
def retire(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Forget old seals; backups of the vault from before the last rotation do not open any more."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        file = _file(stores.config)
        check_keys(stores.config, stores.db)
        with file.changing():
            ring = file.read_or_create()
            _check_age(ring.seals[-1], stores.clock.now())
            _resealed(stores, file)
            _change(stores, file, ring.without_old_seals(), "old seals retired")
        out.print(f"{len(ring.seals) - 1} old seals were forgotten.")


@app.command("new-identifiers")
def new_identifiers(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it the consequence is told.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Give every patient a new pseudonym from now on. For when the secret of identifiers itself was seen by others.

    Studies sent before and after cannot be joined at the hub: a prior is no prior any more, and what is sent again
    arrives as another study. Reports about what was sent before still come home.
    """
    if not yes:
        err.print("Every patient gets a second pseudonym, and priors at the hub are lost to readers. Say --yes for it.")
        raise typer.Exit(2)
    with plain_errors(), begun(read_config(config, data)) as stores:
        file = _file(stores.config)
        with file.changing():
            ring = file.read_or_create().with_identifiers(new_secret(), _now(stores))
            _change(stores, file, ring, "new identifiers")
        out.print(f"From now on there are new pseudonyms, UIDs and date shifts. Back up {file.path} now.", markup=False)


def _file(config: Config) -> KeyFile:
    """Return the file to change. Raises InvalidConfiguration when the environment has the keys."""
    if from_environment() is not None:
        raise InvalidConfiguration(
            source=VARIABLE, key="key", reason="keys of the environment cannot be changed; put them into a file first"
        )
    return key_file(config)


def _change(stores: Stores, file: KeyFile, ring: Keyring, what: str) -> None:
    """Replace the keys; the audit line is durable before."""
    site = stores.config.node.site
    detail = {"keys": what, "key_id": ring.keys(site).key_id, "seal_id": ring.keys(site).seal_id}
    line = Line(at=stores.clock.now(), action=Action.SECURITY_ALERT, who=BY, role="admin", site=site, detail=detail)
    stores.db.write(lambda connection: append(connection, line))
    file.replace(ring)


def _check_age(newest: Secret, now: datetime) -> None:
    """Refuse while a record that was sealed just before the last rotation may still be on its way in."""
    if newest.since and now - datetime.fromisoformat(newest.since) < RETIRE_AFTER:
        reason = f"the newest seal is younger than {RETIRE_AFTER}; records under the old one may still be on their way"
        raise InvalidConfiguration(source="keys", key="retire", reason=reason)


def _resealed(stores: Stores, file: KeyFile) -> int:
    total = sum(sum(counts.values()) for counts in seals_in_use(stores.db).values())
    with progress_bar() as progress:
        task = progress.add_task("sealing anew", total=total)
        return reseal_all(stores.db, SiteKeys(file), lambda count: progress.advance(task, count))


def _now(stores: Stores) -> str:
    return stores.clock.now().isoformat(timespec="seconds")


def _count(one: Secret, used: dict[str, dict[str, int]]) -> str:
    return str(sum(counts.get(key_id(one.value, site), 0) for site, counts in used.items()))


def _row(kind: str, one: Secret, site: str, records: str, current: bool) -> tuple[object, ...]:  # noqa: FBT001 (a cell)
    return kind, one.epoch, key_id(one.value, site), one.since, records, "in use" if current else ""
