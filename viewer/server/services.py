"""What the handlers of the reading room work with, and what they read off a request."""

from dataclasses import dataclass

from fastapi import Request

from consult.displays import Displays
from consult.drafts import Drafts
from consult.findings.key_images import KeyImageBook
from consult.findings.measurements import Measurements
from consult.findings.others import OthersBook
from consult.findings.reports import Reports
from consult.pathology.forms import Forms
from consult.pathology.validation import Validations
from consult.shown.book import ShownBook
from consult.shown.taken import Takings
from consult.slides.annotations import Annotations
from consult.slides.room import SlideRoom
from kernel.access import Access, Principal
from kernel.access.request import principal_of_request
from kernel.clock import Clock
from kernel.config import Config
from kernel.database import Database
from routing.break_glass import BreakGlass
from routing.review_sheets import ReviewSheets
from routing.study_reports import StudyReports
from routing.zone_samples import ZoneSamples


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a node that the reading room's API needs; made by exchange/node/assemble.py."""

    config: Config
    access: Access
    db: Database
    version: str
    clock: Clock
    vault: BreakGlass
    slides: SlideRoom
    annotations: Annotations
    measurements: Measurements
    key_images: KeyImageBook
    structured_reports: Reports
    others: OthersBook
    displays: Displays
    sheets: ReviewSheets
    samples: ZoneSamples
    reports: StudyReports
    pathology: Forms
    validations: Validations
    shown: ShownBook
    drafts: Drafts
    takings: Takings


def principal_of(services: Services, request: Request) -> Principal:
    """Return who calls. Raises NotAuthenticated, Forbidden."""
    return principal_of_request(services.access, request.method, request.headers, origin_of(request, services.config))


def address_of(request: Request) -> str:
    """Return the caller's numeric address; behind a trusted proxy the one that it names."""
    return request.client.host if request.client else ""


def origin_of(request: Request, config: Config) -> str:
    """Return this node's origin as browsers see it."""
    return config.http.public_url.rstrip("/") or f"{_scheme(request)}://{request.headers.get('host', '')}"


def is_https(request: Request) -> bool:
    """Tell whether the browser speaks HTTPS with us, perhaps through a trusted proxy."""
    return _scheme(request) == "https"


def _scheme(request: Request) -> str:
    return request.scope.get("scheme", "http")  # the whole `request.url` costs a tenth of a tile
