"""`vienanh deidentify`: files, folders and zips made pseudonymous, with a report of what was done and what was not."""

import multiprocessing
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anonymizer.profiles import profile as profiles
from anonymizer.profiles import site_profile
from anonymizer.pseudonyms import keys as site_keys
from exchange.commands.explaining import explain_file, print_profiles
from exchange.files.inputs import Entry, entries, printable
from exchange.files.release import Order, Outcome, PixelHandling, cleaner_of, process
from exchange.files.report import studies_of, write_report
from exchange.node.key_files import KeyFile
from exchange.terminal.options import ConfigFile, read_config
from exchange.terminal.screen import err, out, plain_errors, progress_bar
from kernel.dicom.vocabulary.charset import FALLBACKS
from kernel.errors import InvalidConfiguration
from routing.described import masked
from routing.profiles import text_of

EXIT_HELD: Final = 1
TOLD_MAX: Final = 20  # inputs that were not written; the report has all
AT_ONCE: Final = 32  # inputs handed to a worker at a time, and flushed together; fewer when there are few


def deidentify(
    source: Annotated[
        Path | None, typer.Argument(metavar="INPUT", exists=True, help="A DICOM file, a folder, or a zip.")
    ] = None,
    output: Annotated[
        Path | None, typer.Argument(metavar="OUTPUT", file_okay=False, help="Folder for the new files.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            help=f"What is done to each attribute: {', '.join(profiles.BUILT_IN)}, or the TOML file of your own."
        ),
    ] = profiles.DEFAULT,
    key_file: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="The site's key (32 bytes; made when it is not there). The same key gives the same pseudonyms as a "
            "node that has it. Without one, a key is made for this run and forgotten.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Write what was done, and every text that is left, as JSON or as a page (.html). Keep it at the site.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = os.cpu_count() or 1,
    pixels: Annotated[
        PixelHandling,
        typer.Option(
            help="clean: look for text in pixels and mask it, if the profile says so. hold: hold kinds of images that "
            "usually show a name. pass: let them go as they are, and documents too."
        ),
    ] = "clean",
    zones: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File of the places where devices write (TOML), masked whatever is found. [default: "
            "anonymizer.pixel_zones]",
        ),
    ] = None,
    charset: Annotated[
        str | None, typer.Option(help=f"How to read text that declares no character set: {', '.join(FALLBACKS)}.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Write nothing; tell tag by tag what would become of a file."),
    ] = None,
    values: Annotated[
        bool, typer.Option("--values", help="With --explain: the values, too. They name the patient.")
    ] = False,
    list_profiles: Annotated[bool, typer.Option("--profiles", help="List the profiles, and what each does.")] = False,
    config: ConfigFile = None,
) -> None:
    """De-identify files, for example: vienanh deidentify CT/ out/ --key-file site.key --report report.json.

    New files are named by their new UIDs alone. What is not understood, still shows the patient after de-identification,
    or usually has a name in its pixels is held: it is listed and not written. Exits 0 only if everything was written,
    1 if anything was not.
    """
    with plain_errors():
        if charset not in (None, *FALLBACKS):
            raise InvalidConfiguration(source="--charset", key=charset or "", reason=f"one of {', '.join(FALLBACKS)}")
        settings = read_config(config)
        if list_profiles:
            print_profiles(settings)
            return
        text = text_of(Path(profile)) if profile.endswith(".toml") else ""
        chosen, site = site_profile.chosen(profile, text), settings.node.site
        keys = _keys(key_file, site, chosen)
        if explain is not None:
            explain_file(explain, chosen, keys, site, charset, values=values)
            return
        if source is None or output is None:
            raise typer.BadParameter("INPUT and OUTPUT are needed")
        _check_places(source, output, report)
        zones = zones or settings.anonymizer.pixel_zones
        cleaner_of(zones)  # mistakes in it are told before anything is read
        order = Order(output, profile, keys, site, charset, pixels, text, zones)
        _make(output)
        outcomes = _run(list(entries(source)), order, workers)
        if report is not None:
            write_report(report, _report(chosen, order, outcomes) | {"studies": studies_of(output, outcomes)})
    left = [one for one in outcomes if one.state != "written"]
    for one in left[:TOLD_MAX]:
        err.print(f"{one.label}: {one.state}: {one.reason} {one.in_tag}".rstrip(), markup=False)
    if len(left) > TOLD_MAX:
        err.print(f"... and {len(left) - TOLD_MAX} more; --report lists all.", markup=False)
    out.print(
        f"{len(outcomes) - len(left)} of {len(outcomes)} files were written to {printable(str(output))}.", markup=False
    )
    if left or not outcomes:
        raise typer.Exit(EXIT_HELD)


