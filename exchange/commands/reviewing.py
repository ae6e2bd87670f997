"""`vienanh review`: instances whose pixels wait for a person, and what the person decides."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from anonymizer.pixels.zones import Device, Zones, zones_text
from exchange.commands.deliveries import BY
from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table
from kernel.dicom.pixels.boxes import Box, joined
from routing import drawn_zones, pixel_reviews, pixel_zones
from routing.pixel_reviews import Reviewer

app = typer.Typer(no_args_is_help=True, help="Pixels that wait for a person: list, accept with masks, or reject.")

if TYPE_CHECKING:
    from sqlalchemy import Connection

One = TypeVar("One")
Instance = Annotated[str, typer.Argument(metavar="SOP_INSTANCE_UID", help="As `vienanh review list` shows it.")]
Site = Annotated[str | None, typer.Option(help="The site, if two have such an instance.")]
Profile = Annotated[str | None, typer.Option(help="The profile, if it waits under two.")]


@app.command("list")
def waiting(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List instances whose pixels wait for a person, with the masks that are proposed: top,left,bottom,right."""
    with plain_errors():
        rows = [
            (one.site, one.study_instance_uid, one.sop_instance_uid, one.profile, one.reason, _told(one.proposed))
            for one in _read(config, data, pixel_reviews.reviews)
        ]
        table(("site", "study", "instance", "profile", "reason", "proposed masks"), rows)


@app.command("accept")
def accept(
    instance: Instance,
    mask: Annotated[
        list[str] | None, typer.Option(help="top,left,bottom,right in pixels; as often as wanted. None: as proposed.")
    ] = None,
    nothing: Annotated[
        bool, typer.Option("--no-masks", help="Mask nothing: the pixels may leave as they are.")
    ] = False,
    site: Site = None,
    profile: Profile = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Have the instance made anew with masks, and sent."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            review = pixel_reviews.find(connection, site, instance, profile)
        boxes = () if nothing else [_box(text) for text in mask] if mask else review.proposed
        now = stores.clock.now()
        sent = stores.db.write(lambda connection: pixel_reviews.accept(connection, review, boxes, Reviewer(BY), now))
        out.print(f"Made anew with {len(boxes)} masks, for {sent} destinations.")


@app.command("reject")
def reject(
    instance: Instance,
    site: Site = None,
    profile: Profile = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Never send the instance."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            review = pixel_reviews.find(connection, site, instance, profile)
        now = stores.clock.now()
        kept = stores.db.write(lambda connection: pixel_reviews.reject(connection, review, Reviewer(BY), now))
        out.print(f"Kept from {kept} destinations.")


@app.command("zones")
def zones(
    toml: Annotated[
        bool,
        typer.Option("--toml", help="As the file of `anonymizer.pixel_zones` has them: those in use, to be edited."),
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """List what was learnt, or drawn, of where devices write, and whether it is masked."""
    with plain_errors():
        if toml:
            learnt = _in_use(_read(config, data, pixel_zones.listed))
            drawn = {one.device: one.boxes for one in _read(config, data, drawn_zones.listed)}
            both = {device: joined((*learnt.get(device, ()), *drawn.get(device, ()))) for device in {**learnt, **drawn}}
            out.print(zones_text(both), markup=False, highlight=False)
            return
        rows = [
            (
                one.site,
                one.layout,
                " ".join(filter(None, (one.manufacturer, one.model, one.serial))),
                f"{one.kind} {one.rows} x {one.columns} {one.photometric_interpretation}",
                "in use" if one.is_confirmed else f"{one.exams} of {one.exams_wanted} exams",
                _told(one.zones),
            )
            for one in _read(config, data, pixel_zones.listed)
        ]
        rows += [
            (
                one.site,
                one.device.digest,
                f"{one.device.manufacturer} {one.device.model}",
                f"{one.device.rows} x {one.device.columns}",
                f"drawn by {one.drawn_by}",
                _told(one.boxes),
            )
            for one in _read(config, data, drawn_zones.listed)
        ]
        table(("site", "name", "device", "picture", "state", "zones"), rows)


@app.command("forget-zones")
def forget_zones(
    name: Annotated[str, typer.Argument(help="As `vienanh review zones` shows it.")],
    site: Annotated[str | None, typer.Option(help="The site, if it is not this node's.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Forget what was learnt of a device: its next instances are looked at."""
    with plain_errors():
        read = read_config(config, data)
        with begun(read) as stores:
            now = stores.clock.now()
            stores.db.write(lambda connection: pixel_zones.forget(connection, site or read.node.site, name, BY, now))
        out.print("Forgotten.")


def _in_use(learnt: Sequence[pixel_zones.Learnt]) -> Zones:
    """Return the zones of devices, whatever page of theirs they were learnt of."""
    found: dict[Device, tuple[Box, ...]] = {}
    for one in learnt:
        if one.is_confirmed:
            device = Device(one.manufacturer, one.model, one.rows, one.columns)
            found[device] = joined((*found.get(device, ()), *one.zones))
    return found


def _read(config: ConfigFile, data: DataFolder, ask: Callable[["Connection"], Sequence[One]]) -> Sequence[One]:
    with begun(read_config(config, data)) as stores, stores.db.read() as connection:
        return ask(connection)


def _box(text: str) -> Box:
    try:
        return Box(*map(int, text.split(",")))
    except (TypeError, ValueError):
        raise typer.BadParameter("top,left,bottom,right in pixels", param_hint="--mask") from None


def _told(boxes: tuple[Box, ...]) -> str:
    return " ".join(",".join(map(str, box)) for box in boxes)
