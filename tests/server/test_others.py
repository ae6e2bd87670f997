"""What other documents of a study draw is told by places and words, whoever wrote it; nothing of it can be changed."""

from collections.abc import Iterator

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from consult.findings.content_tree import DEPTH_MAX
from consult.findings.drawn import ALL_POINTS_MAX, FIGURES_MAX, MARKS_MAX, POINTS_MAX, SHAPES_MAX, drawn_in
from consult.findings.others import DOCUMENTS_MAX
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from tests.server.test_key_images import an_image
from tests.server.test_key_images import documents as choices
from tests.server.test_key_images import saved as saved_keys
from tests.server.test_marks import CT, DRAWN, STUDY, documents, in_single_precision, saved
from tests.support import read_studies
from tests.support.builders import a_uid
from tests.support.reports import content_item

ADDRESS = f"/api/studies/{STUDY}/others-marks"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # highdicom's, about a name of one part


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    room.take_in(*CT)
    with room.signed_in() as signed:
        yield signed


def elsewhere(ds: Dataset, series: str = "another node's") -> Dataset:
    """Return a document as it is when another reading room saved it: in a series that is not this room's."""
    ds.SeriesInstanceUID, ds.SOPInstanceUID = a_uid(series), a_uid(series, ds.SOPInstanceUID)
    return ds


def a_code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def an_item(kind: str, name: tuple[str, str, str], *children: Dataset, **attributes) -> Dataset:
    item = content_item(kind, ConceptNameCodeSequence=[a_code(*name)], **attributes)
    item.ContentSequence = list(children)
    return item


def an_image_item(image: Dataset, *frames: int) -> Dataset:
    one = Dataset()
    one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    if frames:
        one.ReferencedFrameNumber = list(frames)
    return content_item("IMAGE", ReferencedSOPSequence=[one])


def coordinates(*children: Dataset, graphic: str = "POLYLINE", places=(1.0, 2.0, 5.0, 2.0), **more) -> Dataset:
    kind = "SCOORD3D" if len(places) % 2 else "SCOORD"
    item = content_item(kind, GraphicType=graphic, GraphicData=list(places), **more)
    item.ContentSequence = list(children)
    return item


def a_number(value: str, unit: tuple[str, str, str], *children: Dataset) -> Dataset:
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = value, [a_code(*unit)]
    return an_item("NUM", ("410668003", "SCT", "Length"), *children, MeasuredValueSequence=[measured])


MM = ("mm", "UCUM", "millimeter")


def a_report(*content: Dataset, seed: str = "cad", **attributes) -> Dataset:
    ds = read_studies.a_measurement(CT)
    ds.SOPInstanceUID, ds.SeriesInstanceUID = a_uid(seed, "document"), a_uid(seed, "documents")
    ds.ContentSequence = list(content)
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def test_a_measurement_of_another_maker_is_told_with_its_numbers_places_and_author(room, client):
    room.take_in(read_studies.a_measurement(CT))

    told = client.get(ADDRESS).json()

    (document,) = told["documents"]
    assert told["whole"]
    assert (document["title"], document["author"], document["verified"]) == (
        "Imaging Measurement Report", "Tran Doc", False
    )  # fmt: skip
    (mark,) = document["marks"]
    assert (mark["name"], mark["kind"]) == ("Nodule", None)
    assert mark["amounts"] == [{"name": "Diameter", "value": 12.5, "unit": "mm"}]
    (shape,) = mark["shapes"]
    assert (shape["graphic"], shape["points"]) == ("CIRCLE", [[10.0, 10.0], [20.0, 10.0]])
    assert (shape["seriesInstanceUID"], shape["sopInstanceUID"]) == (CT[0].SeriesInstanceUID, CT[0].SOPInstanceUID)
    assert (shape["frames"], shape["frameOfReferenceUID"]) == ([], "")


def test_a_region_in_space_is_told_with_its_frame_of_reference(room, client):
    places = [(-100.0, -90.0, 5.0), (-80.0, -90.0, 5.0), (-80.0, -70.0, 5.0), (-100.0, -90.0, 5.0)]
    room.take_in(read_studies.a_region_in_space(CT, places))

    ((mark,),) = [one["marks"] for one in client.get(ADDRESS).json()["documents"]]

    (shape,) = mark["shapes"]
    assert (shape["graphic"], shape["points"]) == ("POLYGON", [list(place) for place in places])
    assert (shape["frameOfReferenceUID"], shape["sopInstanceUID"]) == (CT[0].FrameOfReferenceUID, "")
    assert mark["amounts"] == [{"name": "Area", "value": 400.0, "unit": "mm2"}]


