"""Encapsulated documents: a CDA leaves without anybody's name, a PDF does not leave, an STL loses what is written on it."""

import struct
import xml.etree.ElementTree as ET

import pytest
from pydicom.uid import EncapsulatedSTLStorage

from anonymizer.content import bounded_xml
from anonymizer.profiles.profile import load
from anonymizer.release import Held, Released, release
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.anonymizer.conftest import read
from tests.anonymizer.documents import an_encapsulated
from tests.anonymizer.test_samples import errors_of
from tests.support.builders import a_ct, as_file

NAMES = {"v3": "urn:hl7-org:v3"}
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
 <id root="1.2.3.4" extension="BA-2026-55"/>
 <code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging report of Nguyen Thi Huong"/>
 <title>Kết quả CT của bà Nguyễn Thị Hương</title>
 <effectiveTime value="20261121013000+0700"/>
 <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
 <languageCode code="vi-VN"/>
 <recordTarget><patientRole><id root="1.2.9" extension="BN998877"/><addr><city>Cẩm Xuyên</city></addr>
  <telecom value="tel:0912345678"/>
  <patient><name><family>Nguyễn</family><given>Thị Hương</given></name>
  <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19700412"/></patient>
  <providerOrganization><name>Bệnh viện Cẩm Xuyên</name></providerOrganization></patientRole></recordTarget>
 <author><time value="20261121020000"/><assignedAuthor><id extension="DOC7" root="1.2.8"/>
  <assignedPerson><name>BS Trần Quang</name></assignedPerson></assignedAuthor></author>
 <informant><relatedEntity><relatedPerson><name>Chồng Văn Tèo</name></relatedPerson></relatedEntity></informant>
 <custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.7"/><name>Bệnh viện Cẩm Xuyên</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
 <component><structuredBody>
  <component><section><code code="121070" codeSystem="1.2.840.10008.2.16.4" displayName="Findings"/><title>Mô tả</title>
   <text>Bệnh nhân <content styleCode="Bold">Hương</content>: <content ID="f1">khối 12,5 mm</content>
    <list><item>thuỳ trên phổi phải</item><item>Gọi 0912 345 678</item><item><content>Le</content> <content>Van Tam</content></item></list>
    <table border="1"><tbody><tr><td>Kích thước</td><td>12,5</td></tr></tbody></table></text>
   <entry><observation classCode="OBS" moodCode="EVN"><id root="1.2.5.5"/>
    <code code="81827009" codeSystem="2.16.840.1.113883.6.96" displayName="Diameter"/><statusCode code="completed"/>
    <effectiveTime value="20261121"/><value xsi:type="PQ" value="12.5" unit="mm"/>
    <author><assignedAuthor><id root="1.2.8"/></assignedAuthor></author>
    <entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN"><code code="x" codeSystem="1.2"/>
     <value xsi:type="ED"><reference value="#f1"/></value></observation></entryRelationship></observation></entry>
  </section></component>
 </structuredBody></component>
