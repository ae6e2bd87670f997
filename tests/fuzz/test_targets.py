"""No parser does more to damaged bytes than refuse them: the same few hundred damages each time, within a time each."""

import random
import time

import pytest

from tests.fuzz.targets import TARGETS, holds

DAMAGES = 400  # of one target; `python -m tests.fuzz` goes on for as long as one likes
SECONDS_MAX = 5.0  # of one input, on a machine that does other things too
LENGTHS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xfe\xff", b"\xff\xff", b"\0\x80")


def damaged(seed: bytes, chance: random.Random) -> bytes:
    """Change bytes, put in absurd lengths, cut, repeat or nest a piece, as a few faults one after another."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                absurd = chance.choice(LENGTHS)
                data[place : place + len(absurd)] = absurd
            case 2:
                del data[place:]
            case 3:
                del data[place : place + chance.randint(1, 16)]
            case _:
                start = chance.randrange(len(data) + 1)
                data[place:place] = data[start : start + chance.randint(1, 200)] * chance.randint(1, 5)
    return bytes(data)


pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:pydicom"
)  # as kernel.dicom.scanning.part10 does for a node


@pytest.mark.parametrize("name", TARGETS)
def test_some_seed_is_taken(name: str):
    target = TARGETS[name]
    taken = [holds(target, seed) for seed in target.seeds()]

    assert any(taken), "a seed is what a peer really sends"


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_seeds_are_read_or_refused_in_time(name: str):
    target, chance = TARGETS[name], random.Random(20261122)
    seeds = sorted(target.seeds())

    for _ in range(DAMAGES):
        data = damaged(chance.choice(seeds), chance)
        begun = time.monotonic()
        holds(target, data)
        assert time.monotonic() - begun < SECONDS_MAX, data[:64].hex()


@pytest.mark.parametrize("name", TARGETS)
def test_noise_is_read_or_refused(name: str):
    target, chance = TARGETS[name], random.Random(1)

    for length in (0, 1, 2, 3, 5, 8, 13, 64, 200, 1000):
        for _ in range(10):
            holds(target, chance.randbytes(length))
