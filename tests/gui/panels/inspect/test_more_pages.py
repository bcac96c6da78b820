"""The inspector's pages that ask the background: trajectories and nearest training samples."""

import numpy as np
import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QColor

from diffstudio.analysis.projection import trajectories
from diffstudio.data import DATASETS
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect.panel import InspectPanel
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

NAMES = ("chain", "step", "t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds")


class Run:
    """A run of 4 + 4 records of digits, written as a test goes; x̂0 of sample 0 is training picture 3."""

    def __init__(self, path, dataset="digits", shape=(1, 28, 28), batch=3):
        chains = ({"name": "forward", "records": 4}, {"name": "reverse", "records": 4})
        fields = tuple({"name": name, "shape": (batch, *shape)} for name in ("xt", "x0_hat"))
        card = {"modality": "image", "data": {"dataset": dataset}}
        header = TraceHeader(created="2026-01-02", request={}, card=card, fields=fields, chains=chains)
        self.writer, self.shape, self.batch = TraceWriter(path, header), (batch, *shape), batch
        self.trace = Trace.open(path)

    def append(self, count, broken=False):
        for _ in range(count):
            k = len(self.writer)
            xt = np.random.default_rng(k).normal(size=self.shape).astype(np.float32)
            x0_hat = np.full(self.shape, np.nan if broken else 0.0, np.float32)
            if not broken and self.shape[1:] == (1, 28, 28):
                x0_hat[0] = DATASETS["digits"].everything("train")[0][3]
            self.writer.append(
                dict.fromkeys(NAMES, 0.0) | {"chain": k // 4, "step": k % 4}, {"xt": xt, "x0_hat": x0_hat}
            )
        self.trace.refresh()
        return self

    def close(self):
        self.writer.close()
        self.trace.close()


@pytest.fixture
def make_run(tmp_path):
    made = []

    def make(**arguments):
        made.append(Run(tmp_path / f"{len(made)}.trace", **arguments))
        return made[-1]

    yield make
    for run in made:
        run.close()


@pytest.fixture
def inspect(shown, click):
    """The panel; what it asks is answered at once, and counted."""
    QLocale.setDefault(QLocale.c())
    panel = shown(InspectPanel(theme.DARK), 420, 300)
    panel.asked = []

    def answer(kind, find):
        panel.asked.append(kind)
        panel.take_answer(kind, find(lambda: False))

    panel.wanted.connect(answer)
    panel.load_pages()
    panel.open = lambda title: click(next(tab for tab in panel._tabs.buttons() if tab.text() == title))
    return panel


def test_nothing_is_asked_while_another_page_is_shown(inspect, make_run):
    inspect.set_trace(make_run().append(8).trace)
    inspect.show_step(3)
    assert inspect.asked == []


def test_dots_stand_where_the_samples_are_at_the_playhead(inspect, make_run):
    trace = make_run().append(8).trace
    inspect.set_trace(trace)
    inspect.open("PCA")
    expected = trajectories(trace).positions
    page = inspect.pages["trajectories"]
    for k in (2, 6):
        inspect.show_step(k)
        assert np.allclose(np.stack(page.dots.getData(), 1), expected[k])
    inspect.set_sample(2)
    assert np.allclose(np.stack(page.ring.getData(), 1), expected[6, 2:3])
    x, _ = page.way.getData()
    assert np.allclose(x, [*expected[:4, 2, 0], np.nan, *expected[4:, 2, 0], np.nan], equal_nan=True)


def test_the_ways_of_both_chains_are_apart(inspect, make_run):
    trace = make_run().append(8).trace
    inspect.set_trace(trace)
    inspect.open("PCA")
    page, expected = inspect.pages["trajectories"], trajectories(trace).positions
    for chain, part in ((0, expected[:4]), (1, expected[4:])):
        x, y = page.ways[chain].getData()
        assert np.isnan(x).sum() == 3, "a gap after every sample"
        assert np.allclose(np.stack([x, y], 1)[:4], part[:, 0])


def test_the_line_says_how_much_the_plane_shows(inspect, make_run):
    trace = make_run().append(8).trace
    inspect.set_trace(trace)
    inspect.open("PCA")
    inspect.show_step(1)
    share = 100 * trajectories(trace).plane.share
    assert inspect.readout.text() == (
        f"{share.sum():.0f} % of the variance of x_t: {share[0]:.0f} % + {share[1]:.0f} %"
    )


def test_everything_lies_in_the_plot(inspect, make_run):
    trace = make_run().append(8).trace
    inspect.set_trace(trace)
    inspect.open("PCA")
    positions = trajectories(trace).positions.reshape(-1, 2)
    (left, right), (bottom, top) = inspect.pages["trajectories"].box.viewRange()
    assert left < positions[:, 0].min() and positions[:, 0].max() < right
    assert bottom < positions[:, 1].min() and positions[:, 1].max() < top


def test_a_run_that_grows_is_asked_again_now_and_then_and_at_its_end(inspect, make_run, qtbot):
    run = make_run().append(2)
    inspect.set_trace(run.trace)
    inspect.open("PCA")
    lengths = []
    for _ in range(6):
        before = len(inspect.asked)
        run.append(1)
        inspect.refresh()
        qtbot.waitUntil(lambda: not inspect._later.isActive())
        if len(inspect.asked) > before:
            lengths.append(len(run.trace))
    assert lengths == [3, 5, 8]


def test_an_answer_for_another_run_is_dropped(inspect, make_run, tmp_path):
    first, second = make_run().append(8).trace, make_run(batch=2).append(8).trace
    inspect.set_trace(first)
    inspect.open("PCA")
    inspect.set_trace(second)
    inspect.take_answer("trajectories", (first.path, trajectories(first)))
    inspect.show_step(0)
    assert len(inspect.pages["trajectories"].dots.getData()[0]) == 2


def test_the_nearest_training_samples_of_the_selected_one(inspect, make_run):
    inspect.set_trace(make_run().append(8).trace)
    inspect.open("Nearest")
    inspect.show_step(2)
    page = inspect.pages["known"]
    first, *others = page.neighbours
    assert (first.index, first.distance) == (3, 0.0) and len(others) == 4
    assert inspect.readout.text() == "‖x̂0 − nearest‖ 0.00 of 1438 samples"
    inspect.set_sample(1)
    assert page.neighbours[0].distance > 1
    assert inspect.asked == ["known"], "the data are loaded once"


def test_the_neighbours_are_painted(inspect, make_run):
    inspect.set_trace(make_run().append(8).trace)
    inspect.open("Nearest")
    page = inspect.pages["known"]
    inspect.show_step(2)
    cell = page._cells()[1]
    side = min(cell.width(), cell.height() - 14)
    picture = page.grab().toImage()
    sample = DATASETS["digits"].everything("train")[0][3, 0]
    row, column = (int(n) for n in np.unravel_index(sample.argmax(), sample.shape))
    x = cell.center().x() - side / 2 + (column + 0.5) * side / 28
    y = cell.top() + (row + 0.5) * side / 28
    assert picture.pixelColor(round(x), round(y)).lightness() > 200
    assert picture.pixelColor(1, 1) == QColor(theme.DARK.bg)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dataset": "shapes-2d", "shape": (2,)}, "formula"),
        ({"dataset": "nobody's"}, "not at hand"),
        ({"dataset": ""}, "not at hand"),
        ({"shape": (1, 8, 8)}, "another shape"),
    ],
)
def test_where_nothing_can_be_near_it_says_why(inspect, make_run, arguments, words):
    inspect.set_trace(make_run(**arguments).append(8).trace)
    inspect.open("Nearest")
    inspect.show_step(1)
    assert words in inspect.pages["known"]._why_not()
    assert inspect.asked == [] and inspect.pages["known"].neighbours == []
    inspect.pages["known"].grab()


def test_what_is_not_finite_has_no_neighbours(inspect, make_run):
    inspect.set_trace(make_run().append(4, broken=True).trace)
    inspect.open("Nearest")
    inspect.show_step(1)
    assert inspect.readout.text() == "x̂0 is not finite here."


def test_both_pages_follow_the_theme(inspect, make_run):
    inspect.set_trace(make_run().append(8).trace)
    inspect.open("PCA")
    inspect.apply_theme(theme.LIGHT)
    assert inspect.pages["trajectories"].way.opts["pen"].color() == QColor(theme.LIGHT.text)
    inspect.open("Nearest")
    assert inspect.pages["known"].grab().toImage().pixelColor(1, 1) == QColor(theme.LIGHT.bg)
