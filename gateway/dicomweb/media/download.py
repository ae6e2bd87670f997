"""A study to take away: a ZIP file that is a DICOM medium, written while it is sent. With a right and an audit line of its own."""

from dataclasses import replace

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Made, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.media.medium import Source, files_of
from gateway.dicomweb.retrieve.representations import ZIP
from gateway.dicomweb.retrieve.zipped import zipped
from kernel.access import Action


def download(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/medium. Labels of slides are on no medium, whoever asks."""
    services = call.services
    grant = services.access.open_study(
        call.principal, call.params["study"], Action.EXPORT, call.address.peer, call.address.site
    )
    source = Source(services.db, services.blobs, call.room.metadata, services.random)
    _, files = files_of(source, replace(grant, labels=False))
    headers = {
        "Content-Type": ZIP,
        "Content-Disposition": 'attachment; filename="study.zip"',
        "Cache-Control": "no-store",
    }
    return streamed(headers, [Made(lambda: zipped(files))], call.room.readers, services.config.http.body_timeout_s)
