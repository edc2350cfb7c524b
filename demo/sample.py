"""«HTX Mẫu», the sample co-operative: what no source gives, each thing marked an illustration."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog import certificates, lots, producers, products, stock, variants
from catalog.certificates import OCOP_MONTHS, PaperKind, months_after
from catalog.gtin import check_digit, to_gtin14
from catalog.illustrations import motif_for
from catalog.lots import Lot
from catalog.producers import Producer, ProducerKind
from catalog.products import OcopGroup, Product
from catalog.variants import Variant
from core.clock import VIETNAM, vietnam_day
from core.codes import check_character
from core.money import Money
from demo.village import open_for_business
from traceability import keeping, recalls, serials, trace_codes
from traceability.codes import ALPHABET
from traceability.diary import StepKind
from traceability.keeping import Line
from traceability.recall_cases import CaseKind
from traceability.serials import Serial

SLUG = "htx-mau"
COMMUNE = "09784"  # Xã Đan Phượng
PROVINCE = "01"
# GS1 keeps 952 for examples: no shop anywhere sells these numbers.
EXAMPLE_PREFIX = "952123400"
NOTE = "minh hoạ"


@dataclass(frozen=True, slots=True)
class Size:
    """One variant of a sample product."""

    unit: str
    price: int
    name: str = ""
    pieces: int = 30
    gtin_item: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample product. `stars` with `days_left`: how long its certificate still counts."""

    name: str
    group: OcopGroup
    description: str
    sizes: tuple[Size, ...]
    ingredients: str | None = None
    usage: str | None = None
    storage: str | None = None
    months: tuple[int, ...] = ()
    stars: int | None = None
    days_left: int = 600
    papers: tuple[PaperKind, ...] = field(default=())
    lots: tuple[str, ...] = ()
    recalled: str | None = None


FOOD = (PaperKind.FOOD_SAFETY,)
TESTED = (PaperKind.FOOD_SAFETY, PaperKind.TEST_REPORT)
SAMPLES = (
    Sample(
        "Nấm hương khô sấy lạnh",
        OcopGroup.FOOD,
        "Hái sáng, sấy lạnh trong ngày. Ngâm 15 phút là nở.",
        (Size("gói 200 g", 165_000, pieces=300, gtin_item=1),),
        ingredients="100 % nấm hương",
        usage="Ngâm nước ấm 15 phút, rửa sạch rồi nấu.",
        storage="Để nơi khô, buộc kín sau khi mở.",
        months=(10, 11, 12, 1, 2, 3),
        stars=4,
        papers=TESTED,
        lots=("2611-07",),
    ),
    Sample(
        "Mật ong hoa nhãn",
        OcopGroup.FOOD,
        "Quay mật giữa mùa hoa nhãn, để nguyên, không pha.",
        (
            Size("chai 250 ml", 95_000, "250 ml", 20),
            Size("chai 500 ml", 180_000, "500 ml", 24, gtin_item=2),
            Size("chai 1 lít", 340_000, "1 lít", 8),
        ),
        ingredients="100 % mật ong",
        usage="Pha nước ấm dưới 40 độ.",
        storage="Để nơi mát, không cần tủ lạnh.",
        stars=3,
        papers=FOOD,
        lots=("2604-02",),
    ),
    Sample(
        "Trà sen ướp hương",
        OcopGroup.FOOD,
        "Chè xanh ướp gạo sen ba lần.",
        (Size("hộp 100 g", 320_000, pieces=50),),
        ingredients="Chè xanh, gạo sen",
        usage="Hãm nước 85 độ trong 2 phút.",
        storage="Đậy kín, tránh ẩm.",
        stars=4,
        days_left=60,
        papers=FOOD,
        lots=("2607-01",),
    ),
    Sample(
        "Bưởi tôm vàng vườn mẫu",
        OcopGroup.FOOD,
        "Hái khi vỏ vàng đều, để thêm một tuần cho xuống nước.",
        (Size("quả 1,2 kg", 45_000, pieces=60),),
        storage="Để nơi thoáng, ăn trong 20 ngày.",
        months=(9, 10, 11, 12),
        stars=3,
        days_left=-40,
        papers=FOOD,
    ),
    Sample(
        "Nem gói lá sung",
        OcopGroup.FOOD,
        "Thịt, bì và thính, gói lá, ăn trong ngày.",
        (Size("gói 10 cái", 90_000, pieces=60),),
        ingredients="Thịt lợn, bì lợn, thính gạo, lá sung",
        storage="Giữ lạnh 0–4 độ, dùng trong 3 ngày.",
        papers=FOOD,
        lots=("2611-21",),
        recalled="2611-18",
    ),
    Sample(
        "Kẹo lạc giòn",
        OcopGroup.FOOD,
        "Lạc rang, mạch nha, vừng. Mẻ mới ra vào cuối tuần.",
        (Size("gói 300 g", 40_000, pieces=0),),
        ingredients="Lạc, mạch nha, đường, vừng",
        papers=FOOD,
    ),
    Sample(
        "Cơm rượu nếp cái hoa vàng",
        OcopGroup.FOOD,
        "Nếp cái hoa vàng ủ men lá ba ngày, ăn cả cái lẫn nước.",
        (Size("hộp 500 g", 60_000, pieces=8),),
        ingredients="Gạo nếp cái hoa vàng, men lá",
        storage="Giữ lạnh, dùng trong 7 ngày.",
        papers=FOOD,
    ),
    Sample(
        "Miến dong phơi nắng",
        OcopGroup.FOOD,
        "Bột dong riềng nguyên chất, tráng tay, phơi hai nắng.",
        (Size("gói 500 g", 55_000, pieces=30),),
        ingredients="100 % tinh bột dong riềng",
        usage="Ngâm nước 10 phút rồi nấu.",
        storage="Để nơi khô.",
        papers=FOOD,
        lots=("2611-04",),
    ),
    Sample(
        "Áo lụa tơ tằm",
        OcopGroup.HANDICRAFT,
        "Lụa tơ tằm dệt khung gỗ, may sẵn các cỡ.",
        (Size("chiếc", 650_000, pieces=10),),
        storage="Giặt tay, phơi nơi râm.",
    ),
    Sample(
        "Giỏ mây tre đan tay",
        OcopGroup.HANDICRAFT,
        "Đan tay từ mây và tre hun khói, mỗi chiếc một hai ngày công.",
        (Size("chiếc", 150_000, pieces=12),),
        storage="Tránh mưa và nắng gắt.",
    ),
)


