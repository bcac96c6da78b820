"""The numbers of the lanes, and that they are drawn where they belong."""

import math

import numpy as np
import pytest
from PySide6.QtGui import QColor

from diffstudio.gui.kit import theme
from diffstudio.gui.timeline.clocks import spans
from diffstudio.gui.timeline.curves import LANES, available, curve
from diffstudio.gui.timeline.lane_lines import _thinned

LOG_SNR, X0_CHANGE, DX_NORM = LANES


def made(run, lane):
    chains = spans(run.trace, "step")
    return curve(run.trace, lane, chains), chains


def test_infinite_ends_are_left_out(make_run):
    found, _ = made(make_run(), LOG_SNR)
    assert [np.isnan(part).nonzero()[0].tolist() for part in found.parts] == [[0, 10], [0, 10]]


def test_the_change_at_a_chains_first_record_is_unknown(make_run):
    run = make_run()
    found, chains = made(run, DX_NORM)
    assert np.isnan(found.parts[1][0]) and np.isnan(found.at(run.trace, chains, 11))
    assert found.at(run.trace, chains, 14) == pytest.approx(3 / math.hypot(0.1, 0.1))
    assert found.text(3.0) == "3.00"


def test_how_far_a_step_goes_is_told_beside_how_far_the_path_does(make_run):
    """A norm alone falls and rises with the spacing of the grid."""
    even, uneven = make_run(), make_run(path=lambda t: (1 - t * t, t * t))
    for run, path in ((even, lambda t: t), (uneven, lambda t: t * t)):
        found, chains = made(run, DX_NORM)
        for chain, part in enumerate(found.parts):
            times = np.linspace(0, 1, 11) if chain == 0 else np.linspace(1, 0, 11)
            expected = np.arange(1, 11) / (np.sqrt(2) * np.abs(np.diff(path(times))))
            np.testing.assert_allclose(part[1:], expected)
            assert found.at(run.trace, chains, 11 * chain + 4) == pytest.approx(part[4])


def test_a_relative_lane_has_its_smallest_value_at_its_bottom_and_even_ratios_at_even_heights(make_run):
    found, _ = made(make_run(), DX_NORM)
    assert found.low == pytest.approx(found.parts[0][1]) and found.high == pytest.approx(found.parts[0][10])
    shares = [found.share(found.low * ratio) for ratio in (1, 2, 4, 8)]
    np.testing.assert_allclose(np.diff(shares), np.log(2) / np.log(10))


def test_where_nothing_differs_by_much_the_lane_is_flat(make_run, monkeypatch):
    run = make_run()
    table = run.trace._table.copy()
    table[:, run.trace.header.scalars.index("dx_norm")] = 2.0
    table[5, run.trace.header.scalars.index("dx_norm")] = 2.001
    monkeypatch.setattr(run.trace, "_table", table)
    found, _ = made(run, DX_NORM)
    shares = np.concatenate([found.share(part[1:]) for part in found.parts])
    assert np.ptp(shares) < 0.1 and 0.3 < shares.mean() < 0.7


def test_a_step_that_stays_where_it_is_has_no_number(make_run):
    found, _ = made(make_run(path=lambda t: (0.5, 0.5)), DX_NORM)
    assert all(np.isnan(part).all() for part in found.parts) and found.high > found.low > 0


def test_a_norm_stands_on_zero(make_run):
    found, _ = made(make_run(), X0_CHANGE)
    assert (found.low, found.high) == (0, 100)
    assert found.share(25.0) == 0.5
    assert found.share(0.0) == 0


def test_log_snr_fills_its_lane(make_run):
    found, _ = made(make_run(), LOG_SNR)
    assert (found.share(found.low), found.share(found.high)) == (0, 1)
    assert found.text(0.5) == "+0.50"


@pytest.mark.parametrize("records", [0, 1, 2, 12])
def test_a_run_that_has_just_begun(make_run, records):
    run = make_run(records=records)
    for lane in available(run.trace):
        found, _ = made(run, lane)
        assert found.high > found.low
        for values in (0.0, 0.3, np.array([1e-9, 7.0])):  # a record that is newer than the curve
            assert np.isfinite(found.share(values)).all()


def test_lanes_are_drawn_in_their_colours_at_their_heights(show, make_run):
    track = show(make_run())
    image, scene = track.grab().toImage(), track._current()
    for row, found in zip(scene.rows.lanes, scene.curves, strict=True):
        ink = QColor(getattr(theme.DARK, found.lane.token))

        def top(record, row=row, ink=ink):
            x = round(track.axis.x_of(record))
            column = [image.pixelColor(x, y) for y in range(row.top(), row.bottom())]
            return [abs(c.hue() - ink.hue()) < 12 and c.value() > 0.6 * ink.value() for c in column].index(True)

        falls = found.lane.norm is False
        assert (top(2) < top(8)) == falls  # forward: log-SNR falls, the norms of this run rise
        assert (top(13) > top(19)) is True  # reverse: all of them rise


def test_thinning_keeps_ends_and_peaks():
    x = np.linspace(0, 700, 701)
    smooth = 20 * np.sin(x / 200)
    few_x, few_y = _thinned(x, smooth)
    assert len(few_x) < 100
    assert np.abs(np.interp(x, few_x, few_y) - smooth).max() <= 0.25
    assert (few_x[0], few_x[-1]) == (0, 700)
    noisy = np.random.default_rng(0).normal(size=5000)
    many = np.linspace(0, 700, 5000)
    few_x, few_y = _thinned(many, noisy)
    assert len(few_x) <= 710
    assert few_y.max() == noisy.max() and few_y.min() == noisy.min()


def test_a_text_has_lanes_of_its_own(text_trace):
    trace = text_trace()
    lanes = available(trace)
    assert [lane.title for lane in lanes] == ["masked letters", "entropy, bits", "letters changed", "guesses changed"]
    chains = spans(trace, "step")
    masked, entropy, changed, _ = (curve(trace, lane, chains) for lane in lanes)
    assert [part.tolist() for part in masked.parts] == [[0, 2, 8], [7, 6, 0]]
    assert (masked.low, masked.high) == (0, 8) and masked.share(4.0) == 0.5  # not the root, as of a norm
    assert masked.at(trace, chains, 3) == 7 and masked.text(7.0) == "7.00"
    assert entropy.high == 8.75
    assert np.isnan(changed.parts[1][0]) and changed.parts[1][2] == 2


def test_vectors_keep_their_log_snr_and_count_no_masks(text_trace):
    lanes = available(text_trace("embedding"))
    assert [lane.scalar for lane in lanes] == ["entropy", "dx_norm", "x0_change", "log_snr"]
    assert "masked" not in [lane.scalar for lane in available(text_trace("uniform"))]


def test_a_trace_that_does_not_say_what_it_is_has_the_lanes_of_numbers(make_run):
    assert available(make_run(modality="text", shape=(1, 4)).trace) == LANES
