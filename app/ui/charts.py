"""The one place where charts are drawn."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_MARGINS = {"l": 8, "r": 8, "t": 8, "b": 8}


def line(frame: pd.DataFrame, *, x: str, y: str, title: str, unit: str) -> None:
    """A value over time."""
    drawn = go.Scatter(
        x=frame[x],
        y=frame[y].astype(float),
        mode="lines",
        name=unit,
        line_color=_accent(),
        hovertemplate="%{x|%d %b %Y}: %{y:,.2f}",
    )
    figure = go.Figure(drawn)
    figure.update_layout(height=280, margin=_MARGINS, showlegend=False, yaxis_title=unit)
    st.subheader(title)
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False})


def _accent() -> str:
    """The theme's own colour, in its light or dark shade."""
    return str(st.get_option(f"theme.{st.context.theme.type or 'light'}.primaryColor"))
