"""The served application: Streamlit's pages behind the gate, and what is served beside them, in one process."""

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import streamlit as st
from streamlit.file_util import get_static_dir

from app import logs, serving
from app.answering import warm_up
from app.settings import PROJECT
from app.ui.failure import explain
from app.ui.look import sheet
from app.ui.media import is_made_for
from app.ui.people import going_to
from app.ui.sparing import collect_sparingly
from app.web import site
from app.web.compressed import StaticFiles

_files = StaticFiles(Path(get_static_dir()))


def _get_ready() -> None:
    """What the first visitor would wait for, and what all of them would: Streamlit collects garbage after runs."""
    collect_sparingly()
    _files.compress_first()
    try:
        warm_up()
    finally:
        gc.collect()
        # Modules and plans are no garbage: looking at all of them took most of a run.
        gc.freeze()


@asynccontextmanager
async def _lifespan(_: st.App) -> AsyncIterator[dict[str, Any] | None]:
    logs.set_up()
    # Connecting before the first visitor: the first page is as fast as the next.
    await anyio.to_thread.run_sync(serving.make_months)
    threading.Thread(target=_get_ready, name="get-ready", daemon=True).start()
    try:
        yield None
    finally:
        await anyio.to_thread.run_sync(serving.close)


app = st.App(
    PROJECT / "app" / "main.py",
    lifespan=_lifespan,
    routes=site.ROUTES,
    middleware=site.middleware(
        _files, look=sheet(), farewell=going_to("").SerializeToString(), is_made_for=is_made_for
    ),
    exception_handlers=site.EXCEPTION_HANDLERS,
    on_script_error=explain,
)
