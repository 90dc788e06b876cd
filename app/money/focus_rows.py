"""Rows of an export in the form of FOCUS: charges, corrections, credits, billing periods and lines of bills."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from app.money.charges import Charge, ChargeKind
from app.money.focus import COLUMNS, CREDITS, ISSUERS, OURSELVES, Dataset, Row, instant, next_month
from app.money.units import TOKEN_UNITS

_ZERO = Decimal(0)
_ONE = Decimal(1)
_UNITS = {"image": "Images", "audio_second": "Seconds", "video_second": "Seconds", "tool_call": "Calls"}
# The specification's categories and frequencies of charges.
_CREDIT_CHARGES = {
    "purchase": ("Purchase", "One-Time"),
    "usage": ("Usage", "Usage-Based"),
    "grant": ("Credit", "Recurring"),
    "promotion": ("Credit", "One-Time"),
    "refund": ("Credit", "One-Time"),
    "expiry": ("Adjustment", "One-Time"),
    "take_back": ("Adjustment", "One-Time"),
}


@dataclass(frozen=True)
class Billed:
    """Which line of which bill covers a charge."""

    invoice: str
    line: str | None


@dataclass(frozen=True)
class BillLine:
    """A line of a provider's bill, or its tax where there is no day."""

    id: str
    invoice: str
    provider: str
    month: date
    day: date | None
    model: str | None
    unit: str | None
    service_tier: str | None
    amount: Decimal
    currency: str
    description: str | None
    is_issued: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Correction:
    """What a closed month cost more or less, as it was found out later."""

    workspace: UUID
    month: date
    kind: str
    provider: str
    model: str
    amount: Decimal
    reason: str


@dataclass(frozen=True)
class CreditsMoved:
    """Credits of a workspace that came or went on a day, for one reason."""

    workspace: UUID
    day: date
    type: str
    amount: int


