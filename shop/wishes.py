"""What a buyer typed at the checkout, read and checked: all mistakes are told at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from accounts import phones
from catalog import places
from core.errors import Invalid, Refusal
from core.i18n import lazy as _
from core.mail import checked_address
from core.money import Money
from core.text import clean
from shop import age
from shop.carriers.carrier import To
from shop.delivery import DeliveryMethod
from shop.payments.payments import PaymentMethod
from shop.quotes import Parcel, Quote

LONGEST = {"name": 100, "street": 200, "note": 500}
CODE_LENGTHS = {"province_code": 2, "ward_code": 5}


class Mistyped(Invalid):
    """Some fields cannot be right; `mistakes` names each once with what to do, in form order."""

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__(mistakes[0][1], field=mistakes[0][0])
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Wish:
    """Who gets the goods where, how they come and how they are paid."""

    name: str
    phone: str
    email: str | None
    province_code: str
    commune_code: str
    street: str
    address_text: str
    note: str | None
    method: PaymentMethod
    ways: dict[int, DeliveryMethod]
    fees: dict[int, Money]
    adult: bool = False


def destination(session: Session, typed: Mapping[str, str]) -> To:
    """Return where the goods go as far as the form `typed` says it: codes that fit, and names."""
    codes = {field: typed.get(field, "").strip() for field in CODE_LENGTHS}
    fitting = [
        code for field, code in codes.items() if len(code) == CODE_LENGTHS[field] and code.isascii()
    ]
    units = {unit.code: unit for unit in places.find_in_force(session, fitting)}
    province = units.get(codes["province_code"])
    if province is None or province.parent_code is not None:
        return To("", "")
    commune = units.get(codes["ward_code"])
    if commune is None or commune.parent_code != province.code:
        return To(province.code, "", province.name)
    return To(province.code, commune.code, province.name, commune.name)


def read(
    typed: Mapping[str, str],
    quote: Quote,
    offered: Collection[PaymentMethod],
    *,
    to: To,
    adults_only_on: date | None = None,
) -> Wish:
    """Return the wish in the form `typed`, or raise Mistyped with every mistake in it.

    `to` is the destination of the same form. It is paid in one of the ways `offered`. Goods for
    adults only name the day on which the buyer has to be of age.
    """
    reader = Reader(typed)
    phone = reader.phone()
    name = reader.line("name", missing=_("Write the name of who receives the goods."))
    email = reader.email()
    reader.check_place(to)
    street = reader.line("street", missing=_("Write the house number, road or hamlet."))
    ways, fees = reader.ways(quote)
    method = reader.method(offered)
    note = reader.line("note")
    if adults_only_on is not None:
        reader.mistakes += age.mistakes_in(typed, today=adults_only_on)
    if reader.mistakes:
        raise Mistyped(reader.mistakes)
    place = places.join_place(to.commune, to.province)
    return Wish(
        name=name,
        phone=phone,
        email=email,
        province_code=to.province_code,
        commune_code=to.commune_code,
        street=street,
        address_text=f"{street}, {place}",
        note=note or None,
        method=method,
        ways=ways,
        fees=fees,
        adult=adults_only_on is not None,
    )


class Reader:
    """Reads one field after the other and remembers what was wrong."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        """Read the form `typed`."""
        self._typed = typed
        self.mistakes: list[tuple[str, str]] = []

    def line(self, field: str, *, missing: object = None) -> str:
        """Return one line of text; an empty one is a mistake if there are words for it."""
        text = clean(self._typed.get(field, ""))
        if not text and missing is not None:
            self._wrong(field, missing)
        if len(text) > LONGEST[field]:
            self._wrong(field, _("At most %(most)s characters fit here.", most=LONGEST[field]))
        return text

    def phone(self) -> str:
        """Return the phone number as E.164."""
        text = self._typed.get("phone", "")
        if not clean(text):
            self._wrong("phone", _("Write a phone number: the producer calls it."))
            return ""
        try:
            return phones.parse_phone(text)
        except Refusal as refusal:
            self._wrong("phone", refusal.message)
            return ""

    def email(self) -> str | None:
        """Return the e-mail address, None when there is none."""
        text = clean(self._typed.get("email", ""))
        if not text:
            return None
        try:
            return checked_address(text)
        except Refusal as refusal:
            self._wrong("email", refusal.message)
            return None

    def check_place(self, to: To) -> None:
        """Ask for the province and its commune where the form says neither."""
        if not to.province_code:
            self._wrong("province_code", _("Choose a province or city."))
        elif not to.commune_code:
            self._wrong("ward_code", _("Choose a commune or ward of this province."))

    def ways(self, quote: Quote) -> tuple[dict[int, DeliveryMethod], dict[int, Money]]:
        """Return each producer's way and what it costs to this address."""
        chosen, fees = {}, {}
        for parcel in quote.parcels:
            field = f"delivery_{parcel.slug}"
            way = parcel.method(self._typed.get(field))
            if way is None:
                self._wrong(field, _("Choose how %(producer)s sends.", producer=parcel.name))
                continue
            amount = parcel.fee(way).amount
            if amount is None:
                self._wrong(field, _not_there(parcel, way))
            else:
                chosen[parcel.producer_id], fees[parcel.producer_id] = way, amount
        return chosen, fees

    def method(self, offered: Collection[PaymentMethod]) -> PaymentMethod:
        """Return how the buyer pays."""
        try:
            method = PaymentMethod(self._typed.get("payment_method", ""))
        except ValueError:
            self._wrong("payment_method", _("Choose how to pay."))
            return PaymentMethod.COD
        if method not in offered:
            self._wrong(
                "payment_method",
                _("This cart cannot be paid like that. Choose another way to pay."),
            )
        return method

    def _wrong(self, field: str, message: object) -> None:
        if field not in dict(self.mistakes):
            self.mistakes.append((field, str(message)))


def _not_there(parcel: Parcel, way: DeliveryMethod) -> object:
    """Say why this way does not carry this parcel, and how to mend it."""
    if way.most_g is not None and parcel.weight_g > way.most_g:
        return _(
            "The goods of %(producer)s weigh %(weight)s kg, this way carries at most %(most)s kg. "
            "Choose another way or order fewer.",
            producer=parcel.name,
            weight=kilos(parcel.weight_g),
            most=kilos(way.most_g),
        )
    place = places.join_place(parcel.to.commune, parcel.to.province) if parcel.to else ""
    if any(parcel.fee(other).amount is not None for other in parcel.methods):
        return _(
            "%(producer)s does not send to %(place)s this way. Choose another way.",
            producer=parcel.name,
            place=place,
        )
    return _(
        "%(producer)s does not send to %(place)s. "
        "Choose another address, or take its goods out of the cart.",
        producer=parcel.name,
        place=place,
    )


def kilos(grams: int) -> str:
    """Return grams as people say them in kilograms: 1500 → «1,5»."""
    return f"{grams / 1000:.3f}".rstrip("0").rstrip(".").replace(".", ",")
