"""Several runs on one axis: places, lines, the lane of distances, and what the legend says."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from diffstudio.gui.controllers.beside import Beside
from diffstudio.gui.kit import theme
from diffstudio.gui.kit.lineup import Lineup
from diffstudio.gui.kit.run_marks import run_colour
from diffstudio.gui.timeline.compared import DISTANCE, places
from diffstudio.gui.work.background import Background
from diffstudio.gui.work.differences import Differences
from diffstudio.traces.reader import Trace


def states(parts_at=None, by=1.0):
    """Records of noise that depend on t alone; from record `parts_at` on they are `by` away."""

    def values(k, t):
        noise = np.random.default_rng(round(1000 * t)).normal(size=(3, 1, 8, 8)).astype(np.float32)
        return noise + (by if parts_at is not None and k >= parts_at else 0), np.ones_like(noise)

    return values


@pytest.fixture
def beside(qtbot, timeline, playhead, show, make_run):
    """Shows a run, and others beside it; waits until it is known where they part."""
    lineup, background = Lineup(playhead), Background()
    differences = Differences(lineup, background)
    beside = Beside(timeline, playhead, lineup, differences)
    timeline.clockChanged.connect(lineup.set_clock)

    def do(lead, *others):
        lineup.lead(lead.trace)
        track = show(lead)
        for other in others:
            lineup.add(Trace.open(other.trace.path))
        qtbot.waitUntil(lambda: all(differences.of(member) is not None for member in lineup.others))
        return lineup, track, beside

    yield do
    lineup.shut_down()
    assert background.shut_down()


def colours_in(image, rect, ink):
    places = ((x, y) for x in range(rect.left(), rect.right()) for y in range(rect.top(), rect.bottom()))
    found = (image.pixelColor(*place).getRgb()[:3] for place in places)
    return sum(sum(abs(a - b) for a, b in zip(seen, ink.getRgb()[:3], strict=True)) < 40 for seen in found)


def test_half_as_many_steps_stand_at_every_second_place(beside, make_run):
    lead, other = make_run(0, 21, values=states()), make_run(0, 11, values=states())
    _, track, _ = beside(lead, other)
    band = track.axis.bands[0]
    assert places(band, lead.trace, other.trace, "step") == pytest.approx(band.xs[::2])
    assert places(band, other.trace, lead.trace, "step").shape == (21,)


def test_network_calls_beyond_the_axis_have_no_place(beside, make_run):
    lead, other = make_run(0, 11, values=states()), make_run(0, 21, values=states())
    _, track, _ = beside(lead, other)
    found = places(track.axis.bands[0], lead.trace, other.trace, "nfe")
    assert np.isfinite(found).tolist() == [True] * 11 + [False] * 10


def test_the_first_lane_is_the_distance_and_they_part_at_a_line(qtbot, beside, timeline, make_run, playhead):
    lead, other = make_run(11, 11, values=states()), make_run(11, 11, values=states(parts_at=16))
    lineup, track, _ = beside(lead, other)
    found = track._current()
    line = found.comparison.lines[0][0]
    assert found.curves[0].lane is DISTANCE
    assert line.at(15)[1] == 0 and line.at(16)[1] == pytest.approx(8)  # the norm of 64 ones
    assert found.curves[0].high == pytest.approx(8)
    ink, row = run_colour(theme.DARK, lineup.others[0].mark), found.rows.lanes[-1]
    at = round(track.axis.x_of(16))
    marked = row.adjusted(0, 0, at + 2 - row.right(), 0)
    marked.setLeft(at - 1)
    image = track.grab().toImage()
    assert colours_in(image, marked, ink) > row.height() / 3  # dashes from top to bottom
    entry = timeline.legend.entries[1]
    assert entry.parting == "≠ A from step 5" and "there sample 0 differs, the largest difference is 1" in entry.more
    qtbot.mouseClick(timeline.legend._buttons[1], Qt.MouseButton.LeftButton)
    assert playhead.position == 16


def test_all_curves_of_a_lane_share_its_range(beside, make_run):
    lead, other = make_run(0, 11, values=states()), make_run(0, 31, values=states())
    _, track, _ = beside(lead, other)
    found = track._current()
    number = next(i for i, curve in enumerate(found.curves) if curve.lane.scalar == "x0_change")
    line, curve = found.comparison.lines[number][0], found.curves[number]
    assert curve.high == np.nanmax(line.parts[0]) == 900 and np.nanmax(curve.parts[0]) == 100


def test_the_legend_says_where_each_stands(beside, timeline, make_run, playhead):
    lead, shorter, noising = (make_run(*chains, values=states()) for chains in ((0, 41), (0, 21), (5, 0)))
    beside(lead, shorter, noising)
    playhead.move_to(20)
    assert [entry.place for entry in timeline.legend.entries] == ["20 / 40, t 0.50", "10 / 20, t 0.50", "no such step"]
    assert timeline.legend.entries[1].parting == "= A"


def test_rounding_is_not_parting_and_shapes_say_why_not(beside, timeline, make_run):
    lead, near = make_run(0, 11, values=states()), make_run(0, 11, values=states(parts_at=3, by=1e-7))
    wide = make_run(0, 11, shape=(1, 4, 4))
    beside(lead, near, wide)
    assert [entry.parting for entry in timeline.legend.entries[1:]] == ["≈ A", "not subtracted"]
    assert "1×8×8 and 1×4×4" in timeline.legend.entries[2].more


def test_a_run_that_grows_is_followed(qtbot, beside, timeline, make_run, playhead):
    lead, other = make_run(0, 11, values=states(), records=3), make_run(0, 11, values=states(parts_at=6))
    beside(lead, other)
    assert timeline.legend.entries[1].parting == "= A"
    lead.append(8)
    playhead.grow(11)
    timeline.refresh()
    qtbot.waitUntil(lambda: timeline.legend.entries[1].parting == "≠ A from step 6")


def test_one_run_alone_has_no_legend_and_its_own_colours(beside, timeline, make_run):
    lead, other = make_run(0, 11, values=states()), make_run(0, 11, values=states())
    lineup, track, _ = beside(lead, other)
    assert timeline.legend.isVisible()
    lineup.clear()
    assert not timeline.legend.isVisible() and track._current().comparison is None
    ink = run_colour(theme.DARK, 0)
    assert all(colours_in(track.grab().toImage(), row, ink) == 0 for row in track._current().rows.lanes)


def test_the_key_goes_from_parting_to_parting(beside, make_run, playhead):
    lead, one, other = (make_run(0, 11, values=states(parts_at=k)) for k in (None, 7, 4))
    _, _, controller = beside(lead, one, other)
    seen = []
    for _ in range(3):
        assert controller.next_parting()
        seen.append(playhead.position)
    assert seen == [4, 7, 4]
