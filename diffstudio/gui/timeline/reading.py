"""What the records say at a step, in words: for the readouts and the hover text."""

from __future__ import annotations

from dataclasses import dataclass

from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.timeline.clocks import Span
from diffstudio.traces.reader import Trace


@dataclass(frozen=True)
class Reading:
    """The numbers of one record. step of steps: within its chain."""

    chain: int
    step: int
    steps: int
    t: float
    sigma: float
    log_snr: float
    nfe: float

    @property
    def position(self) -> str:
        """Step of steps: 17 / 30."""
        return f"{count(self.step)} / {count(self.steps)}"

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Name and value of the numbers, as they are shown."""
        return (
            (tr("t"), number(self.t, 3)),
            (tr("σ"), number(self.sigma, 3)),
            (tr("log-SNR"), number(self.log_snr, 2, sign=True)),
            (tr("NFE"), number(self.nfe, 0)),
        )


def chain_name(chain: int) -> str:
    """The chain's name in the user's language."""
    return tr("reverse") if chain else tr("forward")


def chain_title(trace: Trace, chain: int) -> str:
    """Where a chain goes, and how an inversion goes there."""
    if chain:
        return tr("reverse: denoising")
    titles = {"invert": tr("forward: inversion (DDIM)"), "invert_heun": tr("forward: inversion (Heun)")}
    return titles.get(str(trace.header.request.get("forward")), tr("forward: noising"))


def read(trace: Trace, spans: tuple[Span, ...], k: int) -> Reading:
    """The numbers of record k, which must exist."""
    span = next((s for s in reversed(spans) if k >= s.first), spans[0])
    step = trace.scalar(k, "step")
    return Reading(
        chain=span.chain,
        step=int(step) if 0 <= step < 1e9 else k - span.first,
        steps=span.steps,
        t=trace.scalar(k, "t"),
        sigma=trace.scalar(k, "s"),
        log_snr=trace.scalar(k, "log_snr"),
        nfe=trace.scalar(k, "nfe") if trace.has_scalar("nfe") else float("nan"),
    )


def hover_text(reading: Reading) -> str:
    """Chain, step and numbers in one line."""
    numbers = "   ".join(f"{name} {value}" for name, value in reading.fields)
    return f"{chain_name(reading.chain)} {reading.position}   {numbers}"


def end_labels(trace: Trace, span: Span) -> tuple[str, str]:
    """What stands at a chain's two ends: a chain that begins or stops half way says at which t."""
    rows = trace.scalars("t")[span.first : span.first + span.known]
    first, last = (tr("noise"), tr("sample")) if span.chain else (tr("data"), tr("noise"))
    partly = tr("t {}")
    if span.chain and len(rows) and rows[0] < 0.99:
        first = partly.format(number(rows[0], 2))
    if span.chain == 0 and span.known == span.count and rows[-1] < 0.99:
        last = partly.format(number(rows[-1], 2))
    return first, last
