"""POST /manifests: what a study consists of, from an exchange that has nothing left to send with it."""

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.small_body import SmallBody
from gateway.dicomweb.store import manifest as manifests
from gateway.dicomweb.store.stow import storing_site


def announce(call: Call) -> ASGIApp:
    """Check that the caller may store; return what reads the body and keeps the manifest."""
    site = storing_site(call)

    def keep(body: bytes) -> Answer:
        manifest = manifests.from_json(body, call.told_trace_id or "")
        call.services.committer.write_manifest(site, manifest)
        return Answer(204, {"Cache-Control": "no-store"})

    return SmallBody(call, manifests.MANIFEST_CHARS_MAX, keep)
