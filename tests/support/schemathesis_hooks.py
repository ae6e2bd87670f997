"""What schemathesis sends where a body is DICOM: bytes, as it has no way of its own to write them."""

import schemathesis


@schemathesis.serializer("application/dicom", "multipart/related")
def as_bytes(ctx, value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
