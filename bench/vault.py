"""How fast the vault takes new patients, answers, and is sealed anew: rows of `bench.deidentify`; goals are figures.

python -m bench.vault [--short] [--json FILE]
"""

import argparse
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from anonymizer.pseudonyms.identifiers import pseudonym
from anonymizer.pseudonyms.keyring import Keyring
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import NONCE_BYTES, Sealed, VaultEntry, VaultKind, seal
from bench.report import Report, arguments, say
from kernel.database import Database
from routing import vault
from routing.resealing import reseal_all
from routing.ways_back import opened

RING = Keyring.of_secret(b"\x2a" * 32)
KEYS = RING.keys("BENCH")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PATIENTS, LOOK_UPS, MILLION = 4_000, 300, 1_000_000


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    options = arguments(__doc__.splitlines()[0]).parse_args()
    report = Report("The vault: SQLite, every commit durable")
    add_rows(report, options)
    return report.finish(options)


def add_rows(report: Report, options: argparse.Namespace) -> None:
    """Add the vault's rows to a report."""
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    db = Database.open(folder / "vienanh.db")
    try:
        db.migrate()
        _measure(report, db, MILLION // 10 if options.short else MILLION)
    finally:
        db.close()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(report: Report, db: Database, records: int) -> None:
    say("taking new patients")
    begun = time.perf_counter()
    taken = [
        db.submit(lambda connection, patient=patient: vault.store(connection, "BENCH", patient, NOW))
        for patient in (_patient(number, KEYS) for number in range(PATIENTS))
    ]
    for future in taken:
        future.result()
    rate = PATIENTS / (time.perf_counter() - begun)
    report.figure("vault: new patients, durable", "patients/s", rate, at_least=1_000)
    say(f"filling {records} records")
    for start in range(0, records, 20_000):
        some = [_uid(number) for number in range(start, min(start + 20_000, records))]
        db.write(lambda connection, some=some: vault.store(connection, "BENCH", some, NOW))
    report.figure(f"vault: look-up among {records}", "ms", _look_ups(db), at_most=1)
    say("sealing anew")
    newer = RING.with_seal(b"\x2b" * 32, "").keys("BENCH")
    begun = time.perf_counter()
    count = reseal_all(db, lambda _: newer)
    seconds = (time.perf_counter() - begun) * MILLION / count
    name = "vault: rotation, 10^6 records" + ("" if records == MILLION else f" (of {count})")
    report.figure(name, "s", seconds, at_most=60)


def _look_ups(db: Database) -> float:
    """Return the median milliseconds of finding and opening a record; the audit line is not counted."""
    spent: list[float] = []
    for number in range(LOOK_UPS):
        token = pseudonym(KEYS.pseudonym, "BENCH", str(number))
        begun = time.perf_counter()
        found = opened(db, KEYS, [(VaultKind.PATIENT, token)])
        spent.append((time.perf_counter() - begun) * 1000)
        assert found
    return statistics.median(spent)


def _patient(number: int, keys: Keys) -> list[Sealed]:
    """Return what a first study of a patient leaves: who, which study, and the UIDs of study, series and instance."""
    token = pseudonym(keys.pseudonym, "BENCH", str(number))
    who = {"PatientName": f"Nguyễn^Thị Số {number}", "PatientID": str(number), "PatientBirthDate": "19700101"}
    study = {"StudyInstanceUID": f"1.2.{number}", "AccessionNumber": str(number), "StudyDate": "20261122"}
    entries = [VaultEntry(VaultKind.PATIENT, token, who), VaultEntry(VaultKind.STUDY, f"2.25.{number}", study)]
    entries += [VaultEntry(VaultKind.UID, f"2.25.{number}{part}", {"UID": f"1.2.{number}.{part}"}) for part in (1, 2)]
    return [seal(entry, keys, nonce=secrets.token_bytes(NONCE_BYTES)) for entry in entries]


def _uid(number: int) -> Sealed:
    entry = VaultEntry(VaultKind.UID, f"2.25.9{number}", {"UID": f"1.2.840.113619.2.1.{number}.20261122.1"})
    return seal(entry, KEYS, nonce=number.to_bytes(NONCE_BYTES))


if __name__ == "__main__":
    sys.exit(main())
