"""`vienanh doctor`: what is wrong with this machine or this configuration, in words, and what to do."""

import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from anonymizer.pixels.finder import missing
from exchange.commands.machine_findings import Finding, of_machine
from exchange.node import machine
from exchange.node.assemble import NAMING_BLOBS, transports
from exchange.node.key_files import check_keys, from_environment, key_file, shut_records
from exchange.node.stores import Stores, is_begun, opened
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out
from gateway import source_tables
from gateway.peers import Sources
from kernel import audit
from kernel.archive.blobs import verify
from kernel.clock import SystemClock
from kernel.config import Config
from kernel.dicom.pictures.video import video_program
from kernel.errors import ExchangeError
from routing import settings, status
from routing.destinations import Destination
from viewer.server.pages import build_folder

EXIT_WRONG = 1
PROBE_S = 10.0  # that a destination may be silent; a delivery is patient for routing.request_timeout_s


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also check every blob against its digest.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Look at the machine, the configuration, the stores and the destinations; exit 1 if anything is wrong."""
    wrong = False
    for finding in _examine(lambda: read_config(config, data), deep=deep):  # each is told before the next is looked at
        wrong = wrong or bool(finding.wrong)
        mark = "[bold red]wrong[/]" if finding.wrong else "[green]  ok [/]"
        out.print(
            f"{mark}  {finding.what}{': ' if finding.wrong or finding.note else ''}{finding.wrong or finding.note}"
        )
    if wrong:
        raise typer.Exit(EXIT_WRONG)


def _examine(read: Callable[[], Config], *, deep: bool) -> Iterator[Finding]:
    yield Finding("Python", "" if sys.version_info >= (3, 11) else "3.11 or newer is needed", sys.version.split()[0])
    try:
        config = read()
        rules = settings.parse(config)
        sources = source_tables.sources(config)
    except ExchangeError as error:
        yield Finding("configuration", str(error))
        return
    yield Finding("configuration", note=f"{config.origin}, {len(rules.rules)} rules, version {rules.version}")
    yield from (_sources(config, sources), _secrets(config, tuple(rules.destinations.values())))
    clock = SystemClock()
    yield from of_machine(config, clock.now())
    yield Finding(
        "reading room", "" if build_folder().is_dir() else "the front end was not built; run ./dev in a checkout"
    )
    yield Finding(
        "codecs", "" if find_spec("openjpeg") and find_spec("imagecodecs") else "openjpeg or imagecodecs is missing"
    )
    made_by = video_program()
    yield Finding("video", note=f"made by ffmpeg with {made_by[1]}" if made_by else "not made: no ffmpeg with H.264")
    yield _text_in_pixels(config)
    try:
        if is_begun(config):
            with opened(config) as stores:
                yield from _stores(stores, deep=deep)
                yield from _lanes(stores, tuple(rules.destinations))
        else:
            yield Finding("stores", note=f"no node was begun in {config.node.data.resolve()} yet: `vienanh serve`")
    except ExchangeError as error:
        yield Finding("stores", str(error))
        return
    patience_s = min(PROBE_S, config.routing.request_timeout_s)
    hasty = replace(config, routing=replace(config.routing, request_timeout_s=patience_s))
    for name, make in transports(hasty, rules, clock).items():
        try:
            transport = make()
        except ExchangeError as error:
            yield Finding("configuration", str(error))
            continue
        receipt = transport.probe()
        transport.close()
        one = rules.destinations[name]
        where = one.url or f"{one.ae_title}@{one.host}:{one.port}"
        told = " ".join(part for part in (receipt.cause, receipt.status, receipt.detail) if part)
        yield Finding(f"destination {name}", "" if receipt.is_success else f"{told} ({where})", where)
        if receipt.told_at is not None and (off := machine.apart(clock.now(), receipt.told_at)):
            yield Finding(f"clock of {name}", off)


def _sources(config: Config, sources: Sources) -> Finding:
    """Look for callers that may read patients' data and prove nothing of themselves."""
    unproved = ", ".join(sources.unproved_readers())
    wrong = f"may find or retrieve by an AE title alone; give address or certificate: {unproved}" if unproved else ""
    return Finding("sources", wrong, f"{len(config.source)} named")


def _secrets(config: Config, destinations: tuple[Destination, ...]) -> Finding:
    """Look for tokens, keys and passwords that every account of the machine may read."""
    named = [file for one in destinations for file in (one.token_file, one.key)]
    named += [config.http.tls_key, config.dimse.tls_key, config.database.password_file]
    home = Path(config.origin).parent  # those of destinations lie beside it
    files = {home / file for file in named if file is not None}
    open_to_all = ", ".join(sorted(str(file) for file in files if _is_open_to_all(file)))
    return Finding("secrets", open_to_all and f"every account of this machine may read it; `chmod o=`: {open_to_all}")


def _is_open_to_all(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:  # not there: whoever uses it says so
        return False


def _text_in_pixels(config: Config) -> Finding:
    """Say whether text in pictures is found and masked; where it is not, pictures wait, and nobody is told of a fault."""
    if not config.anonymizer.clean_pixels:
        return Finding("text in pixels", note="not looked for, as anonymizer.clean_pixels is false")
    absent = missing()
    waiting = f"pictures that may show a name wait for a person: {absent} is missing" if absent else ""
    return Finding("text in pixels", note=waiting or "found and masked")


def _stores(stores: Stores, *, deep: bool) -> Iterator[Finding]:
    yield _audit(stores)
    yield _keys(stores)
    if not deep:
        return
    report = verify.check(stores.db, stores.blobs, NAMING_BLOBS)
    yield Finding("blobs", "; ".join(report.problems()), f"{report.checked} match their digests")


def _audit(stores: Stores) -> Finding:
    try:
        with stores.db.read() as connection:
            return Finding("audit", note=f"{audit.verify(connection)} lines are whole")
    except ExchangeError as error:
        return Finding("audit", str(error))


def _keys(stores: Stores) -> Finding:
    """Look whether the vault opens with the keys that are here: another site's file would make other pseudonyms, too."""
    file = key_file(stores.config)
    try:
        check_keys(stores.config, stores.db)
        ring = from_environment() or (file.read() if file.path.exists() else None)
    except ExchangeError as error:
        return Finding("site key", str(error))
    if ring is None:
        return Finding("site key", note="made on first use")
    shut = shut_records(stores.db, ring)
    wrong = f"{shut} records of the vault do not open with it: put the right one back from its back-up" if shut else ""
    return Finding("site key", wrong, "opens the vault; keep a copy apart")


def _lanes(stores: Stores, destinations: tuple[str, ...]) -> Iterator[Finding]:
    with stores.db.read() as connection:
        rows = status.lanes(connection, destinations, stores.clock.now())
    for row in rows:
        waiting = f"{row.held} held, {row.dead} refused: see `vienanh held`" if row.held or row.dead else ""
        yield Finding(
            f"lane {row.name}", "" if row.flowing and not waiting else waiting or f"paused: {row.cause} {row.detail}"
        )
