"""The price book: proposing prices, seeing what they would change, approving and rejecting them, pricing new calls."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, select, text, tuple_, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import StaleEditError
from app.commands.texts import one_line
from app.commands.together import one_after_the_other
from app.money.bills import ChargedPrice
from app.money.by_hand import Given, PriceError, checked
from app.money.listed import listed
from app.money.pricing import Price
from app.money.proposals import Listed, charged, midnight, proposed
from app.money.units import Unit
from db.engine import seeing
from db.errors import SightlineError
from db.tables.ai import AiCostDay
from db.tables.money import AiPrice


@dataclass(frozen=True)
class BookRow:
    """A row of the book, or a proposal for it, as lists show it."""

    id: UUID
    price: Price
    known_from: datetime
    source: str
    reference: str | None
    is_approved: bool


@dataclass(frozen=True)
class MonthEffect:
    """What proposals would change in a month. In a closed one the difference becomes corrections."""

    month: date
    is_closed: bool
    provider: str
    model: str
    calls: int
    newly_priced: int
    newly_unpriced: int
    cost_before: Decimal
    cost_after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.cost_after - self.cost_before


@dataclass(frozen=True)
class Approval:
    """What an approval did: the book's new version, calls rated anew, and corrections of closed months."""

    version: int
    calls_rated: int
    corrections: int
    effect: tuple[MonthEffect, ...]

    @property
    def difference(self) -> Decimal:
        """How much more or less all months cost than before."""
        return difference_of(self.effect)


@dataclass(frozen=True)
class Proposed:
    """How many prices were proposed, and what lists have or lack that could not be."""

    count: int
    left_out: tuple[str, ...]


_MOST_MODELS = 200
_RATING_LOCK = 7_316_205_124
_LIVE = AiPrice.approved_at.is_not(None) & AiPrice.superseded_by.is_(None)
_WAITING = AiPrice.approved_at.is_(None) & AiPrice.rejected_at.is_(None)
_KEY = (
    AiPrice.provider, AiPrice.model, AiPrice.unit, AiPrice.service_tier, AiPrice.variant, AiPrice.context_from,
    AiPrice.valid_from,
)  # fmt: skip


def book(engine: Engine, by: Viewer) -> list[BookRow]:
    """The approved prices that nothing superseded, by model."""
    by.require(Permission.AI_COST_READ)
    with seeing(engine, by.workspaces) as connection:
        return list(_rows(connection, _LIVE))


def proposals(engine: Engine, by: Viewer) -> list[BookRow]:
    """The prices that wait for somebody to approve them."""
    by.require(Permission.AI_COST_READ)
    with seeing(engine, by.workspaces) as connection:
        return list(_rows(connection, _WAITING))


def propose(engine: Engine, by: Viewer, models: Collection[tuple[str, str]] | None = None) -> Proposed:
    """Propose what lists say of models, those in use unless some are named, and the book does not say."""
    by.require(Permission.PRICES_APPROVE)
    if models is not None and len(models) > _MOST_MODELS:
        raise SightlineError(f"{len(models):,} models are too many at once.", fix=f"Name at most {_MOST_MODELS}.")
    now = datetime.now(UTC)
    with seeing(engine, by.workspaces, actor=by.name, reason="Proposed from lists of prices.") as connection:
        require_whole_company(connection, by)
        used = _first_uses(connection)
        wanted: list[Listed] = []
        left_out: list[str] = []
        for provider, model in sorted(used if models is None else models):
            found = listed(provider, model)
            left_out += found.left_out
            known = [row.price for row in _rows(connection, _LIVE & _of(provider, model))]
            wanted += proposed(found.prices, known, first_used_at=used.get((provider, model), now), now=now)
        count = _add(connection, wanted)
    return Proposed(count, tuple(left_out))


def propose_by_hand(engine: Engine, by: Viewer, given: Given) -> UUID:
    """Propose a price that somebody knows. It waits for approval like any other; a slip of the pen is refused."""
    by.require(Permission.PRICES_APPROVE)
    with seeing(engine, by.workspaces, actor=by.name, reason="Proposed by hand.") as connection:
        require_whole_company(connection, by)
        wanted = checked(given, _models(connection, given.provider), _kinds(connection, given))
        key = connection.scalar(select(AiPrice.id).where((_LIVE | _WAITING) & _says(wanted)))
        if key is not None:
            raise PriceError(
                "This price is in the book or waits for approval already.", fix="Look at the lists for its model."
            )
        added: UUID = connection.execute(insert(AiPrice).values(**_columns(wanted)).returning(AiPrice.id)).scalar_one()
    return added


