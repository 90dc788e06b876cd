"""Lists of the reconciliation: corrections of a month, what came late, and the files of a provider's bill."""

from datetime import date

from app.commands.reconciling import ReadFile, files_of
from app.exports.given import Values, day_of, text_of
from app.exports.wanted import Wanted, whole
from app.metrics.errors import MalformedQuestionError
from app.records.months import MonthCorrection, month_corrections
from app.records.reading import Page
from app.records.reconciled import CorrectionBehind, corrections_behind


def corrections_of_month(wanted: Wanted) -> Page[MonthCorrection]:
    return whole(month_corrections(wanted.engine, wanted.viewer, _month(wanted.given)))


def late_corrections(wanted: Wanted) -> Page[CorrectionBehind]:
    values = wanted.given
    provider, model = text_of(values, "provider"), text_of(values, "model")
    found = corrections_behind(wanted.engine, wanted.viewer, provider=provider, model=model, month=_month(values))
    return whole(found)


def bill_files(wanted: Wanted) -> Page[ReadFile]:
    month = _month(wanted.given)
    return whole(files_of(wanted.engine, wanted.viewer, text_of(wanted.given, "provider"), month))


def _month(values: Values) -> date:
    month = day_of(values, "month")
    if month is None:
        raise MalformedQuestionError("The list is of one month.", fix="Open the download from a page again.")
    return month.replace(day=1)
