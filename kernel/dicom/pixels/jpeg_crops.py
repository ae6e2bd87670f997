"""The upper left part of a JPEG frame, without decoding it: blocks beyond it are left out, all others keep their coefficients.

A frame is coded in whole minimum coded units (ITU-T T.81 A.2), and its header says how many pixels of the last ones count.
So any width and height can be cut, and what remains decodes to the same samples. Only where chrominance has fewer samples
than pixels, decoders that smooth it lack the neighbour of the last column and row, as at any edge.
"""

from kernel.dicom.pixels.codestream import stream_size
from kernel.dicom.pixels.jpeg_transform import Extent, transformed
from kernel.dicom.vocabulary.limits import malformed


def cropped_jpeg(data: bytes, kept: Extent) -> bytes:
    """Return the upper left part of a lossy JPEG frame; its markers stay.

    Raises
    ------
    MalformedInstance
        The library is absent or cannot read the frame, or the frame is not that large.
    """
    size = stream_size(data)
    if size is None or not (1 <= kept.columns <= size.columns and 1 <= kept.rows <= size.rows):
        raise malformed("a JPEG frame is not as large as what is to be cut out of it")
    return transformed(data, kept=kept, markers=True)
