"""Runs of the window with an engine that does what the test says: what is shown when, and what is left on the disk."""

import gc
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from diffstudio.errors import BadFile, BadInput, NoRoom
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.stage.views.view import SCORE
from diffstudio.gui.work import garbage as collecting
from diffstudio.gui.work.runs import Runs
from diffstudio.studio.app.progress import Progress
from diffstudio.studio.app.settings import Settings
from diffstudio.studio.library.shelf import Shelf
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

STEPS = 4
REQUEST = Request(model="made", samples=2, steps=STEPS, forward="off")


class MadeEngine:
    """Records STEPS + 1 states of zeros.

    gate: closed, it holds a run before its next state; `hold_after` closes it.  fail: raised after `after` states.
    loaded: closed, it holds a run while the share of its weights is read.
    """

    catalog = SimpleNamespace(find=lambda model: SimpleNamespace(card=None))

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.share, self.loaded = 0.0, threading.Event()
        self.loaded.set()
        self.fail, self.after, self.hold_after = None, 0, -1
        self.budgets, self.warmed, self.asked = [], [], []

    def warm_up(self, threads):
        assert collecting._holds
        self.warmed.append(threads)

    def calibrate(self):
        assert self.warmed

    def run(self, request, path, budget, stop, loading):
        self.budgets.append(budget)
        loading(self.share)
        while not self.loaded.wait(0.005):
            if stop():
                return
        if self.fail and self.after == 0:
            raise self.fail
        header = TraceHeader(
            created="2026-01-02T03:04:05+00:00",
            request=request.model_dump(mode="json"),
            card={"name": "made", "modality": "points"},
            fields=tuple(FieldSpec(name=name, shape=(2, 2)) for name in ("xt", "x0_hat")),
            chains=(ChainSpec(name="reverse", records=STEPS + 1),),
        )
        with TraceWriter(path, header) as writer:
            yield Progress(0, STEPS, 0, 0.0, None, 0.0)
            for k in range(STEPS + 1):
                if k == self.hold_after:
                    self.gate.clear()
                while not self.gate.wait(0.005):
                    if stop():
                        return
                if stop():
                    return
                if self.fail and k == self.after:
                    raise self.fail
                scalars = {"chain": 1, "step": k, "t": 1 - k / STEPS, "a": k / STEPS, "s": 1 - k / STEPS, "log_snr": 0}
                zeros = np.zeros((2, 2), np.float32)
                writer.append(scalars, {"xt": zeros, "x0_hat": zeros})
                yield Progress(k, STEPS, k + 1, 0.1, None, 10.0)

    def score(self, request, points, log_snr, stop):
        self.asked.append(log_snr)
        while not self.gate.wait(0.005):
            if stop():
                raise BadInput("stopped")
        return -points


@pytest.fixture
def engine():
    return MadeEngine()


@pytest.fixture
def runs(qapp, engine, tmp_path, monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)  # what other tests made is theirs to collect
    shelf = Shelf(tmp_path / "library", tmp_path / "cache")
    made = Runs(engine, shelf, Settings(threads=3), Playhead())
    made.shelf = shelf
    yield made
    engine.gate.set()
    made.shut_down()
    shelf.close()
    made.deleteLater()


@pytest.fixture
def run(runs, qtbot):
    """Run to the end; how it ended."""

    def run():
        with qtbot.waitSignal(runs.ended) as signal:
            runs.generate(REQUEST)
        return signal.args[0]

    return run


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "library" / "traces").glob("*"))


def test_a_run_shows_its_trace_and_then_grows_it(runs, run, engine, qtbot):
    shown, grew, order = [], [], []
    runs.started.connect(lambda: order.append("started"))
    runs.traceChanged.connect(lambda trace: (shown.append(trace), order.append("trace")))
    runs.grew.connect(lambda: grew.append(len(runs.trace)))
    runs.ended.connect(lambda _: order.append("ended"))
    assert run().outcome == "done"
    assert shown == [runs.trace]
    assert runs.trace.complete
    assert (order[0], order[1], order[-1]) == ("started", "trace", "ended")
    assert grew == sorted(set(grew))
    assert (runs._playhead.length, runs._playhead.position) == (STEPS + 1, STEPS)
    assert not runs.running


def test_the_old_trace_stays_until_the_new_one_has_a_record(runs, run, engine, qtbot):
    run()
    old = runs.trace
    engine.gate.clear()
    runs.generate(REQUEST)
    qtbot.waitUntil(lambda: len(engine.budgets) == 2)
    qtbot.wait(60)
    assert runs.trace is old
    assert runs.running
    with qtbot.waitSignal(runs.ended):
        engine.gate.set()
    assert runs.trace is not old
    assert runs.previous is old


def test_while_a_run_goes_another_one_is_not_begun(runs, engine, qtbot):
    engine.gate.clear()
    runs.generate(REQUEST)
    runs.generate(REQUEST)
    with qtbot.waitSignal(runs.ended):
        engine.gate.set()
    assert len(engine.budgets) == 1