def propose_charged(
    engine: Engine, by: Viewer, provider: str, prices: Collection[ChargedPrice], *, reference: str
) -> Proposed:
    """Propose the prices that a provider's bill shows, by its amounts and quantities, and the book has otherwise."""
    by.require(Permission.PRICES_APPROVE)
    found = charged(provider, prices, reference)
    with seeing(engine, by.workspaces, actor=by.name, reason="Proposed from a provider's bill.") as connection:
        require_whole_company(connection, by)
        count = _add(connection, found.prices)
    return Proposed(count, found.left_out)


def effect(engine: Engine, by: Viewer, keys: Collection[UUID]) -> list[MonthEffect]:
    """What approving these would change, month by month and model by model; nothing is changed."""
    by.require(Permission.PRICES_APPROVE)
    with seeing(engine, by.workspaces) as connection:
        require_whole_company(connection, by)
        return _effect(connection, keys)


def approve(engine: Engine, by: Viewer, keys: Collection[UUID], *, seen: Decimal | None = None) -> Approval:
    """Put proposals into the book, rate the calls of open months by it, and correct closed ones. All or nothing.

    `seen` is the difference in dollars that was looked at: another one, to the cent, is refused.
    """
    by.require(Permission.PRICES_APPROVE)
    with (
        one_after_the_other("prices or calls"),
        seeing(engine, by.workspaces, actor=by.name, reason="Prices were approved.") as connection,
    ):
        require_whole_company(connection, by)
        # Nobody rates or closes between what is said to change and what does.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _RATING_LOCK})
        _require_waiting(connection, keys)
        changed = _effect(connection, keys)
        _require_seen(seen, difference_of(changed))
        done = connection.execute(
            text("SELECT book_version, rated, corrections FROM approve_ai_prices(:keys, :member)"),
            {"keys": list(keys), "member": by.member_id},
        ).one()
    return Approval(done.book_version, done.rated, done.corrections, tuple(changed))


def difference_of(changes: Iterable[MonthEffect]) -> Decimal:
    """What all months together would cost more or, below zero, less."""
    return sum((one.difference for one in changes), Decimal(0))


def reject(engine: Engine, by: Viewer, keys: Collection[UUID], *, reason: str) -> None:
    """Take proposals off the list; the audit log keeps why."""
    by.require(Permission.PRICES_APPROVE)
    why = one_line(reason)
    if not why:
        raise SightlineError("A proposal is rejected for a reason.", fix="Say why in a few words.")
    with seeing(engine, by.workspaces, actor=by.name, reason=why) as connection:
        require_whole_company(connection, by)
        _require_waiting(connection, keys)
        connection.execute(
            update(AiPrice).where(AiPrice.id.in_(keys)).values(rejected_at=func.now(), rejected_by=by.member_id)
        )


def price_new_calls(engine: Engine, by: Viewer, *, since: datetime) -> int:
    """Price what has no price yet and could have one by now; answers how many calls got a price or another reason."""
    by.require(Permission.PRICES_APPROVE)
    with (
        one_after_the_other("prices or calls"),
        seeing(engine, by.workspaces, actor=by.name, reason="New calls were priced.") as connection,
    ):
        require_whole_company(connection, by)
        return int(connection.scalar(text("SELECT price_new_ai_calls(:since)"), {"since": since}) or 0)


def _effect(connection: Connection, keys: Collection[UUID]) -> list[MonthEffect]:
    rows = connection.execute(text("SELECT * FROM effect_of_ai_prices(:keys)"), {"keys": list(keys)})
    return [MonthEffect(**row) for row in rows.mappings()]


def _require_seen(seen: Decimal | None, now: Decimal) -> None:
    """Nobody answers for an amount that they were not shown; effects are shown in cents."""
    if seen is not None and round(seen, 2) != round(now, 2):
        raise StaleEditError(
            "What these prices change is not what was looked at.",
            why=f"{seen:+,.2f} USD were shown, and by now it is {now:+,.2f}: calls or prices came in between.",
            fix="Look at the effect again.",
        )


