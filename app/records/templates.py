"""Templates and library components: which are used, how they were rated and downloaded, and what they once were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd
from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, beginnings, is_unsearchable, page_of, rows, some, typed_words
from db.engine import seeing

# Where a component may be offered.
OFFERED = ("marketplace", "library", "nobody")
# Of fewer ratings the mean says little.
FEWEST_RATINGS = 3


@dataclass(frozen=True)
class Template:
    """A template of a workspace, or of the house's library. Uses are counted in the viewer's workspaces alone."""

    id: UUID
    workspace_id: UUID
    workspace: str
    name: str
    description: str | None
    kind: str
    product: str
    category: str | None
    industry: str | None
    style: str | None
    status: str
    is_library: bool
    is_featured: bool
    current_version: int
    revision: int
    created_at: datetime
    categories: list[str]
    campaigns: int
    copies: int
    generations: int
    ratings: int
    rating: Decimal | None


@dataclass(frozen=True)
class Version:
    """What a template once was."""

    version: int
    reason: str
    subject: str | None
    created_at: datetime
    published_at: datetime | None
    created_by: str | None
    note: str | None


@dataclass(frozen=True)
class Rated:
    """A template, and how people rated what was generated with it."""

    id: UUID
    name: str
    ratings: int
    rating: Decimal


@dataclass(frozen=True)
class Downloaded:
    """A component that others took."""

    id: UUID
    name: str
    workspace: str
    downloads: int


@dataclass(frozen=True)
class SavedComponent:
    """A web component that a customer saved, shares or sells."""

    id: UUID
    workspace_id: UUID
    workspace: str
    name: str
    description: str | None
    category: str | None
    component_type: str
    tags: list[str]
    is_public: bool
    is_marketplace_item: bool
    price: Decimal
    currency: str
    downloads: int
    likes: int
    created_at: datetime


# A library template is used through the copies that workspaces made of it.
_USED = """
    SELECT workspace_id, template_id, campaign_id FROM email_campaigns
    UNION
    SELECT k.library_template_workspace_id, k.library_template_id, e.campaign_id
    FROM workspace_templates AS k
    JOIN email_campaigns AS e ON e.workspace_id = k.workspace_id AND e.template_id = k.template_id
    """
_TEMPLATES = f"""
    WITH found AS (
        SELECT id, workspace_id, name, description, kind, product, category, industry, style, status, is_library,
            is_featured, current_version, revision, created_at
        FROM templates
        WHERE deleted_at IS NULL
            AND (:words = '' OR search_vector @@ TO_TSQUERY('simple', :beginnings)
                OR search_vector @@ WEBSEARCH_TO_TSQUERY('english', :words))
            AND (CAST(:only AS UUID) IS NULL OR id = :only)
            AND (CAST(:workspaces AS UUID[]) IS NULL OR workspace_id = ANY (:workspaces))
            AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind)
            AND (CAST(:status AS TEXT) IS NULL OR status = :status)
            AND (CAST(:products AS TEXT[]) IS NULL OR product = ANY (:products))
            AND (CAST(:category AS TEXT) IS NULL OR category = :category)
            AND (CAST(:industry AS TEXT) IS NULL OR industry = :industry)
            AND (CAST(:shelf AS UUID) IS NULL OR EXISTS (
                SELECT FROM template_categories AS x
                WHERE x.workspace_id = templates.workspace_id AND x.template_id = templates.id
                    AND x.category_id = :shelf
            ))
            AND (CAST(:is_library AS BOOLEAN) IS NULL OR is_library = :is_library)
            AND (NOT :only_featured OR is_featured)
            AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL
                OR (created_at, id) < (:after_at, CAST(:after_key AS UUID)))
        ORDER BY created_at DESC, id DESC
        LIMIT :most
    ),
    used AS ({_USED}),
    uses AS (
        SELECT u.workspace_id, u.template_id, COUNT(*) AS campaigns
        FROM used AS u
        JOIN campaigns AS c ON c.id = u.campaign_id
        WHERE u.template_id IN (SELECT id FROM found)
        GROUP BY u.workspace_id, u.template_id
    ),
    copied AS (
        SELECT library_template_workspace_id AS workspace_id, library_template_id AS template_id, COUNT(*) AS copies
        FROM workspace_templates
        WHERE library_template_id IN (SELECT id FROM found)
        GROUP BY library_template_workspace_id, library_template_id
    ),
    rated AS (
        SELECT template_workspace_id AS workspace_id, template_id, COUNT(*) AS generations,
            COUNT(user_rating) AS ratings, AVG(user_rating) AS rating
        FROM ai_generations
        WHERE template_id IN (SELECT id FROM found)
        GROUP BY template_workspace_id, template_id
    )
    SELECT t.id, t.workspace_id, w.name AS workspace, t.name, t.description, t.kind, t.product, t.category, t.industry,
        t.style, t.status, t.is_library, t.is_featured, t.current_version, t.revision, t.created_at,
        ARRAY(
            SELECT c.name
            FROM template_categories AS x
            JOIN categories AS c ON c.workspace_id = x.category_workspace_id AND c.id = x.category_id
            WHERE x.workspace_id = t.workspace_id AND x.template_id = t.id
            ORDER BY c.name
        ) AS categories,
        COALESCE(uses.campaigns, 0) AS campaigns, COALESCE(copied.copies, 0) AS copies,
        COALESCE(rated.generations, 0) AS generations, COALESCE(rated.ratings, 0) AS ratings, rated.rating
    FROM found AS t
    JOIN workspaces AS w ON w.id = t.workspace_id
    LEFT JOIN uses ON uses.workspace_id = t.workspace_id AND uses.template_id = t.id
    LEFT JOIN copied ON copied.workspace_id = t.workspace_id AND copied.template_id = t.id
    LEFT JOIN rated ON rated.workspace_id = t.workspace_id AND rated.template_id = t.id
    ORDER BY t.created_at DESC, t.id DESC
    """  # noqa: S608 - our own names
# Narrowed by nothing.
_EVERY: dict[str, Any] = {
    **dict.fromkeys(
        ("only", "kind", "status", "products", "category", "industry", "shelf", "is_library", "workspaces")
    ),
    "only_featured": False,
}
_USES = f"""
    WITH used AS ({_USED})
    SELECT CAST(u.campaign_id AS TEXT) AS campaign, CAST(t.id AS TEXT) AS template, t.name AS template_name, t.category
    FROM used AS u
    JOIN campaigns AS c ON c.id = u.campaign_id
    JOIN templates AS t ON t.workspace_id = u.workspace_id AND t.id = u.template_id
    WHERE c.workspace_id = ANY (:workspaces)
    """  # noqa: S608 - our own names
_VERSIONS = """
    SELECT v.version, v.reason, v.subject, v.created_at, v.published_at, v.created_by, v.note
    FROM template_versions AS v
    JOIN templates AS t ON t.workspace_id = v.workspace_id AND t.id = v.template_id
    WHERE t.id = :template
    ORDER BY v.version DESC
    LIMIT :most
    """
_SAVED = """
    SELECT l.id, l.workspace_id, w.name AS workspace, l.name, l.description, l.category, l.component_type, l.tags,
        l.is_public, l.is_marketplace_item, l.price, l.currency, l.downloads, l.likes, l.created_at
    FROM component_library AS l
    JOIN workspaces AS w ON w.id = l.workspace_id
    WHERE l.workspace_id = ANY (:workspaces) AND l.deleted_at IS NULL
        AND (:words = '' OR l.search_vector @@ TO_TSQUERY('simple', :beginnings)
            OR l.search_vector @@ WEBSEARCH_TO_TSQUERY('english', :words))
        AND (CAST(:kind AS TEXT) IS NULL OR l.component_type = :kind)
        AND (CAST(:offered AS TEXT) IS NULL OR :offered = CASE
            WHEN l.is_marketplace_item THEN 'marketplace' WHEN l.is_public THEN 'library' ELSE 'nobody'
        END)
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (l.created_at, l.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY l.created_at DESC, l.id DESC
    LIMIT :most
    """
_RATED = """
    SELECT t.id, t.name, COUNT(g.user_rating) AS ratings, AVG(g.user_rating) AS rating
    FROM ai_generations AS g
    JOIN templates AS t ON t.workspace_id = g.template_workspace_id AND t.id = g.template_id
    WHERE g.workspace_id = ANY (:workspaces) AND g.user_rating IS NOT NULL
    GROUP BY t.id, t.name
    HAVING COUNT(g.user_rating) >= :fewest
    ORDER BY AVG(g.user_rating) DESC, COUNT(g.user_rating) DESC, t.id
    LIMIT :most
    """
_DOWNLOADED = """
    SELECT l.id, l.name, w.name AS workspace, l.downloads
    FROM component_library AS l
    JOIN workspaces AS w ON w.id = l.workspace_id
    WHERE l.workspace_id = ANY (:workspaces) AND l.downloads > 0
    ORDER BY l.downloads DESC, l.id
    LIMIT :most
    """


def search_templates(
    engine: Engine,
    viewer: Viewer,
    words: str = "",
    *,
    kind: str | None = None,
    status: str | None = None,
    products: Sequence[str] = (),
    category: str | None = None,
    industry: str | None = None,
    shelf: UUID | None = None,
    is_library: bool | None = None,
    only_featured: bool = False,
    workspaces: frozenset[UUID] | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page[Template]:
    """Templates of the viewer's workspaces and of the library, or of chosen workspaces alone, newest first."""
    chosen = None if workspaces is None else sorted(workspaces)
    named = _EVERY | {
        "kind": kind, "status": status, "products": list(products) or None, "category": category,
        "industry": industry, "shelf": shelf, "is_library": is_library, "only_featured": only_featured,
        "workspaces": chosen,
    }  # fmt: skip
    found = _searched(engine, viewer, _TEMPLATES, (words, after, limit), **named)
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Template)


