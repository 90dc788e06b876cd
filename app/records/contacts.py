"""Contacts: searched, one person's whole history, and how long ago people last did anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pandas as pd
from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, moments, page_of, rows, some, typed_words
from app.settings import settings
from db.engine import seeing

RECENCIES = ("30 days", "60 days", "90 days", "180 days", "365 days", "longer", "never")


@dataclass(frozen=True)
class Contact:
    """A person who gets e-mail from a workspace, as a list shows them."""

    id: UUID
    workspace_id: UUID
    workspace: str
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime
    last_engaged_at: datetime | None


@dataclass(frozen=True)
class ContactDetail:
    """Everything that is kept of one person."""

    id: UUID
    workspace_id: UUID
    workspace: str
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime
    subscribed_at: datetime | None
    unsubscribed_at: datetime | None
    last_engaged_at: datetime | None
    tags: list[str]
    custom_fields: Mapping[str, Any]
    lists: list[str]


@dataclass(frozen=True)
class Recency:
    """How many contacts of one status last did anything how long ago."""

    recency: str
    status: str
    contacts: int


@dataclass(frozen=True)
class Cohort:
    """How the contacts who came in one month stand now."""

    month: date
    contacts: int
    subscribed: int
    unsubscribed: int
    bounced: int
    complained: int
    engaged_30_days: int
    engaged_90_days: int
    never_engaged: int


@dataclass(frozen=True)
class Send:
    """One campaign's e-mail to a person: the first time of everything that happened to it."""

    campaign_id: UUID
    campaign: str | None
    first_sent_at: datetime | None
    first_delivered_at: datetime | None
    first_opened_at: datetime | None
    first_human_opened_at: datetime | None
    first_clicked_at: datetime | None
    first_bounced_at: datetime | None
    bounce_type: str | None
    first_unsubscribed_at: datetime | None
    first_complained_at: datetime | None
    opens: int
    machine_opens: int
    clicks: int


_SEARCH = """
    SELECT f.id, f.workspace_id, s.name AS workspace, f.email, f.first_name, f.last_name, f.status, f.created_at,
        f.last_engaged_at
    FROM (
        SELECT c.id, c.workspace_id, c.email, c.first_name, c.last_name, c.status, c.created_at, c.last_engaged_at
        FROM UNNEST(CAST(:workspaces AS UUID[])) AS w (workspace)
        CROSS JOIN LATERAL (
            SELECT id, workspace_id, email, first_name, last_name, status, created_at, last_engaged_at
            FROM contacts
            WHERE workspace_id = w.workspace
                AND (CAST(:status AS TEXT) IS NULL OR status = :status)
                AND (CAST(:after AS UUID) IS NULL OR id < :after)
                -- No pattern: what people type may hold its signs.
                AND NOT EXISTS (
                    SELECT FROM UNNEST(CAST(:words AS TEXT[])) AS words (word)
                    WHERE STRPOS(LOWER(CONCAT_WS(' ', email, first_name, last_name)), word) = 0
                )
            ORDER BY contacts.id DESC
            LIMIT :most
        ) AS c
        ORDER BY c.id DESC
        LIMIT :most
    ) AS f
    JOIN workspaces AS s ON s.id = f.workspace_id
    ORDER BY f.id DESC
    """
_ONE = """
    SELECT c.id, c.workspace_id, s.name AS workspace, c.email, c.first_name, c.last_name, c.status, c.created_at,
        c.subscribed_at, c.unsubscribed_at, c.last_engaged_at, c.tags, c.custom_fields,
        ARRAY(
            SELECT l.name
            FROM list_contacts AS lc
            JOIN lists AS l ON l.workspace_id = lc.workspace_id AND l.id = lc.list_id
            WHERE lc.workspace_id = c.workspace_id AND lc.contact_id = c.id
            ORDER BY l.name
        ) AS lists
    FROM contacts AS c
    JOIN workspaces AS s ON s.id = c.workspace_id
    WHERE c.id = :contact
    """
_SENDS = """
    SELECT e.campaign_id, c.name AS campaign, e.first_sent_at, e.first_delivered_at, e.first_opened_at,
        e.first_human_opened_at, e.first_clicked_at, e.first_bounced_at, e.bounce_type, e.first_unsubscribed_at,
        e.first_complained_at, e.opens, e.machine_opens, e.clicks
    FROM email_sends AS e
    LEFT JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
    WHERE e.contact_id = :contact
        AND e.workspace_id IN (SELECT workspace_id FROM contacts WHERE id = :contact)
    ORDER BY COALESCE(e.first_sent_at, e.first_delivered_at) DESC NULLS LAST, e.campaign_id
    LIMIT :most
    """
