"""The color space of samples: what a decoder gives for what the header names, and the way to RGB (PS3.3 C.7.6.3.1.2).

Lossless JPEG, JPEG-LS, RLE and native frames hold samples as the header names them. JPEG 2000 takes its own component
transform back (PS3.5 8.2.4), and lossy JPEG always leaves RGB here, whatever its components were (8.2.1): so a decoded
frame may have another Photometric Interpretation than the stored one, and only this module says which.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import convert_color_space

from kernel.dicom.vocabulary.syntaxes import JPEG_2000_FAMILY, JPEG_LOSSY

_OF_JPEG_2000: Final = {"YBR_RCT": "RGB", "YBR_ICT": "RGB"}


def decoded_photometric_interpretation(
    photometric_interpretation: str, samples_per_pixel: int, transfer_syntax_uid: str
) -> str:
    """Return the Photometric Interpretation of samples as they leave a decoder, by pixel and not subsampled."""
    if samples_per_pixel != 3:
        return photometric_interpretation
    if transfer_syntax_uid in JPEG_LOSSY:
        return "RGB"
    if transfer_syntax_uid in JPEG_2000_FAMILY and photometric_interpretation in _OF_JPEG_2000:
        return _OF_JPEG_2000[photometric_interpretation]
    return "YBR_FULL" if photometric_interpretation == "YBR_FULL_422" else photometric_interpretation


def to_rgb(samples: NDArray[Any], photometric_interpretation: str) -> NDArray[Any]:
    """Return samples, shape (rows, columns, 3), of this Photometric Interpretation as RGB; what is none, as it is."""
    if samples.ndim == 3 and samples.shape[2] == 3 and photometric_interpretation == "YBR_FULL":
        return convert_color_space(np.ascontiguousarray(samples), "YBR_FULL", "RGB")
    return samples


def upsampled(data: bytes, rows: int, columns: int) -> NDArray[np.uint8]:
    """Return a native YBR_FULL_422 frame, Y Y Cb Cr for two pixels, as YBR_FULL, shape (rows, columns, 3)."""
    pairs = np.frombuffer(data, np.uint8, rows * columns * 2).reshape(-1, 4)
    pixels = np.empty((len(pairs), 2, 3), np.uint8)
    pixels[:, :, 0] = pairs[:, :2]
    pixels[:, :, 1:] = pairs[:, None, 2:]
    return pixels.reshape(rows, columns, 3)
