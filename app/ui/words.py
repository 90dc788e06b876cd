"""Figures and sentences, written the same everywhere."""

from decimal import Decimal

import streamlit as st

PRODUCT_NAMES = {
    "email_studio": "E-mail studio",
    "web_builder": "Web builder",
    "craft_ads": "CraftAds",
    "ads_autopilot": "Ads autopilot",
    "mailer": "Mailer",
}


def count(number: int | Decimal) -> str:
    return f"{int(number):,}"


def money(amount: Decimal, currency: str) -> str:
    """Rounded once, here."""
    return f"{amount:,.2f} {currency}"


def nothing_here(what: str, *, fill: str) -> None:
    """Empty is not an error: say what would fill it."""
    st.info(f"{what} {fill}", icon=":material/inbox:")