def test_the_budget_is_that_of_the_settings_or_of_the_answer(runs, run, engine, qtbot):
    run()
    with qtbot.waitSignal(runs.ended):
        runs.generate(REQUEST, budget=12345)
    assert engine.budgets == [4 << 30, 12345]


# ── stopping and failing ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_is_taken_at_once_and_what_is_recorded_stays(runs, engine, qtbot, tmp_path):
    taken = []
    runs.stopping.connect(lambda: taken.append(True))
    engine.hold_after = 2
    runs.generate(REQUEST)
    qtbot.waitUntil(lambda: runs.trace is not None)
    with qtbot.waitSignal(runs.ended) as signal:
        runs.stop()
        assert taken == [True]
    assert signal.args[0].outcome == "cancelled"
    assert len(runs.trace) == 2
    assert len(files(tmp_path)) == 1


def test_without_a_run_a_stop_does_nothing(runs):
    taken = []
    runs.stopping.connect(lambda: taken.append(True))
    runs.stop()
    assert taken == []


def test_a_run_stopped_before_its_first_record_leaves_no_file_and_the_old_trace(runs, run, engine, qtbot, tmp_path):
    run()
    old = runs.trace
    engine.gate.clear()
    runs.generate(REQUEST)
    qtbot.waitUntil(lambda: len(files(tmp_path)) == 2)
    with qtbot.waitSignal(runs.ended):
        runs.stop()
    assert runs.trace is old
    assert files(tmp_path) == [old.path.name]


def test_a_run_that_fails_before_its_first_record_leaves_no_file(runs, run, engine, tmp_path):
    engine.fail = NoRoom("the trace would not fit")
    ended = run()
    assert (ended.outcome, ended.error) == ("failed", "the trace would not fit")
    assert runs.trace is None
    assert files(tmp_path) == []


def test_a_run_that_fails_in_the_middle_keeps_what_is_recorded(runs, run, engine):
    engine.fail, engine.after = BadFile("the disk is gone"), 3
    assert run().error == "the disk is gone"
    assert len(runs.trace) == 3
    engine.fail = None
    assert run().outcome == "done"


# ── torch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_warm_up_is_done_once_with_the_threads_of_the_settings(runs, engine, qtbot):
    with qtbot.waitSignal(runs.warmed):
        runs.warm_up()
        runs.warm_up()
    assert not collecting._holds
    assert not runs.running
    with qtbot.waitSignal(runs.ended):
        runs.generate(REQUEST)
    assert engine.warmed == [3]


def test_a_run_before_the_warm_up_begins_with_it(runs, run, engine):
    run()
    assert engine.warmed == [3]
    runs.warm_up()
    run()
    assert engine.warmed == [3]


def test_a_warm_up_that_fails_leaves_garbage_collection_as_it_was(runs, engine, qtbot, monkeypatch):
    def broken(_):
        raise ImportError("no torch here")

    warmed = []
    runs.warmed.connect(lambda: warmed.append(True))
    monkeypatch.setattr(engine, "warm_up", broken)
    runs.warm_up()
    qtbot.waitUntil(lambda: not runs._jobs.open)
    assert not collecting._holds
    assert warmed == []


# ── traces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_two_last_traces_change_places_and_the_playhead_keeps_its_own(runs, run):
    run()
    run()
    newer, older = runs.trace, runs.previous
    runs._playhead.move_to(2)
    runs.show_previous()
    assert (runs.trace, runs.previous, runs._playhead.position) == (older, newer, 2)
    runs.show_previous()
    assert (runs.trace, runs.previous, runs._playhead.position) == (newer, older, 2)


def test_markers_stay_with_their_trace(runs, run):
    run()
    runs._playhead.toggle_marker(2)
    runs._playhead.toggle_marker(4)
    run()
    assert runs._playhead.markers == []
    runs._playhead.toggle_marker(1)
    runs.show_previous()
    assert runs._playhead.markers == [2, 4]
    runs.show_previous()
    assert runs._playhead.markers == [1]


def test_a_fork_leaves_a_mark_where_it_went_off(runs, run, qtbot):
    run()
    parent = runs.trace.path
    fork = REQUEST.model_copy(update={"source": "step", "source_file": str(parent), "source_step": 2})
    for _ in range(2):  # a second one does not take it away
        with qtbot.waitSignal(runs.ended):
            runs.generate(fork)
        assert runs.trace.path != parent and runs._playhead.markers == []
        runs.show_previous()
        assert runs._playhead.markers == [2]


def test_a_fork_of_another_run_marks_nothing_here(runs, run, qtbot, tmp_path):
    run()
    fork = REQUEST.model_copy(update={"source": "step", "source_file": str(tmp_path / "other"), "source_step": 2})
    with qtbot.waitSignal(runs.ended):
        runs.generate(fork)
    runs.show_previous()
    assert runs._playhead.markers == []


def test_without_a_previous_trace_nothing_is_exchanged(runs, run):
    run()
    shown = runs.trace
    runs.show_previous()
    assert runs.trace is shown


def test_a_trace_from_the_disk_is_shown(runs, run):
    run()
    first = runs.trace
    runs.show_trace(Trace.open(first.path))
    again = runs.trace
    assert again is not first
    assert len(again) == STEPS + 1
    assert runs.previous is first