def load(session: Session, *, base: str, now: datetime) -> Producer:
    """Open the sample co-operative with its goods, papers, lots, diaries, serials and codes."""
    producer = producers.add(
        session,
        "HTX Mẫu",
        now=now,
        kind=ProducerKind.COOPERATIVE,
        province_code=PROVINCE,
        commune_code=COMMUNE,
        place_text="Nhà văn hoá thôn (minh hoạ), Xã Đan Phượng, Hà Nội",
    )
    producer.is_sample = True
    producer.story = (
        "Hợp tác xã minh hoạ, không có thật: giá, hạng sao, lô hàng và giấy tờ ở đây là ví dụ để "
        "xem cửa hàng chạy ra sao."
    )
    open_for_business(session, producer)
    for sample in SAMPLES:
        _add(session, producer, sample, base=base, now=now)
    return producer


def _add(session: Session, producer: Producer, sample: Sample, *, base: str, now: datetime) -> None:
    product = products.add(
        session,
        sample.name,
        now=now,
        motif=motif_for(sample.name, sample.group),
        group=sample.group,
        producer=producer,
        province_code=PROVINCE,
        commune_code=COMMUNE,
        description=sample.description,
        season_months=sum(1 << (month - 1) for month in sample.months),
        is_sample=True,
    )
    product.ingredients = sample.ingredients
    product.usage_note = sample.usage
    product.storage_note = sample.storage
    products.publish(session, product, now=now)
    _add_papers(session, product, sample, today=vietnam_day(now))
    trace_codes.ensure_product_code(session, product.id, now=now)
    for number, size in enumerate(sample.sizes, start=1):
        variant = variants.add(
            session,
            product,
            sku=f"MAU-{product.id}-{number}",
            unit=size.unit,
            name=size.name,
            price=Money(size.price),
            now=now,
            price_is_sample=True,
            gtin=_gtin(size.gtin_item) if size.gtin_item else None,
        )
        carries_lots = size.gtin_item is not None or len(sample.sizes) == 1
        _stock(session, variant, size.pieces, sample if carries_lots else None, base=base, now=now)


