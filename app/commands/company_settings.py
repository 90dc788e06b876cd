"""Settings of the company: what each means, who reads it, and changing it field by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.plan_publishing import FLOOR
from app.commands.quota_rules import SERVICE_LIMITS, set_service_limits
from app.commands.stale import EditedMeanwhileError
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import Setting

Fields = Mapping[str, int]
HIGHEST = 1_000_000_000
LONGEST_NAME = 60
_BETWEEN = "."
# What a setting that is a bare number says, as people read and write it.
_BARE = "per_cent"


@dataclass(frozen=True)
class Known:
    """A setting that this version knows: the shape of its fields, an example, and who reads it; None: nobody does.

    Of depth 0 it is a bare number.
    """

    meaning: str
    depth: int
    example: str
    read_by: str | None = None
    only: tuple[str, ...] = ()
    least: int = 0
    most: int = HIGHEST


KNOWN: Mapping[str, Known] = {
    SERVICE_LIMITS: Known(
        "How often one customer may use an AI service a day, whatever their plan; a service without a number has no"
        " limit of this kind.",
        1,
        "veo = 50",
        "the quotas, at every call",
    ),
    "meta_api_rate_limits": Known(
        "How many calls of Meta's interface are meant to be made an hour.", 1, "calls_per_hour = 200",
        only=("calls_per_hour",),
    ),
    FLOOR: Known(
        "What has to be left of revenue: a plan whose simulated margin would be below it is published by a second"
        " admin.",
        0,
        f"{_BARE} = 30",
        "the publishing of plans",
        only=(_BARE,),
        least=-1000,
        most=100,
    ),
    "subscription_features": Known(
        "What a subscription includes by its tier, as the products' documents began with; what holds is each plan's own"
        " limits.",
        2,
        "starter.ai_credits = 50",
    ),
}  # fmt: skip


def change_setting(
    engine: Engine,
    by: Viewer,
    key: str,
    fields: Fields,
    *,
    revision: int,
    reason: str,
    made_on: Fields | None = None,
) -> None:
    """Let a setting say this, if nobody has changed it since it was read, when it said `made_on`."""
    by.require(Permission.SETTINGS_MANAGE)
    said = one_line(reason)
    if not said:
        raise SightlineError("A setting is changed for a reason.", fix="Say why in a few words.")
    if key == SERVICE_LIMITS:
        # Quotas know which meters there are, and how much can be allowed of them.
        set_service_limits(engine, by, fields, revision=revision, reason=said, made_on=made_on)
        return
    wanted = _checked(key, fields)
    with seeing(engine, by.workspaces, actor=by.name, reason=said) as connection:
        require_whole_company(connection, by)
        found = connection.execute(
            select(Setting.value, Setting.revision).where(Setting.key == key).with_for_update()
        ).one_or_none()
        if found is None:
            raise SightlineError("This setting is not there any more.", fix="Load the page again.")
        if found.revision != revision:
            raise _stale(key, flat(found.value), wanted, found.revision, made_on)
        connection.execute(update(Setting).where(Setting.key == key).values(value=_nested(key, wanted)))


def flat(value: Any) -> dict[str, int]:  # noqa: ANN401 - what JSON holds
    """Numbers by their names; what lies within something bears its name before its own."""
    if _is_number(value):
        return {_BARE: value}
    told: dict[str, int] = {}
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            told |= {f"{name}{_BETWEEN}{below}": number for below, number in flat(inner).items()}
        elif _is_number(inner):
            told[name] = inner
    return told


def written(fields: Fields) -> str:
    """One a line, as people edit them."""
    return "\n".join(f"{name} = {number}" for name, number in sorted(fields.items()))


def read(text: str) -> dict[str, int]:
    """What people wrote, or a sentence on the first line that can't be read."""
    fields: dict[str, int] = {}
    for line in filter(None, (one.strip() for one in text.splitlines())):
        name, sign, number = (part.strip() for part in line.partition("="))
        if not sign or not re.fullmatch(r"-?[0-9]{1,12}", number.replace(",", "")):
            raise SightlineError(f"“{one_line(line)[:80]}” can't be read.", why="Each line is a name, = and a number.",
                fix="Write it such as veo = 50.")  # fmt: skip
        if name in fields:
            raise SightlineError(f"{name} stands there twice.", fix="Keep one of the two lines.")
        fields[name] = int(number.replace(",", ""))
    return fields


def _checked(key: str, fields: Fields) -> dict[str, int]:
    known = KNOWN.get(key)
    if known is None:
        raise SightlineError(
            f"{one_line(key)[:80]} is no setting that people change.",
            why="What the app keeps for itself, and what it does not know, stays as it is.",
            fix=f"Choose one of {', '.join(KNOWN)}.",
        )
    part = r"[a-z][a-z0-9_]*"
    shape = r"\.".join([part] * max(known.depth, 1))
    for name, number in fields.items():
        if not re.fullmatch(shape, name) or len(name) > LONGEST_NAME or (known.only and name not in known.only):
            raise SightlineError(
                f"“{one_line(name)[:80]}” is no name in {key}.", fix=f"Write it such as {known.example}."
            )
        if not known.least <= number <= known.most:
            raise SightlineError(f"{name} can't be {number:,}.", why=f"It is from {known.least:,} to {known.most:,}.")
    missing = [name for name in known.only if name not in fields]
    if missing:
        raise SightlineError(f"{missing[0]} is missing in {key}.", fix=f"Write it such as {known.example}.")
    return dict(fields)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _nested(key: str, fields: Fields) -> Any:  # noqa: ANN401 - what JSON holds
    if KNOWN[key].depth == 0:
        return fields[_BARE]
    told: dict[str, Any] = {}
    for name, number in fields.items():
        outer, sign, inner = name.partition(_BETWEEN)
        if sign:
            told.setdefault(outer, {})[inner] = number
        else:
            told[outer] = number
    return told


def _stale(key: str, now: Fields, wanted: Fields, revision: int, made_on: Fields | None) -> EditedMeanwhileError:
    """A field that one of the versions does not have is none in it."""
    names = sorted({*now, *wanted, *(made_on or ())})

    def whole(fields: Fields) -> dict[str, int | None]:
        return {name: fields.get(name) for name in names}

    return EditedMeanwhileError(
        f"the setting {key}", now=whole(now), wanted=whole(wanted), revision=revision,
        made_on=None if made_on is None else whole(made_on),
    )  # fmt: skip
