"""Our solvers against the schedulers of diffusers: same network, same levels, same noise, float32.

The network is the exact denoiser of a mixture. Each function builds a scheduler, reads the levels from it (or puts ours
in), runs both and gives the largest difference relative to the largest number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from diffstudio.diffusion.chain import invert, reverse
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.denoiser import Condition, Estimate
from diffstudio.diffusion.paths import flow_resolution
from diffstudio.diffusion.times import Level
from diffstudio.diffusion.times import levels as levels_of
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Mixture, far, path_of

BOUND = 1e-5
SHAPE = (4, 3, 8, 8)
STEPS = 20
TRUTH = Mixture()
Output = Callable[[Tensor, Level], Tensor]  # what the network of a scheduler gives at x_t


def agreement() -> list[Row]:
    """One row for each scheduler and setting that both have.

    Raises:
        ImportError: diffusers is not installed.
    """
    import diffusers

    return [
        *_ancestral(diffusers),
        *_clipped(diffusers),
        *_distilled(diffusers),
        *_dpm_solver(diffusers),
        *_unipc_and_deis(diffusers),
        *_sigma(diffusers),
        *_edm(diffusers),
        *_flow(diffusers),
        _inverse(diffusers),
    ]


def _row(name: str, theirs: Tensor, ours: Tensor, note: str = "") -> Row:
    return Row("diffusers", name, far(ours, theirs), BOUND, note=note)


# ── what both sides run ─────────────────────────────────────────────────────────────────────────────────────────────


class _Replayed:
    """Noise of one generator for the whole batch, as diffusers draws it."""

    def __init__(self) -> None:
        self._generator = _generator()

    def between(self, at: Level, to: Level) -> Tensor:
        return torch.randn(SHAPE, generator=self._generator)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def _start(scale: float = 1.0) -> Tensor:
    return scale * torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))


def _variance_range(x: Tensor) -> Tensor:
    """v in [0, 1], where a network would have learned one."""
    return x.sigmoid()


def _denoise(x: Tensor, at: Level, cond: Condition) -> Estimate:
    return Estimate(TRUTH.denoise(x, at), {"variance_range": _variance_range(x)})


def _ours(solver: str, path: str, levels: Sequence[Level], x: Tensor, params: dict[str, float] | None = None) -> Tensor:
    *_, last = reverse(_denoise, path_of(path), levels, x, _Replayed(), solver=solver, params=params)
    return last.xt


def _theirs(scheduler: Any, levels: Sequence[Level], x: Tensor, output: Output, **options: Any) -> Tensor:
    for t, at in zip(scheduler.timesteps, levels, strict=False):
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(x, t)  # our network takes x as it is, but some schedulers insist on the call
        x = scheduler.step(output(x, at), t, x, **options).prev_sample
    return x


def _eps(x: Tensor, at: Level) -> Tensor:
    return (x - at.a * TRUTH.denoise(x, at)) / at.s


def _velocity(x: Tensor, at: Level) -> Tensor:
    return _eps(x, at) - TRUTH.denoise(x, at)


def _edm_output(x: Tensor, at: Level) -> Tensor:
    """F of D = c_skip·x + c_out·F (Karras et al. 2022, eq. 7) with σ_data = 0.5."""
    c_skip, c_out = 0.25 / (at.s**2 + 0.25), 0.5 * at.s / math.sqrt(at.s**2 + 0.25)
    return (TRUTH.denoise(x, at) - c_skip * x) / c_out


# ── levels ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _vp(sigmas: Tensor) -> list[Level]:
    """Variance-preserving levels of σ = s/a."""
    return [Level(float(i), 1 / math.hypot(1, sigma), sigma / math.hypot(1, sigma)) for i, sigma in _down(sigmas)]


def _ve(sigmas: Tensor) -> list[Level]:
    return [Level(float(i), 1.0, sigma) for i, sigma in _down(sigmas)]


def _straight(sigmas: Tensor) -> list[Level]:
    """Levels of the flow path with s = σ."""
    return [Level(float(i), 1 - sigma, sigma) for i, sigma in _down(sigmas)]


def _down(sigmas: Tensor) -> list[tuple[int, float]]:
    return [(len(sigmas) - 1 - i, float(sigma)) for i, sigma in enumerate(sigmas.double())]


def _table(scheduler: Any) -> list[Level]:
    """Levels of a scheduler that steps in its table of ᾱ, and the data at the end."""
    bars = [float(scheduler.alphas_cumprod[t].double()) for t in scheduler.timesteps]
    return [
        *(Level(float(t), math.sqrt(b), math.sqrt(1 - b)) for t, b in zip(scheduler.timesteps, bars, strict=True)),
        DATA,
    ]


DATA = Level(0.0, 1.0, 0.0)


def _prepared(scheduler: Any, sigmas: Tensor | None = None) -> Any:
    """The scheduler with its steps set, on our σ where they are given; so that no end of the path hides a formula."""
    scheduler.set_timesteps(STEPS)
    if sigmas is not None:
        scheduler.sigmas = sigmas
    return scheduler


def _even_sigmas() -> Tensor:
    """From 20 to 0.05 in equal steps of log σ."""
    return torch.logspace(math.log10(20), math.log10(0.05), STEPS + 1)


def _uneven_sigmas() -> Tensor:
    """From 20 to 0.05 in equal steps of σ^(1/7)."""
    return torch.linspace(20 ** (1 / 7), 0.05 ** (1 / 7), STEPS + 1) ** 7


# ── the schedulers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _ancestral(diffusers: Any) -> list[Row]:
    rows = []
    for variance, solver in (("fixed_small", "ddpm"), ("fixed_large", "ddpm_large"), ("learned_range", "ddpm_learned")):
        scheduler = _prepared(diffusers.DDPMScheduler(clip_sample=False, variance_type=variance))
        levels = _table(scheduler)
        # A learned variance comes as more channels, v in [-1, 1].
        learned = variance == "learned_range"
        output = (lambda x, at: torch.cat([_eps(x, at), 2 * _variance_range(x) - 1], 1)) if learned else _eps
        theirs = _theirs(scheduler, levels, _start(), output, generator=_generator())
        rows.append(_row(f"DDPMScheduler, {variance}", theirs, _ours(solver, "vp_linear", levels, _start())))
    for eta in (0.0, 0.5, 1.0):
        scheduler = _prepared(diffusers.DDIMScheduler(clip_sample=False))
        levels = _table(scheduler)
        theirs = _theirs(scheduler, levels, _start(), _eps, eta=eta, generator=_generator())
        ours = _ours("ddim", "vp_linear", levels, _start(), {"eta": eta})
        rows.append(_row(f"DDIMScheduler, η = {eta:g}", theirs, ours))
    return rows


def _clipped(diffusers: Any) -> list[Row]:
    """x̂0 cut to [−½, ½], with ε̂ taken anew, as in the code of ADM, and kept, as diffusers does by itself."""
    rows = []
    for keep_eps, way in ((0, "ε̂ taken anew"), (1, "ε̂ kept")):
        scheduler = _prepared(diffusers.DDIMScheduler(clip_sample_range=0.5))
        levels = _table(scheduler)
        theirs = _theirs(scheduler, levels, _start(), _eps, use_clipped_model_output=not keep_eps)
        denoise = CLIPS["static"](_denoise, limit=0.5, keep_eps=keep_eps)
        *_, last = reverse(denoise, path_of("vp_linear"), levels, _start(), _Replayed(), solver="ddim")
        rows.append(_row(f"DDIMScheduler, clipped, {way}", theirs, last.xt))
    return rows


def _distilled(diffusers: Any) -> list[Row]:
    """At the times of a distillation in 50 steps, to the data, or to training step 0 (TCD)."""
    rows, path = [], path_of("vp_linear")
    table = {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
    for name, solver, end in (("LCMScheduler", "lcm", 0), ("TCDScheduler", "tcd", 1)):
        scheduler = _prepared(getattr(diffusers, name)(**table))
        levels = levels_of(path, STEPS, "lcm", params={"end": end})
        theirs = _theirs(scheduler, levels, _start(), _eps, generator=_generator())
        rows.append(_row(name, theirs, _ours(solver, "vp_linear", levels, _start())))
    return rows


def _dpm_solver(diffusers: Any) -> list[Row]:
    rows = []
    for solver, params, options in (
        ("dpmpp_2m", {}, {}),
        ("dpmpp_2m_sde", {}, {"algorithm_type": "sde-dpmsolver++"}),
        ("dpmpp_2m_sde", {"variant": 2.0}, {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}),
        ("dpmpp_3m", {}, {"solver_order": 3}),
    ):
        scheduler = _prepared(diffusers.DPMSolverMultistepScheduler(lower_order_final=False, **options))
        levels = _vp(scheduler.sigmas)
        theirs = _theirs(scheduler, levels, _start(), _eps, generator=_generator())
        name = ", ".join(["DPMSolverMultistepScheduler", *(f"{value}" for value in options.values())])
        note = "of order 2, though named third" if solver == "dpmpp_3m" else ""
        rows.append(_row(name, theirs, _ours(solver, "vp_linear", levels, _start(), params), note))
    scheduler = diffusers.DPMSolverSinglestepScheduler(lower_order_final=False, final_sigmas_type="sigma_min")
    levels = _vp(_prepared(scheduler, _even_sigmas()).sigmas)
    theirs = _theirs(scheduler, levels, _start(), _eps)
    ours = _ours("dpmpp_2s", "vp_cosine", levels[::2], _start())
    note = "its middle is a level of the grid, so one of our steps is two of its"
    return [*rows, _row("DPMSolverSinglestepScheduler", theirs, ours, note)]


def _unipc_and_deis(diffusers: Any) -> list[Row]:
    rows = []
    for order in (1, 2, 3):
        for variant in (1, 2):
            options = {"solver_order": order, "solver_type": f"bh{variant}", "lower_order_final": False}
            scheduler = _prepared(diffusers.UniPCMultistepScheduler(**options), _uneven_sigmas())
            levels = _vp(scheduler.sigmas)
            theirs = _theirs(scheduler, levels, _start(), _eps)
            ours = _ours("unipc", "vp_linear", levels, _start(), {"order": order, "variant": variant})
            rows.append(_row(f"UniPCMultistepScheduler, {order}, bh{variant}", theirs, ours))
    for order in (1, 2, 3):
        scheduler = diffusers.DEISMultistepScheduler(solver_order=order, lower_order_final=False)
        levels = _vp(_prepared(scheduler, _uneven_sigmas()).sigmas)
        theirs = _theirs(scheduler, levels, _start(), _eps)
        ours = _ours("deis", "vp_linear", levels, _start(), {"order": order})
        rows.append(_row(f"DEISMultistepScheduler, {order}", theirs, ours))
    return rows


def _sigma(diffusers: Any) -> list[Row]:
    """Those that step in σ with a = 1."""
    rows = []
    for name, solver in (("EulerDiscreteScheduler", "euler"), ("EulerAncestralDiscreteScheduler", "euler_ancestral")):
        scheduler = _prepared(getattr(diffusers, name)())
        levels = _ve(scheduler.sigmas)
        x = _start(levels[0].s)
        theirs = _theirs(scheduler, levels, x, _eps, generator=_generator())
        rows.append(_row(name, theirs, _ours(solver, "ve", levels, x)))
    scheduler = _prepared(diffusers.HeunDiscreteScheduler())
    # Its list has every inner level twice, once for each call.
    levels = _ve(scheduler.sigmas[[0, *range(1, len(scheduler.sigmas), 2)]])
    x = _start(levels[0].s)
    theirs = _theirs(scheduler, _ve(scheduler.sigmas), x, _eps)
    return [*rows, _row("HeunDiscreteScheduler", theirs, _ours("heun", "ve", levels, x))]


def _edm(diffusers: Any) -> list[Row]:
    rows = []
    for name, solver, options in (
        ("EDMEulerScheduler", "euler", {}),
        ("EDMDPMSolverMultistepScheduler", "dpmpp_2m", {}),
        ("EDMDPMSolverMultistepScheduler", "dpmpp_2m_sde", {"algorithm_type": "sde-dpmsolver++"}),
        ("EDMDPMSolverMultistepScheduler", "dpmpp_3m", {"solver_order": 3}),
    ):
        scheduler = _prepared(getattr(diffusers, name)(**options))
        levels = _ve(scheduler.sigmas)
        x = _start(levels[0].s)
        theirs = _theirs(scheduler, levels, x, _edm_output, generator=_generator())
        label = ", ".join([name, *(f"{value}" for value in options.values())])
        rows.append(_row(label, theirs, _ours(solver, "ve", levels, x)))
    return [*rows, _v_in_sigma(diffusers)]


def _v_in_sigma(diffusers: Any) -> Row:
    """EDM's continuous σ with a network of v (CosXL): theirs steps in x, ours in x/√(1 + σ²)."""
    options = {"prediction_type": "v_prediction", "sigma_data": 1.0, "sigma_max": 120.0}
    scheduler, path = _prepared(diffusers.EDMEulerScheduler(**options)), path_of("vp_edm")
    levels = levels_of(path, STEPS, "karras")

    def output(x: Tensor, at: Level) -> Tensor:
        own = at.a * x  # the state on our path
        return at.a * _eps(own, at) - at.s * TRUTH.denoise(own, at)

    theirs = _theirs(scheduler, levels, _start(1 / levels[0].a), output)
    return _row("EDMEulerScheduler, v", theirs, _ours("euler", "vp_edm", levels, _start()))


