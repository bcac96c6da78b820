"""Garbage is collected by the window's thread, and by no other."""

import gc
import threading
import weakref

import pytest

from diffstudio.gui import collecting
from diffstudio.gui.collecting import Collector, held


class Knot:
    """Garbage that only a collection finds, which notes the thread that did."""

    def __init__(self, gone):
        self.itself = self
        weakref.finalize(self, lambda: gone.append(threading.current_thread()))


@pytest.fixture
def collector(qapp, monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)  # what other tests made is theirs to collect
    monkeypatch.setattr(collecting, "TICK_MS", 5)
    made = Collector()
    yield made
    made.stop()
    made.deleteLater()
    assert gc.isenabled()


def busy(gone, count=20_000):
    """Makes enough objects that Python would look for garbage."""
    Knot(gone)
    return [[] for _ in range(count)]


def test_garbage_of_a_worker_is_collected_by_the_windows_thread(collector, qtbot):
    collector.start()
    gone, kept = [], []
    worker = threading.Thread(target=lambda: kept.append(busy(gone)))
    worker.start()
    worker.join()
    assert gone == []
    qtbot.waitUntil(lambda: bool(gone))
    assert gone == [threading.main_thread()]


def test_nothing_is_collected_before_the_start_nor_while_it_is_held(collector, qtbot):
    gone = []
    kept = busy(gone)
    assert gone == [] and not gc.isenabled()
    with held():
        collector.start()
        for _ in range(3):
            with qtbot.waitSignal(collector._timer.timeout):
                pass
        assert gone == []
    qtbot.waitUntil(lambda: bool(gone))
    assert kept


@pytest.mark.parametrize("enabled", [True, False])
def test_what_holds_the_collection_leaves_it_as_it_was(enabled, monkeypatch):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ValueError, match="inside"), held():
            assert not gc.isenabled()
            raise ValueError("inside")
        assert gc.isenabled() == enabled and frozen == [True]
    finally:
        gc.enable()


def test_a_quiet_program_is_left_alone(collector, qtbot, monkeypatch):
    gc.collect()
    looked = []
    monkeypatch.setattr(gc, "get_count", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "collect", looked.append)
    collector.start()
    for count, expected in (((700, 10, 10), []), ((701, 10, 10), [0]), ((701, 11, 0), [1]), ((0, 0, 11), [2])):
        monkeypatch.setattr(gc, "get_count", lambda count=count: count)
        looked.clear()
        collector._on_tick()
        assert looked[:1] == expected