</ClinicalDocument>"""


def a_cda(text: str = CDA, **attributes):
    return an_encapsulated(text.encode(), cda=True, HL7InstanceIdentifier="1.2.3.4^BA-2026-55", **attributes)


def document_of(ds) -> bytes:
    return bytes(ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength])


def released(ds, keys, profile: str = "tele-read") -> Released | Held:
    source = as_file(ds)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    return release(source, header, profile=load(profile), keys=keys, issuer="bv-huyen")


def test_a_cda_keeps_its_findings_and_loses_everybody(site):
    given = site.gives(a_cda(), "tele-read")

    text = document_of(given).decode()
    for gone in (
        "Hương",
        "Nguyen",
        "Nguyễn",
        "BN998877",
        "19700412",
        "0912",
        "Quang",
        "DOC7",
        "Tèo",
        "Cẩm",
        "BA-2026",
        "Tam",
    ):
        assert gone not in text, gone
    root = ET.fromstring(text)
    assert root.findtext(".//v3:patient/v3:name", namespaces=NAMES) == f"BN {given.PatientID}"
    assert [item.text for item in root.findall(".//v3:item", NAMES)] == [
        "thuỳ trên phổi phải",
        "Gọi [REMOVED]",
        "[REMOVED]",
    ]
    value = root.find(".//v3:observation/v3:value", NAMES)
    assert value is not None
    assert (value.get("value"), value.get("unit")) == ("12.5", "mm")
    assert root.findtext(".//v3:td", namespaces=NAMES) == "Kích thước"
    assert "khối 12,5 mm" in "".join(root.itertext())
    sex = root.find(".//v3:administrativeGenderCode", NAMES)
    assert sex is not None
    assert sex.get("code") == "F"


def test_its_dates_move_with_the_images_and_its_identifiers_are_mapped(site):
    given, image = site.gives(a_cda(), "tele-read"), site.gives(a_ct(), "tele-read")

    root = ET.fromstring(document_of(given))
    time, identifier = root.find("v3:effectiveTime", NAMES), root.find("v3:id", NAMES)
    assert time is not None
    assert identifier is not None
    assert time.get("value") == f"{image.StudyDate}013000+0700"
    assert identifier.attrib == {"root": given.HL7InstanceIdentifier}
    assert given.HL7InstanceIdentifier.startswith("2.25.")


def test_a_cleaned_cda_may_leave_and_a_pdf_may_not(keys):
    cda, pdf = released(a_cda(), keys), released(an_encapsulated(b"%PDF-1.4 Huong"), keys)

    assert isinstance(cda, Released)
    assert cda.pixel_review == ""
    assert isinstance(pdf, Released)
    assert pdf.pixel_review == "encapsulated-document"
    assert b"%PDF" not in pdf.made.head


@pytest.mark.parametrize("profile", ["basic", "research", "cut-ties"])
def test_without_cleaned_descriptors_a_cda_is_held_too(keys, profile):
    result = released(a_cda(), keys, profile)

    assert isinstance(result, Released)
    assert result.pixel_review == "encapsulated-document"
    assert b"ClinicalDocument" not in result.made.head


@pytest.mark.parametrize(
    "text",
    [
        CDA.replace("<ClinicalDocument ", '<!DOCTYPE x [<!ENTITY e "Huong">]><ClinicalDocument '),
        CDA.replace("</structuredBody>", "<observationMedia/></structuredBody>"),
        CDA.replace(
            "<structuredBody>", "<nonXMLBody><text representation='B64'>SHVvbmc=</text></nonXMLBody><structuredBody>"
        ),
        CDA.replace("<section>", '<section><x:secret xmlns:x="urn:x">Huong</x:secret>'),
        CDA.replace('encoding="UTF-8"', 'encoding="windows-1258"'),
        CDA.replace("</ClinicalDocument>", ""),
        CDA.replace("urn:hl7-org:v3", "urn:other"),
        CDA[: CDA.index("<component>")] + "</ClinicalDocument>",
        "no XML",
        "",
    ],
)
def test_what_is_not_understood_is_held(keys, text):
    result = released(a_cda(text), keys)

    assert isinstance(result, Released)
    assert result.pixel_review == "encapsulated-document"
    assert b"Huong" not in result.made.head


@pytest.mark.parametrize(("bound", "value"), [("DEPTH_MAX", 5), ("ELEMENTS_MAX", 20), ("DOCUMENT_BYTES_MAX", 500)])
def test_a_document_is_bounded(keys, monkeypatch, bound, value):
    monkeypatch.setattr(bounded_xml, bound, value)

    result = released(a_cda(), keys)

    assert isinstance(result, Released)
    assert result.pixel_review == "encapsulated-document"


def test_an_stl_loses_its_header_and_keeps_its_surface(site):
    facets = struct.pack("<I", 2) + bytes(range(100))
    ds = an_encapsulated(b"skull of Nguyen Thi Huong".ljust(80) + facets + b"Huong ")
    ds.SOPClassUID, ds.MIMETypeOfEncapsulatedDocument = EncapsulatedSTLStorage, "model/stl"

    given = site.gives(ds, "tele-read")

    assert document_of(given) == bytes(80) + facets


def test_an_stl_in_words_is_held(site, keys):
    ds = an_encapsulated(b"solid Huong\nfacet normal 0 0 1\nendsolid Huong\n")
    ds.SOPClassUID, ds.MIMETypeOfEncapsulatedDocument = EncapsulatedSTLStorage, "model/stl"

    result = released(ds, keys)

    assert isinstance(result, Released)
    assert result.pixel_review == "encapsulated-document"


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_finds_no_new_errors(site, tmp_path):
    source = as_file(a_cda())
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(source)
    after.write_bytes(site.deidentifies(source, "tele-read").to_bytes(source))

    assert not errors_of(after) - errors_of(before)
    assert read(after.read_bytes()).SOPClassUID == read(source).SOPClassUID
