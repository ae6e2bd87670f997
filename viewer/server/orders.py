"""The API of orders: what is scheduled at the modalities, which ask for it as their worklist (PS3.4 K)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from consult.order_rows import OrderNumbers, Scheduled
from consult.ordering import By, OrderDesk
from consult.steps import FIELDS, Status, step_of
from kernel.access import Principal, Scope
from kernel.errors import NotFound
from viewer.server.callers import holder
from viewer.server.models import Model
from viewer.server.services import Services, address_of

TEXT_CHARACTERS_MAX = 256  # of one field; consult.steps has the bounds of each
ACCESSION = "/orders/{accession}/{step}"

Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]


class Order(Model):
    """A scheduled procedure step (PS3.3 C.4.10). Names are family^given; dates and times are DICOM's DA and TM."""

    accession_number: Text
    step_id: Text = "1"
    patient_id: Text
    issuer: Text = ""
    patient_name: Text
    patient_birth_date: Text = ""
    patient_sex: Text = ""
    placer_order_number: Text = ""
    filler_order_number: Text = ""
    study_instance_uid: Text = ""
    requested_procedure_id: Text = ""
    procedure_code: Text = ""
    procedure_code_scheme: Text = ""
    procedure_description: Text = ""
    step_description: Text = ""
    modality: Text
    station_ae_title: Text = ""
    station_name: Text = ""
    start_date: Text
    start_time: Text = ""
    priority: Text = ""
    performing_physician_name: Text = ""
    referring_physician_name: Text = ""
    requesting_physician_name: Text = ""
    reason: Text = ""


class OrderItem(Order):
    """An order as it stands."""

    site: str
    status: Status
    origin: str
    updated_at: datetime


def add_orders(router: APIRouter, services: Services) -> None:
    """Add the routes of orders."""
    desk = OrderDesk(services.db, services.clock)

    reader, writer = holder(services, Scope.ORDERS_READ), holder(services, Scope.ORDERS_WRITE)

    def by(request: Request, principal: Principal) -> By:
        return By(principal.name, address_of(request))

    @router.get("/orders", tags=["orders"])
    def orders(
        request: Request,
        principal: Annotated[Principal, Depends(reader)],
        date: Annotated[str, Query(max_length=8, description="Start date, YYYYMMDD.")] = "",
        modality: Annotated[str, Query(max_length=16)] = "",
        status: Status | None = None,
    ) -> list[OrderItem]:
        """List scheduled steps in the order of their start, at most 500."""
        sites = services.access.may_list(principal, Scope.ORDERS_READ, "orders", ["StartDate"], address_of(request))
        found = desk.listed(sites, start_date=date, modality=modality, status=status)
        return [_item(one) for one in found]

    @router.post("/orders", tags=["orders"], status_code=201)
    def place(
        request: Request, principal: Annotated[Principal, Depends(writer)], order: Order, site: str | None = None
    ) -> OrderItem:
        """Order a step, or change the one of the same accession number and step id. The same again changes nothing."""
        at = services.access.may_write(principal, Scope.ORDERS_WRITE, site)
        return _item(desk.place(at, step_of(order.model_dump()), by(request, principal)))

    @router.get(ACCESSION, tags=["orders"])
    def one(
        request: Request,
        principal: Annotated[Principal, Depends(reader)],
        accession: str,
        step: str,
        site: str | None = None,
    ) -> OrderItem:
        """Return one step."""
        keys = ["AccessionNumber"]
        seen = services.access.may_list(principal, Scope.ORDERS_READ, "orders", keys, address_of(request))
        named = site or principal.site or services.config.node.site
        if seen is not None and named not in seen:
            raise NotFound(what="scheduled step")
        return _item(desk.find(named, accession, step))

    @router.delete(ACCESSION, tags=["orders"])
    def cancel(
        request: Request,
        principal: Annotated[Principal, Depends(writer)],
        accession: str,
        step: str,
        site: str | None = None,
    ) -> OrderItem:
        """Take back an order: the step is CANCELED, and modalities are not offered it any more."""
        at = services.access.may_write(principal, Scope.ORDERS_WRITE, site)
        numbers = OrderNumbers(accession_number=accession, step_id=step)
        return _item(desk.cancel(at, numbers, by(request, principal))[0])


def _item(one: Scheduled) -> OrderItem:
    values = {name: getattr(one.step, name) for name in FIELDS}
    return OrderItem(**values, site=one.site, status=one.status, origin=one.origin, updated_at=one.updated_at)
