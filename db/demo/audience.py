"""Contacts and lists: who gets e-mail, since when, how eagerly they read, and what became of them."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from db.demo import columns, words
from db.demo.keys import Bytes, key_at, keys_at, texts_of
from db.demo.rows import Row
from db.demo.seasons import DAY, Floats, Ints, moment
from db.demo.world import World, workspace_weights
from db.tables.audience import CONTACT_STATUSES

PENDING, SUBSCRIBED, UNSUBSCRIBED, BOUNCED, COMPLAINED = range(len(CONTACT_STATUSES))
_CUSTOM_FIELDS = tuple(
    f'{{"birthday": "19{year}-03-15", "purchase_count": {orders}, "favorite_category": "{category}"}}'
    for year, category in ((68, "books"), (77, "garden"), (84, "travel"), (91, "sports"), (99, "music"))
    for orders in (0, 1, 3, 8)
)
_TAGS = (
    "{}",
    "{customer}",
    "{customer,vip}",
    "{lead}",
    "{lead,webinar}",
    "{newsletter}",
    "{newsletter,vip}",
    "{trial}",
)


@dataclass(slots=True)
class Audience:
    """All contacts, one array per column; those of a workspace lie together, the earliest first."""

    workspace: Ints
    created_at: Ints
    domain: Ints
    first_name: Ints
    last_name: Ints
    eagerness: Floats
    reads_with_apple: NDArray[np.bool_]
    status: Ints
    left_at: Ints
    engaged_at: Ints
    keys: Bytes
    starts: Ints

    def of(self, workspace: int) -> slice:
        """The contacts of a workspace."""
        return slice(int(self.starts[workspace]), int(self.starts[workspace + 1]))

    def reachable(self, workspace: int, at: int) -> Ints:
        """The numbers of a workspace's contacts who exist and have not left."""
        mine = self.of(workspace)
        there = (self.created_at[mine] < at) & (self.left_at[mine] > at) & (self.status[mine] != PENDING)
        result: Ints = np.flatnonzero(there) + mine.start
        return result

    def leave(self, contacts: Ints, at: Ints, status: int) -> None:
        """These contacts get no further e-mail; who left earlier stays as they were."""
        sooner = at < self.left_at[contacts]
        self.left_at[contacts[sooner]] = at[sooner]
        self.status[contacts[sooner]] = status

    def engage(self, contacts: Ints, at: Ints) -> None:
        """These contacts opened or clicked."""
        np.maximum.at(self.engaged_at, contacts, at)


def make_audience(rng: np.random.Generator, world: World, count: int) -> Audience:
    """Contacts by workspace: half were imported at the beginning, the others came over time."""
    shares = workspace_weights(world, "mailer") * count
    sizes = np.where(shares > 0, np.maximum(shares.astype(np.int64), 12), 0)
    total = int(sizes.sum())
    workspace = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    created_at = _arrivals(rng, world, workspace)
    status = np.where(rng.random(total) < 0.015, PENDING, SUBSCRIBED).astype(np.int64)  # noqa: PLR2004
    return Audience(
        workspace,
        created_at,
        rng.choice(len(words.MAIL_DOMAINS), size=total, p=words.MAIL_DOMAIN_SHARES),
        rng.integers(0, len(words.FIRST_NAMES), total),
        rng.integers(0, len(words.LAST_NAMES), total),
        rng.beta(1.6, 3.2, total) * 3,
        rng.random(total) < 0.36,  # noqa: PLR2004
        status,
        np.full(total, columns.NEVER),
        np.full(total, -1, np.int64),
        keys_at(rng, created_at),
        starts,
    )


def _arrivals(rng: np.random.Generator, world: World, workspace: Ints) -> Ints:
    begins = np.array([one.used.get("mailer", (world.season.start, 0))[0] for one in world.workspaces])[workspace]
    imported = rng.random(len(workspace)) < 0.5  # noqa: PLR2004
    later = begins + (rng.random(len(workspace)) * (world.season.end - begins - DAY)).astype(np.int64)
    at = np.where(imported, begins - rng.integers(0, DAY, len(workspace)), later)
    result: Ints = at[np.lexsort((at, workspace))]
    return result


