"""Instances are kept as they were sent, in every transfer syntax of the table, and given back the same."""

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pynetdicom import build_role, evt
from pynetdicom.dsutils import encode
from sqlalchemy import select

from gateway.dimse.upper_layer.pdu import AssociateAccept, ProposedContext
from kernel.archive.tables import instance
from kernel.dicom.vocabulary.syntaxes import SYNTAXES, TransferSyntax
from tests.dimse import scripts
from tests.dimse.conftest import Node
from tests.support.builders import a_ct
from tests.support.entities import an_entity

FRAGMENTS = [b"\xff\xd8 not really \xff\xd9", b"another one"]  # nobody looks inside: keeping needs no codec


def encoded_in(syntax: TransferSyntax) -> tuple[Dataset, bytes]:
    ds = a_ct()
    if syntax.encapsulated:
        ds.PixelData = encapsulate(FRAGMENTS, has_bot=False)
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    elif syntax.uid.startswith("1.2.840.10008.1.2.4."):  # JPIP: the pixels are elsewhere
        del ds.PixelData
        ds.PixelDataProviderURL = "https://jpip.example/1"
    content = encode(ds, not syntax.explicit, syntax.little_endian, deflated=syntax.deflated)
    assert content is not None
    return ds, content


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=lambda syntax: syntax.name.replace(" ", "-"))
def test_an_instance_is_kept_byte_for_byte_in_its_own_syntax(node: Node, syntax: TransferSyntax):
    ds, content = encoded_in(syntax)
    contexts = (ProposedContext(3, scripts.CT, (syntax.uid,)),)

    with node.call(contexts=contexts) as peer:
        assert isinstance(peer.answer, AssociateAccept)
        assert peer.stores(content, sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0
        peer.releases()

    ((kept, path),) = zip(node.rows(select(instance.c.transfer_syntax_uid)), node.blob_paths(), strict=True)
    assert kept.transfer_syntax_uid == syntax.uid
    assert path.read_bytes().endswith(content)
    assert path.stat().st_size - len(content) < 1000  # preamble and file meta


ENCODED_BY_PYDICOM = [uid for uid, syntax in SYNTAXES.items() if not syntax.encapsulated and "JPIP" not in syntax.name]


@pytest.mark.parametrize("uid", ENCODED_BY_PYDICOM)
def test_pynetdicom_stores_and_gets_what_it_encodes_itself(node: Node, uid: str):
    ds = a_ct()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid
    got: list[Dataset] = []

    def keep(event):
        got.append(event.dataset)
        return 0

    entity = an_entity("PYNET")
    entity.add_requested_context(scripts.CT, uid)
    model = "1.2.840.10008.5.1.4.1.2.2.3"
    entity.add_requested_context(model)
    association = entity.associate(
        "127.0.0.1",
        node.port,
        ext_neg=[build_role(scripts.CT, scu_role=True, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    assert association.send_c_store(ds).Status == 0
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.StudyInstanceUID = ds.StudyInstanceUID
    statuses = [status.Status for status, _ in association.send_c_get(asked, model)]
    association.release()

    assert statuses[-1] == 0
    assert [one.SOPInstanceUID for one in got] == [ds.SOPInstanceUID]
    assert got[0].PixelData == ds.PixelData
