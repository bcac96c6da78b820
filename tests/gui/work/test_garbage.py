"""Garbage is collected by the window's thread, and by no other."""

import gc
import threading
import weakref

import pytest

from diffstudio.gui.work import garbage as collecting
from diffstudio.gui.work.garbage import Collector, held
from diffstudio.gui.work.jobs import Jobs


class Knot:
    """Garbage that only a collection finds, which notes the thread that did."""

    def __init__(self, gone):
        self.itself = self
        weakref.finalize(self, lambda: gone.append(threading.current_thread()))


@pytest.fixture(autouse=True)
def _quick(qapp, monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)  # what other tests made is theirs to collect
    monkeypatch.setattr(collecting, "TICK_MS", 5)


@pytest.fixture
def jobs():
    made = Jobs("test")
    yield made
    made.shut_down()
    assert gc.isenabled() and collecting._collector is None


def busy(gone, kept=None):
    """A job that leaves garbage, and makes enough objects that stay that Python would look for it."""
    kept = [] if kept is None else kept

    def job(stop):
        for _ in range(3):  # a look while one is being made takes that one for something that lasts
            Knot(gone)
        kept.extend([] for _ in range(20_000))
        yield None

    return job


def look_on(gone, kept):
    """Whether garbage was found; if not, more objects are made that stay.

    What a collection frees meanwhile is taken off the count that the next one waits for: a full one, of what other
    tests have left, takes off more than a job has made.
    """
    kept.extend([] for _ in range(1000))
    return bool(gone)


def test_garbage_of_a_worker_is_collected_by_the_windows_thread(jobs, qtbot):
    gone, kept = [], []
    with qtbot.waitSignal(jobs.ended):
        jobs.submit(busy(gone, kept))
    assert not gc.isenabled()
    qtbot.waitUntil(lambda: look_on(gone, kept))
    assert set(gone) == {threading.main_thread()}


def test_the_last_worker_that_ends_leaves_it_to_python_again(qtbot):
    first, second = Jobs("first"), Jobs("second")
    assert gc.isenabled()
    for jobs in (first, second):
        with qtbot.waitSignal(jobs.ended):
            jobs.submit(busy([]))
        assert not gc.isenabled()
    assert first.shut_down() and first.shut_down()
    assert not gc.isenabled()
    second.shut_down()
    assert gc.isenabled()
    assert Jobs("never begun").shut_down() and gc.isenabled()


def test_nothing_is_collected_while_it_is_held(jobs, qtbot):
    gone, kept = [], []
    with held():
        with qtbot.waitSignal(jobs.ended):
            jobs.submit(busy(gone, kept))
        for _ in range(3):
            with qtbot.waitSignal(collecting._collector._timer.timeout):
                pass
        assert gone == []
    qtbot.waitUntil(lambda: look_on(gone, kept))


def test_what_fails_while_it_is_held_ends_the_hold(monkeypatch):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    with pytest.raises(ValueError, match="inside"), held():
        assert not gc.isenabled()
        raise ValueError("inside")
    assert gc.isenabled() and frozen == [True]


def test_the_oldest_generation_that_is_full_is_collected(monkeypatch):
    looked = []
    collector = Collector()
    collector._timer.stop()
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "collect", looked.append)
    for count, expected in (((700, 10, 10), []), ((701, 10, 10), [0]), ((701, 11, 0), [1]), ((0, 0, 11), [2])):
        monkeypatch.setattr(gc, "get_count", lambda count=count: count)
        looked.clear()
        collector.look()
        assert looked == expected
