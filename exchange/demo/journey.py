"""Follows the demo's studies at the hub with a DICOMweb client's eyes, and checks what arrived.

Knows the hub's address and a reader's token only: what it finds, any client would find.
"""

import io
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from PIL import Image

from exchange.demo import data as demo_data
from exchange.demo.data import DemoStudy
from exchange.terminal.screen import out
from kernel.clock import Clock
from kernel.dicom.vocabulary.names import fold

WAIT_S = 120.0
POLL_S = 0.1
DICOM_JSON = "application/dicom+json"
PATIENTS = (demo_data.HEAD, demo_data.ABDOMEN, demo_data.CHEST, demo_data.HEART, demo_data.COLON)

Dataset = dict[str, Any]


@dataclass(slots=True)
class Steps:
    """Prints each step with the time since the start."""

    clock: Clock
    _start_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Start counting."""
        self._start_s = self.clock.monotonic_s()

    def tell(self, text: str) -> None:
        """Print one step."""
        out.print(f"{self.clock.monotonic_s() - self._start_s:7.2f} s  {text}", markup=False)


def follow(hub_url: str, token: str, studies: Sequence[DemoStudy], steps: Steps) -> list[str]:
    """Wait for the studies at the hub and check them; return what is wrong, in words."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=hub_url, headers=headers, timeout=60.0, trust_env=False) as client:
        arrived = _await_all(client, studies, steps)
        if arrived is None:
            return [f"not everything arrived within {WAIT_S:.0f} s"]
        problems = [f"{one['title']}: {text}" for one in arrived for text in _check(client, one, steps)]
        return problems + _check_order(arrived)


def _await_all(client: httpx.Client, studies: Sequence[DemoStudy], steps: Steps) -> list[Dataset] | None:
    """Return the hub's studies once each is complete, told as they come."""
    wanted = sorted((study.modality, len(study.instances), study.title) for study in studies)
    told: set[str] = set()
    deadline_s = steps.clock.monotonic_s() + WAIT_S
    waiting = threading.Event()
    while steps.clock.monotonic_s() < deadline_s:
        found = client.get("/api/worklist").raise_for_status().json()["studies"]
        for study in found:
            _tell_progress(study, told, steps)
        complete = sorted(
            ((study["modalities"][0], study["have"], study) for study in found if _is_whole(study)),
            key=lambda one: one[:2],
        )
        if [(modality, have) for modality, have, _ in complete] == [(m, n) for m, n, _ in wanted]:
            return [{**study, "title": title} for (_, _, study), (_, _, title) in zip(complete, wanted, strict=True)]
        steps.clock.wait(waiting, POLL_S)
    return None


def _is_whole(study: Dataset) -> bool:
    return study["state"] == "complete" and study["have"] == study["expected"]


def _tell_progress(study: Dataset, told: set[str], steps: Steps) -> None:
    uid, what = study["studyInstanceUID"], f"{study['priority'].upper()} {study['modalities'][0]} {study['patientID']}"
    if uid not in told:
        told.add(uid)
        steps.tell(f"{what}: first instance is on the hub's worklist")
    if _is_whole(study) and f"{uid} whole" not in told:
        told.add(f"{uid} whole")
        steps.tell(f"{what}: {study['have']} of {study['expected']} instances, complete ({study['evidence']})")


def _check(client: httpx.Client, study: Dataset, steps: Steps) -> Iterator[str]:
    uid = study["studyInstanceUID"]
    metadata = client.get(f"/dicom-web/studies/{uid}/metadata", headers={"Accept": DICOM_JSON}).raise_for_status()
    datasets: list[Dataset] = metadata.json()
    if len(datasets) != study["have"]:
        yield f"metadata of {len(datasets)} instances, not of {study['have']}"
    yield from _identity_left(metadata.text, datasets)
    dark = [place for place, dataset in enumerate(datasets, start=1) if not _renders(client, uid, dataset)]
    if dark:
        yield f"{len(dark)} instances did not render, the first is number {dark[0]}"
    steps.tell(f"{study['modalities'][0]} {study['patientID']}: pseudonymised, {len(datasets)} instances rendered")


def _identity_left(text: str, datasets: Iterable[Dataset]) -> Iterator[str]:
    """Yield what of the patients' identity is left; the words themselves are the demo's, nobody's."""
    folded = fold(text)
    for patient in PATIENTS:
        words = [patient.patient_id, patient.birth_date, *fold(patient.name).replace("^", " ").split()]
        yield from (f"'{word}' is in the metadata" for word in words if len(word) > 3 and fold(word) in folded)
    if fold(demo_data.HOSPITAL) in folded:
        yield "the hospital's name is in the metadata"
    if fold(demo_data.GLASS) in folded:
        yield "the slide's number is in the metadata"
    unmarked = [dataset for dataset in datasets if dataset.get("00120062", {}).get("Value") != ["YES"]]
    if unmarked:
        yield f"{len(unmarked)} instances do not say PatientIdentityRemoved = YES"


def _renders(client: httpx.Client, study_uid: str, dataset: Dataset) -> bool:
    """Tell whether an instance's middle frame renders to a picture with something to see; a slide's first is bare glass."""
    series_uid, instance_uid = dataset["0020000E"]["Value"][0], dataset["00080018"]["Value"][0]
    frame = (int(dataset.get("00280008", {"Value": [1]})["Value"][0]) + 1) // 2
    path = f"/dicom-web/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/frames/{frame}/rendered"
    answer = client.get(path, headers={"Accept": "image/png"})
    if not answer.is_success:
        return False
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
    return float(pixels.std()) > 1.0


def _check_order(arrived: Sequence[Dataset]) -> list[str]:
    """Check that the emergency is marked and did not come last, though it was pushed beside longer series."""
    emergency = [study for study in arrived if study["priority"] == "stat"]
    if len(emergency) != 1:
        return [f"{len(emergency)} studies are STAT, not one"]
    later = [study for study in arrived if study["lastReceivedAt"] > emergency[0]["lastReceivedAt"]]
    return [] if later else ["the emergency came last"]
