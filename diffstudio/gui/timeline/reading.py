"""What the records say at a step, in words: for the readouts and the hover text."""

from __future__ import annotations

from dataclasses import dataclass

from diffstudio.analysis.health import first_record
from diffstudio.errors import BadFile
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.timeline.clocks import Span
from diffstudio.traces.format import NOT_FINITE
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
    not_finite: int = 0

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
    """Where a chain goes, how an inversion goes there, and whether it went off from another run."""
    if chain:
        forked = trace.header.request.get("source") == "step"
        return tr("reverse: denoising, from a fork") if forked else tr("reverse: denoising")
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
        not_finite=_not_finite(trace, k),
    )


def _not_finite(trace: Trace, k: int) -> int:
    """How many samples of record k are not finite, as far as it is counted."""
    found = trace.scalar(k, NOT_FINITE) if trace.has_scalar(NOT_FINITE) else 0
    return int(found) if 0 < found <= trace.batch else 0


def trouble_of(trace: Trace) -> int | None:
    """The first record that is not finite; None where there is none, or nobody can tell."""
    try:
        return first_record(trace)
    except (BadFile, IndexError):  # the file was cut: the canvas says so
        return None


def hover_text(reading: Reading) -> str:
    """Chain, step and numbers in one line; and how many samples are not finite there."""
    numbers = [f"{name} {value}" for name, value in reading.fields]
    if reading.not_finite:
        numbers.append(tr("samples that are not finite: {}").format(count(reading.not_finite)))
    return "   ".join([f"{chain_name(reading.chain)} {reading.position}", *numbers])


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
