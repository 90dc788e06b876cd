"""What customers have besides: brands, profiles, sessions, connections, components, pictures and exports."""

from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import numpy as np

from db.demo import words
from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, micros, moment
from db.demo.subscriptions import Seal
from db.demo.world import Workspace, World
from db.tables.templates import COMPONENT_TYPES
from db.vault import Place

_ADDRESSES = words.addresses()
_CODE = """<section class="{kind}" style="padding:2.5rem 1rem;text-align:center;background:#eef3fa">
  <h2 style="margin:0 0 .5rem">{name}</h2>
  <p style="margin:0 0 1.25rem">Fresh every day, and made for you.</p>
  <a href="#more" style="padding:.6rem 1.2rem;background:#1f5fbf;color:#fff">Find out more</a>
</section>
"""


def _stamps(at: int) -> Row:
    return {"created_at": moment(at), "updated_at": moment(at)}


def session_rows(rng: np.random.Generator, world: World) -> list[Row]:
    """Who is signed in; the tokens behind the digests never existed."""
    rows = []
    for number, person in enumerate(world.people):
        at = micros(person.row["last_login_at"])
        rows.append(
            {
                "id": key_at(rng, at),
                "user_id": person.id,
                "token_hash": sha256(rng.bytes(32)).digest(),
                "expires_at": moment(at + 30 * DAY),
                "revoked_at": moment(at + HOUR) if number % 7 == 0 else None,
                "last_seen_at": moment(at),
                "user_agent": words.BROWSERS[number % len(words.BROWSERS)],
                "ip_address": _ADDRESSES[number % len(_ADDRESSES)],
                **_stamps(at),
            }
        )
    return rows


def preference_rows(rng: np.random.Generator, world: World) -> list[Row]:
    """What people of the ad generator chose."""
    return [
        {
            "workspace_id": workspace.id,
            "id": key_at(rng, micros(person.row["created_at"])),
            "user_id": person.id,
            "default_ai_model": ("dall-e-3", "imagen-4.0")[position % 2],
            "ui_preferences": {"grid": bool(position % 2)},
            **_stamps(micros(person.row["created_at"])),
        }
        for workspace in world.users_of("craft_ads")
        for position, person in enumerate(workspace.people)
    ]


def profile_rows(rng: np.random.Generator, world: World) -> tuple[list[Row], list[Row]]:
    """Brand kits and business profiles."""
    brands = [_brand(rng, workspace) for workspace in world.workspaces]
    businesses = [_business(rng, workspace) for workspace in world.users_of("ads_autopilot")]
    return brands, businesses


def _brand(rng: np.random.Generator, workspace: Workspace) -> Row:
    at = workspace.created_at
    return {
        "workspace_id": workspace.id,
        "id": key_at(rng, at),
        "user_id": workspace.owner.id,
        "name": workspace.row["name"],
        "website_url": f"https://{workspace.slug}.example",
        "logo_url": f"https://images.example/logos/{workspace.slug}.svg",
        "color_palette": {"primary": "#336699", "accent": "#ffaa33"},
        "typography": {"headings": "serif", "body": "sans-serif"},
        "brand_voice": {"tone": ("friendly", "plain", "bold")[workspace.index % 3]},
        "last_analysis_at": moment(at + DAY),
        **_stamps(at),
    }


def _business(rng: np.random.Generator, workspace: Workspace) -> Row:
    at = workspace.used["ads_autopilot"][0]
    industry = words.INDUSTRIES[workspace.index % len(words.INDUSTRIES)]
    return {
        "workspace_id": workspace.id,
        "id": key_at(rng, at),
        "user_id": workspace.owner.id,
        "business_name": workspace.row["name"],
        "business_type": industry,
        "industry": industry,
        "website_url": f"https://{workspace.slug}.example",
        "business_address": f"{workspace.index + 1} Sample Street, {words.CITIES[workspace.index % len(words.CITIES)]}",
        "target_audience_description": "People nearby who like good things",
        "monthly_budget_range": ("500-1000", "1000-5000", "5000+")[workspace.index % 3],
        **_stamps(at),
    }


def integration_rows(rng: np.random.Generator, world: World, seal: Seal) -> tuple[list[Row], list[Row]]:
    """Connections to other platforms, one in six of them broken, and what was found in them."""
    connections, analyses = [], []
    for position, workspace in enumerate(world.users_of("web_builder")):
        at = workspace.used["web_builder"][0] + DAY
        key = key_at(rng, at)
        is_broken = position % 6 == 5  # noqa: PLR2004
        credentials = seal(Place("platform_integrations", "encrypted_credentials", key), f"key-{key.hex[-16:]}")
        connections.append(
            {
                "workspace_id": workspace.id,
                "id": key,
                "user_id": workspace.owner.id,
                "platform_type": ("wordpress", "gohighlevel", "simvoly")[position % 3],
                "connection_status": "error" if is_broken else "connected",
                "account_name": workspace.row["name"],
                "account_email": workspace.owner.row["email"],
                "encrypted_credentials": credentials,
                "platform_metadata": {"sites": 1 + position % 3},
                "last_sync_at": moment(world.season.end - (position + 1) * HOUR),
                "sync_status": "error" if is_broken else "completed",
                "sync_error_message": "The platform refused the key." if is_broken else None,
                **_stamps(at),
            }
        )
        analyses.append(_analysis(rng, workspace, key, at + HOUR, position))
    return connections, analyses


