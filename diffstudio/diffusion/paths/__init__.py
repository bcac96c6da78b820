"""Paths: how data becomes noise, x_t = a(t)·x_0 + s(t)·ε, with t from 0 (data) to 1 (noise).

Every function takes a float or a float64 array of t and gives the same back, so that the sampler computes its
coefficients once as Python floats and the trainer a batch of them at a time. Nothing here knows a device.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from diffstudio.diffusion.paths.continuous import (
    edm,
    flow,
    flow_resolution,
    resolution_shift,
    ve,
    vp_cosine,
    vp_edm,
)
from diffstudio.diffusion.paths.mixing import mixing
from diffstudio.diffusion.paths.path import Array, Path
from diffstudio.diffusion.paths.tables import (
    vp_cosine_table,
    vp_from_betas,
    vp_linear,
    vp_scaled_linear,
    vp_sigmoid,
    vp_table,
    zero_terminal_snr,
)
from diffstudio.specs import PathSpec

__all__ = [
    "PATHS",
    "Array",
    "Path",
    "edm",
    "flow",
    "flow_resolution",
    "make_path",
    "mixing",
    "resolution_shift",
    "ve",
    "vp_cosine",
    "vp_cosine_table",
    "vp_edm",
    "vp_from_betas",
    "vp_linear",
    "vp_scaled_linear",
    "vp_sigmoid",
    "vp_table",
    "zero_terminal_snr",
]

PATHS: dict[str, Callable[..., Path]] = {
    "flow": flow,
    "flow_resolution": flow_resolution,
    "vp_linear": vp_linear,
    "vp_scaled_linear": vp_scaled_linear,
    "vp_cosine": vp_cosine,
    "vp_cosine_table": vp_cosine_table,
    "vp_sigmoid": vp_sigmoid,
    "vp_table": vp_table,
    "ve": ve,
    "edm": edm,
    "vp_edm": vp_edm,
    "mixing": mixing,
    "mixing_uniform": functools.partial(mixing, theta="uniform"),
}


def make_path(spec: PathSpec) -> Path:
    """The path that a card or a request names."""
    table: dict[str, Any] = {} if spec.betas is None else {"betas": spec.betas}
    return PATHS[spec.name](**table, **spec.params)
