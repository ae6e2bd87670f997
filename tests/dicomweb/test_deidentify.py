"""POST /$deidentify: instances come back pseudonymous, with a report of what was held; nothing of them is kept."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pydicom
import pytest

from anonymizer.pixels.zones import Device, zones_text
from exchange.node.assemble import cleaners_of
from gateway.dicomweb.http.multipart import MultipartParser, PartBegin, PartData
from kernel.archive.tables import instance
from kernel.dicom.pixels.boxes import Box
from routing import drawn_zones
from routing.pixel_reviews import Reviewer
from tests.dicomweb.conftest import MULTIPART, body_of, running_node
from tests.support.builders import a_ct, a_ct_series, an_us_cine, as_file
from tests.support.odd_files import with_an_item_longer_than_its_sequence

PATH = "/dicom-web/$deidentify"


def order(node, *parts: bytes, token: str | None = None, path: str = PATH, **more):
    with node.http(token or node.token) as client:
        return client.post(path, content=body_of(list(parts)), headers={**MULTIPART, **more.pop("headers", {})}, **more)


def parts_of(response) -> list[tuple[str, bytes]]:
    boundary = response.headers["content-type"].rpartition("boundary=")[2]
    found: list[list] = []
    for event in MultipartParser(boundary.encode()).feed(response.content):
        if isinstance(event, PartBegin):
            found.append([event.headers["content-type"], b""])
        elif isinstance(event, PartData):
            found[-1][1] += bytes(event.data)
    return [(kind, content) for kind, content in found]


def test_instances_come_back_without_their_patient_and_stay_together(archive):
    originals = list(a_ct_series(3))

    response = order(archive, *map(as_file, originals))

    *made, (kind, report) = parts_of(response)
    back = [pydicom.dcmread(io.BytesIO(content)) for _, content in made]
    assert response.status_code == 200
    assert response.headers["content-type"].startswith('multipart/related; type="application/dicom"')
    assert (kind, json.loads(report)["made"], json.loads(report)["held"]) == ("application/json", 3, [])
    assert {ds.PatientIdentityRemoved for ds in back} == {"YES"}
    assert len({ds.StudyInstanceUID for ds in back}) == 1
    assert [ds.PixelData for ds in back] == [ds.PixelData for ds in originals]
    assert not [needle for needle in ("Hương", originals[0].PatientID) if needle.encode() in response.content]


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what is odd
def test_an_instance_that_only_pydicom_understands_comes_back_too(archive):
    response = order(archive, with_an_item_longer_than_its_sequence(a_ct()))

    (_, content), (_, report) = parts_of(response)
    assert (json.loads(report)["made"], json.loads(report)["held"]) == (1, [])
    given = pydicom.dcmread(io.BytesIO(content))
    assert given.PixelData == a_ct().PixelData
    assert given.ReferencedImageSequence[0].ReferencedSOPInstanceUID.startswith("2.25.")


def test_what_is_held_is_listed_by_part_and_reason_without_a_value(archive):
    directory = a_ct(SOPClassUID="1.2.840.10008.1.3.10")

    response = order(archive, as_file(a_ct()), b"no instance at all", as_file(directory))

    *made, (_, report) = parts_of(response)
    held = [{"part": 2, "because": "MalformedInstance"}, {"part": 3, "because": "UnsupportedSOPClass"}]
    assert (len(made), json.loads(report)["held"]) == (1, held)
    assert "Hương" not in report.decode()


def test_what_is_held_for_its_content_is_listed_with_the_tag(archive):
    response = order(
        archive, as_file(a_ct(SliceThickness="1", PixelSpacing=["4", "4"])), params={"profile": "research"}
    )

    ((held,), status) = (response.json()["held"], response.status_code)
    assert (status, held["part"], held["tag"]) == (409, 1, "(7FE0,0010)")


def test_when_nothing_may_leave_the_answer_is_a_conflict_with_the_report(archive):
    response = order(archive, b"no instance at all")

    assert (response.status_code, response.headers["content-type"]) == (409, "application/json")
    assert response.json()["held"] == [{"part": 1, "because": "MalformedInstance"}]


def test_the_profile_is_the_callers_to_choose(archive):
    basic = order(archive, as_file(a_ct()), params={"profile": "basic"})
    unknown = order(archive, as_file(a_ct()), params={"profile": "cut-ties"})

    assert json.loads(parts_of(basic)[-1][1])["profile"].startswith("basic@")
    assert unknown.status_code == 400
    assert "profile is one of basic, tele-read, research" in unknown.json()["detail"]


def test_a_site_gets_the_pseudonyms_of_its_own_keys(archive):
    token = archive.a_token("dicomweb:deidentify", site="BV9")
    ours, theirs = order(archive, as_file(a_ct())), order(archive, as_file(a_ct()), token=token)

    one, other = (pydicom.dcmread(io.BytesIO(parts_of(response)[0][1])) for response in (ours, theirs))
    assert one.PatientID != other.PatientID


def test_nothing_is_kept_and_an_audit_line_counts(node):
    order(node, as_file(a_ct()), b"no instance")

    assert (node.rows(instance), node.quarantined(), node.stages()) == ([], [], [])
    (line,) = [json.loads(line.detail) for line in node.audited() if "deidentified" in line.detail]
    assert (line["deidentified"], line["held"]) == (1, 1)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"headers": {"Content-Type": "application/dicom+json"}}, 415),
        ({"headers": {"Content-Type": "text/plain"}}, 415),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"headers": {"Accept": "image/png"}}, 406),
    ],
)
def test_other_bodies_and_answers_are_refused(archive, change, status):
    assert order(archive, as_file(a_ct()), **change).status_code == status


def test_an_instance_that_is_too_long_is_held_and_the_others_come_back(tmp_path):
    with running_node(tmp_path / "small", http={"instance_bytes_max": 4000}) as small:
        response = order(small, as_file(a_ct(rows=256, columns=256)), as_file(a_ct(seed="short", rows=8, columns=8)))

        *made, (_, report) = parts_of(response)
        assert (len(made), [one["part"] for one in json.loads(report)["held"]]) == (1, [1])
        assert small.stages() == []


def test_pixels_that_nobody_cleans_on_this_node_are_held(tmp_path):
    with running_node(tmp_path / "plain", clean_pixels=False) as plain:
        response = order(plain, as_file(an_us_cine()))

    assert response.status_code == 409
    assert [(one["because"], one["tag"]) for one in response.json()["held"]] == [("ultrasound", "(7FE0,0010)")]


def test_the_zones_of_a_site_are_those_of_the_file_and_those_that_its_people_drew(node, tmp_path):
    device, own, file = Device("acme", "sono 5", 48, 64), Box(20, 0, 30, 40), tmp_path / "zones.toml"
    file.write_text(zones_text({device: (Box(0, 0, 4, 64),)}))
    config = replace(node.config, anonymizer=replace(node.config.anonymizer, pixel_zones=file))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    save = partial(drawn_zones.save, site="LOCAL", device=device, boxes=[own], by=Reviewer("lan"), now=now)
    node.db.write(save)

    cleaner, elsewhere = cleaners_of(config, node.db)("LOCAL"), cleaners_of(config, node.db)("FAR")

    assert cleaner.zones == elsewhere.zones == {device: (Box(0, 0, 4, 64),)}
    assert (cleaner.drawn([device]), elsewhere.drawn([device])) == ((own,), ())


def test_an_empty_body_and_one_that_is_too_long_are_refused(tmp_path):
    with running_node(tmp_path / "small", http={"body_bytes_max": 1000}) as small:
        assert order(small).status_code == 400
        assert order(small, as_file(a_ct())).status_code == 413
        assert small.stages() == []
