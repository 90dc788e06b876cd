"""The customers: fifty workspaces of very different sizes, their owners and members, and when each product was used."""

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from db.demo import words
from db.demo.keys import Bytes, bytes_of, key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, Floats, Ints, Season, moment
from db.demo.shape import WORKSPACES
from db.tables.products import PRODUCTS

_CURRENCIES = ("USD", "EUR", "INR")
_PLACES = {
    "USD": (("America/New_York", "US"), ("America/Los_Angeles", "US"), ("America/Chicago", "US")),
    "EUR": (("Europe/Berlin", "DE"), ("Europe/Paris", "FR"), ("Europe/Madrid", "ES")),
    "INR": (("Asia/Kolkata", "IN"),),
}
# How likely a workspace is to use each product, in the order of PRODUCTS.
_USES = (0.55, 0.55, 0.5, 0.5, 0.8)
_OWNERS_CAN_BE_PERSONAL_FROM = 38


@dataclass(slots=True)
class Person:
    """A customer: one row of `users`, and the credits that the ad generator keeps for them."""

    id: UUID
    workspace: int
    role: str
    row: Row


@dataclass(slots=True)
class Workspace:
    """A tenant of the demo."""

    index: int
    id: UUID
    weight: float
    currency: str
    created_at: int
    row: Row
    people: list[Person] = field(default_factory=list)
    # Product: from when to when it was used.
    used: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def owner(self) -> Person:
        return self.people[0]

    @property
    def slug(self) -> str:
        return str(self.row["slug"])


@dataclass(slots=True)
class World:
    """All customers, and their keys as arrays."""

    season: Season
    workspaces: list[Workspace]
    people: list[Person]

    @property
    def workspace_keys(self) -> Bytes:
        return bytes_of([one.id for one in self.workspaces])

    @property
    def people_keys(self) -> Bytes:
        return bytes_of([one.id for one in self.people])

    def users_of(self, product: str) -> list[Workspace]:
        """The workspaces that ever used a product."""
        return [one for one in self.workspaces if product in one.used]

    def someone(self, rng: np.random.Generator, workspaces: Ints) -> Ints:
        """For each workspace's number a person of it; owners do half of the work."""
        first = np.zeros(len(self.workspaces), np.int64)
        count = np.zeros(len(self.workspaces), np.int64)
        for position, person in reversed(list(enumerate(self.people))):
            first[person.workspace] = position
            count[person.workspace] += 1
        offset = (rng.random(len(workspaces)) * count[workspaces]).astype(np.int64)
        by_owner = rng.random(len(workspaces)) < 0.5  # noqa: PLR2004
        result: Ints = first[workspaces] + np.where(by_owner, 0, offset)
        return result


def make_world(rng: np.random.Generator, season: Season) -> World:
    """The customers, by falling size."""
    weights = 1 / np.arange(1, WORKSPACES + 1) ** 0.9
    weights /= weights.sum()
    workspaces = [_workspace(rng, season, index, float(weight)) for index, weight in enumerate(weights)]
    people: list[Person] = []
    for workspace in workspaces:
        workspace.people = _people(rng, season, workspace)
        workspace.row["owner_id"] = workspace.owner.id
        workspace.used = _uses(rng, season, workspace)
        people.extend(workspace.people)
    return World(season, workspaces, people)