def test_cad_marks_whose_image_is_named_by_reference_are_found_on_it(room, client):
    library = an_item("CONTAINER", ("111028", "DCM", "Image Library"), an_image_item(CT[2], 4, 5))
    place = coordinates(
        content_item("IMAGE", ReferencedContentItemIdentifier=[1, 1, 1]), graphic="POINT", places=(7, 8)
    )
    finding = an_item(
        "CODE",
        ("111059", "DCM", "Single Image Finding"),
        place,
        ConceptCodeSequence=[a_code("F-01796", "SRT", "Mammography breast density")],
    )
    room.take_in(a_report(library, an_item("CONTAINER", ("111017", "DCM", "CAD Processing"), finding)))

    ((mark,),) = [one["marks"] for one in client.get(ADDRESS).json()["documents"]]

    assert mark["name"] == "Mammography breast density"
    assert mark["shapes"][0]["sopInstanceUID"] == CT[2].SOPInstanceUID
    assert mark["shapes"][0]["frames"] == [4, 5]


def test_a_number_with_coordinates_outside_of_any_group_is_a_mark(room, client):
    room.take_in(
        a_report(
            an_item("CONTAINER", ("1", "99X", "Findings"), a_number("12.5", MM, coordinates(an_image_item(CT[1]))))
        )
    )

    ((mark,),) = [one["marks"] for one in client.get(ADDRESS).json()["documents"]]

    assert (mark["name"], mark["amounts"]) == ("Length", [{"name": "Length", "value": 12.5, "unit": "mm"}])
    assert mark["shapes"][0]["points"] == [[1.0, 2.0], [5.0, 2.0]]


def test_of_another_reading_rooms_versions_the_newest_is_told_and_its_marks_say_their_kind(room, client):
    first = saved(client, DRAWN[:2])
    saved(client, DRAWN, first["instance"])
    assert client.get(ADDRESS).json()["documents"] == []  # one's own are no others'
    room.take_in(*(elsewhere(pydicom.dcmread(file)) for file in documents(room)))

    (document,) = client.get(ADDRESS).json()["documents"]

    assert document["author"] == "BS Lan"
    assert document["at"] is not None
    assert [mark["kind"] for mark in document["marks"]] == [mark["kind"] for mark in DRAWN]
    arrow = document["marks"][-1]
    assert (arrow["text"], arrow["shapes"][0]["points"]) == (
        DRAWN[-1]["text"],
        in_single_precision(DRAWN)[-1]["points"],
    )


def test_of_another_reading_rooms_choices_the_newest_is_told_and_nothing_of_what_was_withdrawn(room, client):
    first = saved_keys(client, [an_image(CT[0])])
    second = saved_keys(client, [an_image(CT[1])], first["instance"])
    room.take_in(*(elsewhere(ds) for ds in choices(room)))
    address = f"/api/studies/{STUDY}/key-images"

    assert [one["images"] for one in client.get(address).json()["others"]] == [[an_image(CT[1])]]

    saved_keys(client, [], second["instance"])
    room.take_in(elsewhere(next(ds for ds in choices(room) if ds.InstanceNumber == 3)))
    assert client.get(address).json()["others"] == []


def test_what_is_on_a_slide_or_on_nothing_is_not_told(room, client):
    slide = a_report(a_number("1", MM, coordinates(an_image_item(CT[0]))), seed="slide")
    image = slide.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    room.take_in(slide, a_report(a_number("1", MM), seed="words"))

    assert client.get(ADDRESS).json() == {"documents": [], "whole": True}


def test_an_image_that_the_study_does_not_have_is_named_without_a_series(room, client):
    gone = Dataset()
    gone.SOPClassUID, gone.SOPInstanceUID = CT[0].SOPClassUID, "1.2.3"
    room.take_in(a_report(a_number("1", MM, coordinates(an_image_item(gone)))))

    ((mark,),) = [one["marks"] for one in client.get(ADDRESS).json()["documents"]]

    assert (mark["shapes"][0]["sopInstanceUID"], mark["shapes"][0]["seriesInstanceUID"]) == ("1.2.3", "")


