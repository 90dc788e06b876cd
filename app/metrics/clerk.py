"""Writes the receipt of an answer: definitions, versions, rates, and caveats."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from app.lake.versions import LakeVersion
from app.metrics import sql
from app.metrics.compile import Compiled, Shape, is_converted, parameters_of, reading_of
from app.metrics.metric import Metric, Stock, Sum, Unit
from app.metrics.question import Compare
from app.metrics.rates import Rates, RateUsed
from app.metrics.reader import Reader
from app.metrics.reading import AI_CURRENCY, column
from app.metrics.receipt import Definition, Receipt, RollupRead
from app.metrics.route import Part
from app.metrics.spans import BEFORE, Spans
from app.rollups import rollups

# The tables in which opens are judged to be by people or by machines.
_OPENS = frozenset({"email_events", "email_sends"})


@dataclass(frozen=True)
class Told:
    """What is known of an answer when its receipt is written."""

    shape: Shape
    compiled: Compiled
    spans: Spans
    version: LakeVersion
    compare: Compare | None
    parameters: Mapping[str, Any]
    rows_read: int
    unconverted: int
    elapsed_ms: float


def write(told: Told, used: tuple[RateUsed, ...]) -> Receipt:
    before = told.spans.named(BEFORE)
    complete, now = told.spans.complete, told.spans.now
    has_money = any(metric.unit is Unit.MONEY for metric in told.shape.checked.metrics)
    return Receipt(
        definitions=tuple(map(_definition, told.shape.checked.metrics)),
        compiled=told.compiled,
        parameters=told.parameters,
        rollups=tuple(_read(part, told.version) for part in told.shape.parts),
        lake_version=told.version.number,
        data_through=told.version.data_through,
        loaded_at=told.version.loaded_at,
        zone=told.version.zone,
        period=(now.since, now.until),
        compared=(complete.since, complete.until) if before else None,
        before=(before.since, before.until) if before else None,
        running_day=told.spans.running_day,
        currency=told.shape.currency if has_money and is_converted(told.shape.checked) else None,
        rates=used,
        unconverted=told.unconverted,
        rows_read=told.rows_read,
        caveats=tuple(_caveats(told)),
        price_book_version=told.version.price_book_version,
        machine_rules_version=told.version.machine_rules_version if _has_opens(told.shape) else None,
        elapsed_ms=told.elapsed_ms,
    )


def _has_opens(shape: Shape) -> bool:
    return any(not _OPENS.isdisjoint(rollups()[part.shape.name].reads) for part in shape.parts)


def rates_used(
    reader: Reader, shape: Shape, spans: Spans, parameters: Mapping[str, Any], rates: Rates
) -> tuple[RateUsed, ...]:
    """Of every currency that may have been converted, the rates of the period."""
    found: dict[str, RateUsed] = {}
    for part in shape.parts:
        reading = reading_of(shape, part)
        if not any(reading.is_foreign(flow) for flow in _flows(part)):
            continue
        since = date.min if part.kind is Stock else spans.now.since
        for currency in _currencies(reader, shape, part, parameters):
            used = rates.used(currency, since, spans.now.until) if currency != shape.currency else None
            if used:
                found.setdefault(currency, used)
    return tuple(found[currency] for currency in sorted(found))


def _currencies(reader: Reader, shape: Shape, part: Part, parameters: Mapping[str, Any]) -> list[str]:
    if "currency" not in part.shape.grain:
        return [AI_CURRENCY]
    text, named = _currency_query(shape, part)
    found = reader.execute(text, {name: parameters[name] for name in named}).fetchall()
    return [currency for (currency,) in found if currency]


@lru_cache(maxsize=512)
def _currency_query(shape: Shape, part: Part) -> tuple[str, frozenset[str]]:
    """All currencies of the period, whatever the question leaves out of it: that is found without a join."""
    bare = replace(reading_of(shape, part), part=replace(part, breakdowns=()), by=(), where=())
    query = sql.grouped(bare.select([column("currency")], from_start=part.kind is Stock), 1)
    return query.sql(dialect="duckdb"), parameters_of(query)


def _flows(part: Part) -> list[Sum]:
    flows = [flow for leaf in part.leaves for flow in (leaf.flows if isinstance(leaf, Stock) else (leaf,))]
    return [flow for flow in flows if isinstance(flow, Sum)]


def _definition(metric: Metric) -> Definition:
    return Definition(
        metric.name, metric.meaning, metric.formula, metric.unit.value, metric.additivity.value, metric.good.value
    )


def _read(part: Part, version: LakeVersion) -> RollupRead:
    return RollupRead(part.shape.name, version.rollups[part.shape.name].version)


def _caveats(told: Told) -> list[str]:
    caveats = [*_of_time(told), *_of_comparison(told), *_of_money(told)]
    caveats += [
        f"Split as the ad platform gives it ({' or '.join(part.breakdowns)}); what it left out is not here."
        for part in told.shape.parts
        if part.breakdowns not in {(), ("none",)}
    ]
    return caveats + list(dict.fromkeys(metric.note for metric in told.shape.checked.metrics if metric.note))


def _of_time(told: Told) -> list[str]:
    running, now = told.spans.running_day, told.spans.now
    through = f"{told.version.data_through:%Y-%m-%d %H:%M} UTC"
    if running:
        left_out = ", and it is left out of the comparison" if told.compare else ""
        return [f"{running} is still running (data through {through}): its figures are partial{left_out}."]
    if now.since > told.version.data_through.date():
        return [f"The period begins after the data's end ({through})."]
    return []


def _of_comparison(told: Told) -> list[str]:
    before, complete = told.spans.named(BEFORE), told.spans.complete
    if before is None:
        return []
    days, days_before = (complete.until - complete.since).days, (before.until - before.since).days
    if not days:
        return ["No day of the period is complete: there is nothing to compare."]
    text = f"Compared are {days} complete days from {complete.since} to {complete.until - timedelta(days=1)} with "
    text += f"{before.since} to {before.until - timedelta(days=1)}."
    if days != days_before:
        text += f" A leap day makes these {days_before} days."
    return [text]


def _of_money(told: Told) -> list[str]:
    if not told.unconverted:
        return []
    text = f"{told.unconverted} amounts have no exchange rate into {told.shape.currency} on their day or before: "
    return [text + "figures that they belong to are empty. Split by currency, they show unconverted."]