def contact_table(audience: Audience, world: World, rows: slice) -> pa.Table:
    """The rows of `contacts`."""
    number = pa.array(np.arange(rows.start, rows.stop)).cast(pa.string())
    first = columns.picked([name.lower() for name in words.FIRST_NAMES], audience.first_name[rows])
    last = columns.picked([name.lower() for name in words.LAST_NAMES], audience.last_name[rows])
    domain = columns.picked(words.MAIL_DOMAINS, audience.domain[rows])
    local = pc.binary_join_element_wise(first, last, number, ".")
    workspace, status, left_at = audience.workspace[rows], audience.status[rows], audience.left_at[rows]
    owners = np.array([world.people.index(one.owner) for one in world.workspaces])
    engaged_at = np.where(audience.engaged_at[rows] < 0, columns.NEVER, audience.engaged_at[rows])
    created_at = columns.stamps(audience.created_at[rows])
    return pa.table(
        {
            "workspace_id": columns.key_texts(world.workspace_keys, workspace),
            "id": texts_of(audience.keys[rows]),
            "user_id": columns.key_texts(world.people_keys, owners[workspace]),
            "email": pc.binary_join_element_wise(local, domain, "@"),
            "first_name": columns.picked(words.FIRST_NAMES, audience.first_name[rows]),
            "last_name": columns.picked(words.LAST_NAMES, audience.last_name[rows]),
            "status": columns.picked(CONTACT_STATUSES, status),
            "custom_fields": columns.picked(_CUSTOM_FIELDS, audience.first_name[rows] % len(_CUSTOM_FIELDS)),
            "tags": columns.picked(_TAGS, audience.last_name[rows] % len(_TAGS)),
            "subscribed_at": columns.only(status != PENDING, created_at),
            "unsubscribed_at": columns.only((status == UNSUBSCRIBED) | (status == COMPLAINED), columns.stamps(left_at)),
            "last_engaged_at": columns.stamps(engaged_at),
            "created_at": created_at,
            "updated_at": created_at,
        }
    )


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of all workspaces; the first of each holds everyone."""

    rows: list[Row]
    of_workspace: dict[int, list[UUID]]


_LIST_NAMES = ("All subscribers", "Customers", "Leads", "Event guests", "Newsletter readers")


def make_lists(rng: np.random.Generator, world: World) -> Lists:
    """Two to five lists for every workspace that sends e-mail."""
    rows: list[Row] = []
    of_workspace: dict[int, list[UUID]] = {}
    for workspace in world.users_of("mailer"):
        at = workspace.used["mailer"][0]
        for name in _LIST_NAMES[: 2 + int(rng.integers(0, 4))]:
            key = key_at(rng, at)
            of_workspace.setdefault(workspace.index, []).append(key)
            rows.append(
                {
                    "workspace_id": workspace.id,
                    "id": key,
                    "user_id": workspace.owner.id,
                    "name": name,
                    "description": f"{name} of {workspace.row['name']}",
                    "metadata": {"source": "import"},
                    "created_at": moment(at),
                    "updated_at": moment(at),
                }
            )
    return Lists(rows, of_workspace)


def list_contact_table(rng: np.random.Generator, audience: Audience, world: World, lists: Lists) -> pa.Table:
    """Who is on which list: all on the first, a fifth on one more."""
    all_lists = [key for keys in lists.of_workspace.values() for key in keys]
    first = np.zeros(len(world.workspaces), np.int64)
    count = np.ones(len(world.workspaces), np.int64)
    position = 0
    for workspace, keys in lists.of_workspace.items():
        first[workspace], count[workspace] = position, len(keys)
        position += len(keys)
    more = np.flatnonzero(rng.random(len(audience.workspace)) < 0.2)  # noqa: PLR2004
    contact = np.concatenate((np.arange(len(audience.workspace)), more))
    workspace_of = audience.workspace[contact]
    another = 1 + (rng.random(len(more)) * (count[audience.workspace[more]] - 1)).astype(np.int64)
    chosen = first[workspace_of] + np.concatenate((np.zeros(len(audience.workspace), np.int64), another))
    list_keys = np.frombuffer(b"".join(key.bytes for key in all_lists), np.uint8).reshape(-1, 16)
    created_at = audience.created_at[contact]
    return pa.table(
        {
            "workspace_id": columns.key_texts(world.workspace_keys, workspace_of),
            "id": texts_of(keys_at(rng, created_at)),
            "list_id": columns.key_texts(list_keys, chosen),
            "contact_id": columns.key_texts(audience.keys, contact),
            "created_at": columns.stamps(created_at),
        }
    )