_RECENCY = """
    SELECT
        CASE
            WHEN last_engaged_at IS NULL THEN 'never'
            WHEN last_engaged_at >= :now - INTERVAL '30 days' THEN '30 days'
            WHEN last_engaged_at >= :now - INTERVAL '60 days' THEN '60 days'
            WHEN last_engaged_at >= :now - INTERVAL '90 days' THEN '90 days'
            WHEN last_engaged_at >= :now - INTERVAL '180 days' THEN '180 days'
            WHEN last_engaged_at >= :now - INTERVAL '365 days' THEN '365 days'
            ELSE 'longer'
        END AS recency,
        status,
        COUNT(*) AS contacts
    FROM contacts
    WHERE workspace_id = ANY (:workspaces)
    GROUP BY 1, 2
    """
_COHORTS = """
    SELECT
        CAST(DATE_TRUNC('month', created_at AT TIME ZONE :zone) AS DATE) AS month,
        COUNT(*) AS contacts,
        COUNT(*) FILTER (WHERE status = 'subscribed') AS subscribed,
        COUNT(*) FILTER (WHERE status = 'unsubscribed') AS unsubscribed,
        COUNT(*) FILTER (WHERE status = 'bounced') AS bounced,
        COUNT(*) FILTER (WHERE status = 'complained') AS complained,
        COUNT(*) FILTER (WHERE last_engaged_at >= :now - INTERVAL '30 days') AS engaged_30_days,
        COUNT(*) FILTER (WHERE last_engaged_at >= :now - INTERVAL '90 days') AS engaged_90_days,
        COUNT(*) FILTER (WHERE last_engaged_at IS NULL) AS never_engaged
    FROM contacts
    WHERE workspace_id = ANY (:workspaces)
    GROUP BY 1
    ORDER BY 1
    """


def search_contacts(
    engine: Engine,
    viewer: Viewer,
    words: str = "",
    *,
    status: str | None = None,
    workspaces: frozenset[UUID] | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page[Contact]:
    """Contacts whose address or name holds every word, newest first."""
    viewer.require(Permission.AUDIENCE_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _SEARCH,
            workspaces=_chosen(viewer, workspaces),
            words=typed_words(words).lower().split(),
            status=status,
            after=after and after.key,
            most=some(limit) + 1,
        )
    # Keys are made of the time: their order is that of the rows.
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Contact)


def contact(engine: Engine, viewer: Viewer, key: UUID) -> ContactDetail | None:
    """One person; None where the viewer sees nobody by this key. What they did: events of the contact, and sends."""
    viewer.require(Permission.AUDIENCE_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _ONE, contact=key)
    return ContactDetail(**found[0]) if found else None


def sends(engine: Engine, viewer: Viewer, contact: UUID, *, limit: int = 200) -> tuple[Send, ...]:
    """Every campaign that was sent to a person, the latest first."""
    viewer.require(Permission.AUDIENCE_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(Send(**row) for row in rows(connection, _SENDS, contact=contact, most=some(limit)))


def recency(engine: Engine, viewer: Viewer, today: date, *, workspaces: frozenset[UUID] | None = None) -> pd.DataFrame:
    """How many contacts of each status last opened or clicked how long before a day: `recency, status, contacts`.

    Each counts once, under the shortest time that holds; `30 days` is at most thirty days ago.
    """
    found = _counted(engine, viewer, _RECENCY, today, workspaces)
    frame = pd.DataFrame(found, columns=["recency", "status", "contacts"])
    frame["recency"] = pd.Categorical(frame["recency"], RECENCIES, ordered=True)
    return frame.sort_values(["recency", "status"], ignore_index=True)


def cohorts(engine: Engine, viewer: Viewer, today: date, *, workspaces: frozenset[UUID] | None = None) -> pd.DataFrame:
    """Contacts by the month in which they came: how they stand now, and how many were lately engaged."""
    columns = ["month", "contacts", "subscribed", "unsubscribed", "bounced", "complained", "engaged_30_days"]
    columns += ["engaged_90_days", "never_engaged"]
    return pd.DataFrame(_counted(engine, viewer, _COHORTS, today, workspaces), columns=columns)


def _counted(
    engine: Engine, viewer: Viewer, question: str, today: date, workspaces: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    viewer.require(Permission.AUDIENCE_READ)
    now, _ = moments(today, None)
    named: dict[str, Any] = {"now": now, "workspaces": _chosen(viewer, workspaces)}
    if ":zone" in question:
        named["zone"] = settings().zone
    with seeing(engine, viewer.workspaces) as connection:
        return [dict(row) for row in rows(connection, question, **named)]


def _chosen(viewer: Viewer, workspaces: frozenset[UUID] | None) -> list[UUID]:
    return sorted(viewer.workspaces if workspaces is None else viewer.workspaces & workspaces)
