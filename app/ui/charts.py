"""The one place where charts are drawn."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_MARGINS = {"l": 8, "r": 8, "t": 8, "b": 8}


def line(frame: pd.DataFrame, *, x: str, y: str, title: str, unit: str) -> None:
    """A value over time."""
    drawn = go.Scatter(
        x=frame[x], y=frame[y].astype(float), mode="lines", name=unit, hovertemplate="%{x|%d %b %Y}: %{y:,.2f}"
    )
    _draw(go.Figure(drawn), title, unit)


def bars(frame: pd.DataFrame, *, x: str, y: str, title: str, unit: str) -> None:
    """A value per name, the largest first."""
    ordered = frame.sort_values(y, ascending=False)
    drawn = go.Bar(x=ordered[x], y=ordered[y].astype(float), name=unit, hovertemplate="%{x}: %{y:,.0f}")
    _draw(go.Figure(drawn), title, unit)


def _draw(figure: go.Figure, title: str, unit: str) -> None:
    figure.update_layout(height=280, margin=_MARGINS, showlegend=False, yaxis_title=unit)
    st.subheader(title, divider=False)
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False})
