"""`vienanh review`: what waits is listed with its masks, accepted with the proposed ones, others or none, or rejected."""

import json
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from anonymizer.pixels.zones import Device, read_zones
from exchange.commands.table import app
from exchange.node.stores import opened
from kernel.config import Config
from kernel.dicom.pixels.boxes import Box
from routing import drawn_zones
from routing.pixel_reviews import Reviewer
from routing.tables import pixel_review, pixel_zone

INSTANCE = "2.25.4711"


@pytest.fixture
def node(empty_node) -> Config:
    """A node's folder in which one instance waits."""
    row = {
        "site": "MK01", "sop_instance_uid": INSTANCE, "profile": "tele-read", "study_instance_uid": "2.25.1",
        "reason": "text-left", "proposed": json.dumps([[1, 2, 30, 40]]), "state": "waiting", "drawn": "",
        "decided_by": "", "fallback_charset": "", "at": datetime(2026, 11, 22, tzinfo=UTC),
    }  # fmt: skip
    with opened(empty_node) as stores:
        stores.db.write(lambda connection: connection.execute(insert(pixel_review).values(**row)) and None)
    return empty_node


def review(*arguments: str):
    return CliRunner().invoke(app, ["review", *arguments])


def decision(node: Config) -> tuple[str, str]:
    with opened(node) as stores, stores.db.read() as connection:
        return tuple(connection.execute(select(pixel_review.c.state, pixel_review.c.drawn)).one())


@pytest.mark.parametrize(
    ("options", "drawn"),
    [
        ((), [[1, 2, 30, 40]]),
        (("--no-masks",), []),
        (("--mask", "0,0,5,5", "--mask", "7,7,9,9"), [[0, 0, 5, 5], [7, 7, 9, 9]]),
    ],
)
def test_it_is_accepted_with_the_proposed_masks_with_none_or_with_others(node, options, drawn):
    assert review("accept", INSTANCE, *options).exit_code == 0

    state, text = decision(node)
    assert (state, json.loads(text)) == ("accepted", drawn)


def test_what_waits_is_listed_with_its_masks_until_it_is_rejected_and_a_wrong_mask_changes_nothing(node):
    listed = review("list")
    wrong = review("accept", INSTANCE, "--mask", "0,0,5")
    first, second = review("reject", INSTANCE), review("reject", INSTANCE)

    assert all(word in listed.stdout for word in (INSTANCE, "text-left", "1,2,30,40"))
    assert (wrong.exit_code, first.exit_code) == (2, 0)
    assert second.exit_code != 0
    assert decision(node)[0] == "rejected"


def a_learnt_zone(node, **attributes) -> dict[str, object]:
    row = {
        "site": node.node.site, "layout": "0a1b2c3d", "manufacturer": "acme", "model": "sono 5", "serial": "sn 7", "kind": "ultrasound", "rows": 480, "columns": 640,
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.6.1", "photometric_interpretation": "RGB",
        "lines": json.dumps([[10, 10, 30, 210]]), "exams": json.dumps(["a", "b"]), "looked_at": "b", "unseen": 0,
        "at": datetime(2026, 11, 22, tzinfo=UTC),
    }  # fmt: skip
    return row | attributes


def test_zones_in_use_are_given_as_the_file_that_a_node_and_the_command_read(node, tmp_path):
    learnt = (
        ("0a1b2c3d", "abcde", [10, 10, 30, 210]),
        ("1a1b2c3d", "fghij", [400, 10, 420, 210]),
        ("2a1b2c3d", "a", [200, 10, 220, 210]),
    )
    rows = [
        a_learnt_zone(node, layout=layout, exams=json.dumps(list(exams)), lines=json.dumps([line]))
        for layout, exams, line in learnt
    ]
    with opened(node) as stores:
        stores.db.write(lambda connection: connection.execute(insert(pixel_zone), rows) and None)

    (tmp_path / "zones.toml").write_text(review("zones", "--toml").stdout, "utf-8")

    assert read_zones(tmp_path / "zones.toml") == {
        Device("acme", "sono 5", 480, 640): (Box(0, 0, 40, 310), Box(390, 0, 430, 310))
    }


def test_drawn_zones_are_listed_and_written_beside_what_was_learnt(node, tmp_path):
    learnt, drawn = Device("acme", "sono 5", 480, 640), Device("acme", "sono 6", 300, 400)
    row = a_learnt_zone(node) | {"exams": json.dumps([str(number) for number in range(5)])}
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with opened(node) as stores:
        stores.db.write(lambda connection: connection.execute(insert(pixel_zone).values(**row)) and None)
        for device, box in ((learnt, Box(100, 0, 120, 50)), (drawn, Box(0, 0, 9, 400))):
            keep = partial(drawn_zones.save, site="MK01", device=device, boxes=[box], by=Reviewer("lan"), now=now)
            stores.db.write(keep)

    (tmp_path / "zones.toml").write_text(review("zones", "--toml").stdout, "utf-8")
    written = read_zones(tmp_path / "zones.toml")

    assert written[drawn] == (Box(0, 0, 9, 400),)
    assert Box(100, 0, 120, 50) in written[learnt]
    assert len(written[learnt]) > 1
    assert all(word in review("zones").stdout for word in (drawn.digest, "acme sono 6", "drawn by lan", "0,0,9,400"))


def test_learnt_zones_are_listed_and_forgotten(node):
    row = a_learnt_zone(node)
    with opened(node) as stores:
        stores.db.write(lambda connection: connection.execute(insert(pixel_zone).values(**row)) and None)

    listed = review("zones")
    first, second = review("forget-zones", "0a1b2c3d"), review("forget-zones", "0a1b2c3d")

    assert all(
        word in listed.stdout for word in ("0a1b2c3d", "acme sono 5 sn 7", "ultrasound", "2 of 5 exams", "0,0,40,310")
    )
    assert first.exit_code == 0
    assert second.exit_code != 0
    assert "0a1b2c3d" not in review("zones").stdout
