"""Colours and sizes of the window: one frozen set of tokens for dark, one for light."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """Colours as #rrggbb. Text on `bg` and `surface` has a contrast of at least 4.5:1."""

    name: str
    bg: str  # canvas and plots: the darkest (dark) or lightest (light) area
    surface: str  # panels, toolbar
    raised: str  # buttons, fields, thumbnails' frame
    border: str
    text: str
    text_dim: str
    accent: str  # selected, primary button
    accent_soft: str  # selected row
    on_accent: str
    playhead: str
    lane_a: str  # log-SNR curve
    lane_b: str  # norm curve
    lane_c: str
    forward: str  # tint of the forward chain's band
    reverse: str  # tint of the reverse chain's band


DARK = Tokens(
    "dark", "#121316", "#1c1d21", "#2a2c31", "#3a3d44", "#e6e7ea", "#9a9da6",
    "#2f6fdb", "#243a61", "#ffffff", "#ff5c5c", "#6aa5ff", "#f2b24c", "#69c98d", "#16181c", "#16181c",
)  # fmt: skip
LIGHT = Tokens(
    "light", "#ffffff", "#f3f4f6", "#e7e9ed", "#c9ccd3", "#1b1d22", "#5a5e68",
    "#1f5fd0", "#d5e3fb", "#ffffff", "#d32f2f", "#1f5fd0", "#a86200", "#1d7a46", "#fafbfc", "#fafbfc",
)  # fmt: skip
