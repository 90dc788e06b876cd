"""What a person sees when a page fails: a sentence, and the reference under which the log tells the rest."""

import uuid

import streamlit as st
import structlog
from sqlalchemy.exc import OperationalError

from app.ui.markup import tag, with_code
from db.engine import is_lost
from db.errors import SightlineError


def explain(error: Exception) -> bool:
    """Take the place of Streamlit's own message, which offers to send the error to a search engine."""
    reference = uuid.uuid4().hex[:8]
    structlog.get_logger().error("A page failed.", reference=reference, exc_info=error)
    say_refused(_told(error), f"Reference {reference}: the log says more.")
    return True


def say_refused(refusal: SightlineError, more: str = "") -> None:
    """What was refused, why, and what to do. It may hold what somebody else wrote, which is no Markdown."""
    told = (tag("b", with_code(refusal.what)), with_code(f"{refusal.why} {refusal.fix}".strip()))
    after = tag("p", more) if more else ""
    st.html(tag("div", *told, after, class_="sl sl-refused", role="alert", style="white-space:pre-line"))


def _told(error: Exception) -> SightlineError:
    if isinstance(error, SightlineError):
        return error
    if isinstance(error, OperationalError) and is_lost(error):
        return SightlineError(
            "The database does not answer.",
            why="It was stopped, or it can't be reached.",
            fix="Run `sightline doctor`, then load this page again; nothing that was saved is lost.",
        )
    return SightlineError(
        "This page could not be shown.",
        why="Something happened that Sightline did not expect.",
        fix="Load it again; if that does not help, tell whoever runs Sightline the reference.",
    )
