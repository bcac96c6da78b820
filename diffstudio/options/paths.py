"""Paths from data to noise."""

from __future__ import annotations

from diffstudio.options.rows import Param, PathOption, by_name

_MIX_STEPS = Param("n", "Length", 100, 2, 10_000, "Steps of the mixing chain from data to noise.", 1, True)
_MIX_ALPHA = Param("alpha", "α", 0.05, 0.0001, 0.9999, "Share of θ mixed in at each step.", 0.01)
_MIX_DECAY = Param("decay", "Decay", 0.5, 0.0, 1.0, "α_k = α·k^(−decay): 0 keeps α constant.", 0.05)
_STEPS = Param("n", "Length", 1000, 2, 100_000, "Length of the table of betas.", 1, True)
_ZERO_SNR = Param(
    "zero_snr", "Zero SNR", 0, 0, 1, "1 rescales the betas so that no signal is left at the end.", 1, True
)
_SIGMA_MAX = Param("sigma_max", "σ max", 80.0, 0.1, 10_000.0, "Noise level at t = 1.", 1.0)


def _betas(first: float, last: float) -> tuple[Param, Param]:
    """The ends of a table of betas."""
    return (
        Param("beta_start", "β first", first, 1e-8, 0.5, "β of the first step.", 1e-4),
        Param("beta_end", "β last", last, 1e-8, 0.999, "β of the last step.", 1e-3),
    )


PATHS: dict[str, PathOption] = by_name(
    PathOption(
        "flow",
        "Flow",
        "Straight lines: a = 1 − t, s = t (flow matching, rectified flow).",
        (Param("shift", "Shift", 1.0, 0.01, 100.0, "Multiplies σ = s/a at every t; 1 leaves t as it is.", 0.5),),
    ),
    PathOption(
        "flow_resolution",
        "Flow, shifted by size",
        "The flow with the shift k = e^μ that belongs to a sample of so many tokens (Flux).",
        (
            Param("tokens", "Tokens", 256, 1, 1_000_000, "Squares of a picture: height/patch · width/patch.", 64, True),
            Param("base_shift", "μ small", 0.5, -4.0, 4.0, "μ at 256 tokens.", 0.05),
            Param("max_shift", "μ large", 1.15, -4.0, 4.0, "μ at 4,096 tokens.", 0.05),
        ),
    ),
    PathOption(
        "vp_linear",
        "VP linear",
        "DDPM's chain: β rises linearly over the training steps (Ho et al. 2020).",
        (_STEPS, *_betas(1e-4, 0.02), _ZERO_SNR),
        table=True,
    ),
    PathOption(
        "vp_scaled_linear",
        "VP scaled linear",
        "Stable Diffusion's chain: √β rises linearly over the training steps (Rombach et al. 2022).",
        (_STEPS, *_betas(0.00085, 0.012), _ZERO_SNR),
        table=True,
    ),
    PathOption("vp_cosine", "VP cosine", "ᾱ follows a squared cosine (Nichol & Dhariwal 2021)."),
    PathOption(
        "vp_cosine_table",
        "VP cosine, table",
        "The published cosine chain: offset 0.008, β at most 0.999 (Nichol & Dhariwal 2021).",
        (_STEPS, _ZERO_SNR),
        table=True,
    ),
    PathOption(
        "vp_sigmoid",
        "VP sigmoid",
        "β rises along a sigmoid over the training steps (GeoDiff, Xu et al. 2022).",
        (_STEPS, *_betas(1e-4, 0.02), _ZERO_SNR),
        table=True,
    ),
    PathOption(
        "vp_table",
        "VP, own betas",
        "The betas of a file: one for each training step.",
        (_ZERO_SNR,),
        table=True,
        needs="betas",
    ),
    PathOption(
        "ve",
        "VE",
        "Variance exploding: a = 1, s = σ_max·t (Song et al. 2021; Karras et al. 2022).",
        (_SIGMA_MAX,),
    ),
    PathOption(
        "edm",
        "EDM",
        "VE at the pace of Karras et al. 2022: a = 1, s = σ_max·t^ρ.",
        (_SIGMA_MAX, Param("rho", "ρ", 7.0, 1.0, 20.0, "1 is VE; the larger, the more t is spent near the data.", 0.5)),
    ),
    PathOption(
        "vp_edm",
        "VP, EDM's pace",
        "EDM's levels at a variance of 1: a = 1/√(1 + σ²), s = σ·a with σ = σ_max·t^ρ, for v in continuous σ (CosXL).",
        (
            Param("sigma_max", "σ max", 120.0, 0.1, 10_000.0, "Noise level σ = s/a at t = 1.", 1.0),
            Param("rho", "ρ", 7.0, 1.0, 20.0, "The larger, the more t is spent near the data.", 0.5),
        ),
    ),
    PathOption(
        "mixing",
        "Mixing, Gaussian θ",
        "x_k = (1 − α_k)·x_{k−1} + α_k·θ with θ ~ N(0, 1).",
        (_MIX_ALPHA, _MIX_STEPS, _MIX_DECAY),
        table=True,
    ),
    PathOption(
        "mixing_uniform",
        "Mixing, uniform θ",
        "x_k = (1 − α_k)·x_{k−1} + α_k·θ with θ uniform on [−√3, √3] (mean 0, variance 1).",
        (_MIX_ALPHA, _MIX_STEPS, _MIX_DECAY),
        table=True,
    ),
)
