"""Which pictures and videos do best, among those of campaigns that were shown often enough to tell."""

from uuid import UUID

from app import serving
from app.metrics.metric import Unit
from app.records.creatives import Creative, creatives_of
from app.ui.asking import Refused, ask
from app.ui.behind import behind
from app.ui.cards import LIVE
from app.ui.charts import chart
from app.ui.live import not_pinned
from app.ui.markup import Markup
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

_TITLE = "Creatives"
_FIGURES = ("impressions", "ctr", "ad_conversions", "cpa", "roas")
_LEAST = ("0", _ENOUGH := "1,000", "10,000", "100,000")
_MOST_CAMPAIGNS = 200
_WHY = (
    "The score, from 0 to 5, is the product's own. Ad platforms report by campaign: the other figures are those of the"
    f" campaign that uses the creative. Figures of the campaigns are in the receipt; which creatives are used: {LIVE}"
)
_COLUMNS: Columns = {
    "filename": "Creative",
    "campaign": Column("Campaign", opens="campaign", key="campaign_id"),
    "kind": "Kind",
    "performance_score": Column("Score", Unit.NUMBER),
    "impressions": Column("Impressions", Unit.COUNT),
    "ctr": Column("CTR", Unit.PERCENT),
    "ad_conversions": Column("Conversions", Unit.COUNT),
    "roas": Column("ROAS", Unit.TIMES),
}


def leaderboard(scope: Scope) -> None:
    """The best score first; campaigns below the chosen volume are left out."""
    volume = int(one_of("least", _LEAST, label="At least so many impressions", usual=_ENOUGH).replace(",", ""))
    answer = ask(_FIGURES, scope.uncompared, by="campaign", order="-impressions", limit=_MOST_CAMPAIGNS)
    if isinstance(answer, Refused):
        chart(answer, lambda _: Markup(), title=_TITLE)
        return
    shown = {UUID(row["campaign"]): row for row in answer.rows() if row["campaign"] and row["impressions"] >= volume}
    found = creatives_of(serving.engines().ro, scope.viewer, list(shown))
    table(
        [shown[one.campaign_id] | vars(one) | {"kind": _kind(one)} for one in found],
        name="creatives",
        title=_TITLE,
        why=f"{_WHY} {not_pinned(scope, 'the creatives and their scores')}".strip(),
        columns={**_COLUMNS, "cpa": Column("CPA", Unit.MONEY, currency=scope.currency)},
        scope=scope,
        empty=("No campaign with creatives was shown so often.", "Choose a smaller volume, or another period."),
        made_of=[answer],
    )
    behind(answer, "Campaigns of the creatives")


def _kind(one: Creative) -> str:
    """What it is, and which model made it."""
    return " ".join(part for part in (one.asset_type, one.format, f"by {one.ai_model}" if one.ai_model else "") if part)
