"""Small PDFs as hospitals encapsulate them: typed text of one font, and scanned paper."""

import io
import re
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WIDTH, HEIGHT = 420, 300  # points; small pages are looked at quickly
DOTS_PER_POINT = 200 / 72
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def a_typed_pdf(*pages: Sequence[str], catalog: bytes = b"", objects: Sequence[bytes] = ()) -> bytes:
    """Return a PDF with a text layer in Latin-1, each page given by its lines; `objects` come last."""
    first = 4 + 2 * len(pages)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for number, lines in enumerate(pages):
        text = b"".join(
            b"BT /F1 12 Tf 36 %d Td (%s) Tj ET\n" % (HEIGHT - 40 - 24 * row, line.encode("latin-1"))
            for row, line in enumerate(lines)
        )
        bodies += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % (WIDTH, HEIGHT, 5 + 2 * number),
            b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        ]
    assert len(bodies) == first - 1
    return a_pdf([*bodies, *objects])


def an_encrypted_pdf(*lines: str, key: bytes = b"/Encrypt") -> bytes:
    """Return a PDF that says that it is encrypted by the standard's handler with no password."""
    plain = a_typed_pdf(lines)
    digest = b"00" * 32
    cipher = b"/ID[<00><00>]" + key + b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (digest, digest)
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R" + cipher)


def in_a_font_of_its_own(line: str) -> bytes:
    """Return a PDF of one line whose bytes are numbers that only its font knows, as subset fonts have them."""
    names = {" ": "space", ".": "period"} | dict(zip("0123456789", _DIGITS, strict=True))
    letters = sorted(set(line))
    glyphs = " ".join(f"/{names.get(letter, letter)}" for letter in letters)
    encoding = b"<</Type/Encoding/Differences[65 %s]>>" % glyphs.encode()
    plain = a_typed_pdf(["".join(chr(65 + letters.index(letter)) for letter in line)])
    bodies = re.findall(rb"\d+ 0 obj\n(.*?)\nendobj", plain, re.DOTALL)
    return a_pdf([body.replace(b"/WinAnsiEncoding", encoding) for body in bodies])


def a_scanned_pdf(*pages: Sequence[str]) -> bytes:
    """Return a PDF of pictures of written lines, as a scanner makes it."""
    font = ImageFont.truetype(FONT, 34)
    pictures = []
    for lines in pages:
        picture = Image.new("L", (round(WIDTH * DOTS_PER_POINT), round(HEIGHT * DOTS_PER_POINT)), 250)
        draw = ImageDraw.Draw(picture)
        for row, line in enumerate(lines):
            draw.text((100, 80 + 70 * row), line, 20, font=font)
        pictures.append(picture)
    output = io.BytesIO()
    pictures[0].save(output, "PDF", save_all=True, append_images=pictures[1:], resolution=200, title="Nguyen Thi Huong")
    return output.getvalue()


def a_pdf(objects: Sequence[bytes]) -> bytes:
    """Return a PDF of these objects, the first of which is its catalog, with its table of positions (ISO 32000-1 7.5)."""
    content, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    content += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(content)
