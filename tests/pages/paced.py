"""How budgets stand, reckoned from the rows of ad campaigns: each in its own currency, up to the day before today."""

from datetime import UTC, datetime, timedelta

LAST_DAY = datetime.now(UTC).date() - timedelta(days=1)
_RECENT = 7


def paced(rows, which):
    """By campaign: its name and currency, and what its page and the table of budgets tell of it."""
    found = {}
    for key, name, currency, since, until, total, daily in rows(
        "SELECT id, name, currency, start_date, end_date, total_budget, daily_budget FROM campaigns AS c"
        f" WHERE channel = 'ads' AND start_date IS NOT NULL AND {which}"
    ):
        spent = dict(
            rows(
                f"""
                SELECT date, SUM(spend) FROM performance_analytics
                WHERE campaign_id = '{key}' AND breakdown = 'none' AND currency = '{currency}' AND date <= '{LAST_DAY}'
                GROUP BY 1
                """
            )
        )
        found[str(key)] = (name, currency, _stand(spent, since, until, total, daily))
    return found


def _stand(spent, since, until, total, daily):
    days = (until - since).days + 1 if until else None
    gone = max(0, (min(LAST_DAY, until or LAST_DAY) - since).days + 1)
    budget = total if total is not None or daily is None or days is None else daily * days
    whole, left = sum(spent.values()), None if days is None else days - gone
    recent = min(gone, _RECENT)
    last = min(LAST_DAY, until or LAST_DAY)
    lately = sum(spent.get(last - timedelta(days=back), 0) for back in range(recent)) / recent if recent else None
    return {
        "Budget": budget,
        "Spent": whole,
        "Due by now": total * gone / days if total is not None and days else daily and daily * gone,
        "Time": None if days is None else gone / days,
        "Share": whole / budget if budget else None,
        "A day, lately": lately,
        "At its end, at this rate": None if lately is None or left is None else whole + lately * left,
        "Left a day": max(0, budget - whole) / left if budget is not None and left else None,
    }
