"""Minor units of currencies: cents and their like, as invoices count them, and whole units, as people read them."""

from decimal import Decimal

USUAL_DIGITS = 2
# Where ISO 4217 says something else.
DIGITS = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip


def major(minor: int, currency: str) -> Decimal:
    """An amount in whole units of its currency, with all its places."""
    return Decimal(minor).scaleb(-DIGITS.get(currency, USUAL_DIGITS))
