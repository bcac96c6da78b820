"""Small traces with known numbers, and a mouse."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from diffstudio.gui.kit.playhead import Playhead
from diffstudio.traces.format import SCALARS, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

sys.path.insert(0, str(Path(__file__).parent))  # where checkpoint_files.py lies


def pytest_itemcollected(item):
    # Qt's offscreen platform says it of every window that is shown or raised.
    item.add_marker(pytest.mark.qt_log_ignore(r"This plugin does not support (propagateSizeHints|raise)"))


class Run:
    """A run that a test drives: `append` writes records, `trace` reads them.

    path(t) gives a and s; values(k, t) gives xt and x0_hat of record k, each (batch, *shape).
    """

    def __init__(self, file, chains, modality, batch, calls, shape, path, values, header):
        self.forward, self.reverse = chains
        self.batch, self.calls, self.shape = batch, calls, shape
        self._path, self._values = path, values or self._noise
        named = zip(("forward", "reverse"), chains, strict=True)
        made = {
            "created": "2026-01-02",
            "request": {},
            "card": {"modality": modality},
            "fields": tuple({"name": name, "shape": (batch, *shape)} for name in ("xt", "x0_hat")),
            "chains": tuple({"name": name, "records": count} for name, count in named if count),
        }
        made["card"] |= header.pop("card", {})
        self.writer = TraceWriter(file, TraceHeader(**(made | header)))
        self.trace = Trace.open(file)

    def append(self, count=1):
        for _ in range(count):
            self.writer.append(*self._record(len(self.writer)))
        self.trace.refresh()

    def _record(self, k):
        chain = int(k >= self.forward)
        j, count = (k - self.forward, self.reverse) if chain else (k, self.forward)
        t = j / max(1, count - 1)
        t = 1 - t if chain else t
        a, s = self._path(t)
        log_snr = 2 * math.log(a / s) if a > 0 and s > 0 else math.inf if s == 0 else -math.inf
        scalars = {
            "chain": chain, "step": j, "t": t, "a": a, "s": s, "log_snr": log_snr, "nfe": chain * self.calls * j,
            "dx_norm": float(j), "eps_norm": 1.0, "x0_change": float(j) ** 2, "seconds": 0.1 * k,
        }  # fmt: skip
        xt, x0_hat = self._values(k, t)
        kept = {"xt": xt, "x0_hat": x0_hat, "x0_cond": x0_hat - 0.5, "x0_free": x0_hat - 1.25}
        return scalars, {spec.name: kept[spec.name].astype(np.float32) for spec in self.writer.header.fields}

    def _noise(self, k, t):
        noise = np.random.default_rng(k).normal(size=(self.batch, *self.shape)).astype(np.float32)
        return (1 - t) + t * noise, np.ones_like(noise)


VOCABULARY = tuple(" abcd")
TABLE = ((0.0, 0.0, 3.0), (3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (-3.0, 0.0, 0.0), (0.0, -3.0, 0.0))
TEXT = ("abcd abc", "dcba dcb", "aabbccdd")  # x_0 of the forward chain, and what the reverse chain makes
MASKS = ((0, 0, 0, 0, 0, 0, 0, 0), (0, 1, 0, 1, 0, 0, 0, 0), (1, 1, 1, 1, 1, 1, 1, 1))  # of the forward chain
SET = (0, 1, 2, 2, 2, 2, 2, 2)  # the step of the reverse chain at which each cell gets its letter


def text_records(process):
    """Scalars and arrays of a text run of three and three records; cell 0 is the prompt's."""
    letters = np.array([[VOCABULARY.index(letter) for letter in line] for line in TEXT])
    masks, when = np.array(MASKS, bool), np.array(SET)
    for k in range(6):
        chain, j = divmod(k, 3)
        hidden = np.broadcast_to((when > j) if chain else masks[j], letters.shape)
        lost = 5 if process == "masked" else 4  # of the uniform process a letter like any other
        xt = np.where(hidden, lost, letters)[:, None].astype(np.float32)
        x0_hat = np.where(hidden, 2, letters)[:, None] if chain else letters[:, None]
        best = np.where(hidden, 2, letters)
        odds = np.where(hidden[:, None], np.array([0.6, 0.3, 0.1])[None, :, None], np.array([1.0, 0, 0])[None, :, None])
        if process == "embedding":
            table = np.array(TABLE)
            xt = table[letters].transpose(0, 2, 1) + 2.0 * (j / 2 if chain == 0 else 1 - j / 2)
            x0_hat = table[best].transpose(0, 2, 1)
        arrays = {
            "xt": xt, "x0_hat": x0_hat, "guesses": np.stack([best, (best + 1) % 5, (best + 2) % 5], 1), "odds": odds,
            "entropy": np.where(hidden, 1.25, 0.0)[:, None],
            "revealed": np.where(hidden, -1 if process == "masked" else 0, when[None])[:, None],
        }  # fmt: skip
        t = 1 - j / 2 if chain else j / 2
        scalars = {
            "chain": chain, "step": j, "t": t, "a": 1 - t, "s": t, "log_snr": 2 * math.log(1 - t + 1e-9),
            "nfe": chain * j, "dx_norm": float(j), "eps_norm": 0.0, "x0_change": float(2 * j), "seconds": 0.1 * k,
            "masked": float(hidden[0].sum()), "entropy": 1.25 * chain * float(hidden[0].sum()),
        }  # fmt: skip
        yield scalars, {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture
def text_trace(tmp_path):
    """A run of three texts of eight cells: `text_trace(process)`."""
    made = []

    def make(process="masked", **request):
        text = {"vocabulary": VOCABULARY, "process": process}
        text |= {"embedding": TABLE} if process == "embedding" else {}
        (_, arrays), *_ = text_records(process)
        held = [name for name in arrays if name != "revealed" or process != "embedding"]
        header = TraceHeader(
            created="2026-01-02", request={"prompt": "a", **request}, card={"modality": "text", "text": text},
            fields=tuple({"name": name, "shape": arrays[name].shape} for name in held),
            scalars=(*SCALARS, "masked", "entropy"),
            chains=tuple({"name": name, "records": 3} for name in ("forward", "reverse")),
        )  # fmt: skip
        path = tmp_path / f"text{len(made)}.trace"
        with TraceWriter(path, header) as writer:
            for scalars, found in text_records(process):
                writer.append(scalars, {name: found[name] for name in held})
        made.append(Trace.open(path))
        return made[-1]

    yield make
    for trace in made:
        trace.close()


def flow(t):
    return 1 - t, t


@pytest.fixture
def make_run(tmp_path):
    made = []

    def make(
        forward=11, reverse=11, modality="image", batch=3, calls=1, records=None, shape=None, path=flow, values=None,
        **header,
    ):  # fmt: skip
        """`records`: how many are there already; None: all. Other names are fields of the header."""
        shape = shape or ((2,) if modality == "points" else (1, 8, 8))
        file = tmp_path / f"{len(made)}.trace"
        run = Run(file, (forward, reverse), modality, batch, calls, shape, path, values, header)
        made.append(run)
        run.append(run.trace.planned if records is None else records)
        return run

    yield make
    for run in made:
        run.trace.close()
        run.writer.close()


@pytest.fixture
def playhead():
    return Playhead()


@pytest.fixture
def mouse():
    return send_mouse


@pytest.fixture
def wheel():
    return send_wheel


def send_mouse(widget, kind, x, y, *, shift=False):
    """kind: "press", "move", "release" or "double"."""
    kinds = {
        "press": QEvent.Type.MouseButtonPress,
        "move": QEvent.Type.MouseMove,
        "release": QEvent.Type.MouseButtonRelease,
        "double": QEvent.Type.MouseButtonDblClick,
    }
    button = Qt.MouseButton.NoButton if kind == "move" else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == "release" else Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    at = QPointF(x, y)
    QApplication.sendEvent(widget, QMouseEvent(kinds[kind], at, widget.mapToGlobal(at), button, held, keys))


def send_wheel(widget, x, turn, *, y=50, ctrl=False):
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    at = QPointF(x, y)
    none = Qt.MouseButton.NoButton
    phase = Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(
        widget, QWheelEvent(at, widget.mapToGlobal(at), QPoint(), QPoint(0, turn), none, keys, phase, False)
    )
