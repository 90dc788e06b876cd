"""Templates of the library and of workspaces, with their versions, sections, shelves and figures."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from db.demo import words
from db.demo.ai_facts import Owned
from db.demo.keys import bytes_of, key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, moment
from db.demo.world import Workspace, World
from db.tables.base import HOUSE_WORKSPACE

_CATEGORIES = {
    "email": ("Newsletter", "Welcome", "Promotion", "Event", "Receipt", "Win-back"),
    "ad": ("Sale", "Launch", "Brand", "Seasonal", "Local"),
}
_STYLES = ("minimal", "bold", "playful", "elegant")
_SECTIONS = ("header", "hero", "text", "call_to_action", "footer")
_KEPT_OF_SECTIONS = ("kind", "position", "content", "html_content")
_LIBRARY = 40
_KIND_OF_PRODUCT = {"email_studio": "email", "craft_ads": "ad", "mailer": "email"}


@dataclass(slots=True)
class Shelves:
    """The rows of everything about templates."""

    categories: list[Row] = field(default_factory=list)
    templates: list[Row] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    sections: list[Row] = field(default_factory=list)
    placed: list[Row] = field(default_factory=list)
    metrics: list[Row] = field(default_factory=list)
    copies: list[Row] = field(default_factory=list)

    def owned(self, world: World) -> Owned:
        """The workspaces' e-mail templates, to refer to them."""
        mine: list[list[UUID]] = [[] for _ in world.workspaces]
        index = {one.id: one.index for one in world.workspaces}
        for row in self.templates:
            if row["kind"] == "email" and row["workspace_id"] in index:
                mine[index[row["workspace_id"]]].append(row["id"])
        keys = [key for keys in mine for key in keys]
        return Owned(bytes_of(keys), np.concatenate(([0], np.cumsum([len(keys) for keys in mine]))))


def make_templates(rng: np.random.Generator, world: World, count: int) -> Shelves:
    """The house's library, and what workspaces made of it and by themselves."""
    shelves = Shelves()
    began = world.season.start - 200 * DAY
    for kind, names in _CATEGORIES.items():
        for order, name in enumerate(names):
            shelves.categories.append(_category(rng, kind, name, order, began))
    for number in range(_LIBRARY):
        kind = "ad" if number % 3 == 2 else "email"  # noqa: PLR2004
        product = "craft_ads" if kind == "ad" else "email_studio"
        _add(rng, shelves, None, product, number, at=began + number * DAY)
    library = list(shelves.templates)
    for product in _KIND_OF_PRODUCT:
        for workspace in world.users_of(product):
            _fill(rng, shelves, world, workspace, product, library=library, count=count)
    return shelves


def _fill(
    rng: np.random.Generator,
    shelves: Shelves,
    world: World,
    workspace: Workspace,
    product: str,
    *,
    library: list[Row],
    count: int,
) -> None:
    begins, ends = workspace.used[product]
    fitting = [row for row in library if row["kind"] == _KIND_OF_PRODUCT[product]]
    for number in range(2 + int(count * workspace.weight / len(_KIND_OF_PRODUCT))):
        at = begins + int(rng.random() * (ends - begins - 2 * DAY))
        row = _add(rng, shelves, workspace, product, number, at=at)
        if number % 2 == 0:
            source = fitting[int(rng.integers(len(fitting)))]
            source["usage_count"] += 1
            shelves.copies.append(_copy(rng, row, source, at))
        _measure(rng, world, shelves, row, at)


def _category(rng: np.random.Generator, kind: str, name: str, order: int, at: int) -> Row:
    return {
        "workspace_id": HOUSE_WORKSPACE,
        "id": key_at(rng, at),
        "name": name,
        "kind": kind,
        "description": f"{name} templates",
        "icon": "folder",
        "display_order": order,
        "created_at": moment(at),
        "updated_at": moment(at),
    }


