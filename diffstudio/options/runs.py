"""How a run starts and what it computes beside the reverse chain."""

from __future__ import annotations

from diffstudio.options.rows import Choice, Param, by_name

FORWARD_MODES: dict[str, Choice] = by_name(
    Choice("fixed", "One ε per sample", "x_t = a·x_0 + s·ε with the same ε at every step: scrubbing is coherent."),
    Choice("markov", "Markov chain", "Fresh noise at every step, the true forward chain."),
    Choice(
        "invert", "DDIM inversion", "The solver run backwards: the noise from which this very data would come back."
    ),
    Choice("invert_heun", "Heun inversion", "As DDIM inversion, second order: two network calls a step, less error."),
    Choice("off", "No forward chain", "Only the reverse chain is computed and recorded."),
)

_KEEP_EPS = Param(
    "keep_eps",
    "Keep ε̂",
    0,
    0,
    1,
    "1 keeps the ε̂ of the uncut x̂0 in the steps of DDIM and DDPM, as diffusers' DDIM does; 0 takes it anew.",
    1,
    True,
)

CLIPS: dict[str, Choice] = by_name(
    Choice("none", "Off", "x̂0 is taken as it is."),
    Choice(
        "static",
        "Clip",
        "x̂0 is cut to the range of the data.",
        (Param("limit", "Limit", 1.0, 0.01, 100.0, "x̂0 stays within ± this.", 0.1), _KEEP_EPS),
    ),
    Choice(
        "dynamic",
        "Dynamic threshold",
        "x̂0 is cut to a percentile of its own values and scaled back to [−1, 1] (Saharia et al. 2022).",
        (
            Param(
                "percentile", "Percentile", 0.995, 0.5, 1.0, "Share of the values of a sample that stay uncut.", 0.005
            ),
            Param("most", "Most", 100.0, 1.0, 1000.0, "The threshold is at most this; at 1 it only clips.", 1.0),
            _KEEP_EPS,
        ),
    ),
)

SOURCES: dict[str, Choice] = by_name(
    Choice("noise", "Noise", "The reverse chain starts from pure noise of the seed."),
    Choice("data", "Data sample", "Samples of the training data are noised, then denoised again."),
    Choice("file", "My file", "Your picture or array is noised, then denoised again."),
    Choice("step", "This step", "The reverse chain starts from a recorded step of another run."),
)

NOISES: dict[str, Choice] = by_name(
    Choice("fresh", "Fresh", "Independent noise at every step."),
    Choice(
        "brownian", "Brownian path", "Increments of one Brownian path a sample: more steps refine the same picture."
    ),
)
