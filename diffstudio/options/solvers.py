"""Solvers of the reverse chain."""

from __future__ import annotations

from diffstudio.options.rows import Param, SolverOption, by_name

SOLVERS: dict[str, SolverOption] = by_name(
    SolverOption(
        "dpmpp_2m",
        "DPM-Solver++ 2M",
        "Second-order multistep in log(a/s); few steps give good samples (Lu et al. 2022).",
        order=2,
    ),
    SolverOption(
        "ddim",
        "DDIM",
        "First-order; η = 0 is deterministic, η = 1 has the noise of DDPM (Song et al. 2020).",
        order=1,
        params=(Param("eta", "η", 0.0, 0.0, 1.0, "Share of fresh noise in each step: 0 is deterministic, 1 is DDPM."),),
    ),
    SolverOption(
        "ddpm",
        "DDPM, small variance",
        "Ancestral sampling with the posterior variance β̃ (Ho et al. 2020).",
        order=None,
        stochastic=True,
        noise="fresh",
    ),
    SolverOption(
        "ddpm_large",
        "DDPM, large variance",
        "Ancestral sampling with the forward variance β (Ho et al. 2020).",
        order=None,
        stochastic=True,
        noise="fresh",
    ),
    SolverOption(
        "euler",
        "Euler",
        "First-order step of the probability-flow ODE; algebraically the same as DDIM with η = 0.",
        order=1,
    ),
    SolverOption(
        "heun",
        "Heun",
        "Second-order step of the probability-flow ODE, two network calls each (Karras et al. 2022).",
        order=2,
        evals_per_step=2,
    ),
)