def _add(
    rng: np.random.Generator, shelves: Shelves, workspace: Workspace | None, product: str, number: int, *, at: int
) -> Row:
    kind = _KIND_OF_PRODUCT[product]
    names = _CATEGORIES[kind]
    category = names[number % len(names)]
    person = None if workspace is None else workspace.people[int(rng.integers(len(workspace.people)))].id
    # Of an ad no text was changed yet.
    versions = 1 + int(rng.integers(0, 4)) if kind == "email" else 1
    row: Row = {
        "workspace_id": workspace.id if workspace else HOUSE_WORKSPACE,
        "id": key_at(rng, at),
        "user_id": person,
        "product": product,
        "kind": kind,
        "name": f"{words.COMPANY_FIRST[number % len(words.COMPANY_FIRST)]} {category.lower()} {number + 1}",
        "description": f"A {_STYLES[number % 4]} template: {category.lower()}",
        "category": category,
        "status": ("published", "published", "draft", "published", "retired")[number % 5],
        "current_version": versions,
        "is_public": workspace is None,
        "is_library": workspace is None,
        "is_featured": workspace is None and number % 5 == 0,
        "usage_count": 0 if workspace is None else int(rng.integers(0, 60)),
        "thumbnail_url": f"https://images.example/templates/{number + 1}.png",
        "industry": words.INDUSTRIES[number % len(words.INDUSTRIES)],
        "style": _STYLES[number % 4],
        "metadata": {"colors": 3 + number % 3},
        "created_at": moment(at),
        "updated_at": moment(at + versions * HOUR),
    }
    row |= _email_body(category, versions) if kind == "email" else _ad_shape(number)
    shelves.templates.append(row)
    _keep_versions(rng, shelves, row, at, versions)
    shelf = next(one for one in shelves.categories if one["kind"] == kind and one["name"] == category)
    shelves.placed.append(
        {
            "workspace_id": row["workspace_id"],
            "id": key_at(rng, at),
            "template_id": row["id"],
            "category_id": shelf["id"],
            "category_workspace_id": HOUSE_WORKSPACE,
            "created_at": moment(at),
        }
    )
    return row


def _email_body(category: str, version: int) -> Row:
    return {
        "subject": f"{category}: something for you",
        "preheader": "Read on inside",
        "html_content": f"<html><body><h1>{category}</h1><p>Text number {version}.</p></body></html>",
        "text_content": f"{category}. Text number {version}.",
    }


def _ad_shape(number: int) -> Row:
    width, height = ((1080, 1080), (1200, 628), (1080, 1920))[number % 3]
    return {"width": width, "height": height, "format": ("jpg", "png")[number % 2], "campaign_type": "sale"}


def _keep_versions(rng: np.random.Generator, shelves: Shelves, row: Row, at: int, versions: int) -> None:
    is_email, was_published = row["kind"] == "email", row["status"] != "draft"
    sections = [_section(rng, row, kind, position, at) for position, kind in enumerate(_SECTIONS)] if is_email else []
    said_now = [{name: one[name] for name in _KEPT_OF_SECTIONS} for one in sections]
    # What a draft says now is no version yet: it is kept when somebody changes or publishes it.
    for version in range(1, versions + was_published):
        is_published = version == versions
        made_at = at + version * HOUR
        shelves.versions.append(
            {
                "workspace_id": row["workspace_id"],
                "id": key_at(rng, made_at),
                "template_id": row["id"],
                "version": version,
                "reason": "publish" if is_published else ("snapshot", "auto_save")[version % 2],
                **(_email_body(row["category"], version) if is_email else {}),
                "sections": said_now if is_published else said_now[: 2 + version % 3],
                "published_at": moment(made_at) if is_published else None,
                "note": "First draft" if version == 1 else "Shorter text",
                "created_at": moment(made_at),
            }
        )
    shelves.sections += sections


def _section(rng: np.random.Generator, row: Row, kind: str, position: int, at: int) -> Row:
    return {
        "workspace_id": row["workspace_id"],
        "id": key_at(rng, at),
        "template_id": row["id"],
        "kind": kind,
        "position": position,
        "content": {"align": "center" if position % 2 else "left"},
        "html_content": f"<div class='{kind}'></div>",
        "created_at": moment(at),
        "updated_at": moment(at),
    }


def _copy(rng: np.random.Generator, row: Row, source: Row, at: int) -> Row:
    return {
        "workspace_id": row["workspace_id"],
        "id": key_at(rng, at),
        "library_template_id": source["id"],
        "library_template_workspace_id": HOUSE_WORKSPACE,
        "template_id": row["id"],
        "customizations": {"primary_color": "#336699"},
        "customized_by": row["user_id"],
        "created_at": moment(at),
        "updated_at": moment(at),
    }


def _measure(rng: np.random.Generator, world: World, shelves: Shelves, row: Row, at: int) -> None:
    """Figures of every fourth week since."""
    for recorded_at in range(at + 7 * DAY, world.season.end, 28 * DAY):
        impressions = int(rng.lognormal(7, 1))
        clicks = int(impressions * rng.uniform(0.01, 0.06))
        figures: dict[str, Any] = {
            "impressions": impressions,
            "clicks": clicks,
            "conversions": clicks // int(rng.integers(8, 30)),
            "engagements": clicks * 2,
        }
        shelves.metrics.append(
            {
                "workspace_id": row["workspace_id"],
                "id": key_at(rng, recorded_at),
                "template_id": row["id"],
                **figures,
                "performance_data": {"best_day": "tuesday"},
                "recorded_at": moment(recorded_at),
                "created_at": moment(recorded_at),
                "updated_at": moment(recorded_at),
            }
        )
