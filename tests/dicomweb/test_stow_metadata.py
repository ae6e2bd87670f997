"""STOW-RS of metadata and bulk data (PS3.18 10.5.2): JSON and XML, native and compressed, whole and wanting."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydicom.encaps import generate_frames

from gateway.dicomweb.store import assembly
from kernel.archive.tables import instance
from kernel.dicom.models.json_model import to_json
from kernel.dicom.models.xml_model import NAMESPACE, to_xml
from kernel.dicom.scanning.part10 import open_dataset, read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.dicomweb.conftest import running_node
from tests.dicomweb.test_stow import reasons, resident_kib, uids
from tests.dicomweb.test_wado import FIXTURES
from tests.support.builders import a_ct, as_file

JSON, XML, OCTETS = "application/dicom+json", "application/dicom+xml", "application/octet-stream"
PIXELS = "7FE00010"


def model_of(ds, uri="bulk/1"):
    """The metadata of an instance whose pixel data comes as bulk data, and these data."""
    data = as_file(ds)
    meta = read_file_meta(data)
    model = json.loads(to_json(scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)))
    model[PIXELS]["BulkDataURI"] = uri
    return model, ds.PixelData


def body_of(*parts):
    """A body of (Content-Type, Content-Location, content)."""
    written = []
    for kind, location, content in parts:
        head = f"--B\r\nContent-Type: {kind}\r\n" + (f"Content-Location: {location}\r\n" if location else "") + "\r\n"
        written += [head.encode(), content if isinstance(content, bytes) else json.dumps(content).encode(), b"\r\n"]
    return b"".join(written) + b"--B--"


def post(node, *parts, kind=JSON, path="/dicom-web/studies", **headers):
    sent = {"Content-Type": f'multipart/related; type="{kind}"; boundary=B', **headers}
    with node.http() as client:
        return client.post(path, content=body_of(*parts), headers=sent)


def stored(node, ds):
    path = f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
    response = node.get(path, Accept="application/dicom; transfer-syntax=*")
    assert response.status_code == 200
    return open_dataset(response.content)


@pytest.mark.parametrize("kind", [JSON, XML])
def test_an_instance_sent_as_metadata_and_bulk_data_is_the_instance_again(node, kind):
    ds = a_ct(PatientName="Nguyễn^Thị Đào", SpecificCharacterSet="ISO_IR 192")
    model, pixels = model_of(ds)
    metadata = [model] if kind == JSON else to_xml(model)

    response = post(node, (kind, "", metadata), (OCTETS, "bulk/1", pixels), kind=kind)

    assert response.status_code == 200, response.text
    assert uids(response.json(), "00081199") == [ds.SOPInstanceUID]
    again = stored(node, ds)
    assert again.file_meta.TransferSyntaxUID == EXPLICIT_VR_LITTLE_ENDIAN
    assert again.PixelData == pixels
    assert again == open_dataset(as_file(ds))
    assert node.stages() == []


def test_compressed_frames_sent_as_parts_are_kept_as_they_are(node, samples: Path):
    path = next(samples.rglob("SC_rgb_rle_2frame.dcm"))
    data = path.read_bytes()
    meta = read_file_meta(data)
    header = scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    original = open_dataset(data)
    frames = list(generate_frames(original.PixelData, number_of_frames=int(original.get("NumberOfFrames", 1))))
    model = json.loads(to_json(header))
    model[PIXELS]["BulkDataURI"] = "frames"
    kind = f"image/dicom-rle; transfer-syntax={meta.transfer_syntax_uid}"
    parts = [(kind, "frames", frame) for frame in frames]

    response = post(node, (JSON, "", [model]), *parts)

    assert response.status_code == 200, response.text
    (row,) = node.rows(instance)
    assert (row.transfer_syntax_uid, row.number_of_frames) == (meta.transfer_syntax_uid, len(parts))
    assert stored(node, original).pixel_array.tobytes() == original.pixel_array.tobytes()


@pytest.mark.parametrize(
    ("kind", "syntax", "expected"),
    [
        ("image/jpeg", "", "1.2.840.10008.1.2.4.70"),
        ("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50", "", "1.2.840.10008.1.2.4.50"),
        ("image/jls", "", "1.2.840.10008.1.2.4.80"),
        ("image/jp2", "", "1.2.840.10008.1.2.4.90"),
        ("image/jphc", "", "1.2.840.10008.1.2.4.201"),
        ("video/mp4", "", "1.2.840.10008.1.2.4.102"),
        (f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.5", "", "1.2.840.10008.1.2.5"),
        (OCTETS, "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.91"),
        (OCTETS, "", EXPLICIT_VR_LITTLE_ENDIAN),
    ],
)
def test_the_transfer_syntax_is_that_of_the_bulk_data(node, kind, syntax, expected):
    model, _ = model_of(a_ct())
    if syntax:
        model["00020010"] = {"vr": "UI", "Value": [syntax]}

    response = post(node, (JSON, "", [model]), (kind, "bulk/1", b"abcd"))

    assert response.status_code == 200, response.text
    assert [row.transfer_syntax_uid for row in node.rows(instance)] == [expected]


MACRO = ("00280002", "00280004", "00280006", "00280010", "00280011", "00280100", "00280101", "00280102", "00280103")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("us_cine_jpeg.dcm", "image/jpeg"),
        ("ct_jpeg_ls.dcm", "image/jls"),
        ("ct_jpeg_2000.dcm", "image/jp2"),
        ("ct_htj2k.dcm", "image/jphc"),
    ],
)
def test_what_metadata_leave_out_is_read_from_the_compressed_frames(node, name, media_type):
    data = (FIXTURES / name).read_bytes()
    meta = read_file_meta(data)
    original = open_dataset(data)
    model = json.loads(to_json(scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)))
    model = {key: one for key, one in model.items() if key not in (*MACRO, "00280008")}
    model[PIXELS]["BulkDataURI"] = "frames"
    count = int(original.get("NumberOfFrames", 1))
    kind = f"{media_type}; transfer-syntax={meta.transfer_syntax_uid}"
    parts = [(kind, "frames", frame) for frame in generate_frames(original.PixelData, number_of_frames=count)]

    response = post(node, (JSON, "", [model]), *parts)

    assert response.status_code == 200, response.text
    again = stored(node, original)
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated"):
        assert again[keyword] == original[keyword]
    assert int(again.get("NumberOfFrames", 1)) == count
    assert again.pixel_array.shape == original.pixel_array.shape
    with node.http() as client:
        url = f"/dicom-web/studies/{original.StudyInstanceUID}/series/{original.SeriesInstanceUID}"
        assert client.get(f"{url}/instances/{original.SOPInstanceUID}/rendered").status_code == 200


def test_what_metadata_say_stays_whatever_the_frames_say(node):
    data = (FIXTURES / "ct_jpeg_ls.dcm").read_bytes()
    meta = read_file_meta(data)
    original = open_dataset(data)
    model = json.loads(to_json(scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)))
    model[PIXELS]["BulkDataURI"] = "frames"
    kind = f"image/jls; transfer-syntax={meta.transfer_syntax_uid}"

    post(node, (JSON, "", [model]), (kind, "frames", next(generate_frames(original.PixelData, number_of_frames=1))))

    assert [stored(node, original).get(key) for key in MACRO] == [original.get(key) for key in MACRO]


@pytest.mark.parametrize("kind", [JSON, XML])
def test_one_instance_may_be_a_body_by_itself(node, kind):
    ds = a_ct()
    model, _ = model_of(ds)
    model[PIXELS] = {"vr": "OW", "InlineBinary": "AAECAw=="}
    content = json.dumps(model).encode() if kind == JSON else to_xml(model)

    with node.http() as client:
        url = f"/dicom-web/studies/{ds.StudyInstanceUID}"
        response = client.post(url, content=content, headers={"Content-Type": kind})

    assert response.status_code == 200, response.text
    assert stored(node, ds).PixelData == b"\0\1\2\3"


def test_every_instance_of_an_array_has_its_own_result(node):
    good, wanting, other = (a_ct(instance=number) for number in (1, 2, 3))
    models = [model_of(good, "a")[0], model_of(wanting, "b")[0], model_of(other, "a")[0], {"00080018": []}]

    response = post(node, (JSON, "", models), (OCTETS, "a", good.PixelData))

    content = response.json()
    assert response.status_code == 202
    assert uids(content, "00081199") == [good.SOPInstanceUID]
    assert uids(content, "00081198") == [wanting.SOPInstanceUID, other.SOPInstanceUID]
    assert reasons(content) == ["C000", "C000"]
    assert reasons(content, "0008119A") == ["C000"]
    assert "belongs to another instance" in response.headers["warning"]
    assert sorted(row.code for row in node.quarantined()) == ["MalformedInstance"] * 3
    assert node.stages() == []


@pytest.mark.parametrize(
    ("parts", "status", "message"),
    [
        ([(JSON, "", b"[{")], 409, "no DICOM JSON"),
        ([(JSON, "", b"[1]")], 409, "no DICOM JSON"),
        ([(XML, "", b"<x/>")], 409, "where the model has none"),
        ([(OCTETS, "", b"abc")], 409, "has no Content-Location"),
        ([(OCTETS, "x", b"abc")], 400, "has no instance"),
        ([], 400, "has no instance"),
    ],
)
def test_what_is_no_metadata_is_refused_with_a_reason(node, parts, status, message):
    response = post(node, *parts)

    assert response.status_code == status
    assert message in response.headers.get("warning", "") + response.text


def test_unknown_media_types_and_syntaxes_of_bulk_data_are_refused(node):
    for number, kind in enumerate(
        ("text/html", f"{OCTETS}; transfer-syntax=1.2.3", "image/jp2; transfer-syntax=1.2.840.10008.1.2")
    ):
        model, _ = model_of(a_ct(instance=number + 1))

        response = post(node, (JSON, "", [model]), (kind, "bulk/1", b"abcd"))

        assert response.status_code == 409
    assert sorted(row.code for row in node.quarantined()) == [
        "UnsupportedMediaType", "UnsupportedTransferSyntax", "UnsupportedTransferSyntax"
    ]  # fmt: skip


def test_an_instance_of_another_study_than_the_url_is_refused(node):
    model, pixels = model_of(a_ct())

    response = post(node, (JSON, "", [model]), (OCTETS, "bulk/1", pixels), path="/dicom-web/studies/1.2.3")

    assert (response.status_code, reasons(response.json())) == (409, ["A900"])


def test_the_answer_is_xml_for_who_asks_for_it_and_json_for_who_accepts_neither(node):
    ds = a_ct()

    xml = node.store(ds, Accept=XML)
    neither = node.store(ds, Accept="text/html")

    assert xml.headers["content-type"] == XML
    found = ET.fromstring(xml.content).findall(f".//{{{NAMESPACE}}}DicomAttribute[@keyword='ReferencedSOPInstanceUID']")
    assert [one[0].text for one in found] == [ds.SOPInstanceUID]
    assert neither.headers["content-type"] == JSON


def test_the_same_instance_from_many_requests_at_once_is_one_and_all_are_told_stored(node):
    model, pixels = model_of(a_ct())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(node, (JSON, "", [model]), (OCTETS, "bulk/1", pixels)), range(16)))

    assert [answer.status_code for answer in answers] == [200] * 16
    assert len(node.rows(instance)) == 1


def test_bulk_data_passes_through_the_disk_in_bounded_memory(node):
    size = 200 * 1024 * 1024
    model, _ = model_of(a_ct())

    def body():
        yield body_of((JSON, "", [model])).removesuffix(b"--B--")
        yield f"--B\r\nContent-Type: {OCTETS}\r\nContent-Location: bulk/1\r\n\r\n".encode()
        for _ in range(size // 2**20):
            yield bytes(2**20)
        yield b"\r\n--B--"

    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew
    before = resident_kib("VmRSS")
    with node.http() as client:
        sent = {"Content-Type": f'multipart/related; type="{JSON}"; boundary=B'}
        response = client.post("/dicom-web/studies", content=body(), headers=sent)
    after = resident_kib("VmHWM")

    assert response.status_code == 200
    assert node.rows(instance)[0].size_bytes > size
    assert after - before < 60 * 1024


def test_every_bound_is_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(assembly, "METADATA_BYTES_MAX", 100_000)
    with running_node(tmp_path, http={"instance_bytes_max": 20_000, "parts_max": 5}) as node:
        model, _ = model_of(a_ct())
        large = post(node, (JSON, "", [model]), (OCTETS, "bulk/1", bytes(30_000)))
        long = post(node, (JSON, "", b"[" + b" " * 100_000 + b"]"))
        many = post(node, (JSON, "", [{}] * 6))
        parts = post(node, *[(OCTETS, "x", b"")] * 6)

        assert (large.status_code, reasons(large.json())) == (409, ["C001"])
        assert (long.status_code, reasons(long.json(), "0008119A")) == (409, ["C001"])
        assert (many.status_code, parts.status_code) == (413, 413)
        assert node.rows(instance) == []
        assert node.stages() == []


def test_ten_thousand_tiny_parts_are_one_short_request(node):
    model, _ = model_of(a_ct())
    tiny = [(OCTETS, f"bulk/{number}", b"x") for number in range(10_000)]

    response = post(node, (JSON, "", [model]), *tiny)

    assert response.status_code == 200
    assert response.elapsed.total_seconds() < 20
    assert node.stages() == []


def test_an_array_of_a_million_nothings_takes_no_memory_for_each(node):
    body = b"[" + b"{}," * 1_000_000 + b"{}]"
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew
    before = resident_kib("VmRSS")

    response = post(node, (JSON, "", body))

    assert response.status_code == 413
    assert resident_kib("VmHWM") - before < 60 * 1024
    assert node.stages() == []