def _check_places(source: Path, output: Path, report: Path | None) -> None:
    """Refuse places where new files would stand among those that are read, or in their stead."""
    inside, new = source.resolve(), output.resolve()
    if new == inside or inside in new.parents:
        raise typer.BadParameter("it is INPUT, or within: originals and copies would be mixed", param_hint="OUTPUT")
    if report is None:
        return
    told = report.resolve()
    if told == inside or (inside in told.parents and report.exists()):
        raise typer.BadParameter("it is one of the inputs, which would be lost", param_hint="--report")
    if not told.parent.is_dir() or not os.access(told.parent, os.W_OK):
        raise typer.BadParameter("its folder is not there, or may not be written to", param_hint="--report")


def _make(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"it cannot be made: {error.strerror}", param_hint="OUTPUT") from None
    if not os.access(output, os.W_OK | os.X_OK):
        raise typer.BadParameter("it may not be written to", param_hint="OUTPUT")


def _keys(file: Path | None, site: str, profile: profiles.Profile) -> site_keys.Keys:
    if not profile.reversible:
        if file is not None:
            raise typer.BadParameter(
                f"{profile.name} has a key for one run, which nobody keeps", param_hint="--key-file"
            )
        return site_keys.derive(secrets.token_bytes(site_keys.SECRET_BYTES), site=site)
    if file is None:
        err.print("No --key-file: a key was made for this run alone. A later run will give other pseudonyms and UIDs.")
        return site_keys.derive(secrets.token_bytes(site_keys.SECRET_BYTES), site=site)
    if not file.exists():
        err.print(f"{file} is new: keep it safe, and never send it with the data.", markup=False)
    return KeyFile(file).read_or_create().keys(site)


def _run(found: list[Entry], order: Order, workers: int) -> list[Outcome]:
    with progress_bar() as bar:
        return list(bar.track(_outcomes(found, order, workers), total=len(found), description="de-identifying"))


def _outcomes(found: list[Entry], order: Order, workers: int) -> Iterator[Outcome]:
    work = partial(process, order=order)
    size = max(1, min(AT_ONCE, -(-len(found) // workers)))
    groups = [found[start : start + size] for start in range(0, len(found), size)]
    if workers == 1 or len(groups) <= 1:
        yield from chain.from_iterable(map(work, groups))
        return
    with multiprocessing.get_context("spawn").Pool(min(workers, len(groups))) as pool:
        yield from chain.from_iterable(pool.imap(work, groups))


def _report(profile: profiles.Profile, order: Order, outcomes: list[Outcome]) -> dict[str, Any]:
    done = Counter[str]()
    for one in outcomes:
        done.update(dict(one.actions))
    by_state = {state: [one for one in outcomes if one.state == state] for state in ("written", "held", "unreadable")}
    return {
        "profile": profile.label,
        "profile_digest": profile.digest,
        "method_codes": list(profile.method_codes),
        "key_id": order.keys.key_id,
        "totals": {state: len(found) for state, found in by_state.items()},
        "actions": dict(sorted(done.items())),
        "comments": sum(one.comments for one in outcomes),
        "written": [
            {
                "input": one.label,
                "file": one.file,
                "masks": [mask.box for mask in one.masks],
                "comments": one.comments,
                "mended": one.mended,
            }
            for one in by_state["written"]
        ],
        "masked": masked((one.label, one.masks) for one in by_state["written"]),
        "held": [
            {"input": one.label, "reason": one.reason, "tag": one.in_tag, "proposed_masks": one.proposed}
            for one in by_state["held"]
        ],
        "unreadable": [{"input": one.label, "reason": one.reason} for one in by_state["unreadable"]],
    }
