"""A company with one workspace and a team of every role, in which each command can be given once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from app.access import Permission, Role, Viewer
from db.tables import Base
from tests.db.rows import NOON, add, plan, subscription, user, workspace
from tests.servers import Database

MONTH = NOON.date().replace(day=1)
SOON = (datetime.now(UTC) + timedelta(days=20)).isoformat()


@dataclass(frozen=True)
class Company:
    """Its database, the workspace acme of Carl, who has a plan, and one person of the team for each role."""

    database: Database
    workspace: UUID
    customer: UUID
    team: dict[Role, UUID]

    def viewer(self, role: Role) -> Viewer:
        return Viewer(f"{role}@team.example", frozenset({role}), frozenset({self.workspace}), self.team[role])

    def lowest(self, permission: Permission) -> Viewer:
        """The person with the least that is enough."""
        return next(one for one in map(self.viewer, Role) if one.may(permission))

    def without(self, permission: Permission) -> list[Viewer]:
        """Everyone who lacks it, and somebody without any role."""
        nobody = Viewer("nobody@team.example", frozenset(), frozenset({self.workspace}), self.team[Role.VIEWER])
        return [*(one for one in map(self.viewer, Role) if not one.may(permission)), nobody]

    def add(self, table: str, **values: object) -> UUID:
        with self.database.setup.begin() as connection:
            return add(connection, table, **values).id

    def ask(self, question: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.setup.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question), values)]

    def everything(self) -> dict[object, object]:
        """A digest of the rows of every table, but for facts: no command writes them itself."""
        digests = self.ask(
            " UNION ALL ".join(
                f"SELECT '{name}', md5(string_agg(CAST(t AS TEXT), '|' ORDER BY CAST(t AS TEXT))) FROM {name} AS t"
                for name, table in sorted(Base.metadata.tables.items())
                if not table.dialect_options["postgresql"]["partition_by"]
            )
            # Several workers answer the parts of a union in whichever order they are done.
            + " ORDER BY 1"
        )
        return dict(digests)


def found(database: Database) -> Company:
    with database.setup.begin() as connection:
        carl = user(connection, email="carl@people.example").id
        acme = workspace(connection, owner_id=carl, slug="acme", name="Acme").id
        bought = plan(
            connection, product="web_builder", tier="creator", price=19, status="published", published_at=NOON
        )
        subscription(connection, acme, carl, plan=bought, product="web_builder", tier="creator", started_at=NOON)
        team = {
            role: add(connection, "team_members", email=f"{role}@team.example", name=role.title(), roles=[role]).id
            for role in Role
        }
    return Company(database, acme, carl, team)
