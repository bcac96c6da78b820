"""Grids: which times the steps of a chain visit."""

from __future__ import annotations

from diffstudio.options.rows import GridOption, Param, by_name

_SIGMA_MIN = Param("sigma_min", "σ min", 0.002, 1e-6, 0.5, "The last σ = s/a before the data.", 0.001)
_SIGMA_MAX = Param("sigma_max", "σ max", 80.0, 1.0, 10_000.0, "The largest σ = s/a after the start.", 1.0)

GRIDS: dict[str, GridOption] = by_name(
    GridOption("uniform", "Uniform in t", "Equal steps of t from 1 to 0 (for DDPM's table: trailing spacing)."),
    GridOption("quadratic", "Quadratic in t", "Steps shrink towards the data."),
    GridOption(
        "trailing",
        "Trailing training steps",
        "Whole training steps counted from the end of the table; zero terminal SNR needs it (Lin et al. 2023).",
        needs="table",
    ),
    GridOption(
        "leading",
        "Leading training steps",
        "Whole training steps counted from the data: starts below the end of the table (Ho et al. 2020).",
        (Param("steps_offset", "Offset", 0, 0, 1000, "Added to each training step: Stable Diffusion has 1.", 1, True),),
        needs="table",
    ),
    GridOption(
        "linspace",
        "Training steps end to end",
        "Whole training steps from the last to the first of the table (Nichol & Dhariwal 2021).",
        needs="table",
    ),
    GridOption(
        "karras",
        "Karras",
        "Equal steps of σ^(1/ρ), σ = s/a (Karras et al. 2022).",
        (
            Param("rho", "ρ", 7.0, 1.0, 100.0, "1 is equal steps of σ; the larger, the shorter the last steps.", 0.5),
            _SIGMA_MIN,
            _SIGMA_MAX,
        ),
    ),
    GridOption("exponential", "Exponential", "Equal steps of log σ, σ = s/a.", (_SIGMA_MIN, _SIGMA_MAX)),
    GridOption(
        "log_snr",
        "Uniform in log-SNR",
        "Equal steps of log-SNR between two bounds (Lu et al. 2022).",
        (
            Param("log_snr_min", "log-SNR min", -10.0, -18.0, -1.0, "Where the ramp begins, after the start.", 0.5),
            Param("log_snr_max", "log-SNR max", 10.0, 1.0, 27.0, "The last one before the data.", 0.5),
        ),
    ),
    GridOption(
        "shifted",
        "Shifted",
        "t = k·u/(1 + (k − 1)·u) for equal steps of u: more steps near the noise (Esser et al. 2024).",
        (
            Param(
                "shift", "Shift", 3.0, 0.01, 100.0, "k: above 1 more steps near the noise, below 1 near the data.", 0.5
            ),
        ),
    ),
    GridOption(
        "shifted_resolution",
        "Shifted by size",
        "Shifted by k = e^μ, where μ grows with the number of tokens of a sample (Flux).",
        (
            Param("base_shift", "μ small", 0.5, -4.0, 4.0, "μ at 256 tokens.", 0.05),
            Param("max_shift", "μ large", 1.15, -4.0, 4.0, "μ at 4,096 tokens.", 0.05),
            Param("patch", "Patch", 2, 1, 64, "A token is a square of so many values a side.", 1, True),
        ),
        needs="shape",
    ),
    GridOption("custom", "Own list", "The times of your own list, falling from noise to data.", needs="times"),
)