def test_what_is_not_as_the_standard_has_it_is_passed_over():
    image = an_image_item(CT[0])
    good = a_number("2", MM, coordinates(image))
    odd = [
        coordinates(image, places=(1.0, 2.0, 3.0, 4.0), graphic="SPIRAL"),
        coordinates(image, places=(float("nan"), 1.0)),
        coordinates(places=(1.0, 2.0)),  # on no image
        coordinates(content_item("IMAGE", ReferencedContentItemIdentifier=[1, 99]), places=(1.0, 2.0)),
        content_item("SCOORD"),
    ]
    ds = Dataset()
    ds.ContentSequence = [*(an_item("TEXT", ("1", "99X", "Odd"), one) for one in odd), good, content_item("NUM")]

    marks, whole = drawn_in(ds)

    drawn = [mark.shapes[0].graphic for mark in marks]
    assert (drawn, whole) == (["IMAGE", "IMAGE", "POLYLINE"], True)  # of the first two, the image is known
    assert drawn_in(Dataset()) == ((), True)


def test_what_is_more_than_a_screen_needs_is_cut_and_told():
    image = an_image_item(CT[0])
    one = a_number("1", MM, coordinates(image))
    many, long, deep, rich = Dataset(), Dataset(), Dataset(), Dataset()
    many.ContentSequence = [one] * (MARKS_MAX + 1)
    half = coordinates(image, places=[1.0] * 2 * POINTS_MAX)
    long.ContentSequence = [a_number("1", MM, half)] * (ALL_POINTS_MAX // POINTS_MAX + 1)
    rich.ContentSequence = [a_number("1", MM, *[coordinates(image)] * (SHAPES_MAX + 1), *[one] * (FIGURES_MAX + 1))]
    item = deep
    for _ in range(DEPTH_MAX + 2):
        item.ContentSequence = [content_item("CONTAINER")]
        item = item.ContentSequence[0]
    item.ContentSequence = [one]

    assert (len(drawn_in(many)[0]), drawn_in(many)[1]) == (MARKS_MAX, False)
    assert (len(drawn_in(long)[0]), drawn_in(long)[1]) == (ALL_POINTS_MAX // POINTS_MAX, False)
    assert drawn_in(deep)[0] == ()
    ((mark,), _) = drawn_in(rich)
    assert (len(mark.shapes), len(mark.amounts)) == (SHAPES_MAX, FIGURES_MAX)
    too_many = Dataset()
    too_many.ContentSequence = [a_number("1", MM, coordinates(image, places=[1.0] * 2 * (POINTS_MAX + 1)))]
    assert [shape.graphic for shape in drawn_in(too_many)[0][0].shapes] == ["IMAGE"]


def test_no_more_documents_are_read_than_one_waits_for_and_that_is_told(room, client):
    number = a_number("1", MM, coordinates(an_image_item(CT[0])))
    room.take_in(*(a_report(number, seed=f"cad {index}") for index in range(DOCUMENTS_MAX + 1)))

    told = client.get(ADDRESS).json()

    assert (len(told["documents"]), told["whole"]) == (DOCUMENTS_MAX, False)


def test_a_document_that_is_gone_from_the_disk_does_not_hide_the_others(room, client):
    number = a_number("1", MM, coordinates(an_image_item(CT[0])))
    lost, kept = a_report(number, seed="lost"), a_report(number, seed="kept")
    room.take_in(lost, kept)
    with room.stores.db.read() as connection:
        located = archive_index.locate_study(connection, StudyGrant("LOCAL", STUDY, "", "test"))
    (blob,) = [one.blob_key for one in located if one.sop_instance_uid == lost.SOPInstanceUID]
    room.stores.blobs.path(blob).unlink()

    told = client.get(ADDRESS).json()

    assert ([one["instance"] for one in told["documents"]], told["whole"]) == ([kept.SOPInstanceUID], False)


def test_they_are_for_those_who_may(room, client):
    with room.client() as nobody:
        assert nobody.get(ADDRESS).status_code == 401
    with room.signed_in("bot") as elsewhere_signed:
        assert elsewhere_signed.get(ADDRESS).status_code in (403, 404)
    assert client.get("/api/studies/1.2.3/others-marks").status_code == 404
