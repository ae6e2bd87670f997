"""Names burned into pixels: found, masked, looked for again; marks that a diagnosis needs stay.

What is left is read by a reader of its own: Tesseract, at another scale than the cleaner's.
"""

import io
import shutil
import subprocess
import unicodedata

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from anonymizer.pixels.cleaner import Cleaner, Cleaning
from anonymizer.pixels.learning import Known
from anonymizer.pixels.marks import is_mark
from anonymizer.pixels.reopened import reopened
from anonymizer.pixels.zones import Device, read_zones, zones_text
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.reading import pixels_of
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import InvalidConfiguration, MalformedInstance
from tests.support.builders import a_cr, a_ct, a_dataset, an_us_cine, as_file, with_pixels
from tests.support.written import chest, tissue, write

ULTRASOUND, CINE, CAPTURE = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("6.1", "3.1", "7"))
NAME = "NGUYỄN THỊ HƯƠNG"
BOX = Box(10, 10, 30, 200)
SONO = Device("acme", "sono 5", 480, 640)


class Sees:
    """A finder that sees what it is told, until it is masked; it notes what it was shown."""

    def __init__(self, *found: tuple[Box, str]) -> None:
        self.found = found
        self.shown: list[np.ndarray] = []

    def find(self, picture, long_side):
        self.shown.append(picture)
        return tuple(one for one in self.found if picture[one[0].top : one[0].bottom, one[0].left : one[0].right].any())


def an_ultrasound(pixels: np.ndarray, **attributes):
    ds = with_pixels(a_dataset(CINE if pixels.ndim == 3 else ULTRASOUND, seed="us"), pixels)
    ds.Modality = "US"
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def cleaned(ds, cleaner: Cleaner, **attributes) -> tuple[Cleaning | None, np.ndarray | None]:
    """Return what the cleaner says, and the first frame that would leave."""
    source = as_file(ds)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    result = cleaner.clean(source, header, meta.transfer_syntax_uid)
    if result is None:
        return None, None
    with reopened(pixels_of(source, header, meta.transfer_syntax_uid), result.new) as now:
        return result, np.stack([now.decode(index) for index in range(now.frames.number_of_frames)])


# --- what is decided --------------------------------------------------------------------------------------------------


def test_a_name_is_masked_and_a_clinical_mark_stays():
    mark = Box(200, 300, 220, 340)

    result, frames = cleaned(an_ultrasound(tissue() + 1), Cleaner(Sees((BOX, "text"), (mark, "mark"))))

    assert (result.verdict, result.reason) == ("cleaned", "")
    assert (frames[0][BOX.top : BOX.bottom, BOX.left : BOX.right] == frames[0].min()).all()
    assert frames[0][mark.top : mark.bottom, mark.left : mark.right].any()
    assert result.new.method_codes == ("113101",)
    assert result.new.changes[0x00280301] == ("CS", b"NO")


def test_pixels_without_text_stay_as_they_are_and_say_that_somebody_looked():
    result, frames = cleaned(an_ultrasound(tissue()), Cleaner(Sees()))

    assert (result.verdict, result.boxes) == ("clean", ())
    assert np.array_equal(frames[0], tissue())
    assert result.new.changes[0x00280301] == ("CS", b"NO")


def test_what_is_left_after_three_rounds_is_for_a_person():
    class SeesMore(Sees):
        def find(self, picture, long_side):
            self.shown.append(picture)
            top = 40 * len(self.shown)
            return ((Box(top, 10, top + 20, 200), "text"),)

    result, _ = cleaned(an_ultrasound(tissue()), Cleaner(SeesMore()))

    assert (result.verdict, result.reason) == ("doubtful", "text-left")
    assert result.proposed != ()
    assert result.new.method_codes == ()
    assert result.new.changes[0x00280301] == ("CS", b"YES ")


def test_a_page_of_text_is_for_a_person():
    result, _ = cleaned(an_ultrasound(tissue() + 1), Cleaner(Sees((Box(0, 0, 400, 600), "text"))))

    assert (result.verdict, result.reason) == ("doubtful", "mostly-text")


def test_what_cannot_be_looked_at_is_for_a_person():
    class Blind(Sees):
        def find(self, picture, long_side):
            raise MalformedInstance(reason="no")

    result, _ = cleaned(an_ultrasound(tissue()), Cleaner(Blind()))

    assert (result.verdict, result.reason) == ("doubtful", "pixels-not-read MalformedInstance")


