"""Guidance: what `diffstudio.diffusion.guidance.guided` can be told, one row an argument."""

from __future__ import annotations

from diffstudio.options.rows import Choice, Param, by_name

_SIGMA = "in σ = s/a, the noise level of the timeline's σ clock"

GUIDANCE: dict[str, Choice] = by_name(
    Choice(
        "scale",
        "Guidance",
        "Classifier-free guidance: away from what the model says without the class (Ho & Salimans 2022).",
        (Param("scale", "Scale", 1.5, 0.0, 100.0, "1 is the class alone, 0 no class, above 1 exaggerates.", 0.1),),
    ),
    Choice(
        "negative",
        "Negative class",
        "Away from a chosen class instead of away from no class.",
    ),
    Choice(
        "weak",
        "Autoguidance",
        "Away from what a weaker checkpoint says of the same class, e.g. an earlier one (Karras et al. 2024).",
    ),
    Choice(
        "interval",
        "Interval",
        "Guidance at middle noise levels alone, which keeps variety and saves calls (Kynkäänniemi et al. 2024).",
        (
            Param("low", "From σ", 0.2, 0.0, 1e4, f"Guided only above this noise level, {_SIGMA}.", 0.1),
            Param("high", "To σ", 5.0, 0.001, 1e4, f"Guided only up to this noise level, {_SIGMA}.", 0.1),
        ),
    ),
    Choice(
        "rescale",
        "Rescale",
        "Pictures keep the contrast that they have without guidance (Lin et al. 2023).",
        (Param("rescale", "φ", 0.7, 0.0, 1.0, "Share of the rescaled prediction: 0 is off, 0.7 as published.", 0.05),),
    ),
)