def template(engine: Engine, viewer: Viewer, key: UUID) -> Template | None:
    """One template; None where the viewer sees none by this key."""
    found = _searched(engine, viewer, _TEMPLATES, ("", None, 1), **(_EVERY | {"only": key}))
    return Template(**found[0]) if found else None


def best_rated(
    engine: Engine, viewer: Viewer, *, workspaces: frozenset[UUID] | None = None, limit: int = 10
) -> tuple[Rated, ...]:
    """Templates whose AI results people rated best, among those that enough people rated."""
    viewer.require(Permission.TEMPLATES_READ)
    with seeing(engine, viewer.workspaces) as connection:
        chosen = _chosen(viewer, workspaces)
        found = rows(connection, _RATED, workspaces=chosen, fewest=FEWEST_RATINGS, most=some(limit))
        return tuple(Rated(**row) for row in found)


def most_downloaded(
    engine: Engine, viewer: Viewer, *, workspaces: frozenset[UUID] | None = None, limit: int = 10
) -> tuple[Downloaded, ...]:
    """Components of the viewer's workspaces that others took most often."""
    viewer.require(Permission.TEMPLATES_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _DOWNLOADED, workspaces=_chosen(viewer, workspaces), most=some(limit))
        return tuple(Downloaded(**row) for row in found)


