"""Words that Vietnamese people are called by, titles before names, and words of medicine that look like names. Data.

Compiled for this purpose from common knowledge; folded (no accents, lower case) unless it says otherwise.
"""

from typing import Final


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(text.split())


SURNAMES: Final = words(
    """an au bach banh bui cao chau chu cu cung dam dang dao dau diep dinh do doan doi dong duong giang giap ha han ho hoang
    hua huynh khuat khuc kieu kim la lai lam le lo loc luc luong luu ly mac mach mai man ngo nghiem nguy nguyen nham
    ninh nong ong pham phan phi pho phu phung phuong quach quan quang ta tang thach thai than thi thieu tiet to ton tong tra
    tran trang trieu trinh truong tu tuong ung van vi vo vu vuong xa y
    """
)
NAMES: Final = words(
    """ai an anh ba bac bach bang bao bich binh cam can canh chau chi chien chinh chung chuong cong cuc cuong da dai dan dang
    danh dao dat diem diep dieu dinh doan doanh dong dung duc duy duyen gia giang giap ha hai hanh hao hau hien hieu hinh hoa
    hoai hoan hoang hong hop hue hung huong huu huy huyen hy kha khai khanh khiem khoa khoi khue khuong kien kiet kieu kim
    ky la lac lam lan lanh le lien lieu linh loan loc loi long luan luc luong luu luyen ly mai man manh may men mi minh mong
    my nam nga ngan nghi nghia ngoc nguyen nguyet nhan nhat nhi nhien nhu nhung ni ninh nu nuong oanh phat phi phong phu phuc
    phung phuoc phuong quan quang que quoc quy quyen quyet quynh sa san sang sinh son suong sy tai tam tan thach thai tham
    than thang thanh thao thai the thi thien thieu thinh tho thoa thoai thom thong thu thuan thuc thuong thuy thuyen tien
    tiep tin to toai toan ton trac tram trang tri trieu trinh trong truc trung truong tu tuan tue tung tuong tuoi tuyen tuyet
    ty uyen van vi viet vinh vu vuong vy xuan xuyen yen
    """
)
MIDDLE: Final = frozenset({"van", "thi", "huu"})  # a word of any form may follow these
TITLES: Final = frozenset({
    "anh", "chị", "ông", "bà", "cháu", "em", "bé", "cô", "chú", "bác", "cụ", "bn", "bệnh nhân", "bs", "bác sĩ", "bác sỹ",
    "ths", "ts", "pgs", "gs", "ktv", "đd", "điều dưỡng", "họ tên", "họ và tên", "tên",
})  # fmt: skip
BARE_TITLES: Final = frozenset({  # as written in text without any mark; `ba`, `em`, `be` are too much else there
    "anh", "chi", "ong", "chau", "bn", "benh nhan", "bs", "bac si", "bac sy", "ths", "ts", "pgs", "gs", "ktv", "dieu duong",
    "ho ten", "ho va ten",
})  # fmt: skip
WRITTEN_TITLES: Final = frozenset({"Mr", "Mrs", "Ms", "Dr", "Prof"})  # so written: MR, MS and DR are something else
NO_NAMES: Final = words(
    """id position orientation name names sex age weight size data information supine prone comments module identification
    bi co da den di duoc dang khong la nam nu nay va vao voi"""
)

# How surnames are written. In a text with marks a word is a surname only in one of these forms: `đồng nhất` names nobody.
WRITTEN_SURNAMES: Final = words(
    """an âu bạch bành bùi cao châu chu cù cung đàm đặng đào đậu điệp đinh đỗ đoàn đới đồng đổng dương giang giáp hà hán hàn
    hồ hoàng hứa huỳnh khuất khúc kiều kim la lại lâm lê lò lộc lương lưu lục lý mạc mạch mai mẫn ngô nghiêm ngụy nguyễn
    nhâm nhan ninh nông ông phạm phan phí phó phú phùng phương quách quan quảng quang tạ tăng tằng thạch thái thân thi thiều
    tiết tô tôn tống trà trần trang triệu trịnh trương từ tường ứng ưng văn vi võ vũ vương ý sầm lữ lều bế hầu cổ điền đan tiêu
    """
)
SURE_SURNAMES: Final = {"nguyen": "nguyễn", "huynh": "huỳnh"}  # words of nothing else: in lower case, too

# What stands before a colon and the value of a form; expressions over folded text.
LABELS: Final = (
    "ho (?:va )?ten", "ten benh nhan", r"patient(?:'?s)? (?:name|id)", "name of (?:the )?patient", "full name", "dia chi", "address",
    "so dien thoai", "sdt", "dien thoai", "phone", "tel", "dob", "date of birth", "ngay sinh", "cmnd", "cccd", "so the",
    "ma (?:bn|benh nhan|y te)", "mrn", "nguoi nha", "next of kin",
)  # fmt: skip

# Begins of phrases of medicine whose first two words are a surname and a name when capitalised without marks.
MEDICINE: Final = (
    "cung dong", "cung rang", "cao huyet", "chu vi", "chu ky", "dinh ky", "dinh luong", "dinh tinh", "dinh vi", "dinh huong",
    "dong nhat", "dong mach", "dong tinh", "dong mau", "do lan", "duong tinh", "duong kinh", "duong mat", "giang mai",
    "hoang diem", "hoang the", "hoang dam", "ho van tim", "ho van hai", "ho van ba", "ho van dong", "hua hen", "kieu hinh",
    "lam sang", "luu luong", "luu thong", "luu y", "ly do", "man tinh", "phan bo", "phan loai", "phan thuy", "phan tich", "pham vi", "quang manh", "quang tuyen",
    "ta trang", "tang quang", "tang sinh", "tang sang", "thai ky", "thai nhi", "ton thuong", "tong hop", "tong the", "trang thai",
    "truong hop", "tu the", "tu truong", "ung thu", "van dong", "van tim", "vi khuan", "vi the", "vi tinh", "vi tri", "y hoc", "y khoa",
    "y thuc",
)  # fmt: skip
