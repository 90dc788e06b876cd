"""Credits of the ad generator: granted, bought, used, expired and given back, with a running balance that is right."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from db.demo.invoices import Clerk, midnight
from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, MINUTE, micros, moment
from db.demo.subscriptions import Subscription
from db.demo.world import Person, World
from db.vault import Place

PACKAGES = (("Handful", 100, 9), ("Stack", 500, 39), ("Crate", 2500, 169))


@dataclass(slots=True)
class Account:
    """The credits of one person in one workspace."""

    workspace_id: UUID
    person: Person
    balance: int = 0
    position: int = 0
    movements: list[Row] = field(default_factory=list)

    def move(self, clerk: Clerk, at: int, kind: str, amount: int, about: tuple[str, UUID | None]) -> None:
        """One movement, with the balance after it."""
        self.balance += amount
        self.position += 1
        reference_type, reference_id = about
        self.movements.append(
            {
                "workspace_id": self.workspace_id,
                "id": key_at(clerk.rng, at),
                "user_id": self.person.id,
                "position": self.position,
                "amount": amount,
                "type": kind,
                "reference_id": reference_id,
                "reference_type": reference_type,
                "description": f"{kind.replace('_', ' ').capitalize()} of {abs(amount)} credits",
                "balance_after": self.balance,
                "expires_at": moment(at + 30 * DAY) if kind == "grant" else None,
                "created_at": moment(at),
            }
        )


def package_rows(clerk: Clerk) -> list[Row]:
    """The packages that can be bought."""
    at = clerk.season.start - 400 * DAY
    return [
        {
            "id": key_at(clerk.rng, at),
            "name": name,
            "description": f"{amount} credits at once",
            "credit_amount": amount,
            "price": Decimal(price),
            "currency": "USD",
            "is_featured": order == 1,
            "sort_order": order,
            "created_at": moment(at),
            "updated_at": moment(at),
        }
        for order, (name, amount, price) in enumerate(PACKAGES)
    ]


def write_credits(
    clerk: Clerk,
    world: World,
    packages: list[Row],
    subscriptions: list[Subscription],
    used: Iterable[tuple[int, int, int]],
) -> list[Row]:
    """All movements; `used` are (person, day, credits) of the generations. A trigger keeps each user's balance."""
    uses: dict[int, list[tuple[int, int]]] = {}
    for number, day, amount in used:
        uses.setdefault(number, []).append((day * DAY + 23 * HOUR, amount))
    movements: list[Row] = []
    for position, person in enumerate(world.people):
        workspace = world.workspaces[person.workspace]
        if "craft_ads" not in workspace.used:
            continue
        account = Account(workspace.id, person)
        grants = [] if person.role != "owner" else _grants(clerk, subscriptions, workspace.index)
        _live(clerk, account, packages, grants, sorted(uses.get(position, [])))
        movements.extend(account.movements)
    return movements


def _grants(clerk: Clerk, subscriptions: list[Subscription], workspace: int) -> list[tuple[int, int, Subscription]]:
    return [
        (midnight(start) + 7 * HOUR, one.plan.credits, one)
        for one in subscriptions
        if one.workspace.index == workspace and one.plan.product == "craft_ads"
        for start, _ in one.periods(clerk.season.end)
    ]


def _live(
    clerk: Clerk,
    account: Account,
    packages: list[Row],
    grants: list[tuple[int, int, Subscription]],
    uses: list[tuple[int, int]],
) -> None:
    """Play one account through time: what is needed and not there is bought first."""
    happenings: list[tuple[int, int, Subscription | None]] = [*grants, *((at, -amount, None) for at, amount in uses)]
    for at, amount, subscription in sorted(happenings, key=lambda one: one[0]):
        if subscription is not None:
            # A quarter of what is left is too old.
            if (expired := account.balance // 4) > 0:
                account.move(clerk, at - HOUR, "expiry", -expired, ("subscription", subscription.id))
            account.move(clerk, at, "grant", amount, ("subscription", subscription.id))
            continue
        _buy_enough(clerk, account, packages, at - HOUR, -amount)
        account.move(clerk, at, "usage", amount, ("generations of the day", None))
        if clerk.rng.random() < 0.02:  # noqa: PLR2004
            account.move(clerk, at + MINUTE, "refund", max(1, -amount // 10), ("generation", None))
    if uses and clerk.rng.random() < 0.2:  # noqa: PLR2004
        at = micros(account.movements[-1]["created_at"]) + 2 * MINUTE
        account.move(clerk, min(at, clerk.season.end - 1), "promotion", 25, ("campaign", None))


def _buy_enough(clerk: Clerk, account: Account, packages: list[Row], at: int, needed: int) -> None:
    bought = 0
    while account.balance < needed:
        package = next((one for one in packages if one["credit_amount"] >= needed - account.balance), packages[-1])
        payment = _payment(clerk, account, package, at + bought)
        account.move(clerk, at + bought + MINUTE, "purchase", package["credit_amount"], ("payment", payment))
        bought += 1


def _payment(clerk: Clerk, account: Account, package: Row, at: int) -> UUID:
    key = key_at(clerk.rng, at)
    secret = f"pay_{key.hex[-16:]}"
    clerk.books.payments.append(
        {
            "workspace_id": account.workspace_id,
            "id": key,
            "user_id": account.person.id,
            "package_id": package["id"],
            "provider": "stripe",
            "provider_payment_id": clerk.seal(Place("payments", "provider_payment_id", key), secret),
            "provider_payment_digest": clerk.digest(secret),
            "amount": package["price"],
            "currency": package["currency"],
            "status": "completed",
            "credits_purchased": package["credit_amount"],
            "created_at": moment(at),
            "updated_at": moment(at),
        }
    )
    return key


def fx_rows(clerk: Clerk) -> list[Row]:
    """A rate a day for each currency, in dollars; kept as whole numbers of the tenth decimal place."""
    first, last = clerk.season.start // DAY - 7, clerk.season.end // DAY
    rows: list[Row] = []
    for currency, base in (("USD", 10**10), ("EUR", 10_842_000_000), ("INR", 119_300_000), ("GBP", 12_710_000_000)):
        swing = 0 if currency == "USD" else base // 400
        rate = base
        for day in range(first, last + 1):
            if swing:
                rate += (base - rate) // 50 + int(clerk.rng.integers(-swing, swing + 1))
            at = moment(day * DAY)
            rows.append(
                {
                    "day": at.date(),
                    "currency": currency,
                    "reporting_currency": "USD",
                    "rate": Decimal(rate).scaleb(-10),
                    "source": "demo",
                    "created_at": at,
                }
            )
    return rows