@dataclass(frozen=True)
class Teller:
    """Writes rows of one billing period."""

    month: date
    account: UUID
    workspaces: Mapping[UUID, str]

    def used(self, day: date, kind: ChargeKind, charge: Charge, billed: Billed | None) -> Row:
        """A charge of one kind on one day."""
        unit = _unit(kind)
        tier = kind.service_tier
        return self._row(
            kind.workspace,
            issuer=kind.provider,
            period=(day, day + timedelta(days=1)),
            cost=charge.amount,
            ChargeCategory="Usage",
            ChargeDescription=f"{_named(kind)} of {kind.model}",
            ChargeFrequency="Usage-Based",
            ConsumedQuantity=charge.quantity,
            ConsumedUnit=unit,
            ContractedUnitPrice=kind.unit_price,
            InvoiceDetailId=billed.line if billed else None,
            InvoiceId=billed.invoice if billed else None,
            ListUnitPrice=kind.unit_price,
            PricingCategory="Standard" if tier == "standard" else "Other",
            PricingCurrencyContractedUnitPrice=kind.unit_price,
            PricingCurrencyListUnitPrice=kind.unit_price,
            PricingQuantity=charge.quantity,
            PricingUnit=unit,
            SkuId=kind.sku,
            SkuMeter=_named(kind),
            SkuPriceDetails=_json(x_ServiceTier=tier, x_ContextFrom=kind.context_from),
            SkuPriceId="/".join((kind.sku, _named(kind), tier, str(kind.context_from))),
            x_Model=kind.model,
            x_TokenKind=kind.unit and kind.unit.name,
        )

    def unpriced(self, day: date, workspace: UUID, provider: str, model: str, calls: int) -> Row:
        """Calls whose cost nobody knows: they are told, and no sum holds them."""
        return self._row(
            workspace,
            issuer=provider,
            period=(day, day + timedelta(days=1)),
            cost=_ZERO,
            ChargeCategory="Adjustment",
            ChargeDescription=f"{calls:,} calls of {model} without a known price: what they cost is not in this row",
            ChargeFrequency="One-Time",
            x_Model=model,
            x_UnpricedCalls=Decimal(calls),
        )

    def corrected(self, one: Correction) -> Row:
        """Over the month that is corrected, in the period in which it was found out."""
        return self._row(
            one.workspace,
            issuer=one.provider,
            period=(one.month, next_month(one.month)),
            cost=one.amount,
            ChargeCategory="Usage",
            ChargeClass="Correction",
            ChargeDescription=f"Correction of {one.month:%B %Y} for {one.model} ({one.kind})",
            ChargeFrequency="One-Time",
            SkuId=f"{one.provider}/{one.model}",
            x_CorrectionReason=one.reason,
            x_Model=one.model,
        )

    def moved(self, one: CreditsMoved) -> Row:
        """Credits are counted, not valued: used, refunded and expired ones are what was consumed of them."""
        category, frequency = _CREDIT_CHARGES[one.type]
        quantity = Decimal(abs(one.amount))
        consumed = -Decimal(one.amount) if one.type in {"usage", "refund", "expiry"} else _ZERO
        is_used = category == "Usage"
        return self._row(
            one.workspace,
            issuer=None,
            period=(one.day, one.day + timedelta(days=1)),
            cost=_ZERO,
            ChargeCategory=category,
            ChargeDescription=f"Credits: {one.type.replace('_', ' ')}",
            ChargeFrequency=frequency,
            ConsumedQuantity=quantity if is_used else None,
            ConsumedUnit=CREDITS if is_used else None,
            ContractedUnitPrice=_ZERO,
            ListUnitPrice=_ZERO,
            PricingCategory="Standard",
            PricingCurrency=CREDITS,
            PricingCurrencyContractedUnitPrice=_ONE,
            PricingCurrencyEffectiveCost=consumed,
            PricingCurrencyListUnitPrice=_ONE,
            PricingQuantity=quantity,
            PricingUnit=CREDITS,
            SkuId="credits",
            SkuMeter=one.type,
            SkuPriceId=f"credits/{one.type}",
            x_CreditsMoved=Decimal(one.amount),
        )

    def period(self, issuer: str, created_at: datetime, updated_at: datetime, *, is_closed: bool) -> Row:
        """The billing period of one issuer."""
        return {
            "BillingPeriodCreated": instant(created_at),
            "BillingPeriodEnd": instant(next_month(self.month)),
            "BillingPeriodLastUpdated": instant(updated_at),
            "BillingPeriodStart": instant(self.month),
            "BillingPeriodStatus": "Closed" if is_closed else "Open",
            "InvoiceIssuerName": issuer,
        }

    def invoiced(self, one: BillLine) -> Row:
        """A line of a provider's bill."""
        issuer = ISSUERS[one.provider]
        grain = {
            "ServiceName": _service(one.provider),
            "SkuId": one.model and f"{one.provider}/{one.model}",
            "SkuMeter": one.unit,
            "x_Day": one.day and one.day.isoformat(),
            "x_ServiceTier": one.service_tier,
        }
        return {
            "BilledCost": one.amount,
            "BillingAccountId": str(self.account),
            "BillingCurrency": one.currency,
            "BillingPeriodEnd": instant(next_month(one.month)),
            "BillingPeriodStart": instant(one.month),
            "ChargeCategory": "Tax" if one.day is None else "Usage",
            "InvoiceDetailCreated": instant(one.created_at),
            "InvoiceDetailDescription": one.description,
            "InvoiceDetailGrain": _json(**grain),
            "InvoiceDetailId": one.id,
            "InvoiceDetailLastUpdated": instant(max(one.created_at, one.updated_at)),
            "InvoiceId": one.invoice,
            "InvoiceIssueDate": None,
            "InvoiceIssueStatus": "Issued" if one.is_issued else "Open",
            "InvoiceIssuerName": issuer,
            "PaymentCurrency": one.currency,
            "PaymentCurrencyBilledCost": one.amount,
            "PaymentDueDate": None,
            "PaymentTerms": "Not stated",
            "ReferenceInvoiceId": one.invoice,
        }

    def _row(
        self,
        workspace: UUID,
        *,
        issuer: str | None,
        period: tuple[date, date],
        cost: Decimal,
        **more: str | Decimal | None,
    ) -> Row:
        """Charges of AI providers are billed to the company, credits by the company to its customer."""
        name = ISSUERS[issuer] if issuer else OURSELVES
        known: Row = {
            **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost),
            "BillingAccountId": str(self.account if issuer else workspace),
            "BillingAccountName": OURSELVES if issuer else self.workspaces.get(workspace),
            "BillingCurrency": "USD",
            "BillingPeriodEnd": instant(next_month(self.month)),
            "BillingPeriodStart": instant(self.month),
            "ChargePeriodEnd": instant(period[1]),
            "ChargePeriodStart": instant(period[0]),
            "HostProviderName": name,
            "InvoiceIssuerName": name,
            "PricingCurrency": "USD",
            "PricingCurrencyEffectiveCost": cost,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceName": _service(issuer) if issuer else f"{OURSELVES} credits",
            "ServiceProviderName": name,
            "ServiceSubcategory": "Generative AI",
            "SubAccountId": str(workspace),
            "SubAccountName": self.workspaces.get(workspace),
        }
        told = {**known, **more}
        return {column: told.get(column) for column in COLUMNS[Dataset.COST_AND_USAGE]}


def _unit(kind: ChargeKind) -> str:
    """Costs that stay whole are counted in dollars of themselves."""
    if kind.unit is None:
        return "USD"
    return "Tokens" if kind.unit.name in TOKEN_UNITS else _UNITS[kind.unit.name]


def _named(kind: ChargeKind) -> str:
    return str(kind.unit) if kind.unit else "cost as it was told"


def _service(provider: str) -> str:
    return f"{ISSUERS[provider]} API"


def _json(**given: object) -> str:
    return json.dumps({name: value for name, value in given.items() if value is not None}, ensure_ascii=False)
