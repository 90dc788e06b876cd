"""What changed and why is told in parts that are those of the rows, and add up to the change."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.pages.counted import TITLES, told_as
from tests.pages.facts import RATIOS
from tests.pages.oracles import ROLES, choices
from tests.pages.parsed import classed, told, tree
from tests.pages.test_changes import AGAINST, periods, query_of

EXPLAINED = ("emails_delivered", "open_rate", "conversions", "spend", "generations", "ai_cost")
_HEAD = re.compile(r"(.+) went from (\S+(?: %)?) to (\S+(?: %)?)(?: |$)")
_SIGNED = re.compile(r"([+−]?)([\d,]+(?:\.\d+)?)( points)?")


@dataclass
class Reason:
    """A figure's change, and what each member did to it."""

    metric: str
    before: str
    after: str
    parts: dict[str, str] = field(default_factory=dict)
    split: dict[str, str] = field(default_factory=dict)


def reasons(page):
    found = []
    for one in page.get("html"):
        for part in (inner for shown in classed(tree(one.proto.body), "sl-reasons") for inner in shown):
            title, before, after = _HEAD.match(told(next(iter(classed(part, "head"))))).groups()
            reason = Reason(TITLES[title], before, after)
            for name, figure in zip(classed(part, "name"), classed(part, "figure"), strict=True):
                split = next(iter(classed(figure, "split")), None)
                reason.parts[told(name)] = told(figure).removesuffix(told(split) if split is not None else "")
                if split is not None:
                    reason.split[told(name)] = told(split)
            found.append(reason)
    return found


def signed(text):
    """With how far off rounding may have brought it; points are hundredths of a rate."""
    sign, number, points = _SIGNED.match(text).groups()
    value = Decimal(number.replace(",", "")) * (-1 if sign == "−" else 1)
    half = Decimal(5).scaleb(value.as_tuple().exponent - 1)
    scale = 100 if points else 1
    return value / scale, half / scale + Decimal("1e-9")


@pytest.mark.parametrize("compare", AGAINST)
@pytest.mark.parametrize("role", ROLES)
def test_each_part_of_a_change_is_what_the_workspace_did(pages, role, compare):
    choice = choices("mailer")["first"]
    told_of = reasons(pages.run("overview.py", query_of(choice, compare), role))
    asked = periods(pages, choice, role, compare)
    assert told_of
    for reason in told_of:
        names = RATIOS.get(reason.metric, (reason.metric,))
        then, now = (facts.of([*names, reason.metric], ("workspace",)) for facts in (asked.before, asked.over))
        wholes = [next(iter(facts.of([reason.metric]).values()), {}) for facts in (asked.before, asked.over)]
        before, after = (whole.get(reason.metric) for whole in wholes)
        assert told_as(reason.metric, reason.before, before), reason
        assert told_as(reason.metric, reason.after, after), reason
        effects = _effects(names, then, now)
        listed = {name: text for name, text in reason.parts.items() if not re.fullmatch(r"\d+ others?", name)}
        for name, text in listed.items():
            value, within = signed(text)
            assert abs(value - effects[name]) <= within, (reason.metric, name, text, effects[name])
        for name, text in reason.split.items():
            mix, rate = (signed(part.partition(" ")[2]) for part in text.split(", "))
            assert abs(mix[0] + rate[0] - effects[name]) <= mix[1] + rate[1], (name, text, effects[name])
        for name in reason.parts.keys() - listed.keys():
            value, within = signed(reason.parts[name])
            rest = sum(effect for one, effect in effects.items() if one not in listed)
            assert abs(value - rest) <= within, (reason.metric, name, value, rest)
        assert abs(sum(effects.values()) - (Decimal(after or 0) - Decimal(before or 0))) < Decimal("1e-6")


def _effects(names, then, now):
    """Of a sum, each one's own difference; of a rate, what each brings to the whole, measured from its level."""
    if len(names) == 1:
        found = defaultdict(Decimal)
        for sign, values in ((-1, then), (1, now)):
            for (workspace,), row in values.items():
                found[workspace] += sign * Decimal(row[names[0]] or 0)
        return found
    over, under = names
    (over_then, under_then), (over_now, under_now) = (
        [sum(Decimal(row[name] or 0) for row in values.values()) for name in names] for values in (then, now)
    )
    level = (over_then / under_then + over_now / under_now) / 2
    found = {}
    for key in then.keys() | now.keys():
        was, is_now = (values.get(key, {}) for values in (then, now))
        n0, d0, n1, d1 = (Decimal(row.get(name) or 0) for row in (was, is_now) for name in (over, under))
        grown = d1 / under_now - d0 / under_then
        found[key[0]] = n1 / under_now - n0 / under_then - level * grown
    return found


@pytest.mark.parametrize("role", ["admin", "limited-finance"])
def test_open_alerts_are_those_that_nobody_has_settled(pages, role):
    own = "SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited-finance@test.example'"
    seen = f"a.workspace_id IN ({own})" if role.startswith("limited") else "TRUE"
    expected = pages.rows(
        f"""
        SELECT TO_CHAR(a.created_at AT TIME ZONE 'UTC', 'FMDD Mon YYYY, HH24:MI'), a.threshold FROM budget_alerts AS a
        WHERE a.ended_at IS NULL AND (a.acknowledged_at IS NULL OR a.kind = 'emergency_stop')
            AND (a.snoozed_until IS NULL OR a.snoozed_until <= NOW()) AND {seen}
        ORDER BY a.created_at DESC LIMIT 8
        """
    )
    card = pages.open("overview.py", "", role).cards["Open alerts"]
    told_of = [(row[0], row[3]) for row in card.rows]
    assert sorted(told_of) == sorted((when, "–" if at is None else f"{at}") for when, at in expected)