def test_without_a_finder_an_ultrasound_is_for_a_person_who_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("anonymizer.pixels.cleaner.missing", lambda: "tesseract-ocr-vie")

    assert cleaned(an_ultrasound(tissue()), Cleaner())[0].reason == "install tesseract-ocr-vie"
    assert cleaned(a_cr(), Cleaner())[0] is None


@pytest.mark.parametrize("ds", [a_ct(), a_ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.4")], ids=["CT", "photograph"])
def test_a_primary_ct_is_not_looked_at_and_a_photograph_is_for_a_person(ds):
    finder = Sees((BOX, "text"))

    assert cleaned(ds, Cleaner(finder))[0] is None
    assert finder.shown == []


def with_regions(ds, *boxes: Box):
    items = []
    for box in boxes:
        item = a_dataset(ULTRASOUND, seed="region")
        item.clear()
        item.RegionLocationMinX0, item.RegionLocationMinY0 = box.left, box.top
        item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box.right - 1, box.bottom - 1
        items.append(item)
    ds.SequenceOfUltrasoundRegions = items
    return ds


def test_everything_outside_of_the_ultrasound_regions_is_black():
    regions = (Box(70, 100, 460, 500), Box(100, 520, 200, 600))
    pixels = np.full((480, 640), 77, np.uint8)

    result, frames = cleaned(with_regions(an_ultrasound(pixels), *regions), Cleaner(Sees()))

    expected = np.zeros_like(pixels)
    for box in regions:
        expected[box.top : box.bottom, box.left : box.right] = 77
    assert result.verdict == "cleaned"
    assert np.array_equal(frames[0] == 77, expected == 77) or (frames[0] == frames[0].min()).all()


def test_regions_that_cannot_be_are_not_believed():
    result, _ = cleaned(with_regions(an_ultrasound(tissue()), Box(0, 0, 1, 1)), Cleaner(Sees()))

    assert result.boxes == ()


def test_a_device_that_is_known_is_masked_without_another_look():
    finder = Sees((Box(300, 10, 320, 200), "text"))
    ds = an_ultrasound(tissue() + 1, Manufacturer="ACME ", ManufacturerModelName="Sono  5")

    result, _ = cleaned(ds, Cleaner(finder, known=lambda layout: Known((BOX,), is_enough=layout.device == SONO)))

    assert (result.verdict, result.boxes, finder.shown) == ("cleaned", (BOX,), [])
    assert result.look.found is None


def test_each_mask_tells_why_it_is_there():
    ds = an_ultrasound(tissue() + 1, Manufacturer="ACME", ManufacturerModelName="Sono 5")
    region, zone, text = Box(100, 0, 480, 640), Box(110, 10, 130, 200), Box(300, 10, 320, 200)
    cleaner = Cleaner(
        Sees((text, "text")), {SONO: (zone,)}, known=lambda _: Known((BOX.grown(-2, 0),), is_enough=False)
    )

    result, _ = cleaned(with_regions(ds, region), cleaner)

    told = {mask.why: mask.box for mask in result.new.masks}
    assert [mask.box for mask in result.new.masks] == list(result.boxes)
    assert told["region zone"] == Box(0, 0, 100, 640)  # holds what was learnt
    assert told["zone"] == zone
    assert told["text"].holds(text)
    assert len(told) == len(result.boxes) == 3


def test_a_mask_that_a_person_drew_says_so():
    source = as_file(an_ultrasound(tissue() + 1))
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)

    result = Cleaner(Sees()).mask(source, header, meta.transfer_syntax_uid, [BOX])

    assert [(mask.box, mask.why) for mask in result.new.masks] == [(BOX, "person")]


def test_a_sites_zones_are_read_and_mistakes_in_them_are_told(tmp_path):
    file = tmp_path / "zones.toml"
    zone = '[[zone]]\nmanufacturer = "ACME"\nmodel = "Sono 5"\nrows = 480\ncolumns = 640\nboxes = [[10, 10, 30, {}]]\n'
    file.write_text(zone.format(200))

    assert read_zones(file) == {SONO: (BOX,)}
    file.write_text(zone.format(641))
    with pytest.raises(InvalidConfiguration, match="not within its frames"):
        read_zones(file)
    file.write_text("[[zone]]\nmodel = 'x'")
    with pytest.raises(InvalidConfiguration, match="lacks or misstates 'manufacturer'"):
        read_zones(file)


@pytest.mark.parametrize("name", ["ge healthcare", 'a "b" \\ c', "siêu âm 𝔸", "a\x7fb\x01", "东芝"])
def test_zones_are_written_as_they_are_read(tmp_path, name):
    zones = {Device(name, f"{name} 2", 480, 640): (BOX, Box(400, 0, 480, 640)), SONO: (BOX,)}
    (tmp_path / "zones.toml").write_text(zones_text(zones), "utf-8")

    assert read_zones(tmp_path / "zones.toml") == zones


def test_of_a_cine_the_finder_is_shown_what_any_frame_shows():
    frames = np.stack([tissue(seed=number) // 2 for number in range(6)])
    frames[3] = write(frames[3], NAME, (20, 20))
    finder = Sees()

    cleaned(an_ultrasound(frames), Cleaner(finder))

    most, _least, change, *_ = finder.shown
    assert len(finder.shown) == 5
    for picture in (most, change):
        assert (picture[20:40, 20:200] > 200).any()


def of_sixty(at: int, page: np.ndarray, value: int, background) -> np.ndarray:
    frames = np.stack([background(number) for number in range(60)])
    frames[at] = write(page, NAME, (200, 150), size=20, value=value)
    return frames


def scenes_of_other_brightness(number: int) -> np.ndarray:
    return (tissue(360, 480, seed=number) // 2 + 100 * (number // 6 % 2)).astype(np.uint8)


def flashes(number: int) -> np.ndarray:
    return np.full((360, 480), 255 * (number % 2), np.uint8)


def moving_tissue(number: int) -> np.ndarray:
    return tissue(360, 480, seed=number)


@pytest.mark.parametrize(
    ("at", "page", "value", "background"),
    [
        (37, moving_tissue(37), 235, moving_tissue),
        (37, moving_tissue(37), 140, moving_tissue),
        (0, np.zeros((360, 480), np.uint8), 110, moving_tissue),
        (59, np.zeros((360, 480), np.uint8), 110, moving_tissue),
        (30, np.full((360, 480), 100, np.uint8), 190, flashes),
        (32, np.full((360, 480), 60, np.uint8), 150, scenes_of_other_brightness),
    ],
    ids=["bright on tissue", "grey on tissue", "a first page", "a last page", "between flashes", "between scenes"],
)
def test_a_name_in_any_one_of_sixty_frames_is_shown_to_the_finder(at, page, value, background):
    frames = of_sixty(at, page, value, background)
    finder = Sees()

    cleaned(an_ultrasound(frames), Cleaner(finder))

    letters = np.zeros((360, 480), np.uint8)
    letters = write(letters, NAME, (200, 150), size=20, value=255) > 250
    around = np.zeros_like(letters)
    around[200:224, 150:360] = True
    contrasts = [
        float(
            np.abs(picture[letters].mean() - picture[around & ~letters].mean()) / (picture[around & ~letters].std() + 8)
        )
        for picture in finder.shown
    ]
    assert max(contrasts) > 1


# --- marks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["R", "L", "PA", "AP LAT", "MI 0.9 TIs 0.4", "70 kVp", "12.5 mm", "D1 23.4mm", "FR 32Hz", "120 cm/s", "GN 50"],
)
def test_a_clinical_mark_may_stay(text):
    assert is_mark(text)


@pytest.mark.parametrize(
    "text",
    ["HƯƠNG", "Nguyen", "LONG", "BN0012345", "12/04/1970", "1970-04-12", "0912 345 678", "12 04 70", "55T", "F 45Y",
     "R HƯƠNG", "01:30:10", "12345", "", "R " * 13],
)  # fmt: skip
def test_anything_else_may_not(text):
    assert not is_mark(text)


# --- with the real finder ---------------------------------------------------------------------------------------------


def legible(picture: np.ndarray) -> str:
    """Return what an independent reader makes of a picture: Tesseract, sparse text, three times as large."""
    values = picture.astype(np.float32)
    grey = Image.fromarray(((values - values.min()) * (255 / max(np.ptp(values), 1))).astype(np.uint8))
    buffer = io.BytesIO()
    grey.resize((grey.width * 3 // 2, grey.height * 3 // 2), Image.Resampling.LANCZOS).save(buffer, "PPM")
    command = [shutil.which("tesseract"), "-", "-", "-l", "vie+eng", "--psm", "11"]
    done = subprocess.run(
        command, input=buffer.getvalue(), capture_output=True, check=True, env={"OMP_THREAD_LIMIT": "1"}
    )
    text = unicodedata.normalize("NFD", done.stdout.decode().upper().replace("Đ", "D"))
    return "".join(one for one in text if one.isalnum())


def a_sheet() -> np.ndarray:
    """Return an ultrasound picture with identity in many forms, and marks."""
    picture = write(tissue(600, 800), NAME, (8, 10), size=20)
    picture = write(picture, "BN00123456", (40, 10), size=16)
    picture = write(picture, "12/04/1970", (8, 420), size=16)
    picture = write(picture, "TRẦN VĂN ĐỨC", (40, 420), size=16, value=110)
    picture = write(picture, "PHẠM HỒNG HÀ", (250, 12), size=18, turned=90)
    picture = write(picture, "LÊ VĂN BÌNH", (330, 330), size=20)
    picture = write(picture, "MI 0.9 TIs 0.4", (560, 620), size=16)
    return write(picture, "70 kVp", (530, 640), size=18)


@pytest.mark.peer("pixels")
def test_no_identity_can_be_read_afterwards_and_the_marks_can():
    before = legible(a_sheet())
    assert "THI" in before
    assert "00123456" in before

    result, frames = cleaned(an_ultrasound(a_sheet()), Cleaner())

    assert result.verdict == "cleaned"
    after = legible(frames[0])
    words = ("NGUY", "HUONG", "BN0", "123456", "1970", "TRAN", "DUC", "PHAM", "HONG", "BINH")
    assert [word for word in words if word in after] == []
    assert "KVP" in after
    assert "TIS04" in after
    changed = (frames[0] != a_sheet()).mean()
    assert changed < 0.08


@pytest.mark.peer("pixels")
def test_a_radiograph_of_16_bits_loses_its_name_and_keeps_its_side():
    picture = write(
        write(chest(), "NGUYEN VAN HAI", (30, 60), size=34, value=4095), "R", (60, 690), size=50, value=4095
    )

    result, frames = cleaned(a_cr_of(picture), Cleaner())

    assert result.verdict == "cleaned"
    assert frames[0][30:64, 60:330].max() < 4000
    assert frames[0][60:120, 690:740].max() == 4095
    untouched = np.ones(picture.shape, bool)
    for box in result.boxes:
        untouched[box.top : box.bottom, box.left : box.right] = False
    assert np.array_equal(frames[0][untouched], picture[untouched])


def a_cr_of(picture: np.ndarray):
    return with_pixels(a_cr(), picture, BitsStored=12, HighBit=11)


@pytest.mark.peer("pixels")
def test_a_name_in_one_frame_of_sixty_is_masked_in_all():
    frames = of_sixty(37, moving_tissue(37), 140, moving_tissue)

    result, given = cleaned(an_ultrasound(frames), Cleaner())

    assert result.verdict == "cleaned"
    assert (given[:, 202:220, 152:330] != given.min()).sum() == 0


@pytest.mark.peer("pixels")
def test_a_barcode_is_masked_over_its_whole_height():
    code = np.asarray(zxingcpp.create_barcode("BN00123456", zxingcpp.BarcodeFormat.Code128).to_image(scale=2))
    picture = np.full((480, 640), 255, np.uint8)
    picture[100 : 100 + code.shape[0], 60 : 60 + code.shape[1]] = code[:, : 640 - 60]

    result, frames = cleaned(an_ultrasound(picture, SOPClassUID=CAPTURE, Modality="OT"), Cleaner())

    assert result.verdict == "cleaned"
    assert zxingcpp.read_barcodes(frames[0]) == []


def test_a_cine_of_another_kind_is_as_it_was():
    ds = an_us_cine()

    result, frames = cleaned(ds, Cleaner(Sees()))

    assert result.verdict == "clean"
    assert frames.tobytes() == ds.PixelData