def _gtin(item: int) -> str:
    body = f"{EXAMPLE_PREFIX}{item:03d}"
    return to_gtin14(body + check_digit(body))


def _add_papers(session: Session, product: Product, sample: Sample, *, today: date) -> None:
    if sample.stars:
        ends = today + timedelta(days=sample.days_left)
        certificates.add(
            session,
            product.id,
            PaperKind.OCOP,
            stars=sample.stars,
            number="…/QĐ-UBND (minh hoạ)",
            issued_on=months_after(ends, -OCOP_MONTHS),
            expires_on=ends,
            is_sample=True,
        )
    for kind in sample.papers:
        certificates.add(
            session,
            product.id,
            kind,
            issued_on=today - timedelta(days=200),
            expires_on=today + timedelta(days=900),
            is_sample=True,
        )


def _stock(
    session: Session,
    variant: Variant,
    pieces: int,
    sample: Sample | None,
    *,
    base: str,
    now: datetime,
) -> None:
    codes = sample.lots if sample else ()
    for code in codes:
        lot = _open_lot(session, variant, code, pieces, base=base, now=now)
        _fill(session, variant, lot, pieces, now=now)
    if sample and sample.recalled:
        bad = _open_lot(session, variant, sample.recalled, pieces, base=base, now=now)
        _fill(session, variant, bad, pieces, now=now)
        reason = "Minh hoạ: mẫu kiểm nghiệm của lô có chỉ tiêu vượt mức cho phép."
        recalls.stop(session, bad, CaseKind.RECALL, reason=reason, base=base, actor=SYSTEM, now=now)
    if not codes and pieces:
        _fill(session, variant, None, pieces, now=now)


def _fill(
    session: Session, variant: Variant, lot: Lot | None, pieces: int, *, now: datetime
) -> None:
    item = stock.item_for(session, variant.id, lot.id if lot else None)
    stock.move(
        session,
        item,
        pieces,
        why=stock.Why.RECEIVED,
        now=now,
        actor_id=None,
        note=NOTE,
        is_sample=True,
    )


def _open_lot(
    session: Session, variant: Variant, code: str, pieces: int, *, base: str, now: datetime
) -> Lot:
    """Open a lot made a week ago, with three lines of its diary, its code and some serials."""
    today = vietnam_day(now)
    lot = lots.open_lot(
        session,
        variant.id,
        code=code,
        produced_on=today - timedelta(days=7),
        packed_on=today - timedelta(days=5),
        expires_on=today + timedelta(days=360),
        quantity=max(pieces, 1),
        now=now,
        is_sample=True,
    )
    steps = (
        (StepKind.HARVEST, 7, "Khu trồng của HTX Mẫu", Decimal(42), "kg", "Thu hái buổi sáng"),
        (StepKind.PROCESSING, 6, "Xưởng HTX Mẫu", None, None, "Sơ chế, sấy, kiểm độ ẩm"),
        (StepKind.PACKING, 5, "Xưởng HTX Mẫu", Decimal(pieces), variant.unit, "Đóng gói, dán tem"),
    )
    for kind, days_ago, place, quantity, unit, note in steps:
        morning = now.astimezone(VIETNAM).replace(hour=8, minute=0, second=0, microsecond=0)
        line = Line(
            kind=kind,
            happened_at=morning - timedelta(days=days_ago),
            place=place,
            quantity=quantity,
            unit=unit,
            note=f"{note} (minh hoạ)",
            is_sample=True,
        )
        keeping.keep(session, lot, line, base=base, actor=SYSTEM, now=now)
    trace_codes.ensure_lot_code(session, lot, now=now)
    serials.make(session, lot, 10, now=now, activated=True, is_sample=True)
    if variant.gtin:
        _add_plain_serial(session, lot, now=now)
    return lot


def _add_plain_serial(session: Session, lot: Lot, *, now: datetime) -> None:
    """Add one serial of digits alone: its address is the same in capital and small letters."""
    body = next(
        text
        for number in range(10_000)
        if (text := f"{lot.id:06d}{number:04d}") and check_character(ALPHABET, text).isdigit()
    )
    session.execute(
        insert(Serial).values(
            serial=body + check_character(ALPHABET, body),
            lot_id=lot.id,
            created_at=now,
            activated_at=now,
            is_sample=True,
        )
    )
