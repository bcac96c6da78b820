"""How likely a sample is under a model: log p through the probability-flow ODE (Song et al. 2021, eq. 39).

On every path x̄ = x/(a + s) moves, in the time τ = log u with u = s/(a + s), by

    dx̄/dτ = x̄ − x̂0        and        d log p(x̄)/dτ = −div(x̄ − x̂0) = −(D − tr ∂x̂0/∂x̄)

(instantaneous change of variables, Chen et al. 2018): nothing is divided by s, and a = 0 is u = 1, τ = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import Level, level
from diffstudio.errors import BadInput

PROBES, DEQUANTISE = 2, 3  # streams of noise beside those of the chains
LEVELS_PER_UNIT = 127.5  # 8-bit pictures: [-1, 1] holds 256 grey levels, 1/127.5 apart


@dataclass(frozen=True)
class LogLikelihood:
    """What came out, each (B,) on the CPU, float64 but for `lost_at`.

    log_p: in nats, the density of the data with noise of σ_min.
    standard_error: of log_p, from the spread between probes; 0 where the trace is exact. That of the ODE's steps is not
        in it.
    bits_per_dim: −log2 p for each number of a sample; of 8-bit grey levels where they were dequantised, a density's
        otherwise.
    nfe: network calls, without the passes backwards.
    lost_at: int64, the step of the ODE after which the sum was not finite, 0 where it always is.
    """

    log_p: Tensor
    standard_error: Tensor
    bits_per_dim: Tensor
    nfe: int
    lost_at: Tensor


@dataclass(frozen=True)
class LikelihoodStep:
    """After a step of the ODE; `result` comes with the last."""

    index: int
    steps: int
    nfe: int
    result: LogLikelihood | None = None


def log_likelihood_steps(
    denoise: Denoiser,
    path: Path,
    x0: Tensor,
    cond: Condition = None,
    *,
    steps: int = 40,
    probes: int = 0,
    seed: int = 0,
    sigma_min: float = 1e-3,
    dequantise: bool = False,
) -> Iterator[LikelihoodStep]:
    """log p(x_0) of each sample, step by step, so that who iterates can show progress and stop.

    The ODE runs from σ_min to the path's end in equal steps of τ by the classical Runge-Kutta method, four calls each,
    all together with the log-density; there p is that of the noise which a chain starts from, N(0, s²). What is
    measured is the density of x_0 + σ_min·ε: finer structure than σ_min is not seen.

    x0: (B, …) on the network's device.  denoise: guided or not, of that path.
    probes: 0 computes the trace exactly, with a backward pass for each number of a sample: for points. Otherwise
        Hutchinson's estimate with that many Rademacher probes, the same in all steps (Grathwohl et al. 2019), drawn by
        sample i from the seed + i.
    dequantise: add uniform noise of one grey level of 8 bits, so that bits_per_dim bounds those of a lossless code.

    Raises:
        BadInput: no step, a single probe (it has no standard error), or σ_min beyond the path.
    """
    if steps < 1:
        raise BadInput(f"the likelihood needs at least 1 step, found {steps}")
    if probes < 0 or probes == 1:
        raise BadInput(f"Hutchinson's estimate needs at least 2 probes for its standard error, found {probes}")
    grid = _levels(path, sigma_min, steps)
    samples, shape, size = len(x0), x0.shape[1:], x0[0].numel()
    signs = SampleNoise(seed, samples, shape, dtype=x0.dtype, stream=PROBES)
    probe = [torch.where(signs.draw("uniform") < 0, -1.0, 1.0).to(x0) for _ in range(probes)]
    if dequantise:
        uniform = SampleNoise(seed, samples, shape, dtype=x0.dtype, stream=DEQUANTISE).draw("uniform")
        x0 = x0 + (uniform / math.sqrt(12)).to(x0) / LEVELS_PER_UNIT  # of variance 1 is √12 wide

    ode = _Ode(denoise, cond, probe)
    x = x0 * (1 - _u(grid[0]))  # x̄ of x_0 at σ_min without its noise
    # ∫ tr ∂x̂0/∂x̄ dτ by each probe: (probes or 1, B)
    traced = torch.zeros(max(1, probes), samples, dtype=torch.float64)
    lost_at = torch.zeros(samples, dtype=torch.int64)
    for k in range(steps):
        at, middle, to = grid[2 * k : 2 * k + 3]
        h = math.log(_u(to) / _u(at))
        slope1, trace1 = ode(x, at)
        slope2, trace2 = ode(x + 0.5 * h * slope1, middle)
        slope3, trace3 = ode(x + 0.5 * h * slope2, middle)
        slope4, trace4 = ode(x + h * slope3, to)
        x = x + h / 6 * (slope1 + 2 * slope2 + 2 * slope3 + slope4)
        traced = traced + h / 6 * (trace1 + 2 * trace2 + 2 * trace3 + trace4)
        lost_at = _lost(lost_at, traced.sum(0), k + 1)
        if k < steps - 1:
            yield LikelihoodStep(k + 1, steps, ode.calls)

    u0, u1 = _u(grid[0]), _u(grid[-1])
    away = (x.double().flatten(1).cpu() / u1).square().sum(1)
    log_prior = -0.5 * away - size * (0.5 * math.log(2 * math.pi) + math.log(u1))
    log_p = log_prior + size * math.log(u1 / u0) - traced + size * math.log1p(-u0)
    error = log_p.std(0) / math.sqrt(probes) if probes else torch.zeros(samples, dtype=torch.float64)
    bits = -log_p.mean(0) / (size * math.log(2)) + (math.log2(LEVELS_PER_UNIT) if dequantise else 0.0)
    found = LogLikelihood(log_p.mean(0), error, bits, ode.calls, _lost(lost_at, log_p.sum(0), steps))
    yield LikelihoodStep(steps, steps, ode.calls, found)


def _lost(before: Tensor, sums: Tensor, step: int) -> Tensor:
    """The step at which each sample was lost, those that are no longer finite now included."""
    return torch.where((before == 0) & ~torch.isfinite(sums), step, before)


def log_likelihood(
    denoise: Denoiser,
    path: Path,
    x0: Tensor,
    cond: Condition = None,
    *,
    steps: int = 40,
    probes: int = 0,
    seed: int = 0,
    sigma_min: float = 1e-3,
    dequantise: bool = False,
) -> LogLikelihood:
    """log p(x_0) of each sample, in one go; everything as in `log_likelihood_steps`."""
    *_, last = log_likelihood_steps(
        denoise, path, x0, cond, steps=steps, probes=probes, seed=seed, sigma_min=sigma_min, dequantise=dequantise
    )
    assert last.result is not None
    return last.result


class _Ode:
    """dx̄/dτ with tr ∂x̂0/∂x̄, counting the network's calls."""

    def __init__(self, denoise: Denoiser, cond: Condition, probes: list[Tensor]) -> None:
        self._denoise = denoise
        self._cond = cond
        self._probes = probes
        self.calls = 0

    def __call__(self, x_bar: Tensor, at: Level) -> tuple[Tensor, Tensor]:
        """x̄: (B, …) → slope (B, …) and trace by each probe (probes or 1, B), float64 on the CPU."""
        self.calls += 1
        with torch.enable_grad():
            leaf = x_bar.detach().requires_grad_()
            x0_hat = estimate(self._denoise(leaf * (at.a + at.s), at, self._cond)).x0_hat
            traces = self._by_probes(leaf, x0_hat) if self._probes else self._exactly(leaf, x0_hat)
        return (leaf - x0_hat).detach(), torch.stack(traces).double().cpu()

    def _exactly(self, leaf: Tensor, x0_hat: Tensor) -> list[Tensor]:
        """Σ_i ∂x̂0_i/∂x̄_i. Samples don't see each other, so that the sum over the batch gives each its own row."""
        trace = torch.zeros(len(leaf), dtype=torch.float64, device=leaf.device)
        outputs = x0_hat.flatten(1).unbind(1)
        for i, output in enumerate(outputs):
            (row,) = torch.autograd.grad(output.sum(), leaf, retain_graph=i < len(outputs) - 1)
            trace += row.flatten(1)[:, i]
        return [trace]

    def _by_probes(self, leaf: Tensor, x0_hat: Tensor) -> list[Tensor]:
        """vᵀ·(∂x̂0/∂x̄)·v for each probe v, whose mean is the trace."""
        traces = []
        for i, probe in enumerate(self._probes):
            (row,) = torch.autograd.grad(x0_hat, leaf, probe, retain_graph=i < len(self._probes) - 1)
            traces.append((row * probe).flatten(1).sum(1))
        return traces


def _levels(path: Path, sigma_min: float, steps: int) -> list[Level]:
    """2·steps + 1 levels from σ_min to the path's end, in equal steps of τ = log u."""
    end = level(path, 1.0)
    if not 0 < sigma_min < end.sigma:
        raise BadInput(
            f"σ_min is {sigma_min:g}, expected more than 0 and less than the path's largest σ, {end.sigma:g}"
        )
    low, high = math.log(sigma_min / (1 + sigma_min)), math.log(_u(end))
    found = []
    for k in range(2 * steps):
        u = math.exp(low + (high - low) * k / (2 * steps))
        found.append(level(path, path.t_at_log_snr(2 * math.log((1 - u) / u))))
    return [*found, end]


def _u(at: Level) -> float:
    """The flow clock, s/(a + s)."""
    return at.s / (at.a + at.s)
