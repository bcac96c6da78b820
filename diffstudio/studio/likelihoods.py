"""How likely data are under a model, sample by sample, as plain numbers: for the screen, the terminal and files."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.studio.compute.devices import pick_device
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request


@dataclass(frozen=True)
class Likelihoods:
    """log p of data, one entry a sample, with their mean and its standard error over the samples.

    labels: the class of each sample by name, None where it has none or it is not known.
    log_p: in nats.  standard_error: of log_p, from Hutchinson's probes; 0 where the trace is exact.
    mean: of log p and its standard error, NaN for a single sample.  mean_bits, mean_bits_error: of bits per dimension.
    interrupted: some of the samples that were asked for are missing.
    """

    request: dict[str, Any]
    labels: list[str | None]
    log_p: list[float]
    standard_error: list[float]
    bits_per_dim: list[float]
    mean: tuple[float, float]
    mean_bits: float
    mean_bits_error: float
    nfe: int
    seconds: float
    device: str
    interrupted: bool = False

    def summary(self) -> dict[str, Any]:
        """As JSON values; what is not a number becomes null."""
        found: dict[str, Any] = dataclasses.asdict(self) | {"seconds": round(self.seconds, 3)}
        return {name: _json(value) for name, value in found.items()}

    def table(self) -> str:
        """A table of plain text, the mean in its last row."""
        numbers = zip(self.log_p, self.standard_error, self.bits_per_dim, strict=True)
        lines = [f"{'sample':>6}  {'log p (nats)':>12}  {'± s.e.':>8}  {'bits/dim':>8}"]
        lines += [_line(str(i), *row) for i, row in enumerate(numbers)]
        lines.append(_line("mean", *self.mean, self.mean_bits))
        if any(self.labels):
            classes = ["class", *(label or "" for label in self.labels), ""]
            lines = [f"{line}  {label}".rstrip() for line, label in zip(lines, classes, strict=True)]
        return "\n".join(lines)

    def csv_text(self) -> str:
        """A row a sample, under the names of the columns, with every digit; what is not a number is left empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("sample", "seed", "class", "log_p_nats", "standard_error_nats", "bits_per_dim"))
        seed = int(self.request["seed"])
        for i, label in enumerate(self.labels):
            numbers = (self.log_p[i], self.standard_error[i], self.bits_per_dim[i])
            writer.writerow((i, seed + i, label or "", *("" if _number(v) is None else repr(v) for v in numbers)))
        return stream.getvalue()

    @property
    def effort(self) -> str:
        """What it took."""
        return f"{self.nfe:,} network calls in {self.seconds:.1f} s on {self.device}"


@dataclass(frozen=True)
class Judging:
    """How far a likelihood is: steps of the ODE, what is left in seconds (None: not known yet), the samples so far."""

    done: int
    total: int
    eta: float | None
    found: Likelihoods | None = None


def judge(
    engine: Engine, request: Request, split: str, steps: int, probes: int, stop: Callable[[], bool] = lambda: False
) -> Iterator[Judging]:
    """`Engine.likelihood` in plain numbers; a stop keeps the parts that are done. Errors as there."""
    begun = time.monotonic()
    first: tuple[float, int] | None = None  # the first step waits for the weights
    names = _names(engine.plan(request).card, request)
    for now in engine.likelihood(request, split, steps, probes, stop):
        seconds = time.monotonic() - begun
        eta = None if first is None else (seconds - first[0]) / (now.done - first[1]) * (now.total - now.done)
        first = first or (seconds, now.done)
        found = None
        if now.found is not None:
            log_p, errors, bits = (
                values.tolist() for values in (now.found.log_p, now.found.standard_error, now.found.bits_per_dim)
            )
            labels = [None if k is None else names[k] for k in now.labels[: len(log_p)]]
            found = Likelihoods(
                request.model_dump(mode="json"), labels, log_p, errors, bits,
                mean_with_error(log_p), *mean_with_error(bits), now.found.nfe, seconds, pick_device(request.device),
                len(log_p) < request.samples,
            )  # fmt: skip
        yield Judging(now.done, now.total, eta, found)


def mean_with_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean over samples and its standard error (NaN for a single sample)."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(np.mean(values)), error


def _names(card: Card, request: Request) -> tuple[str, ...]:
    """Of the classes: where none was asked for they are those of the data set, which may have more than the model."""
    own = DATASETS.get(card.data.dataset)
    return own.labels if own is not None and request.source == "data" and request.label is None else card.labels


def _line(name: str, log_p: float, error: float, bits: float) -> str:
    return f"{name:>6}  {log_p:>12.3f}  {error:>8.3f}  {bits:>8.4f}"


def _number(value: float) -> float | None:
    """The same where it is a number."""
    return value if math.isfinite(value) else None


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return _number(value) if isinstance(value, float) else value
