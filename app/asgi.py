"""The served application: Streamlit's pages and a health answer, in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import streamlit as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import logs, serving
from app.settings import PROJECT
from app.ui.failure import explain
from db.health import partitions_ahead


@asynccontextmanager
async def _lifespan(_: st.App) -> AsyncIterator[dict[str, Any] | None]:
    logs.set_up()
    # Connecting before the first visitor: the first page is as fast as the next.
    await anyio.to_thread.run_sync(serving.make_months)
    try:
        yield None
    finally:
        await anyio.to_thread.run_sync(serving.close)


async def _health(_: Request) -> JSONResponse:
    answer, status = await anyio.to_thread.run_sync(_look)
    return JSONResponse(answer, status_code=status)


def _look() -> tuple[dict[str, object], int]:
    try:
        with serving.engines().ro.connect() as connection:
            connection.execute(text("SELECT 1"))
            months = partitions_ahead(connection)
    except OperationalError:
        return {"database": "does not answer"}, 503
    return {"database": "answers", "partitions": months.says}, 200 if months.is_well else 503


app = st.App(
    PROJECT / "app" / "main.py", lifespan=_lifespan, routes=[Route("/health", _health)], on_script_error=explain
)