def _workspace(rng: np.random.Generator, season: Season, index: int, weight: float) -> Workspace:
    # The large ones are old customers; of the others, two in five came during the demo.
    newcomer = index >= 10 and rng.random() < 0.4  # noqa: PLR2004
    back = int(rng.integers(20, 380)) if newcomer else int(rng.integers(400, 480))
    created_at = season.end - back * DAY + int(rng.integers(7, 18)) * DAY // 24
    currency = _CURRENCIES[int(rng.choice(3, p=(0.5, 0.25, 0.25)))]
    places = _PLACES[currency]
    timezone, country = places[int(rng.integers(len(places)))]
    is_personal = index >= _OWNERS_CAN_BE_PERSONAL_FROM
    first = words.COMPANY_FIRST[index % len(words.COMPANY_FIRST)]
    second = words.COMPANY_SECOND[(index * 5 + index // len(words.COMPANY_SECOND)) % len(words.COMPANY_SECOND)]
    key = key_at(rng, created_at)
    return Workspace(
        index,
        key,
        weight,
        currency,
        created_at,
        {
            "id": key,
            "name": f"{first} {second}",
            "slug": f"{first}-{second}-{index + 1}".lower(),
            "is_personal": is_personal,
            "timezone": timezone,
            "currency": currency,
            "country": country,
            "settings": {"industry": words.INDUSTRIES[index % len(words.INDUSTRIES)], "onboarded": True},
            "created_at": moment(created_at),
            "updated_at": moment(created_at),
        },
    )


def _people(rng: np.random.Generator, season: Season, workspace: Workspace) -> list[Person]:
    others = 0 if workspace.row["is_personal"] else 1 + int(rng.poisson(1 + 60 * workspace.weight))
    return [_person(rng, season, workspace, position) for position in range(1 + others)]


def _person(rng: np.random.Generator, season: Season, workspace: Workspace, position: int) -> Person:
    joined_at = workspace.created_at + (position * int(rng.integers(1, 20)) * DAY if position else 0)
    joined_at = min(joined_at, season.end - 10 * DAY)
    first = words.FIRST_NAMES[int(rng.integers(len(words.FIRST_NAMES)))]
    last = words.LAST_NAMES[int(rng.integers(len(words.LAST_NAMES)))]
    key = key_at(rng, joined_at)
    seen_at = season.end - int(rng.exponential(6) * DAY)
    seen_at = max(seen_at, joined_at)
    with_google = bool(rng.random() < 0.3)  # noqa: PLR2004
    row = {
        "id": key,
        "email": f"{first}.{last}.{position + 1}@{workspace.slug}.example".lower(),
        "auth_provider": "google" if with_google else "email",
        "auth_provider_id": f"demo-{key.hex[-12:]}",
        "name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "avatar_url": f"https://images.example/people/{key.hex[-12:]}.png",
        "last_login_at": moment(seen_at),
        "last_active_at": moment(seen_at),
        "is_verified": position == 0 or bool(rng.random() < 0.9),  # noqa: PLR2004
        "settings": {"theme": "light" if position % 2 else "dark"},
        "metadata": {"source": ("search", "referral", "event")[position % 3]},
        "created_at": moment(joined_at),
        "updated_at": moment(joined_at),
    }
    role = "owner" if position == 0 else ("admin", "editor", "editor", "viewer")[position % 4]
    return Person(key, workspace.index, role, row)


def _uses(rng: np.random.Generator, season: Season, workspace: Workspace) -> dict[str, tuple[int, int]]:
    """The largest use everything; a few of the others leave, many of them in the same week."""
    used: dict[str, tuple[int, int]] = {}
    for product, chance in zip(PRODUCTS, _USES, strict=True):
        if workspace.index < 3 or rng.random() < chance:  # noqa: PLR2004
            delay = 0 if workspace.index < 3 else int(rng.exponential(15) * DAY)  # noqa: PLR2004
            begins = min(max(workspace.created_at + delay, season.start), season.end - 15 * DAY)
            used[product] = (begins, _leaves(rng, season, workspace, begins))
    if not used:
        used["mailer"] = (max(workspace.created_at, season.start), season.end)
    return used


def _leaves(rng: np.random.Generator, season: Season, workspace: Workspace, begins: int) -> int:
    luck = rng.random()
    in_the_wave = season.churn_wave + int(rng.integers(0, 7)) * DAY
    if workspace.index >= 5 and luck < 0.1 and in_the_wave > begins + 40 * DAY:  # noqa: PLR2004
        return in_the_wave
    if workspace.index >= 5 and luck < 0.2:  # noqa: PLR2004
        return min(season.end, begins + int(rng.integers(60, 330)) * DAY)
    return season.end


def workspace_weights(world: World, product: str) -> Floats:
    """How much of a product's use falls to each workspace; zero where it is not used."""
    weights = np.array([one.weight if product in one.used else 0.0 for one in world.workspaces])
    result: Floats = weights / weights.sum()
    return result


def member_rows(rng: np.random.Generator, world: World) -> list[Row]:
    """Who belongs to which workspace."""
    return [
        {
            "workspace_id": world.workspaces[one.workspace].id,
            "id": key_at(rng, world.workspaces[one.workspace].created_at),
            "user_id": one.id,
            "role": one.role,
            "invited_at": one.row["created_at"],
            "joined_at": one.row["created_at"],
            "created_at": one.row["created_at"],
            "updated_at": one.row["created_at"],
        }
        for one in world.people
    ]
