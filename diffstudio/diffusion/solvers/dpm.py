"""DPM-Solver++ (Lu et al. 2022 b), in λ = log(a/s) with h = λ′ − λ and ψ = 1 − e^{−h}."""

from __future__ import annotations

import math

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, blend
from diffstudio.diffusion.solvers.first_order import unified
from diffstudio.diffusion.solvers.heun import heun
from diffstudio.diffusion.solvers.integrals import history, is_finite, log_ratio, weights
from diffstudio.diffusion.times import level


def dpmpp_2s(step: StepContext) -> Tensor:
    """x_m = (s_m/s)·x + a_m(1 − e^{−rh})·x̂0 at the middle in λ, r = ½, then x′ = (s′/s)·x + a′ψ·D, D = D(x_m).

    Lu et al. 2022 b, algorithm 1 (D = (1 − 1/2r)·x̂0 + D(x_m)/2r). Two calls; a last step to s′ = 0 is first-order, and
    a step from a = 0, which has no middle in λ, is Heun's.
    """
    at, to = step.at, step.to
    if to.s == 0:
        return unified(step)
    if not is_finite(at, to):
        return heun(step)
    h = log_ratio(to) - log_ratio(at)
    middle = level(step.path, step.path.t_at_log_snr(at.log_snr + h))  # log-SNR is 2λ
    c = middle.s / at.s
    x_middle = blend(c, step.x, (middle.a - c * at.a, step.x0_hat))
    r = (log_ratio(middle) - log_ratio(at)) / h
    gain = to.a * -math.expm1(-h)
    found = step.denoise(x_middle, middle)
    return blend(to.s / at.s, step.x, (gain * (1 - 0.5 / r), step.x0_hat), (gain * 0.5 / r, found))


def dpmpp_2m(step: StepContext) -> Tensor:
    """x′ = (s′/s)·x + a′ψ·D, D = x̂0 + (x̂0 − x̂0_prev)/(2r), r = h_prev/h (Lu et al. 2022 b, algorithm 2).

    First order, D = x̂0, at the first step and where h or h_prev is infinite (the ends s′ = 0 and a = 0).
    """
    at, to, x, x0_hat = step.at, step.to, step.x, step.x0_hat
    keep = to.s / at.s
    if min(at.a, to.a, to.s) == 0:  # h is infinite: a′ψ = a′ − a·s′/s
        return blend(keep, x, (to.a - keep * at.a, x0_hat))
    lam, lam_to = math.log(at.a / at.s), math.log(to.a / to.s)
    h = lam_to - lam
    gain = to.a * -math.expm1(-h)  # a′ψ
    before = step.past[-1] if step.past else None
    if before is None or before.level.a == 0:
        return blend(keep, x, (gain, x0_hat))
    r = (lam - math.log(before.level.a / before.level.s)) / h
    trend = 0.5 * gain / r
    return blend(keep, x, (gain + trend, x0_hat), (-trend, before.x0_hat))


def dpmpp_2m_sde(step: StepContext, eta: float = 1.0, variant: float = 1) -> Tensor:
    """x′ = (s′/s)·e^{−ηh}·x + a′(1 − e^{−(1+η)h})·D + s′·√(1 − e^{−2ηh})·z (Lu et al. 2022 b, SDE-DPM-Solver++ 2M).

    η = 1 is the paper's SDE, η = 0 the ODE, between them k-diffusion's `sample_dpmpp_2m_sde`. With g = (1 + η)h the
    weight of (x̂0 − x̂0_prev)/r is (1 − e^{−g})/2 in variant 1 (midpoint) and 1 − (1 − e^{−g})/g in variant 2 (Heun).
    """
    at, to = step.at, step.to
    if not is_finite(at, to):
        return _to_an_end(step, eta)
    h = log_ratio(to) - log_ratio(at)
    g = (1 + eta) * h
    gain = -math.expm1(-g)
    decay = to.s / at.s * math.exp(-eta * h)
    nodes, values = history(step, 2)
    if len(nodes) == 1:
        x = blend(decay, step.x, (to.a * gain, step.x0_hat))
    else:
        # nodes[1] is −r
        trend = to.a * (0.5 * gain if variant == 1 else 1 - gain / g) / -nodes[1]
        x = blend(decay, step.x, (to.a * gain + trend, values[0]), (-trend, values[1]))
    spread = to.s * math.sqrt(-math.expm1(-2 * eta * h)) if eta > 0 else 0.0
    return x.add_(step.z(), alpha=spread) if spread > 0 else x


def _to_an_end(step: StepContext, eta: float) -> Tensor:
    """The same where h is infinite: to x̂0, or from pure noise, of which e^{−ηh} keeps nothing when η > 0."""
    if eta == 0 or step.to.s == 0:
        return unified(step)
    return unified(step, step.to.s).add_(step.z(), alpha=step.to.s)


def dpmpp_3m(step: StepContext) -> Tensor:
    """Third-order multistep as it is widely shipped (diffusers, `DPMSolverMultistepScheduler` with solver_order 3).

    x′ = (s′/s)·x + a′ψ·x̂0 + a′(1 − ψ/h)·D1 + a′(½ − (h − ψ)/h²)·D2 with the divided differences D1, D2 in θ. The Taylor
    series wants twice that D2, so that it converges at order 2; `dpmpp_3m_true` is the one of order 3.
    """
    nodes, values = history(step, 3) if is_finite(step.at, step.to) else ([], [])
    if len(nodes) < 3:
        return dpmpp_2m(step)
    h = log_ratio(step.to) - log_ratio(step.at)
    psi = -math.expm1(-h)
    first, second = 1 - psi / h, 0.5 - (h - psi) / h**2
    # D2 = Σ x̂0_i/Π(θ_i − θ_j);  D1 = (x̂0 − x̂0_1)/r_0 + r_0·D2, r_0 = −θ_1
    r = -nodes[1]
    bend = [1 / math.prod(node - other for other in nodes if other != node) for node in nodes]
    line = [1 / r + r * bend[0], -1 / r + r * bend[1], r * bend[2]]
    c = [step.to.a * (first * d1 + second * d2) for d1, d2 in zip(line, bend, strict=True)]
    c[0] += step.to.a * psi
    return blend(step.to.s / step.at.s, step.x, *zip(c, values, strict=True))


def dpmpp_3m_true(step: StepContext) -> Tensor:
    """x′ = (s′/s)·x + a′h·∫₀¹ e^{h(θ−1)}·P(θ) dθ with the parabola P through x̂0 and the two before it: order 3.

    One first-order step would hold the whole chain at order 2, so where nothing usable lies behind it the step is
    `dpmpp_2s` (one call more, once in a chain); the second step has the straight line through two values.
    """
    at, to = step.at, step.to
    if not is_finite(at, to):
        return unified(step)
    nodes, values = history(step, 3)
    if len(nodes) == 1:
        return dpmpp_2s(step)
    h = log_ratio(to) - log_ratio(at)
    return blend(
        to.s / at.s, step.x, *((to.a * h * w, value) for w, value in zip(weights(nodes, h), values, strict=True))
    )
