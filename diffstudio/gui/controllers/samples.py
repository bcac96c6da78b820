"""What can be done with one sample of the run that is shown: save, copy, start from, vary, go on with it alone."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication, QImage

from diffstudio import options
from diffstudio.analysis import fields
from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.gui.controllers.files import Filing
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.export import pictures
from diffstudio.studio.request.checks import unavailable
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

VARIATION = 0.25  # how far the first variations go
SIDE = 512  # pixels that a copied picture aims at


class Samples(QObject):
    """Bound to the parts of one window; of the selected sample at the playhead. `problem` says why not."""

    def __init__(self, parts: Parts, filing: Filing, run: Callable[[], None]) -> None:
        """run: starts a run with the panel's settings."""
        super().__init__(parts.window)
        self.parts, self._filing, self._run = parts, filing, run
        self._of: tuple[Trace, Request | None] | None = None  # how the trace was made that was asked about last
        self._card_of: tuple[Trace, Card] | None = None
        self.handlers: dict[str, Callable[[], object]] = {
            "save_sample": self.save, "copy_sample": self.copy_picture, "copy_values": self.copy_values,
            "start_from": self.start_from, "vary": self.vary, "fork_sample": self.fork, "browse_data": self.browse,
        }  # fmt: skip
        self._checks: dict[str, Callable[[Trace, int], str]] = {
            "save_sample": _nothing, "copy_sample": _nothing, "copy_values": _nothing,
            "start_from": self._no_start, "vary": self._no_variation, "fork_sample": self._no_fork,
        }  # fmt: skip
        parts.sampling.source.sample.browse.connect(self.browse)

    def problem(self, action_id: str) -> str:
        """Why an action can't be done now, in a few words; "" where it can."""
        if action_id == "browse_data":
            return self._no_data()
        trace = self.parts.runs.trace
        if trace is None or not len(trace):
            return tr("nothing is generated yet")
        return self._checks[action_id](trace, self._position(trace))

    def possible(self) -> set[str]:
        """The actions that can be done now."""
        return {name for name in self.handlers if not self.problem(name)}

    # -- out of the window

    def save(self) -> None:
        """Ask where and as what."""
        self._filing.export(alone=True)

    def copy_picture(self) -> None:
        """Its picture to the clipboard."""
        trace, k = self._here()
        p = self.parts
        scale = max(1, SIDE // max(pictures.picture(trace, k, p.canvas.tensor, p.canvas.sample).shape[:2]))
        drawn = pictures.picture(trace, k, p.canvas.tensor, p.canvas.sample, scale)
        height, width, _ = drawn.shape
        picture = QImage(drawn.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        QGuiApplication.clipboard().setImage(picture)
        p.window.say(tr("Picture of sample {} copied.").format(count(p.canvas.sample + 1)))

    def copy_values(self) -> None:
        """Its recorded numbers to the clipboard, as a table that spreadsheets take."""
        trace, k = self._here()
        p = self.parts
        QGuiApplication.clipboard().setText(table(fields.tensor(trace, k, p.canvas.tensor, p.canvas.sample)))
        p.window.say(tr("Values of sample {} copied.").format(count(p.canvas.sample + 1)))

    # -- into the panel

    def start_from(self) -> None:
        """The next run starts from it: from its final state as data, else from this very step."""
        trace, k = self._here()
        p, index = self.parts, self.parts.canvas.sample
        source: dict[str, object] = {"source": "file", "source_file": str(trace.path), "source_sample": index}
        if not _is_final(trace, k):
            source |= {"source": "step", "source_step": k}
        self._show(p.sampling.request().model_copy(update={**source, "interpolate": None, "variation": 0.0}))
        whole, step = tr("The next run starts from sample {}."), tr("The next run goes on from sample {} at this step.")
        p.window.say((whole if _is_final(trace, k) else step).format(count(index + 1)))

    def vary(self) -> None:
        """Run: variations of the sample, with the settings that made it."""
        trace, _ = self._here()
        request = self._request(trace)
        assert request is not None
        index = self.parts.canvas.sample
        label = trace.header.labels[index] if index < len(trace.header.labels) else request.label
        changes = {
            "seed": _seed_of(request, index),
            "variation": request.variation or VARIATION,
            "variation_seed": random.SystemRandom().randrange(2**31),
            "samples": max(4, min(trace.batch, 16)),
            "label": request.label if request.label is None else label,
        }
        self._choose(request.model)
        self._show(request.model_copy(update=changes))
        self._run()

    def fork(self) -> None:
        """Run on from this step with the sample alone: once, or as often as the panel says where noise is drawn."""
        trace, k = self._here()
        p, request = self.parts, self._request(trace)
        assert request is not None
        now = p.sampling.request()
        drawn = options.SOLVERS[now.solver].stochastic
        source = {"source": "step", "source_file": str(trace.path), "source_step": k}
        changes = {**source, "source_sample": p.canvas.sample, "samples": now.samples if drawn else 1}
        self._choose(request.model)
        self._show(p.sampling.request().model_copy(update=changes))
        self._run()

    @Slot()
    def browse(self) -> None:
        """Choose one of the chosen model's own data."""
        from diffstudio.gui.dialogs.data_browser import DataBrowser

        p, card = self.parts, self.parts.sampling.card
        problem = self._no_data()
        if problem or card is None:
            raise BadInput(problem)
        request = p.sampling.request()
        label = request.label if isinstance(request.label, int) else None
        dialog = DataBrowser(card, request.source_sample, label, p.window)
        dialog.asked.connect(p.background.ask)
        p.background.answered.connect(dialog.take)
        dialog.chosen.connect(self.use_data)
        dialog.open()
        dialog.load()

    @Slot(int, object)
    def use_data(self, index: int, label: int | None) -> None:
        """Start from that sample of the model's data. label: its class, where the number means nothing without."""
        p = self.parts
        update: dict[str, object] = {"source": "data", "source_sample": index, "source_file": None, "source_step": None}
        if label is not None:
            update["label"] = label
        self._show(p.sampling.request().model_copy(update=update))
        p.window.say(tr("The next run starts from training sample {}.").format(count(index + 1)))

    def _show(self, request: Request) -> None:
        self.parts.window.bring_up("sampling")
        self.parts.sampling.set_request(request)

    def _choose(self, model: str) -> None:
        p = self.parts
        if p.sampling.request().model != model and not p.models.choose(model):
            self._filing.show_entry(p.catalog.find(model))

    # -- why not

    def _no_start(self, trace: Trace, k: int) -> str:
        card = self.parts.sampling.card
        if card is None or tuple(card.shape) != tuple(trace.sample_shape):
            return tr("the chosen model makes samples of another shape")
        if _is_final(trace, k) or trace.scalar(k, "s") > 0:
            return ""
        return tr("these are the data that the run noised")

    def _no_variation(self, trace: Trace, k: int) -> str:
        request, card = self._request(trace), self._card(trace)
        if request is None or card is None:
            return tr("the model that made it is not here")
        if self.parts.runs.running:
            return tr("a run goes on")
        if trace.chain(k) == 0:
            return tr("these are noised data, not a sample")
        if request.interpolate is not None:
            return tr("its noise lies between two seeds")
        return "" if "variation" not in unavailable(card, request) else tr("its run did not start from noise")

    def _no_fork(self, trace: Trace, k: int) -> str:
        if self.parts.runs.running:
            return tr("a run goes on")
        if self._card(trace) is None:
            return tr("the model that made it is not here")
        noisy = trace.chain(k) == 1 and trace.scalar(k, "s") > 0
        return "" if noisy else tr("only a noisy step of the reverse chain goes on")

    def _no_data(self) -> str:
        card = self.parts.sampling.card
        if card is None or card.data.dataset not in DATASETS:
            return tr("this model names no data set that is here")
        return ""

    # -- where we are

    def _here(self) -> tuple[Trace, int]:
        trace = self.parts.runs.trace
        if trace is None or not len(trace):
            raise BadInput(tr("Nothing is generated yet."))
        return trace, self._position(trace)

    def _position(self, trace: Trace) -> int:
        return min(self.parts.playhead.position, len(trace) - 1)

    def _request(self, trace: Trace) -> Request | None:
        """How a trace was made; None where it does not say. Looked at once: it is asked at every move."""
        if self._of is None or self._of[0] is not trace:
            try:
                self._of = trace, Request.model_validate(trace.header.request)
            except ValidationError:
                self._of = trace, None
        return self._of[1]

    def _card(self, trace: Trace) -> Card | None:
        """Of the model that made a trace, where it is here; what was found is kept, as above."""
        if self._card_of is not None and self._card_of[0] is trace:
            return self._card_of[1]
        request = self._request(trace)
        try:
            card = None if request is None else self.parts.catalog.find(request.model).card
        except DiffStudioError:
            return None
        self._card_of = None if card is None else (trace, card)
        return card


def table(values: np.ndarray) -> str:
    """Numbers as text: a row a line with tabs between, and an empty line between channels and frames."""
    out = io.StringIO()
    rows = values.reshape(1, -1) if values.ndim < 2 else values
    planes = rows[None] if rows.ndim == 2 else rows.reshape(-1, *rows.shape[-2:])
    for i, plane in enumerate(planes):
        out.write("\n" if i else "")
        np.savetxt(out, plane, "%.9g", "\t")
    return out.getvalue()


def _nothing(trace: Trace, k: int) -> str:
    return ""


def _is_final(trace: Trace, k: int) -> bool:
    """Whether record k is the end of a complete run of the reverse chain: what a run from its file starts from."""
    return trace.complete and k == len(trace) - 1 and trace.chain(k) == 1


def _seed_of(request: Request, index: int) -> int:
    """The seed whose noise a sample began with; of variations that of the run."""
    return request.seed if request.variation > 0 else min(request.seed + index, 2**63 - 1)
