"""The API of the reading room under /api: people, studies, slides, pathology, orders, the vault, pixel reviews, reports.

Every study is asked of `kernel.access`, which decides and writes the audit line. Handlers block on the database, so
they are plain functions that the framework runs in threads.
"""

from fastapi import APIRouter

from viewer.server.annotations import add_annotations
from viewer.server.bulk_annotations import add_bulk_annotations
from viewer.server.deidentification import add_deidentification
from viewer.server.dictionary import add_dictionary
from viewer.server.displays import add_displays
from viewer.server.drafts import add_drafts
from viewer.server.findings import add_findings
from viewer.server.launching import add_launching
from viewer.server.marks import add_marks
from viewer.server.orders import add_orders
from viewer.server.others import add_others
from viewer.server.pathology import add_pathology
from viewer.server.pictures import add_pictures
from viewer.server.pixel_reviews import add_pixel_reviews
from viewer.server.pixel_zones import add_pixel_zones
from viewer.server.preferences import add_preferences
from viewer.server.reading import add_reading
from viewer.server.segmentations import add_segmentations
from viewer.server.services import Services
from viewer.server.session import add_session
from viewer.server.sharing import add_sharing
from viewer.server.shown import add_shown
from viewer.server.slides import add_slides, tile_routes
from viewer.server.vault import add_vault

__all__ = ["Services", "build_api", "tile_routes"]


def build_api(services: Services) -> APIRouter:
    """Return the routes under /api."""
    router = APIRouter(prefix="/api")
    add_session(router, services)
    add_preferences(router, services)
    add_reading(router, services)
    add_dictionary(router, services)
    add_orders(router, services)
    add_vault(router, services)
    add_pixel_reviews(router, services)
    add_pixel_zones(router, services)
    add_deidentification(router, services)
    add_slides(router, services)
    add_sharing(router, services)
    add_launching(router, services)
    add_annotations(router, services)
    add_bulk_annotations(router, services)
    add_segmentations(router, services)
    add_marks(router, services)
    add_drafts(router, services)
    add_pathology(router, services)
    add_findings(router, services)
    add_shown(router, services)
    add_pictures(router, services)
    add_others(router, services)
    add_displays(router, services)
    return router
