"""`vienanh orders`: what is scheduled at the modalities."""

from typing import Annotated

import typer

from consult.order_rows import OrderNumbers
from consult.ordering import By, OrderDesk
from consult.stations import Stations
from consult.steps import Status, step_of
from exchange.node.stores import begun, opened
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table

BY = By("command line")

app = typer.Typer(no_args_is_help=True, help="Orders: what the modalities are given as their worklist.")

Site = Annotated[str | None, typer.Option(help="The site, when it is not this node's own.")]
Accession = Annotated[str, typer.Argument(help="The accession number, at most 16 characters.")]


@app.command("list")
def list_orders(
    date: Annotated[str, typer.Option(help="Start date, YYYYMMDD; every date when not given.")] = "",
    modality: Annotated[str, typer.Option(help="Such as CT.")] = "",
    status: Annotated[Status | None, typer.Option(help="Only steps that stand so.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """List scheduled steps in the order of their start, at most 500."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        found = OrderDesk(stores.db, stores.clock).listed(None, start_date=date, modality=modality, status=status)
        table(
            ("start", "accession", "step", "modality", "station", "patient id", "patient", "status", "by"),
            [
                (
                    f"{one.step.start_date} {one.step.start_time}",
                    one.step.accession_number,
                    one.step.step_id,
                    one.step.modality,
                    one.step.station_ae_title,
                    one.step.patient_id,
                    one.step.patient_name,
                    one.status.value,
                    one.origin,
                )
                for one in found
            ],
        )


@app.command("add")
def add_order(
    accession: Accession,
    patient_id: Annotated[str, typer.Option(help="Patient ID.")],
    patient_name: Annotated[str, typer.Option(help="Family name^given name, such as NGUYỄN^THỊ HƯƠNG.")],
    modality: Annotated[str, typer.Option(help="Such as CT.")],
    date: Annotated[str, typer.Option(help="Start date, YYYYMMDD; today when not given.")] = "",
    time: Annotated[str, typer.Option(help="Start time, HHMM.")] = "",
    station: Annotated[str, typer.Option(help="Station AE title; empty: any of the modality.")] = "",
    description: Annotated[str, typer.Option(help="What is to be done.")] = "",
    step: Annotated[str, typer.Option(help="Step id.")] = "1",
    birth_date: Annotated[str, typer.Option(help="YYYYMMDD.")] = "",
    sex: Annotated[str, typer.Option(help="M, F or O.")] = "",
    priority: Annotated[str, typer.Option(help="STAT, HIGH, ROUTINE, MEDIUM or LOW.")] = "",
    site: Site = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Order a step, or change the one of the same accession number and step id."""
    with plain_errors(), opened(read_config(config, data)) as stores:
        values = {
            "accession_number": accession,
            "step_id": step,
            "patient_id": patient_id,
            "patient_name": patient_name,
            "patient_birth_date": birth_date,
            "patient_sex": sex,
            "modality": modality,
            "start_date": date or f"{stores.clock.now().astimezone():%Y%m%d}",
            "start_time": time,
            "station_ae_title": station,
            "procedure_description": description,
            "priority": priority,
        }
        values |= Stations.from_config(stores.config).defaults(modality, station)
        desk = OrderDesk(stores.db, stores.clock)
        placed = desk.place(site or stores.config.node.site, step_of(values), BY)
        out.print(f"Scheduled; the Study Instance UID is {placed.step.study_instance_uid}.")


@app.command("cancel")
def cancel_order(
    accession: Accession,
    step: Annotated[str, typer.Option(help="Step id; every step of the accession when not given.")] = "",
    site: Site = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Take back an order whose steps have not begun."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        numbers = OrderNumbers(accession_number=accession, step_id=step)
        canceled = OrderDesk(stores.db, stores.clock).cancel(site or stores.config.node.site, numbers, BY)
        out.print(f"{len(canceled)} steps are canceled.")
