"""What calls cost, told apart by what was charged for: each call is priced again by the book that priced it first."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from uuid import UUID

from app.money.pricing import DIGITS, Book, Call, Line, Price
from app.money.units import Unit


@dataclass(frozen=True)
class Held:
    """A price, and the version of the book that superseded it, if one did."""

    price: Price
    superseded_by: int | None = None


class Books:
    """The book as it was at each of its versions."""

    def __init__(self, prices: Iterable[Held]) -> None:
        self._prices = tuple(prices)
        self._made: dict[int, Book] = {}

    def at(self, version: int) -> Book:
        if version not in self._made:
            self._made[version] = Book(
                one.price
                for one in self._prices
                if one.price.version <= version and (one.superseded_by is None or one.superseded_by > version)
            )
        return self._made[version]


@dataclass(frozen=True)
class Costed:
    """A call as it stands in the ledger: its cost is empty while it has no price."""

    workspace: UUID
    call: Call
    cost: Decimal | None
    version: int | None


@dataclass(frozen=True)
class ChargeKind:
    """What charges are added up by. Without a unit they are of calls that no version of the book prices as they stand.

    Charges of two prices are apart: a price changed at noon, or a call reached the next context tier.
    """

    workspace: UUID
    provider: str
    model: str
    service_tier: str
    unit: Unit | None
    context_from: int
    unit_price: Decimal

    @property
    def sku(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass
class Charge:
    """How much was used of something in some calls, and what that cost."""

    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


@dataclass
class Charges:
    """The charges of a stretch of time, and how many calls have no price. They add up to the calls' costs exactly."""

    books: Books
    by_kind: dict[ChargeKind, Charge] = field(default_factory=dict)
    unpriced: dict[tuple[UUID, str, str], int] = field(default_factory=dict)

    def add(self, one: Costed) -> None:
        if one.cost is None or one.version is None:
            key = (one.workspace, one.call.provider, one.call.model)
            self.unpriced[key] = self.unpriced.get(key, 0) + 1
            return
        with localcontext(prec=DIGITS):
            for kind, quantity, amount in self._parts(one, one.cost, one.version):
                charge = self.by_kind.setdefault(kind, Charge())
                charge.quantity += quantity
                charge.amount += amount

    @property
    def total(self) -> Decimal:
        with localcontext(prec=DIGITS):
            return sum((charge.amount for charge in self.by_kind.values()), Decimal(0))

    def _parts(self, one: Costed, cost: Decimal, version: int) -> Iterable[tuple[ChargeKind, Decimal, Decimal]]:
        priced = self.books.at(version).price(one.call)
        if priced.cost != cost:
            # Nothing is made up of a cost that came from elsewhere: it stays whole.
            return [(_kind(one, None), cost, cost)] if cost else []
        # A cost is cut after twelve places, which parts of a second can pass: the rest goes with the first unit.
        rest = cost - sum((line.amount for line in priced.lines), Decimal(0))
        parts = []
        for line in priced.lines:
            parts.append((_kind(one, line), line.quantity, line.amount + rest))
            rest = Decimal(0)
        return parts


def _kind(one: Costed, line: Line | None) -> ChargeKind:
    call = one.call
    if line is None:
        return ChargeKind(one.workspace, call.provider, call.model, call.usage.service_tier, None, 0, Decimal(1))
    price = line.price
    return ChargeKind(
        one.workspace,
        call.provider,
        call.model,
        call.usage.service_tier,
        line.unit,
        price.context_from,
        price.price / price.per,
    )
