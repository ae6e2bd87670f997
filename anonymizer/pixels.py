"""What pixels may say about a patient. Cleaning them comes later; this tells which instances need a look first."""

from kernel.dicom.scanner import Header


def needs_pixel_review(header: Header) -> str | None:
    """Return why the pixels may carry burned-in identity, or None when nothing says so."""
    raise NotImplementedError
