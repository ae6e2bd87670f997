"""A study to take away: a DICOM medium as a ZIP file or as the image of a disc. With a right and an audit line of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Made, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.media.disc import disc_chunks
from gateway.dicomweb.media.medium import File, Source, files_of
from gateway.dicomweb.retrieve.representations import ZIP
from gateway.dicomweb.retrieve.zipped import zipped
from kernel.access import Action

ISO = "application/vnd.efi.iso"  # as IANA has it for images of discs


def as_zip(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/medium with a ZIP file that is written while it is sent."""
    return _given(call, ZIP, "study.zip", zipped)


def as_disc(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/medium.iso with the image of a disc; it begins when all of it is written."""
    return _given(call, ISO, "study.iso", lambda files: disc_chunks(files, call.services.blobs))


def _given(call: Call, media_type: str, name: str, packed: Callable[[Iterator[File]], Iterator[bytes]]) -> ASGIApp:
    """Labels of slides are on no medium, whoever asks."""
    services = call.services
    grant = services.access.open_study(
        call.principal, call.params["study"], Action.EXPORT, call.address.peer, call.address.site
    )
    source = Source(services.db, services.blobs, call.room.metadata, services.random)
    _, files = files_of(source, replace(grant, labels=False))
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return streamed(headers, [Made(lambda: packed(files))], call.room.readers, services.config.http.body_timeout_s)
