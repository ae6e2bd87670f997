"""Invented studies of a province's hospitals, as many as asked for and the same ones every time: for the bench of the index.

A third of the patients is Nguyễn, as in Vietnam; surnames, middle and given names have their usual weights, a few given
names are rare, one name in five was typed without accents. Studies come in the order of their dates, some are older.
"""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from kernel.archive.records import Origin, Received
from kernel.archive.tables import PRIORITY_ROUTINE, PRIORITY_STAT, PRIORITY_URGENT
from kernel.dicom.scanning.attributes import InstanceAttributes, PatientAttributes, SeriesAttributes, StudyAttributes
from kernel.dicom.vocabulary.names import fold

ROOT: Final = "1.2.826.0.1.3680043.10.1741.8"  # of invented studies; nothing real has it
FIRST: Final = datetime(2021, 11, 22, tzinfo=UTC)
LAST: Final = datetime(2026, 11, 22, tzinfo=UTC)
PATIENTS_RETURNING: Final = 50_000  # of whom some come again
SITES: Final = [f"BV{number:02d}" for number in range(1, 41)]
SITE_WEIGHTS: Final = [1 / number for number in range(1, 41)]  # the provincial hospital has most

SURNAMES: Final = {
    "Nguyễn": 340, "Trần": 110, "Lê": 95, "Phạm": 70, "Hoàng": 51, "Huỳnh": 25, "Phan": 45, "Vũ": 39, "Võ": 30,
    "Đặng": 21, "Bùi": 20, "Đỗ": 14, "Hồ": 13, "Ngô": 13, "Dương": 10, "Lý": 5, "Đinh": 9, "Trịnh": 8, "Mai": 7,
    "Đào": 7, "Tô": 5, "Lương": 6, "Cao": 6, "Vương": 3, "Thạch": 3, "Kiều": 2, "Quách": 1, "Tôn Nữ": 1,
}  # fmt: skip
MIDDLE: Final = {
    "F": {"Thị": 450, "Thị Thu": 60, "Thị Kim": 50, "Ngọc": 90, "Thanh": 60, "Thị Bích": 30, "Thùy": 30, "": 30},
    "M": {"Văn": 420, "Đức": 70, "Hữu": 60, "Minh": 70, "Quốc": 50, "Xuân": 40, "Đình": 40, "Công": 30, "": 30},
}
GIVEN: Final = {
    "F": [
        "Hương",
        "Lan",
        "Hoa",
        "Mai",
        "Thảo",
        "Trang",
        "Linh",
        "Hà",
        "Thủy",
        "Nga",
        "Hằng",
        "Yến",
        "Phượng",
        "Tuyết",
        "Hạnh",
        "Loan",
        "Nhung",
        "Oanh",
        "Ngân",
        "Vân",
        "Thu",
        "Dung",
        "Liên",
        "Cúc",
        "Đào",
        "Huệ",
        "Nguyệt",
        "Sen",
        "Tâm",
        "Xuân",
        "Ánh",
        "Châu",
        "Diệp",
        "Giang",
        "Hiền",
        "Khánh",
        "My",
        "Quyên",
        "Thư",
        "Uyên",
        "Vy",
    ],
    "M": [
        "Hùng",
        "Dũng",
        "Tuấn",
        "Nam",
        "Sơn",
        "Hải",
        "Long",
        "Minh",
        "Thành",
        "Trung",
        "Cường",
        "Đức",
        "Phúc",
        "Quang",
        "Thắng",
        "Bình",
        "Khoa",
        "Lâm",
        "Phong",
        "Tài",
        "Tùng",
        "Việt",
        "Vinh",
        "An",
        "Bảo",
        "Đạt",
        "Hiếu",
        "Huy",
        "Kiên",
        "Lộc",
        "Mạnh",
        "Nghĩa",
        "Phát",
        "Quân",
        "Sang",
        "Thịnh",
        "Toàn",
        "Trí",
        "Tú",
        "Vũ",
    ],
}
RARE: Final = ["Ẩn Khuê", "Bạch Đằng", "Kỳ Duyên", "Y Blơ", "Lam Quỳ"]  # about one patient in 20,000
MODALITIES: Final = {
    ("DX",): 330, ("US",): 250, ("CT",): 130, ("CR",): 110, ("CT", "SR"): 30, ("MR",): 70, ("ES",): 30, ("MG",): 20,
    ("XA",): 6, ("NM",): 2, ("SM",): 3, ("PT", "CT"): 2,
}  # fmt: skip
DESCRIPTIONS: Final = {
    "DX": "X quang ngực thẳng", "US": "Siêu âm ổ bụng", "CT": "CT sọ não không tiêm", "CR": "X quang xương",
    "MR": "MRI cột sống thắt lưng", "ES": "Nội soi dạ dày", "MG": "Nhũ ảnh hai bên", "XA": "Chụp mạch vành",
    "NM": "Xạ hình xương", "SM": "Giải phẫu bệnh", "PT": "PET/CT toàn thân", "SR": "Báo cáo liều",
}  # fmt: skip
_CLASS: Final = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture: what is searched does not depend on it
_SYNTAX: Final = "1.2.840.10008.1.2.1"


