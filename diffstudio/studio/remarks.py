"""What there is to say of a run: where it starts, where it became not finite, which samples leave their range."""

from __future__ import annotations

from diffstudio import wording
from diffstudio.analysis.health import NotFinite
from diffstudio.checkpoints.card import Card
from diffstudio.studio.request.request import Request


def not_finite_sentence(found: NotFinite, request: Request) -> str:
    """Where a run became not finite, in which samples, and what to do where that is known."""
    since = "by" if request.trace_every > 1 and found.step else "from"
    place = f"{since} step {found.step} of {request.steps_run} of the {found.chain} chain on (t = {found.t:.3g})"
    of = f"{len(found.samples)} of {found.batch} samples"
    few = len(found.samples) <= wording.MOST and len(found.samples) < found.batch
    which = f" ({wording.samples(found.samples)})" if few else ""
    if found.stored:
        return f"{place} {of}{which} do not fit the half precision of the recording: leave --half out"
    way = ": use --precision float32" if request.precision == "half" else ""
    return f"{place} {of}{which} have values that are not finite (NaN or ∞){way}"


def out_of_range_sentence(samples: tuple[int, ...], batch: int, request: Request) -> str:
    """How many samples leave the range of their data, and what keeps them in it."""
    way = "clip x̂0 (--clip static)" if request.clip == "none" else "clip x̂0 to less, or guide less"
    return f"{len(samples)} of {batch} samples leave [−1, 1]: {way}"


def start_remark(card: Card, request: Request) -> str:
    """What is different where data are noised to a level that the network was not trained at; "" nothing."""
    table = (request.path or card.path).training_steps
    if card.time != "timestep" or request.path not in (None, card.path) or table is None:
        return ""
    if request.t_start * table >= 1:
        return ""
    first = f"t = {1 / table:g}, the network's first training step"
    return f"the strength {request.strength:g} lies below {first}: it is asked for that one"