def search_components(
    engine: Engine,
    viewer: Viewer,
    words: str = "",
    *,
    kind: str | None = None,
    offered: str | None = None,
    workspaces: frozenset[UUID] | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page[SavedComponent]:
    """Components that the viewer's workspaces saved, newest first, with marketplace downloads and likes.

    They are `offered` in the marketplace, in the library alone, or to nobody: by these words.
    """
    named = {"kind": kind, "offered": offered, "workspaces": _chosen(viewer, workspaces)}
    found = _searched(engine, viewer, _SAVED, (words, after, limit), **named)
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), SavedComponent)


def versions(engine: Engine, viewer: Viewer, template: UUID, *, limit: int = 50) -> tuple[Version, ...]:
    """What a template was, the newest version first."""
    viewer.require(Permission.TEMPLATES_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(Version(**row) for row in rows(connection, _VERSIONS, template=template, most=some(limit)))


def templates_of_campaigns(engine: Engine, viewer: Viewer) -> pd.DataFrame:
    """Which template each e-mail campaign uses: `campaign, template, template_name, category`.

    An answer by campaign is joined with it on `campaign`; its sums are added up by template, and divided then.
    """
    viewer.require(Permission.TEMPLATES_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = [dict(row) for row in rows(connection, _USES, workspaces=sorted(viewer.workspaces))]
    return pd.DataFrame(found, columns=["campaign", "template", "template_name", "category"])


def _chosen(viewer: Viewer, workspaces: frozenset[UUID] | None) -> list[UUID]:
    """The chosen ones among those that the viewer sees; None: all of these."""
    return sorted(viewer.workspaces if workspaces is None else viewer.workspaces & workspaces)


def _searched(
    engine: Engine,
    viewer: Viewer,
    question: str,
    asked: tuple[str, Place | None, int],
    **more: Any,  # noqa: ANN401 - what drivers take
) -> list[Any]:
    viewer.require(Permission.TEMPLATES_READ)
    words, after, limit = typed_words(asked[0]), *asked[1:]
    if is_unsearchable(words):
        return []
    with seeing(engine, viewer.workspaces) as connection:
        return list(
            rows(
                connection,
                question,
                words=words,
                beginnings=beginnings(words),
                after_at=after and after.at,
                after_key=after and after.key,
                most=some(limit) + 1,
                **more,
            )
        )
