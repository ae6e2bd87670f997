"""The program of a mending process: an instance that the scanner does not understand comes in, one that it does goes out."""

from kernel.dicom.processes.program import serve
from kernel.dicom.scanning.menders import MENDED_BYTES_MAX, MENDING_BYTES_MAX, Mended
from kernel.dicom.scanning.mending import mended
from kernel.errors import LimitExceeded, MalformedInstance


def answer(source: bytes) -> Mended:
    """Mend one instance, or say why it cannot be."""
    try:
        return Mended(content=mended(source))
    except (MalformedInstance, LimitExceeded) as refusal:
        return Mended(refusal=str(refusal))
    except (MemoryError, RecursionError) as error:
        return Mended(refusal=type(error).__name__)


if __name__ == "__main__":
    serve(bytes, lambda: answer, question_bytes_max=MENDED_BYTES_MAX + 64, memory_bytes_max=MENDING_BYTES_MAX)