def _flow(diffusers: Any) -> list[Row]:
    rows = []
    for stochastic, solver in ((False, "euler"), (True, "lcm")):
        scheduler = _prepared(diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=stochastic, shift=3.0))
        levels = _straight(scheduler.sigmas)
        theirs = _theirs(scheduler, levels, _start(), _velocity, generator=_generator())
        name = "FlowMatchEulerDiscreteScheduler" + (", stochastic" if stochastic else "")
        rows.append(_row(name, theirs, _ours(solver, "flow", levels, _start())))
    scheduler = _prepared(diffusers.FlowMatchHeunDiscreteScheduler())
    levels = _straight(scheduler.sigmas[[0, *range(1, len(scheduler.sigmas), 2)]])
    theirs = _theirs(scheduler, _straight(scheduler.sigmas), _start(), _velocity)
    rows.append(_row("FlowMatchHeunDiscreteScheduler", theirs, _ours("heun", "flow", levels, _start())))
    return [*rows, *(_shifted_by_size(diffusers, tokens) for tokens in (256, 1024, 4096))]


def _shifted_by_size(diffusers: Any, tokens: int) -> Row:
    """Flux's own times, computed by its scheduler, and equal steps of our path."""
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    c = scheduler.config
    share = (tokens - c.base_image_seq_len) / (c.max_image_seq_len - c.base_image_seq_len)
    mu = c.base_shift + share * (c.max_shift - c.base_shift)
    scheduler.set_timesteps(sigmas=[1 - i / STEPS for i in range(STEPS)], mu=mu)
    theirs = _theirs(scheduler, _straight(scheduler.sigmas), _start(), _velocity)
    path = flow_resolution(tokens)
    *_, last = reverse(_denoise, path, levels_of(path, STEPS), _start(), _Replayed(), solver="euler")
    return _row(f"FlowMatchEulerDiscreteScheduler, shifted for {tokens:,} tokens", theirs, last.xt)


def _inverse(diffusers: Any) -> Row:
    scheduler = _prepared(diffusers.DDIMInverseScheduler(clip_sample=False))
    up = _table(scheduler)[:-1]
    scheduler.timesteps = scheduler.timesteps[1:]  # both start at the first noisy level
    theirs = _theirs(scheduler, up, _start(), _eps)
    *_, last = invert(_denoise, path_of("vp_linear"), up, _start())
    note = "given ε̂ at the current level; its pipelines ask the network for the level that they go to"
    return _row("DDIMInverseScheduler", theirs, last.xt, note)
