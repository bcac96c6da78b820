"""Grids: which times the steps of a chain visit."""

from __future__ import annotations

from diffstudio.options.rows import GridOption, by_name

GRIDS: dict[str, GridOption] = by_name(
    GridOption("uniform", "Uniform in t", "Equal steps of t from 1 to 0 (for DDPM's table: trailing spacing)."),
    GridOption("quadratic", "Quadratic in t", "Steps shrink towards the data."),
    GridOption("karras", "Karras ρ = 7", "Equal steps of σ^(1/7), σ = s/a (Karras et al. 2022)."),
)