def _require_waiting(connection: Connection, keys: Collection[UUID]) -> None:
    """All are proposals still, and no two of them say the same price differently."""
    waiting = {row.id: row for row in _rows(connection, _WAITING & AiPrice.id.in_(keys))}
    if not keys or len(waiting) != len(set(keys)):
        raise SightlineError(
            "Not all of these are proposals any more.",
            why="Somebody approved or rejected one in between, or it was never there.",
            fix="Look at the list of proposals again.",
        )
    twice = connection.execute(
        select(AiPrice.provider, AiPrice.model, AiPrice.unit)
        .where(AiPrice.id.in_(keys))
        .group_by(*_KEY)
        .having(func.count() > 1)
    ).first()
    if twice is not None:
        raise SightlineError(
            f"Two of the proposals are for {twice.unit} of {twice.provider}/{twice.model} from the same time.",
            why="One of them would be superseded at once.",
            fix="Reject one of the two.",
        )


def _first_uses(connection: Connection) -> dict[tuple[str, str], datetime]:
    found = connection.execute(
        select(AiCostDay.provider, AiCostDay.model, func.min(AiCostDay.date).label("day")).group_by(
            AiCostDay.provider, AiCostDay.model
        )
    )
    return {(row.provider, row.model): datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC) for row in found}


def _add(connection: Connection, wanted: Collection[Listed]) -> int:
    """Those that neither wait already nor were rejected as they stand; how many they are."""
    rejected = AiPrice.rejected_at.is_not(None) & AiPrice.source.in_({one.source for one in wanted})
    refused = {(_content(row.price), row.source, row.reference) for row in _rows(connection, rejected)}
    waiting = {_content(row.price) for row in _rows(connection, _WAITING)}
    fresh = {
        _content(one): _columns(one)
        for one in wanted
        if _content(one) not in waiting and (_content(one), one.source, one.reference) not in refused
    }
    if fresh:
        connection.execute(insert(AiPrice), list(fresh.values()))
    return len(fresh)


def _says(one: Listed) -> ColumnElement[bool]:
    """The same price from the same moment, wherever it is from."""
    return and_(
        tuple_(*_KEY) == tuple_(*(_columns(one)[column.key] for column in _KEY)),
        AiPrice.price * one.per == AiPrice.per * one.price,
    )


def _models(connection: Connection, provider: str) -> set[str]:
    """Those that calls or the book name."""
    called = select(AiCostDay.model).where(AiCostDay.provider == provider)
    priced = select(AiPrice.model).where(AiPrice.provider == provider)
    return set(connection.scalars(called.union(priced)))


def _kinds(connection: Connection, given: Given) -> set[str]:
    priced = select(AiPrice.variant).where(AiPrice.provider == given.provider, AiPrice.unit == given.unit)
    return set(connection.scalars(priced)) - {""}


def _of(provider: str, model: str) -> ColumnElement[bool]:
    return tuple_(AiPrice.provider, AiPrice.model) == tuple_(provider, model)


def _rows(connection: Connection, where: ColumnElement[bool]) -> Iterator[BookRow]:
    found = connection.execute(
        select(
            AiPrice.id, AiPrice.price, AiPrice.per, AiPrice.version, AiPrice.valid_to, AiPrice.known_from,
            AiPrice.source, AiPrice.source_reference, AiPrice.approved_at, *_KEY,
        )
        .where(where)
        .order_by(*_KEY)
    )  # fmt: skip
    for row in found:
        price = Price(
            row.provider, row.model, Unit(row.unit, row.variant), row.price, row.per, row.valid_from, row.valid_to,
            row.service_tier, row.context_from, row.version,
        )  # fmt: skip
        yield BookRow(row.id, price, row.known_from, row.source, row.source_reference, row.approved_at is not None)


def _content(one: Price | Listed) -> tuple[object, ...]:
    """What a proposal says, wherever it is from."""
    return (
        one.provider, one.model, one.unit, one.service_tier, one.context_from, one.price, one.per, one.valid_from,
        one.valid_to,
    )  # fmt: skip


def _columns(one: Listed) -> dict[str, object]:
    return {
        "provider": one.provider,
        "model": one.model,
        "unit": one.unit.name,
        "variant": one.unit.variant,
        "service_tier": one.service_tier,
        "context_from": one.context_from,
        "price": one.price,
        "per": one.per,
        "valid_from": one.valid_from or midnight(datetime.now(UTC)),
        "valid_to": one.valid_to,
        "source": one.source,
        "source_reference": one.reference,
    }
