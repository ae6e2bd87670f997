"""Whoever sees that something waits is told what can be done about it."""

import re
from pathlib import Path

from exchange.commands.held_advice import ADVICE, advice_on
from routing import reidentification, ways_back

ROOT = Path(__file__).parents[2]


def test_every_cause_that_the_code_gives_has_its_advice():
    sources = [*ROOT.glob("anonymizer/**/*.py"), *ROOT.glob("routing/**/*.py")]
    written = {word for path in sources for word in re.findall(r"Held\(\"([a-z-]+)\"", path.read_text())}
    homeward = {
        ways_back.NO_PSEUDONYM, ways_back.UNKNOWN_PSEUDONYM, ways_back.UNKNOWN_STUDY, ways_back.OTHER_PATIENT,
        ways_back.UNKNOWN_UID, reidentification.NOT_FROM_HERE, reidentification.DOCUMENT_UID,
        reidentification.DOCUMENT_ENCRYPTED,
    }  # fmt: skip

    assert {"residue", "conflict", "failed"} <= written
    assert written | homeward <= ADVICE.keys()


def test_each_cause_is_told_once_and_an_unknown_one_not_at_all():
    assert advice_on({"residue", "of a later version"}) == [f"residue: {ADVICE['residue']}."]
