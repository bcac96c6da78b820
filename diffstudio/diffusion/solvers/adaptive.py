"""An adaptive Runge-Kutta method, the reference that the others are held against."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstudio import wording
from diffstudio.diffusion.solvers.context import StepContext, blend
from diffstudio.diffusion.solvers.ode import Clock, clock_of, rescaled, slope
from diffstudio.diffusion.times import Level, level

# Dormand & Prince 1980, table 2: the stages, the weights of order 5 (the last row) and their difference to order 4.
NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
PIECES = 1 << 14  # of the way between two levels: the shortest step is one of them
TRIALS = 500  # of a sample between two levels; beyond it what is left is gone in long steps, right or not
LONG = PIECES >> 4
BROKEN = 4  # trials of a sample between two levels that are not finite, after which it is given up
LAST = 1e-3  # of σ that a step to the data leaves to its first-order end


def rk45(step: StepContext, rtol: float = 1e-4) -> Tensor:
    """Dormand-Prince 5(4) from level to level, each sample with as many steps as the tolerance wants for it alone.

    The error of a step is the root mean square of its numbers, relative to rtol·(1 + |x̄|) (rtol at least what rounding
    makes of it). A step is 2⁻ʲ of the way between the two levels and begins at a multiple of itself, so that samples
    meet at the same levels although each goes at its own pace: the network is asked for those that stand at one place
    with one length together. This is the one solver that asks the device a question.

    A sample that is not finite, or becomes so at every length that is tried, is given up: it is NaN from there on. One
    that needs more than TRIALS steps says so and goes on in long ones. The step to s′ = 0 ends with a first-order one
    from a thousandth of its σ.
    """
    clock = clock_of(step.path, step.at, step.to)
    (m, u), (m_to, u_to) = rescaled(step.at, clock), rescaled(step.to, clock)
    end = u_to if step.to.s > 0 else LAST * u
    if u == end:  # levels where a = 0 follow each other
        return step.x * (m_to / m)
    x, k = _Way(step, clock, u, end, max(rtol, 4 * torch.finfo(step.x.dtype).eps)).walked(step.x / m)
    # Only a step to the data has a way left.
    return blend(m_to, x, (m_to * (u_to - end), k)) if end != u_to else x * m_to


class _Way:
    """The way of all samples from one level to the next; places and lengths are counted in PIECES."""

    def __init__(self, step: StepContext, clock: Clock, u: float, end: float, rtol: float) -> None:
        self._step, self._rtol = step, rtol
        self._clock: Clock = clock
        self._u, self._piece = u, (end - u) / PIECES
        samples = len(step.x)
        # In the clock's own unit: of what length the last steps were, between levels before.
        self._wanted: list[float] = step.memory.setdefault("rk45", [math.inf] * samples)
        self._place = [0] * samples
        self._length = [_power_of_two(wanted / abs(self._piece)) for wanted in self._wanted]
        self._trials, self._broken = [0] * samples, [0] * samples
        self._late: set[int] = set()  # samples that missed the tolerance

    def walked(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(x̄, its slope) at the end."""
        step = self._step
        k = _slope(step.x, step.x0_hat, step.at, self._clock)
        start = torch.isfinite(k).flatten(1).all(1) & torch.isfinite(x).flatten(1).all(1)
        self._give_up(x, [i for i, fine in enumerate(start.tolist()) if not fine])
        while True:
            ahead = [at for at in zip(self._place, self._length, strict=True) if at[0] < PIECES]
            if not ahead:
                self._say()
                return x, k
            place, length = min(ahead)  # who is behind goes first, and meets the others again
            rows = [i for i, at in enumerate(zip(self._place, self._length, strict=True)) if at == (place, length)]
            several = None if len(rows) == len(x) else torch.tensor(rows, device=x.device)
            new, k_new, error = self._trial(x, k, place, length, several)
            errors = error.tolist()
            taken = [i for i, miss in enumerate(errors) if self._takes(rows[i], miss)]
            if len(taken) == len(x):
                x, k = new, k_new
            elif taken:
                to, chosen = (torch.tensor(of, device=x.device) for of in ([rows[i] for i in taken], taken))
                x, k = x.index_copy(0, to, new[chosen]), k.index_copy(0, to, k_new[chosen])
            self._give_up(x, [i for i in rows if self._broken[i] >= BROKEN])

    def _trial(
        self, x: Tensor, k: Tensor, place: int, length: int, rows: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(x̄ after the step, its slope, the error in units of the tolerance, (b,)) of some rows, None: of all."""
        stage = start = x if rows is None else x[rows]
        slopes = [k if rows is None else k[rows]]
        du = length * self._piece
        for node, row in zip(NODES[1:], STAGES[1:], strict=True):
            stage = blend(1.0, start, *((du * w, dx) for w, dx in zip(row, slopes, strict=True)))
            at = self._level(self._u + (place + node * length) * self._piece)
            xt = stage * rescaled(at, self._clock)[0]
            slopes.append(_slope(xt, self._step.denoise(xt, at, rows), at, self._clock))
        miss = blend(du * ERROR[0], slopes[0], *((du * w, dx) for w, dx in zip(ERROR[1:], slopes[1:], strict=True)))
        share = miss / (self._rtol * (1 + torch.maximum(start.abs(), stage.abs())))
        return stage, slopes[-1], share.square().flatten(1).mean(1).sqrt()

    def _takes(self, i: int, error: float) -> bool:
        """Whether a sample takes the step that was tried; how long its next one is."""
        self._trials[i] += 1
        length = self._length[i]
        if not math.isfinite(error):
            self._broken[i] += 1
            self._length[i] = max(1, length // 16)
            return False
        # The usual controller of order 5, with its safety factor (Hairer, Nørsett & Wanner 1993, II.4).
        factor = min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
        spent = self._trials[i] >= TRIALS
        if error > 1 and length > 1 and not (spent and length <= LONG):
            self._length[i] = max(1, _power_of_two(length * factor, length // 2))
            return False
        if error > 1:
            self._late.add(i)
        self._place[i] += length
        self._wanted[i] = length * factor * abs(self._piece)
        longest = self._place[i] & -self._place[i]  # a step begins at a multiple of itself
        self._length[i] = min(longest, LONG if spent else _power_of_two(length * factor))
        return True

    def _give_up(self, x: Tensor, rows: list[int]) -> None:
        for i in rows:
            x[i] = math.nan
            self._place[i], self._broken[i] = PIECES, 0

    def _say(self) -> None:
        if self._late:
            between = f"between t = {self._step.at.t:.3g} and {self._step.to.t:.3g}"
            self._step.say(
                f"the adaptive solver misses its tolerance {between}, in {wording.samples(sorted(self._late))}: "
                "choose a larger tolerance, or more steps"
            )

    def _level(self, u: float) -> Level:
        """The level of the path at the clock's u."""
        sigma = u if self._clock == "sigma" else u / (1 - u) if u < 1 else math.inf
        return level(self._step.path, self._step.path.t_at_log_snr(-2 * math.log(sigma)))


def _slope(x: Tensor, x0_hat: Tensor, at: Level, clock: Clock) -> Tensor:
    c, d = slope(at, clock)
    return blend(c, x, (d, x0_hat))


def _power_of_two(length: float, most: int = PIECES) -> int:
    """The largest power of two up to that length, from 1 to `most`."""
    return most if length >= most else 1 << max(0, math.floor(math.log2(max(1.0, length))))