def test_no_run_is_ever_removed_by_another(runs, run, engine, qtbot, tmp_path):
    """Stopped ones pushed finished ones out of the twenty that were kept."""
    run()
    engine.hold_after = 2
    for _ in range(24):
        with qtbot.waitSignal(runs.ended):
            runs.generate(REQUEST)
            qtbot.waitUntil(lambda: not engine.gate.is_set())
            runs.stop()
        engine.gate.set()
    states = [found.state for found in runs.shelf.library.find()]
    assert states == ["stopped"] * 24 + ["done"]
    assert len(files(tmp_path)) == 25


def test_the_library_has_a_run_from_its_beginning_and_what_became_of_it(runs, run, engine, qtbot):
    engine.hold_after = 1
    with qtbot.waitSignal(runs.ended):
        runs.generate(REQUEST)
        qtbot.waitUntil(lambda: not engine.gate.is_set())
        (going,) = runs.shelf.library.find()
        assert (going.state, going.model, going.steps, going.records) == ("running", "made", STEPS, 0)
        engine.gate.set()
    (found,) = runs.shelf.library.find()
    assert (found.state, found.records, found.modality) == ("done", STEPS + 1, "points")
    assert found.file == runs.trace.path and found.bytes == found.file.stat().st_size


def test_a_run_that_failed_is_listed_with_its_problem(runs, run, engine, tmp_path):
    engine.fail = BadInput("the weights are odd")
    run()
    engine.after = 2
    run()
    late, early = runs.shelf.library.find()
    assert (early.state, early.problem, early.records) == ("failed", "the weights are odd", 0)
    assert (late.state, late.problem, late.records) == ("failed", "the weights are odd", 2)
    assert files(tmp_path) == [late.file.name]


def test_a_run_from_a_step_names_the_run_that_it_left(runs, run, qtbot):
    run()
    trunk = runs.trace.path
    with qtbot.waitSignal(runs.ended):
        runs.generate(REQUEST.model_copy(update={"source": "step", "source_file": str(trunk), "source_step": 2}))
    branch, root = runs.shelf.library.find()
    assert (branch.parent, branch.parent_step, root.file) == (root.id, 2, trunk)


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_score_is_answered_for_its_record(runs, run, engine, qtbot):
    run()
    points = np.ones((3, 2), np.float32)
    with qtbot.waitSignal(runs.inquiries.found) as signal:
        runs.ask(SCORE, 2, [(points, 0.5)])
    kind, about, arrows = signal.args
    assert (kind, about, engine.asked) == (SCORE, 2, [0.5])
    np.testing.assert_array_equal(arrows, -points)


def test_only_the_newest_question_is_answered(runs, run, engine, qtbot):
    run()
    answers = []
    runs.inquiries.found.connect(lambda kind, about, arrows: answers.append(about))
    engine.gate.clear()
    for k in range(4):
        runs.ask(SCORE, k, [(np.ones((3, 2), np.float32), float(k))])
    engine.gate.set()
    qtbot.waitUntil(lambda: bool(answers) and not runs._jobs.open)
    assert answers == [3]


def test_without_a_trace_and_while_a_run_goes_no_score_is_asked_for(runs, engine, qtbot):
    runs.ask(SCORE, 0, [(np.ones((3, 2), np.float32), 0.0)])
    engine.gate.clear()
    runs.generate(REQUEST)
    runs.ask(SCORE, 0, [(np.ones((3, 2), np.float32), 0.0)])
    with qtbot.waitSignal(runs.ended):
        engine.gate.set()
    assert engine.asked == []


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_to_shut_down_in_the_middle_joins_and_closes_the_traces(runs, run, engine):
    run()
    trace = runs.trace
    engine.gate.clear()
    runs.generate(REQUEST)
    runs.shut_down()
    assert not runs._jobs._thread.isRunning()
    with pytest.raises(BadFile, match="is closed"):
        trace.array(0, "xt")


def test_how_much_of_the_weights_is_read_is_told_until_the_first_step(runs, engine, qtbot):
    engine.share = 0.25
    engine.loaded.clear()
    with qtbot.waitSignal(runs.loading) as signal:
        runs.generate(REQUEST)
    assert signal.args == [0.25]
    with qtbot.waitSignal(runs.ended) as signal:
        engine.loaded.set()
    assert signal.args[0].outcome == "done" and not runs._look.isActive()


def test_a_run_is_stopped_while_its_weights_are_read(runs, engine, qtbot):
    engine.share = 0.5
    engine.loaded.clear()
    with qtbot.waitSignal(runs.loading):
        runs.generate(REQUEST)
    with qtbot.waitSignal(runs.ended) as signal:
        runs.stop()
    assert signal.args[0].outcome == "cancelled" and runs.trace is None and not runs._look.isActive()


def test_where_a_run_would_have_room_is_told(runs, engine, qtbot):
    engine.fail = NoRoom("cuda:0 is full", "cpu")
    with qtbot.waitSignal(runs.ended) as signal:
        runs.generate(REQUEST)
    assert (signal.args[0].error, signal.args[0].device) == ("cuda:0 is full", "cpu")
