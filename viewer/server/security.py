"""What every answer of a node tells the browser: nothing from elsewhere, nothing guessed, nothing framed."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DIRECTIVES: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # the decoders are WebAssembly; no eval of text
    "worker-src": "'self' blob:",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",  # the viewport's text boxes set a style attribute
    "img-src": "'self' blob: data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def policy(directives: Mapping[str, str]) -> str:
    """Return the value of Content-Security-Policy."""
    return "; ".join(f"{name} {value}" for name, value in directives.items())


CONTENT_SECURITY_POLICY = policy(DIRECTIVES)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT_TRANSPORT_SECURITY = "max-age=31536000"


_RAW = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
_RAW_HTTPS = (*_RAW, (b"strict-transport-security", STRICT_TRANSPORT_SECURITY.encode()))


class SecurityHeaders:
    """ASGI middleware that adds the headers to every answer, errors included, unless the answer set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = _RAW_HTTPS if scope["scheme"] == "https" else _RAW

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name for name, _ in headers}
                headers += [header for header in ours if header[0] not in present]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