def _analysis(rng: np.random.Generator, workspace: Workspace, integration: UUID, at: int, position: int) -> Row:
    return {
        "workspace_id": workspace.id,
        "id": key_at(rng, at),
        "integration_id": integration,
        "analysis_type": ("full_audit", "campaign_analysis", "migration_assessment")[position % 3],
        "summary": {"pages": 4 + position, "score": 60 + position},
        "campaigns_analyzed": [f"Page {number + 1}" for number in range(3)],
        "recommendations": ["Shorten the form", "Say the price earlier"],
        "migration_assessment": {"effort": "low"},
        "ai_model_used": "claude-sonnet",
        "ai_cost": Decimal("0.0412"),
        "processing_time_seconds": 20 + position,
        **_stamps(at),
    }


def library_rows(rng: np.random.Generator, world: World, count: int) -> list[Row]:
    """Web components that customers saved, share or sell."""
    rows = []
    for workspace in world.users_of("web_builder"):
        begins, ends = workspace.used["web_builder"]
        for number in range(2 + int(count * workspace.weight / 2)):
            at = begins + int(rng.random() * (ends - begins - DAY))
            kind = COMPONENT_TYPES[int(rng.integers(len(COMPONENT_TYPES)))]
            is_sold = number % 4 == 0
            name = f"{words.COMPANY_FIRST[number % 25]} {kind.replace('_', ' ')}"
            rows.append(
                {
                    "workspace_id": workspace.id,
                    "id": key_at(rng, at),
                    "user_id": workspace.owner.id,
                    "name": name,
                    "description": f"A {kind.replace('_', ' ')} for every page",
                    "category": kind,
                    "tags": ("responsive", "dark") if number % 2 else ("responsive",),
                    "component_type": kind,
                    "code": _CODE.format(kind=kind, name=name),
                    "props_schema": {"headline": "string"},
                    "is_public": number % 2 == 0,
                    "is_marketplace_item": is_sold,
                    "price": Decimal(int(rng.integers(3, 40))) if is_sold else Decimal(0),
                    "downloads": int(rng.lognormal(3, 1.2)) if number % 2 == 0 else 0,
                    "likes": int(rng.lognormal(1.5, 1)) if number % 2 == 0 else 0,
                    **_stamps(at),
                }
            )
    return rows


def asset_rows(rng: np.random.Generator, campaigns: list[Row], count: int) -> tuple[list[Row], list[Row]]:
    """Pictures and videos of ad campaigns: the creatives, and where they are used."""
    assets, uses = [], []
    each = max(2, min(8, count // max(1, len(campaigns))))
    for campaign in campaigns:
        at = micros(campaign["created_at"])
        for number in range(each):
            is_video = number % 4 == 3  # noqa: PLR2004
            key = key_at(rng, at)
            assets.append(_asset(campaign, key, at, is_video=is_video, number=number))
            uses.append(
                {
                    "workspace_id": campaign["workspace_id"],
                    "id": key_at(rng, at),
                    "campaign_id": campaign["id"],
                    "asset_id": key,
                    "asset_role": ("primary", "variation", "test")[min(number, 2)],
                    "performance_score": Decimal(int(rng.integers(80, 500))) / 100,
                    "created_at": moment(at),
                }
            )
    return assets, uses


def _asset(campaign: Row, key: UUID, at: int, *, is_video: bool, number: int) -> Row:
    suffix = "mp4" if is_video else "png"
    name = f"{key.hex[-12:]}.{suffix}"
    return {
        "workspace_id": campaign["workspace_id"],
        "id": key,
        "user_id": campaign["user_id"],
        "product": "ads_autopilot",
        "asset_type": "video" if is_video else "image",
        "origin": "upload" if number == 1 else "generated",
        "file_url": f"https://images.example/assets/{name}",
        "file_size": 5_000_000 if is_video else 240_000 + number * 1000,
        "filename": name,
        "mime_type": "video/mp4" if is_video else "image/png",
        "format": ("1:1", "16:9", "9:16", "4:5")[number % 4],
        "dimensions": {"width": 1080, "height": 1080},
        "prompt": "The product on a plain table",
        "style": "bright",
        "ai_model": None if number == 1 else "veo-3.0" if is_video else "imagen-4.0",
        "generation_time": 70 if is_video else 8,
        "tags": ("demo", "summer") if number % 2 else ("demo",),
        "usage_count": number,
        **_stamps(at),
    }


def export_rows(rng: np.random.Generator, templates: list[Row], formats: list[UUID]) -> list[Row]:
    """Downloads of templates in the formats that there are; one in twelve failed."""
    exports = []
    own = [row for row in templates if row["user_id"] is not None and row["status"] == "published"]
    for number, template in enumerate(own[::2]):
        at = micros(template["created_at"]) + int(rng.integers(1, 30)) * HOUR
        failed = number % 12 == 11  # noqa: PLR2004
        exports.append(
            {
                "workspace_id": template["workspace_id"],
                "id": key_at(rng, at),
                "user_id": template["user_id"],
                "template_id": template["id"],
                "format_id": formats[number % len(formats)],
                "status": "failed" if failed else "completed",
                "file_url": None if failed else f"https://files.example/exports/{number + 1}",
                "file_size": None if failed else 20_000 + number,
                "error_message": "A picture of the template is missing." if failed else None,
                "completed_at": None if failed else moment(at + 8_000_000),
                **_stamps(at),
            }
        )
    return exports
