"""What can be chosen: solvers, paths, grids, predictions. Plain data, read by panel, command line and mathematics.

A row here and a function of the same name in `diffstudio.diffusion` are held against each other by a test.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Param:
    """One number of an option, with its bounds (inclusive) and one sentence for the tooltip."""

    name: str
    label: str
    default: float
    low: float
    high: float
    tip: str
    step: float = 0.05
    integer: bool = False


@dataclass(frozen=True)
class SolverOption:
    """A reverse-chain solver: `order` is the convergence order it shows, None for a stochastic one."""

    name: str
    label: str
    tip: str
    order: int | None
    evals_per_step: int = 1
    stochastic: bool = False
    params: tuple[Param, ...] = ()


@dataclass(frozen=True)
class PathOption:
    """A family x_t = a(t)·x_0 + s(t)·ε."""

    name: str
    label: str
    tip: str
    params: tuple[Param, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A named alternative with nothing to set."""

    name: str
    label: str
    tip: str


def _by_name(*rows):
    return {row.name: row for row in rows}


SOLVERS: dict[str, SolverOption] = _by_name(
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
    ),
    SolverOption(
        "ddpm_large",
        "DDPM, large variance",
        "Ancestral sampling with the forward variance β (Ho et al. 2020).",
        order=None,
        stochastic=True,
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

_MIX_STEPS = Param("n", "Chain length", 100, 2, 10_000, "Steps of the mixing chain from data to noise.", 1, True)
_MIX_ALPHA = Param("alpha", "α", 0.05, 0.0001, 0.9999, "Share of θ mixed in at each step.", 0.01)
_MIX_DECAY = Param("decay", "Decay", 0.5, 0.0, 1.0, "α_k = α·k^(−decay): 0 keeps α constant.", 0.05)

PATHS: dict[str, PathOption] = _by_name(
    PathOption("flow", "Flow", "Straight lines: a = 1 − t, s = t (flow matching, rectified flow)."),
    PathOption(
        "vp_linear",
        "VP linear",
        "DDPM's chain: β rises linearly over the training steps (Ho et al. 2020).",
        (
            Param("n", "Training steps", 1000, 2, 100_000, "Length of the table of betas.", 1, True),
            Param("beta_start", "β first", 1e-4, 1e-8, 0.5, "β of the first step.", 1e-4),
            Param("beta_end", "β last", 0.02, 1e-8, 0.999, "β of the last step.", 1e-3),
        ),
    ),
    PathOption("vp_cosine", "VP cosine", "ᾱ follows a squared cosine (Nichol & Dhariwal 2021)."),
    PathOption(
        "ve",
        "VE",
        "Variance exploding: a = 1, s = σ_max·t (Song et al. 2021; Karras et al. 2022).",
        (Param("sigma_max", "σ max", 80.0, 0.1, 10_000.0, "Noise level at t = 1.", 1.0),),
    ),
    PathOption(
        "mixing",
        "Mixing, Gaussian θ",
        "x_k = (1 − α_k)·x_{k−1} + α_k·θ with θ ~ N(0, 1).",
        (_MIX_ALPHA, _MIX_STEPS, _MIX_DECAY),
    ),
    PathOption(
        "mixing_uniform",
        "Mixing, uniform θ",
        "x_k = (1 − α_k)·x_{k−1} + α_k·θ with θ uniform on [−√3, √3] (mean 0, variance 1).",
        (_MIX_ALPHA, _MIX_STEPS, _MIX_DECAY),
    ),
)

PREDICTIONS: dict[str, Choice] = _by_name(
    Choice("eps", "ε", "The network predicts the noise."),
    Choice("x0", "x0", "The network predicts the clean sample."),
    Choice("v", "v", "The network predicts v = a·ε − s·x0 (Salimans & Ho 2022)."),
    Choice("flow", "velocity", "The network predicts the flow velocity ε − x0 (Lipman et al. 2022)."),
)

NETWORKS: dict[str, Choice] = _by_name(
    Choice("mlp", "MLP", "A residual MLP on Fourier features, for points."),
    Choice("unet", "U-Net", "A convolutional U-Net with attention, for images."),
)

GRIDS: dict[str, Choice] = _by_name(
    Choice("uniform", "Uniform in t", "Equal steps of t from 1 to 0 (for DDPM's table: trailing spacing)."),
    Choice("quadratic", "Quadratic in t", "Steps shrink towards the data."),
    Choice("karras", "Karras ρ = 7", "Equal steps of σ^(1/7), σ = s/a (Karras et al. 2022)."),
)

FORWARD_MODES: dict[str, Choice] = _by_name(
    Choice("fixed", "One ε per sample", "x_t = a·x_0 + s·ε with the same ε at every step: scrubbing is coherent."),
    Choice("markov", "Markov chain", "Fresh noise at every step, the true forward chain."),
    Choice("off", "No forward chain", "Only the reverse chain is computed and recorded."),
)

SOURCES: dict[str, Choice] = _by_name(
    Choice("noise", "Noise", "The reverse chain starts from pure noise of the seed."),
    Choice("data", "Data sample", "Samples of the training data are noised, then denoised again."),
    Choice("file", "My file", "Your picture or array is noised, then denoised again."),
    Choice("step", "This step", "The reverse chain starts from a recorded step of another run."),
)
