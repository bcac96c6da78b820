"""What is asked of the model beside the runs: scores, densities, the pictures of latents, likelihoods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.gui.kit.words import tr
from diffstudio.gui.stage.views.view import DENSITY, PICTURES, SCORE
from diffstudio.gui.work.asking import Part, Question
from diffstudio.gui.work.jobs import Ended, Jobs, Stop
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request


class Inquiries(QObject):
    """Of each kind the newest question is answered. What a question is about comes back with every answer.

    | kind | a part | its answer |
    |---|---|---|
    | SCORE | positions (N, 2) float32 of the model, log-SNR | arrows (N, 2) |
    | DENSITY | indices (N,), positions (N, 2) float32 | indices (N,), log p (N,) in nats |
    | PICTURES | sample, latents (1, C, H, W) float32 | sample, picture (1, C, H, W) |
    """

    found = Signal(str, object, object)  # kind, about, answer
    failed = Signal(str, object, str)  # kind, about, one sentence
    judged = Signal(object)  # studio.likelihoods.Judging
    judgingEnded = Signal(object)  # jobs.Ended

    def __init__(self, engine: Engine, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._questions = {kind: Question(jobs, self) for kind in PARTS}
        for kind, question in self._questions.items():
            question.answered.connect(partial(self._on_answered, kind))
            question.ended.connect(partial(self._on_ended, kind))
        self._judging = Question(jobs, self)
        self._judging.answered.connect(self._on_judged)
        self._judging.ended.connect(self._on_judging_ended)

    def ask(self, request: Request | None, kind: str, about: object, parts: Sequence[tuple]) -> None:
        """Ask of the model of a request; None: of a run that does not say how it was made, and has no answer."""
        if request is None:
            self.failed.emit(kind, about, tr("the trace does not say how it was made"))
            return
        self._questions[kind].ask(about, [PARTS[kind](self._engine, request, *given) for given in parts])

    def judge(self, request: Request, split: str, steps: int, probes: int) -> None:
        """Ask how likely the request's data are; the answers are `judged`, the last is `judgingEnded`."""

        def part(stop: Stop) -> Iterator[object]:
            from diffstudio.studio.likelihoods import judge

            yield from judge(self._engine, request, split, steps, probes, stop)

        self._judging.ask((request, split, steps, probes), [part])

    @Slot()
    def stop_judging(self) -> None:
        """Stop before the next network call."""
        self._judging.cancel()

    def cancel(self) -> None:
        """Stop them all before the next network call."""
        for question in (*self._questions.values(), self._judging):
            question.cancel()

    def _on_answered(self, kind: str, about: object, answer: object) -> None:
        self.found.emit(kind, about, answer)

    def _on_ended(self, kind: str, about: object, ended: Ended) -> None:
        if ended.outcome == "failed":
            self.failed.emit(kind, about, ended.error)

    @Slot(object, object)
    def _on_judged(self, about: object, now: object) -> None:
        self.judged.emit(now)

    @Slot(object, object)
    def _on_judging_ended(self, about: object, ended: Ended) -> None:
        self.judgingEnded.emit(ended)


def _score(engine: Engine, request: Request, positions: np.ndarray, log_snr: float) -> Part:
    def find(stop: Stop) -> Iterator[np.ndarray]:
        yield engine.score(request, positions, log_snr, stop)

    return find


def _density(engine: Engine, request: Request, indices: np.ndarray, positions: np.ndarray) -> Part:
    def find(stop: Stop) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield indices, engine.log_density(request, positions, stop)

    return find


def _pictures(engine: Engine, request: Request, sample: int, states: np.ndarray) -> Part:
    def find(stop: Stop) -> Iterator[tuple[int, np.ndarray]]:
        yield sample, engine.pictures(request, states)

    return find


PARTS: dict[str, Callable[..., Part]] = {SCORE: _score, DENSITY: _density, PICTURES: _pictures}