class Studies:
    """The first `count` studies, as instances that were received: one instance of each series.

    `instances` gives them; `priority_of` says how urgent a study is.
    """

    def __init__(self, count: int, metadata: bytes) -> None:
        self._count = count
        self._metadata = metadata  # of every instance: no list or search reads it
        self._random = random.Random(20261122)
        self._recent: deque[PatientAttributes] = deque(maxlen=PATIENTS_RETURNING)
        self._patients = 0

    def each(self) -> Iterator[tuple[int, Sequence[Received]]]:
        """Yield the priority and the instances of each study, in the order of arrival."""
        step = (LAST - FIRST) / self._count
        for number in range(self._count):
            yield self._priority(number), self._study(number, FIRST + step * number)

    def _priority(self, number: int) -> int:
        if number % 199 == 0:
            return PRIORITY_STAT
        return PRIORITY_URGENT if number % 31 == 0 else PRIORITY_ROUTINE

    def _study(self, number: int, received_at: datetime) -> list[Received]:
        choose = self._random
        site = choose.choices(SITES, SITE_WEIGHTS)[0]
        modalities = choose.choices(list(MODALITIES), list(MODALITIES.values()))[0]
        made_at = received_at - timedelta(days=choose.randrange(1, 2000) if choose.random() < 0.02 else 0, minutes=9)
        patient = self._patient()
        uid = f"{ROOT}.{number}"
        study = StudyAttributes(
            study_instance_uid=uid,
            study_date=f"{made_at:%Y%m%d}",
            study_time=f"{made_at:%H%M%S}",
            accession_number=f"{site}-{made_at:%y}-{number:07d}",
            study_id=str(number % 100_000),
            study_description=DESCRIPTIONS[modalities[0]],
            referring_physician_name=f"BS^{choose.choice(GIVEN['M'])}",
        )
        origin = Origin(site, "dimse", "BENCH", "VIENANH", "127.0.0.1", uid)
        return [
            self._instance(origin, patient, study, index, modality, received_at=received_at)
            for index, modality in enumerate(modalities, 1)
        ]

    def _instance(
        self,
        origin: Origin,
        patient: PatientAttributes,
        study: StudyAttributes,
        index: int,
        modality: str,
        *,
        received_at: datetime,
    ) -> Received:
        series = SeriesAttributes(
            series_instance_uid=f"{study.study_instance_uid}.{index}",
            modality=modality,
            series_number=index,
            series_description=DESCRIPTIONS[modality],
            body_part_examined="",
            series_date=study.study_date,
            series_time=study.study_time,
        )
        attributes = InstanceAttributes(
            patient=patient,
            study=study,
            series=series,
            sop_class_uid=_CLASS,
            sop_instance_uid=f"{series.series_instance_uid}.1",
            transfer_syntax_uid=_SYNTAX,
            instance_number=1,
            number_of_frames=1,
            rows=512,
            columns=512,
            bits_allocated=16,
            photometric_interpretation="MONOCHROME2",
            has_pixels=modality != "SR",
        )
        return Received(
            origin=origin,
            attributes=attributes,
            blob_key=f"bench/{attributes.sop_instance_uid}",
            size_bytes=525_000,
            dataset_offset=400,
            sha256="0" * 64,
            metadata=self._metadata,
            received_at=received_at,
        )

    def _patient(self) -> PatientAttributes:
        choose = self._random
        if self._recent and choose.random() < 0.4:
            return self._recent[choose.randrange(len(self._recent))]
        self._patients += 1
        sex = choose.choice("FM")
        patient = PatientAttributes(
            patient_id=f"BN{self._patients:08d}",
            issuer_of_patient_id="",
            patient_name=self._name(sex),
            patient_birth_date=f"{choose.randrange(1930, 2024)}{choose.randrange(1, 13):02d}{choose.randrange(1, 29):02d}",
            patient_sex=sex,
        )
        self._recent.append(patient)
        return patient

    def _name(self, sex: str) -> str:
        choose = self._random
        surname = choose.choices(list(SURNAMES), list(SURNAMES.values()))[0]
        middle = choose.choices(list(MIDDLE[sex]), list(MIDDLE[sex].values()))[0]
        given = choose.choice(RARE) if choose.random() < 0.00005 else choose.choice(GIVEN[sex])
        if not middle and choose.random() < 0.5:
            given = f"{choose.choice(GIVEN[sex])} {given}"
        name = f"{surname}^{middle} {given}".replace("^ ", "^")
        return fold(name).upper() if choose.random() < 0.2 else name
