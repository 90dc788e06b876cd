"""What templates say, for those who edit them: now, in each version, and in ones that were deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, RowMapping

from app.access import Permission, Viewer
from app.records.reading import rows, some
from db.engine import seeing

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """A template as it is now, with what an edit of it is made on."""

    id: UUID
    workspace_id: UUID
    workspace: str
    workspace_slug: str
    kind: str
    product: str
    status: str
    is_library: bool
    is_featured: bool
    usage_count: int
    current_version: int
    revision: int
    name: str
    subject: str | None
    preheader: str | None
    html_content: str | None
    text_content: str | None
    sections: Sequence[Json]
    description: str | None
    category: str | None
    industry: str | None
    style: str | None
    campaign_type: str | None
    width: int | None
    height: int | None
    format: str | None
    updated_at: datetime

    @property
    def html(self) -> str:
        """All that is seen of it: its HTML, and below it that of its sections."""
        return "\n".join([self.html_content or "", *(one.get("html_content") or "" for one in self.sections)])


@dataclass(frozen=True)
class VersionText:
    """What a template said, and why that was kept."""

    version: int
    reason: str
    subject: str | None
    preheader: str | None
    html_content: str | None
    text_content: str | None
    sections: Sequence[Json]
    created_at: datetime
    published_at: datetime | None
    created_by: str | None

    @property
    def html(self) -> str:
        """All that is seen of it: its HTML, and below it that of its sections."""
        return "\n".join([self.html_content or "", *(one.get("html_content") or "" for one in self.sections)])


@dataclass(frozen=True)
class Kept:
    """How many versions of a template are kept: published ones always, and of others the last ones by the plan."""

    most: int | None
    published: int
    others: int


@dataclass(frozen=True)
class Deleted:
    """A template that can be restored."""

    id: UUID
    workspace: str
    name: str
    kind: str
    revision: int
    deleted_at: datetime


@dataclass(frozen=True)
class Shelf:
    """A shelf, and how many templates that the viewer sees stand on it."""

    id: UUID
    workspace_id: UUID
    workspace: str
    workspace_slug: str
    name: str
    kind: str
    description: str | None
    display_order: int
    is_active: bool
    revision: int
    templates: int
    is_house: bool


@dataclass(frozen=True)
class Figures:
    """What was measured of a template, all of it together."""

    impressions: int
    clicks: int
    conversions: int
    engagements: int


_TEXT = """
    SELECT t.id, t.workspace_id, w.name AS workspace, w.slug AS workspace_slug, t.kind, t.product, t.status,
        t.is_library, t.is_featured, t.usage_count, t.current_version, t.revision, t.name, t.subject, t.preheader,
        t.html_content, t.text_content, t.description, t.category, t.industry, t.style, t.campaign_type, t.width,
        t.height, t.format, t.updated_at,
        COALESCE(
            (
                SELECT jsonb_agg(
                    jsonb_build_object('kind', s.kind, 'html_content', s.html_content, 'content', s.content)
                    ORDER BY s.position
                )
                FROM template_sections AS s
                WHERE s.workspace_id = t.workspace_id AND s.template_id = t.id
            ),
            '[]'
        ) AS sections
    FROM templates AS t
    JOIN workspaces AS w ON w.id = t.workspace_id
    WHERE t.id = :key AND t.deleted_at IS NULL
    """
_VERSIONS = """
    SELECT v.version, v.reason, v.subject, v.preheader, v.html_content, v.text_content, v.sections, v.created_at,
        v.published_at, v.created_by
    FROM template_versions AS v
    JOIN templates AS t ON t.workspace_id = v.workspace_id AND t.id = v.template_id
    WHERE t.id = :key AND (CAST(:version AS INTEGER) IS NULL OR v.version = :version)
    ORDER BY v.version DESC
    LIMIT :most
    """
_KEPT = """
    SELECT template_versions_kept(t.workspace_id) AS most, COUNT(v.id) FILTER (WHERE v.reason = 'publish') AS published,
        COUNT(v.id) FILTER (WHERE v.reason <> 'publish') AS others
    FROM templates AS t
    LEFT JOIN template_versions AS v ON v.workspace_id = t.workspace_id AND v.template_id = t.id
    WHERE t.id = :key
    GROUP BY t.workspace_id, t.id
    """
_DELETED = """
    SELECT t.id, w.name AS workspace, t.name, t.kind, t.revision, t.deleted_at
    FROM templates AS t
    JOIN workspaces AS w ON w.id = t.workspace_id
    WHERE t.deleted_at IS NOT NULL AND w.deleted_at IS NULL
    ORDER BY t.deleted_at DESC, t.id
    LIMIT :most
    """
_SHELVES = """
    SELECT c.id, c.workspace_id, w.name AS workspace, w.slug AS workspace_slug, c.name, c.kind, c.description,
        c.display_order, c.is_active, c.revision, c.workspace_id = house_workspace() AS is_house,
        (
            SELECT COUNT(*) FROM template_categories AS x
            JOIN templates AS t ON t.workspace_id = x.workspace_id AND t.id = x.template_id AND t.deleted_at IS NULL
            WHERE x.category_workspace_id = c.workspace_id AND x.category_id = c.id
        ) AS templates
    FROM categories AS c
    JOIN workspaces AS w ON w.id = c.workspace_id
    WHERE c.deleted_at IS NULL
    ORDER BY c.workspace_id <> house_workspace(), w.name, c.workspace_id, c.kind, c.display_order, c.id
    LIMIT :most
    """
_STANDS_ON = """
    SELECT x.category_id AS id
    FROM template_categories AS x
    WHERE x.template_id = :key
    """
_FIGURES = """
    SELECT CAST(COALESCE(SUM(m.impressions), 0) AS BIGINT) AS impressions,
        CAST(COALESCE(SUM(m.clicks), 0) AS BIGINT) AS clicks,
        CAST(COALESCE(SUM(m.conversions), 0) AS BIGINT) AS conversions,
        CAST(COALESCE(SUM(m.engagements), 0) AS BIGINT) AS engagements
    FROM template_metrics AS m
    JOIN templates AS t ON t.workspace_id = m.workspace_id AND t.id = m.template_id
    WHERE t.id = :key
    """
# By which words templates are found, besides those that people type.
_FOUND_BY = {
    column: f"""
    SELECT t.{column} AS word
    FROM templates AS t
    WHERE t.{column} IS NOT NULL AND t.deleted_at IS NULL
    GROUP BY t.{column}
    ORDER BY COUNT(*) DESC, t.{column}
    LIMIT :most
    """  # noqa: S608 - our own columns
    for column in ("category", "industry")
}


def text_of(engine: Engine, viewer: Viewer, key: UUID) -> Text | None:
    """What a template says now; None where the viewer sees none by this key."""
    found = _read(engine, viewer, _TEXT, key=key)
    return Text(**found[0]) if found else None


def version_texts(engine: Engine, viewer: Viewer, key: UUID, *, limit: int = 100) -> tuple[VersionText, ...]:
    """What a template said, the newest version first."""
    return tuple(
        VersionText(**row) for row in _read(engine, viewer, _VERSIONS, key=key, version=None, most=some(limit))
    )


def version_text(engine: Engine, viewer: Viewer, key: UUID, version: int) -> VersionText | None:
    """What one version of it said."""
    found = _read(engine, viewer, _VERSIONS, key=key, version=version, most=1)
    return VersionText(**found[0]) if found else None


def kept_of(engine: Engine, viewer: Viewer, key: UUID) -> Kept | None:
    """How many versions of it are kept, and how many there are."""
    found = _read(engine, viewer, _KEPT, key=key)
    return Kept(**found[0]) if found else None


def deleted_templates(engine: Engine, viewer: Viewer, *, limit: int = 100) -> tuple[Deleted, ...]:
    """Those that can be restored, the last deleted first. Only the engine of commands sees them."""
    return tuple(Deleted(**row) for row in _read(engine, viewer, _DELETED, most=some(limit)))


def shelves(engine: Engine, viewer: Viewer, *, limit: int = 500) -> tuple[Shelf, ...]:
    """The library's and those of the viewer's workspaces, in their order."""
    return tuple(Shelf(**row) for row in _read(engine, viewer, _SHELVES, most=some(limit)))


def shelves_of(engine: Engine, viewer: Viewer, key: UUID) -> frozenset[UUID]:
    """The shelves on which a template stands."""
    return frozenset(row["id"] for row in _read(engine, viewer, _STANDS_ON, key=key))


def figures_of(engine: Engine, viewer: Viewer, key: UUID) -> Figures:
    """What was measured of it."""
    return Figures(**_read(engine, viewer, _FIGURES, key=key)[0])


def found_by(engine: Engine, viewer: Viewer, column: str, *, limit: int = 100) -> tuple[str, ...]:
    """The categories or industries of templates that the viewer sees, the most frequent first."""
    return tuple(row["word"] for row in _read(engine, viewer, _FOUND_BY[column], most=some(limit)))


def _read(
    engine: Engine,
    viewer: Viewer,
    question: str,
    **named: Any,  # noqa: ANN401 - what drivers take
) -> Sequence[RowMapping]:
    viewer.require(Permission.TEMPLATES_MANAGE)
    with seeing(engine, viewer.workspaces) as connection:
        return rows(connection, question, **named)
