"""The program of `wsi.index_child`: questions on standard input, indexes into files."""

import errno
import mmap
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from kernel.dicom.processes.program import serve
from kernel.errors import BlobMissing, ExchangeError
from wsi.dicom_slide import Instance, index_dicom
from wsi.index_child import DATA_BYTES_MAX, QUESTION_BYTES_MAX, InstanceFile, Outcome, Question
from wsi.index_file import save

_TOO_LARGE: Final = Outcome("MalformedSlide", {"reason": "it takes too much memory"})


def answer(question: Question) -> Outcome:
    """Make one index."""
    try:
        with ExitStack() as stack:
            made = index_dicom([_opened(stack, one) for one in question.files])
        save(made, Path(question.target))
    except ExchangeError as error:
        return Outcome(error.code, error.fields)
    except MemoryError:
        return _TOO_LARGE
    except OSError as error:
        return _TOO_LARGE if error.errno == errno.ENOMEM else Outcome(errno=error.errno or errno.EIO)
    return Outcome()


def _opened(stack: ExitStack, one: InstanceFile) -> Instance:
    path = Path(one.path)
    try:
        with path.open("rb") as file:
            view = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        raise BlobMissing(key=path.name) from None
    return Instance(view, one.transfer_syntax_uid, one.dataset_offset)


if __name__ == "__main__":
    serve(
        Question,
        lambda: answer,
        question_bytes_max=QUESTION_BYTES_MAX,
        memory_bytes_max=DATA_BYTES_MAX,
        maps_files=True,
    )
