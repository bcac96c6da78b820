"""After every test: nothing of it goes on. What a test leaves behind fails that test, not a later one by chance."""

import functools
import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid


def _recorded(kind):
    """Each object of a Qt class that is started from now on, as long as it lives."""
    started, start = weakref.WeakSet(), kind.start

    def recorded(self, *arguments):
        started.add(self)
        return start(self, *arguments)

    kind.start = recorded
    return started


PATIENCE_MS = 120_000
TIMERS, THREADS = _recorded(QTimer), _recorded(QThread)


@pytest.fixture
def qtbot(qtbot):
    """pytest-qt's own, that waits two minutes instead of five seconds: a busy machine is slow, not wrong."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitCallback"):
        setattr(qtbot, name, functools.partial(getattr(qtbot, name), timeout=PATIENCE_MS))
    return qtbot


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What is kept of checkpoints, and the library, lie in folders of this run, never in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def _no_leaks():
    TIMERS.clear()  # an earlier test has failed for its own
    THREADS.clear()
    windows, threads = _windows(), set(threading.enumerate())
    yield
    left = [
        *(f"window {w.metaObject().className()} {w.objectName() or w.windowTitle()!r}" for w in _new(windows)),
        *(f"timer of {t.parent()}, {t.interval()} ms" for t in TIMERS if isValid(t) and t.isActive()),
        *(f"QThread {t.objectName()!r}" for t in THREADS if isValid(t) and t.isRunning()),
        *(f"thread {t.name!r}" for t in set(threading.enumerate()) - threads if _goes_on(t)),
    ]
    if left:
        pytest.fail(f"left behind: {', '.join(left)}", pytrace=False)


def _windows():
    return set(QApplication.topLevelWidgets()) if QApplication.instance() else set()


def _new(windows):
    """The windows that a test has left."""
    _delete_what_is_due()
    if _windows() - windows:
        gc.collect()  # circles of references are no leak, but must not be collected by a later test's worker
        _delete_what_is_due()
    # Qt keeps one tip for the whole application, and takes it away itself.
    return [w for w in _windows() - windows if w.metaObject().className() != "QTipLabel"]


def _delete_what_is_due():
    if QCoreApplication.instance():
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _goes_on(thread):
    """Whether a thread of Python's does not end by itself within some seconds."""
    # A dummy stands for ever for a thread of Qt's or torch's that once ran Python; QThreads are looked at themselves.
    if isinstance(thread, threading._DummyThread):
        return False
    thread.join(10)
    return thread.is_alive()
