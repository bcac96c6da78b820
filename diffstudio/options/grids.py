"""Grids: which times the steps of a chain visit."""

from __future__ import annotations

from diffstudio.options.rows import GridOption, Param, by_name

_OFFSET = Param("steps_offset", "Offset", 0, 0, 1000, "Added to each training step: Stable Diffusion has 1.", 1, True)
_SPARE = Param(
    "spare",
    "Spare",
    0,
    0,
    1,
    "1 counts one step more and leaves the last out: multistep schedulers of diffusers.",
    1,
    True,
)
_CUT = Param("cut", "Cut", 0, 0, 100_000, "Training steps that are left out at the noisy end.", 1, True)
_END = Param("end", "End", 0, 0, 1, "0 ends at the data, 1 at training step 0, where a little noise is left.", 1, True)
_RAMP = (
    Param(
        "sigma_min",
        "σ min",
        0.0,
        0.0,
        10.0,
        "The last σ = s/a before the data; 0 is the path's own: the first of its table, else 0.002.",
        0.001,
    ),
    Param(
        "sigma_max",
        "σ max",
        0.0,
        0.0,
        10_000.0,
        "The largest σ = s/a after the start; 0 is the path's own, 80 where it has no end.",
        1.0,
    ),
    Param("start", "At σ max", 0, 0, 1, "0 starts at the noise before σ max, 1 at σ max itself.", 1, True),
    Param(
        "between",
        "Ends",
        0,
        0,
        2,
        "Whose ends: 0 the path's, 1 those of leading training steps, 2 those of trailing ones.",
        1,
        True,
    ),
    Param("steps_offset", "Offset", 0, 0, 1000, "Of the leading training steps between which the ramp lies.", 1, True),
)
_SHIFTED = (
    Param("first", "First u", 1.0, 0.5, 1.0, "The u at the start: 1 is pure noise.", 0.001),
    Param("last", "Last u", 0.0, 0.0, 0.49, "The last u before the data; 0 leaves it to the equal steps.", 0.001),
    Param("floor", "Floor", 0.0, 0.0, 0.49, "Where the equal steps of u lead to; the data stand there.", 0.001),
    Param("terminal", "Last t", 0.0, 0.0, 0.9, "The last t before the data, to which all are stretched; 0: not.", 0.01),
)

GRIDS: dict[str, GridOption] = by_name(
    GridOption("uniform", "Uniform in t", "Equal steps of t from 1 to 0 (for DDPM's table: trailing spacing)."),
    GridOption("quadratic", "Quadratic in t", "Steps shrink towards the data."),
    GridOption(
        "trailing",
        "Trailing training steps",
        "Whole training steps counted from the end of the table; zero terminal SNR needs it (Lin et al. 2023).",
        (_CUT, _END),
        needs="table",
    ),
    GridOption(
        "leading",
        "Leading training steps",
        "Whole training steps counted from the data: starts below the end of the table (Ho et al. 2020).",
        (_OFFSET, _SPARE, _CUT, _END),
        needs="table",
    ),
    GridOption(
        "linspace",
        "Training steps end to end",
        "Whole training steps from the last to the first of the table (Nichol & Dhariwal 2021).",
        (
            _SPARE,
            Param("whole", "Whole", 1, 0, 1, "1 rounds to whole training steps, 0 stays between two of them.", 1, True),
            _CUT,
            _END,
        ),
        needs="table",
    ),
    GridOption(
        "lcm",
        "Distillation steps",
        "Some of the training steps at which a network was distilled, from the last (Luo et al. 2023).",
        (
            Param(
                "original",
                "Distilled",
                50,
                1,
                100_000,
                "Steps of the distillation; as many as a run has, where it has more.",
                1,
                True,
            ),
            _END,
        ),
        needs="table",
    ),
    GridOption(
        "karras",
        "Karras",
        "Equal steps of σ^(1/ρ), σ = s/a (Karras et al. 2022).",
        (
            Param("rho", "ρ", 7.0, 1.0, 100.0, "1 is equal steps of σ; the larger, the shorter the last steps.", 0.5),
            *_RAMP,
            Param(
                "levels",
                "Levels",
                0,
                0,
                100_000,
                "Levels of a consistency model's distillation, of which every so many-th is visited; 0: equal steps.",
                1,
                True,
            ),
        ),
    ),
    GridOption("exponential", "Exponential", "Equal steps of log σ, σ = s/a.", _RAMP),
    GridOption(
        "beta",
        "Beta",
        "Equal shares of a beta distribution of σ = s/a: more steps near both ends (Lee et al. 2024).",
        (
            Param("alpha", "α", 0.6, 0.3, 10.0, "Below 1 more steps near the data."),
            Param("beta", "β", 0.6, 0.3, 10.0, "Below 1 more steps near the noise."),
            *_RAMP,
        ),
    ),
    GridOption(
        "log_snr",
        "Uniform in log-SNR",
        "Equal steps of log-SNR between two bounds (Lu et al. 2022).",
        (
            Param(
                "log_snr_min",
                "log-SNR min",
                0.0,
                -18.0,
                0.0,
                "Where the ramp begins, after the start; 0 is the path's own: the end of its table, else −10.",
                0.5,
            ),
            Param(
                "log_snr_max",
                "log-SNR max",
                0.0,
                0.0,
                27.0,
                "The last one before the data; 0 is the path's own: the first of its table, else 10.",
                0.5,
            ),
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
            *_SHIFTED,
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
            Param("linear", "Linear", 0, 0, 1, "1 takes μ itself for k, not e^μ.", 1, True),
            *_SHIFTED,
        ),
        needs="shape",
    ),
    GridOption("custom", "Own list", "The times of your own list, falling from noise to data.", needs="times"),
)
