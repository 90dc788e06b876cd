"""Usage of the products, quotas, and what the optimizer did."""

from app.access import Permission
from app.metrics.metric import Direction, Metric, Ratio, Sum, Unit

UP, DOWN, NEITHER = Direction.UP, Direction.DOWN, Direction.NEITHER
_METER = ("meter", "quota_period")


def _sum(
    name: str,
    meaning: str,
    permission: Permission,
    good: Direction = NEITHER,
    *,
    unit: Unit = Unit.COUNT,
    needs: tuple[str, ...] = (),
) -> Sum:
    return Sum(name=name, meaning=meaning, unit=unit, good=good, permission=permission, needs=needs, measure=name)


def _quota(name: str, meaning: str) -> Sum:
    return _sum(
        name,
        f"{meaning} It stands on the first day of the quota's period; each meter counts in a unit of its own.",
        Permission.QUOTAS_READ,
        unit=Unit.NUMBER,
        needs=_METER,
    )


OPTIMIZATIONS = _sum("optimizations", "Changes that the optimizer tried.", Permission.ADS_READ)
SUCCEEDED = _sum("optimizations_succeeded", "Changes that were made.", Permission.ADS_READ, UP)
QUOTA_LIMIT = _quota("quota_limit", "How much may be used; unlimited quotas count as 0 here.")
QUOTA_USED = _quota("quota_used", "How much was used.")

METRICS: tuple[Metric, ...] = (
    _sum("uses", "How often a feature of a product was used.", Permission.AI_USAGE_READ),
    _sum("credits_consumed", "Credits that uses of features took.", Permission.AI_USAGE_READ, unit=Unit.CREDITS),
    _sum(
        "quantity",
        "What uses of a feature came to; each feature counts in a unit of its own.",
        Permission.AI_USAGE_READ,
        unit=Unit.NUMBER,
        needs=("feature",),
    ),
    _sum("quota_balances", "Quotas that are kept.", Permission.QUOTAS_READ),
    _sum("quota_unlimited", "Quotas without a limit.", Permission.QUOTAS_READ),
    QUOTA_LIMIT,
    QUOTA_USED,
    _quota("quota_held", "How much is set aside for work under way."),
    Ratio(
        name="quota_use_rate",
        meaning="Used per allowed; empty where nothing is limited.",
        unit=Unit.PERCENT,
        good=NEITHER,
        permission=Permission.QUOTAS_READ,
        needs=_METER,
        numerator=QUOTA_USED,
        denominator=QUOTA_LIMIT,
    ),
    OPTIMIZATIONS,
    SUCCEEDED,
    _sum("optimizations_failed", "Changes that could not be made.", Permission.ADS_READ, DOWN),
    Ratio(
        name="optimization_success_rate",
        meaning="Changes made per change tried.",
        unit=Unit.PERCENT,
        good=UP,
        permission=Permission.ADS_READ,
        numerator=SUCCEEDED,
        denominator=OPTIMIZATIONS,
    ),
)
