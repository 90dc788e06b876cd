"""AI cost in the form of FOCUS 1.4, the FinOps Foundation's specification: what stands in which column of its datasets.

Cost and Usage has a row for each day, workspace, model and kind of token, and for each price where there were several.
Corrections of closed months are rows of the month in which they were made, over the month that they correct. Credits
are a currency of their own: they were granted, or sold at several prices, so they have no cost in dollars, and the
dataset's costs add up to what AI cost. Invoices are the AI providers' bills; a charge names the bill that covers it,
and how far the two differ is told by the reconciliation.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

VERSION = "1.4"
CREDITS = "Credits"
OURSELVES = "Sightline"
ISSUERS: Mapping[str, str] = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}

Row = dict[str, str | Decimal | None]


class Dataset(StrEnum):
    """The datasets of the specification that are told."""

    COST_AND_USAGE = "cost-and-usage"
    BILLING_PERIOD = "billing-period"
    INVOICE_DETAIL = "invoice-detail"


METRICS = frozenset(
    {
        "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
        "ListUnitPrice", "PaymentCurrencyBilledCost", "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity", "x_CreditsMoved",
        "x_UnpricedCalls",
    }
)  # fmt: skip
COLUMNS: Mapping[Dataset, tuple[str, ...]] = {
    Dataset.COST_AND_USAGE: (
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
        "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
        "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
        "ContractedUnitPrice", "EffectiveCost", "HostProviderName", "InvoiceDetailId", "InvoiceId",
        "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
        "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
        "PricingQuantity", "PricingUnit", "ServiceCategory", "ServiceName", "ServiceProviderName",
        "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName",
        "x_CorrectionReason", "x_CreditsMoved", "x_Model", "x_TokenKind", "x_UnpricedCalls",
    ),
    Dataset.BILLING_PERIOD: (
        "BillingPeriodCreated", "BillingPeriodEnd", "BillingPeriodLastUpdated", "BillingPeriodStart",
        "BillingPeriodStatus", "InvoiceIssuerName",
    ),
    Dataset.INVOICE_DETAIL: (
        "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
        "ChargeCategory", "InvoiceDetailCreated", "InvoiceDetailDescription", "InvoiceDetailGrain", "InvoiceDetailId",
        "InvoiceDetailLastUpdated", "InvoiceId", "InvoiceIssueDate", "InvoiceIssueStatus", "InvoiceIssuerName",
        "PaymentCurrency", "PaymentCurrencyBilledCost", "PaymentDueDate", "PaymentTerms", "ReferenceInvoiceId",
    ),
}  # fmt: skip


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def instant(at: date | datetime) -> str:
    """As the specification writes times; a day is its beginning, in UTC."""
    moment = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def metadata(dataset: Dataset, created_at: datetime) -> dict[str, object]:
    """What the specification wants to be told of a file's columns."""
    return {
        "SchemaId": f"sightline-{dataset}-{VERSION}",
        "FocusVersion": VERSION,
        "CreationDate": instant(created_at),
        "DataGenerator": OURSELVES,
        "DataGeneratorVersion": "1.0",
        "DatasetInstanceId": dataset.value,
        "ColumnDefinition": [
            {"ColumnName": name, "DataType": "DECIMAL", "NumericPrecision": 38, "NumberScale": 18}
            if name in METRICS
            else {"ColumnName": name, "DataType": "STRING", "StringEncoding": "UTF-8"}
            for name in COLUMNS[dataset]
        ],
    }


def issuers_of(providers: Iterable[str]) -> list[str]:
    """Whose periods are told: the providers that were used or billed, and ourselves, for credits."""
    return [*sorted(ISSUERS[one] for one in set(providers)), OURSELVES]
