"""What other de-identifiers were seen to leave, or to break (research/de-identification.md): each is a case here."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.engine.engine import deidentify
from anonymizer.profiles.profile import BUILT_IN, load
from anonymizer.pseudonyms.keys import derive
from tests.support.builders import a_ct, as_file

PROFILES = pytest.mark.parametrize("profile", list(BUILT_IN))


@PROFILES
def test_a_sequence_that_is_no_row_of_the_table_is_looked_into_at_every_depth(site, profile):
    innermost, inner, ds = Dataset(), Dataset(), a_ct()
    innermost.OperatorsName, innermost.PatientComments = "Huong", "Huong"
    inner.SharedFunctionalGroupsSequence = Sequence([innermost])
    ds.PixelMeasuresSequence = Sequence([inner])  # neither is a row

    assert b"Huong" not in site.deidentifies(as_file(ds), profile).head


@PROFILES
def test_private_attributes_go_with_their_creators(site, profile):
    ds = a_ct()
    ds.private_block(0x0029, "HUONG CLINIC", create=True).add_new(1, "LO", "HUONG")

    given = site.gives(ds, profile)

    assert not [element.tag for element in given if element.tag.is_private]


@PROFILES
def test_uids_stay_uids_and_references_lead_where_they_led(site, profile):
    one, other = a_ct(instance=1), a_ct(instance=2)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = other.SOPClassUID, other.SOPInstanceUID
    one.SourceImageSequence = Sequence([reference])
    source, target = as_file(one), as_file(other)

    made, led_to = site.deidentifies(source, profile), site.deidentifies(target, profile)

    assert led_to.identity.sop_instance_uid.encode() in made.head
    assert made.identity.sop_class_uid == one.SOPClassUID


def test_a_new_uid_cannot_be_made_again_from_the_old_one_without_the_key():
    source = as_file(a_ct())
    uids = {
        deidentify(source, profile=load("basic"), keys=derive(secret, site="x"), issuer="x").identity.sop_instance_uid
        for secret in (b"a" * 32, b"b" * 32)
    }

    assert len(uids) == 2


@PROFILES
def test_what_was_done_is_declared_always(site, profile):
    given = site.gives(a_ct(), profile)

    assert given.PatientIdentityRemoved == "YES"
    assert given.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


@PROFILES
def test_original_attributes_and_what_was_sealed_for_somebody_go(site, profile):
    sealed, changed, ds = Dataset(), Dataset(), a_ct()
    sealed.EncryptedContent = b"HUONG!"
    changed.PatientName = "HUONG"
    ds.EncryptedAttributesSequence = Sequence([sealed])
    ds.OriginalAttributesSequence = Sequence([changed])

    given = site.gives(ds, profile)

    assert "EncryptedAttributesSequence" not in given
    assert "OriginalAttributesSequence" not in given


@PROFILES
@pytest.mark.parametrize("keyword", ["NameToUse", "PersonNamesToUseSequence", "EthnicGroups", "GenderIdentitySequence"])
def test_rows_of_the_newest_edition_are_known(keyword, profile):
    tags = {
        "NameToUse": "00100012",
        "PersonNamesToUseSequence": "00100011",
        "EthnicGroups": "00102162",
        "GenderIdentitySequence": "00100041",
    }

    assert load(profile).rules[tags[keyword]].basic == "X"


@PROFILES
def test_a_time_zone_does_not_tell_where_it_was_unless_times_are_kept(site, profile):
    given = site.gives(a_ct(TimezoneOffsetFromUTC="+0700"), profile)

    assert ("TimezoneOffsetFromUTC" in given) is (given.LongitudinalTemporalInformationModified == "MODIFIED")
