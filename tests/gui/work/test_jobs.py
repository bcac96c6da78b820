"""Work beside the window: one end for each job, progress at a bearable rate, and a thread that always joins."""

import itertools
import logging
import os
import sys
import threading
import time

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from diffstudio.errors import BadInput
from diffstudio.gui.work.jobs import NICER, PROGRESS_MS, Jobs


class Heard(QObject):
    """Writes down every signal of a Jobs, and the thread that it came on."""

    def __init__(self, jobs):
        super().__init__()
        self.progress, self.ended, self.threads = [], [], set()
        jobs.progressed.connect(self.on_progress)
        jobs.ended.connect(self.on_ended)

    @Slot(int, object)
    def on_progress(self, number, value):
        self.progress.append((number, value, time.monotonic()))
        self.threads.add(QThread.currentThread())

    @Slot(object)
    def on_ended(self, ended):
        self.ended.append(ended)
        self.threads.add(QThread.currentThread())


@pytest.fixture
def jobs(qapp):
    jobs = Jobs("test")
    yield jobs
    assert jobs.shut_down()
    jobs.deleteLater()


@pytest.fixture
def heard(jobs):
    return Heard(jobs)


def counting(count, pause=0.0):
    """Yields 1 … count."""

    def job(stop):
        for i in range(1, count + 1):
            time.sleep(pause)
            yield i

    return job


def failing(error, after=1):
    def job(stop):
        yield from range(after)
        raise error

    return job


def test_a_job_ends_once_and_its_last_progress_is_heard(jobs, heard, qtbot):
    number = jobs.submit(counting(1000))
    qtbot.waitUntil(lambda: bool(heard.ended))
    qtbot.wait(50)
    (ended,) = heard.ended
    assert (ended.number, ended.outcome, ended.error) == (number, "done", "")
    assert heard.progress[-1][:2] == (number, 1000)
    assert heard.threads == {jobs.thread()}


def test_progress_comes_at_most_thirty_times_a_second_and_the_last_always(jobs, heard, qtbot):
    jobs.submit(counting(300, pause=0.002))
    qtbot.waitUntil(lambda: bool(heard.ended))
    values = [value for _, value, _ in heard.progress]
    assert values == sorted(set(values))
    assert values[-1] == 300
    # Fetched about a thirtieth apart, but for the last: what the run took bounds how many there can be.
    took = heard.progress[-1][2] - heard.progress[0][2]
    assert 3 <= len(values) <= took / (0.9 * PROGRESS_MS / 1000) + 3


def test_progress_is_not_held_back_by_a_long_step(jobs, heard, qtbot):
    release = threading.Event()

    def job(stop):
        yield from range(10)
        release.wait(20)
        yield 10

    jobs.submit(job)
    qtbot.waitUntil(lambda: bool(heard.progress) and heard.progress[-1][1] == 9)
    release.set()
    qtbot.waitUntil(lambda: bool(heard.ended))
    assert heard.progress[-1][1] == 10


def test_the_last_progress_of_each_of_many_short_jobs_is_heard_before_its_end(jobs, heard, qtbot):
    order = []
    jobs.progressed.connect(lambda number, value: order.append((number, value)))
    jobs.ended.connect(lambda ended: order.append((ended.number, "ended")))
    numbers = [jobs.submit(counting(3)) for _ in range(50)]
    qtbot.waitUntil(lambda: len(heard.ended) == 50)
    for number in numbers:
        assert order.index((number, 3)) < order.index((number, "ended"))
    assert len({(number, value) for number, value, _ in heard.progress}) == len(heard.progress)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is that of the whole process")
def test_the_window_has_a_core_before_the_jobs_and_the_threads_that_they_start(jobs, heard, qtbot):
    found = []

    def note():
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def job(stop):
        note()
        helper = threading.Thread(target=note)
        helper.start()
        helper.join()
        yield None

    for _ in range(2):  # the second job goes no further back
        jobs.submit(job)
    qtbot.waitUntil(lambda: len(heard.ended) == 2)
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert found == [min(19, here + NICER)] * 4


def test_a_job_that_says_nothing_still_ends(jobs, heard, qtbot):
    jobs.submit(lambda stop: iter(()))
    qtbot.waitUntil(lambda: bool(heard.ended))
    assert heard.ended[0].outcome == "done"
    assert heard.progress == []


def test_jobs_run_one_after_the_other_on_another_thread(jobs, heard, qtbot):
    order = []

    def job(name):
        def run(stop):
            order.append((name, "begins", threading.get_ident()))
            time.sleep(0.01)
            yield name
            order.append((name, "ends", threading.get_ident()))

        return run

    numbers = [jobs.submit(job(name)) for name in "abc"]
    assert jobs.open == set(numbers)
    qtbot.waitUntil(lambda: len(heard.ended) == 3)
    assert [entry[:2] for entry in order] == [(n, w) for n in "abc" for w in ("begins", "ends")]
    assert len({entry[2] for entry in order}) == 1
    assert order[0][2] != threading.get_ident()
    assert [ended.number for ended in heard.ended] == numbers
    assert jobs.open == set()


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────


def endless(seen, closed):
    def job(stop):
        try:
            for i in itertools.count():
                seen.append(i)
                time.sleep(0.002)
                yield i
        finally:
            closed.append(True)

    return job


def test_a_cancelled_job_is_closed_before_its_next_step(jobs, heard, qtbot):
    seen, closed = [], []
    number = jobs.submit(endless(seen, closed))
    qtbot.waitUntil(lambda: len(seen) > 3)
    jobs.cancel(number)
    qtbot.waitUntil(lambda: bool(heard.ended))
    assert [ended.outcome for ended in heard.ended] == ["cancelled"]
    assert closed == [True]
    assert heard.progress[-1][1] == seen[-1]
    count = len(seen)
    qtbot.wait(30)
    assert len(seen) == count


def test_a_job_that_asks_is_told_to_stop_within_a_step(jobs, heard, qtbot):
    begun = threading.Event()

    def job(stop):
        yield "begun"
        begun.set()
        while not stop():
            time.sleep(0.001)

    number = jobs.submit(job)
    qtbot.waitUntil(begun.is_set)
    jobs.cancel(number)
    qtbot.waitUntil(lambda: bool(heard.ended))
    assert heard.ended[0].outcome == "cancelled"


def test_a_job_cancelled_in_the_queue_never_begins(jobs, heard, qtbot):
    seen, closed, ran = [], [], []
    first = jobs.submit(endless(seen, closed))
    second = jobs.submit(lambda stop: iter([ran.append(True)]))
    jobs.cancel(second)
    jobs.cancel(first)
    qtbot.waitUntil(lambda: len(heard.ended) == 2)
    assert [ended.outcome for ended in heard.ended] == ["cancelled", "cancelled"]
    assert ran == []


def test_to_cancel_what_is_over_or_was_never_there_does_nothing(jobs, heard, qtbot):
    number = jobs.submit(counting(1))
    qtbot.waitUntil(lambda: bool(heard.ended))
    jobs.cancel(number)
    jobs.cancel(999)
    jobs.submit(counting(1))
    qtbot.waitUntil(lambda: len(heard.ended) == 2)
    assert [ended.outcome for ended in heard.ended] == ["done", "done"]


# ── failing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class OutOfMemoryError(RuntimeError):
    """Called like torch's own."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadInput("the file a.png is gone"), "the file a.png is gone"),
        (MemoryError(), "There is not enough memory: use fewer samples."),
        (OutOfMemoryError("CUDA out of memory"), "The GPU has not enough memory: use fewer samples, or the CPU."),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_without_details(jobs, heard, qtbot, caplog, error, sentence):
    jobs.submit(failing(error))
    qtbot.waitUntil(lambda: bool(heard.ended))
    (ended,) = heard.ended
    assert (ended.outcome, ended.error, ended.details) == ("failed", sentence, "")
    assert not caplog.records


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a\nb"), RuntimeError("x" * 1000), KeyboardInterrupt(), SystemExit(3), StopIteration()]
)
def test_anything_else_is_a_sentence_with_its_traceback_in_the_log(jobs, heard, qtbot, caplog, error):
    caplog.set_level(logging.ERROR, "diffstudio")
    jobs.submit(failing(error))
    qtbot.waitUntil(lambda: bool(heard.ended))
    (ended,) = heard.ended
    assert ended.outcome == "failed"
    assert ended.error.startswith("Something went wrong: ")
    assert "\n" not in ended.error
    assert len(ended.error) < 350
    assert "Traceback" in ended.details
    assert ended.details in caplog.text


def test_what_was_yielded_before_a_failure_is_heard_and_the_next_job_runs(jobs, heard, qtbot):
    first = jobs.submit(failing(BadInput("no"), after=5))
    second = jobs.submit(counting(2))
    qtbot.waitUntil(lambda: len(heard.ended) == 2)
    assert [value for number, value, _ in heard.progress if number == first][-1] == 4
    assert [(ended.number, ended.outcome) for ended in heard.ended] == [(first, "failed"), (second, "done")]


def test_a_job_that_can_not_even_begin_has_failed(jobs, heard, qtbot):
    def job(stop):
        raise BadInput("not today")

    jobs.submit(job)
    qtbot.waitUntil(lambda: bool(heard.ended))
    assert heard.ended[0].error == "not today"


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_to_shut_down_cancels_what_runs_and_what_waits_and_joins(qapp):
    jobs, seen, closed, ran = Jobs("test"), [], [], []
    jobs.submit(endless(seen, closed))
    jobs.submit(lambda stop: iter([ran.append(True)]))
    while len(seen) < 3:
        time.sleep(0.001)
    assert jobs.shut_down()
    assert closed == [True]
    assert ran == []
    assert not jobs._thread.isRunning()
    assert jobs.shut_down()
    jobs.deleteLater()


def test_to_shut_down_what_never_ran_is_at_once(qapp):
    jobs = Jobs("test")
    assert jobs.shut_down()
    jobs.deleteLater()


def test_a_job_goes_on_when_the_window_has_shown_what_it_told(qapp, qtbot):
    jobs, heard = Jobs("test"), []

    def told(stop):
        for step in range(5):
            yield step
            stop()

    jobs.progressed.connect(lambda number, step: heard.append(step))
    with qtbot.waitSignal(jobs.ended):
        jobs.submit(told)
    assert heard[-1] == 4
    assert jobs._worker.may_go_on.is_set() or jobs._painted.isActive()
    assert jobs.shut_down()
    assert jobs._worker.may_go_on.is_set()
    jobs.deleteLater()


def test_what_is_submitted_after_the_end_is_not_begun(qapp):
    jobs, ran = Jobs("test"), []
    assert jobs.shut_down()
    jobs.submit(lambda stop: iter([ran.append(True)]))
    assert not jobs.open
    assert not jobs._thread.isRunning()
    assert ran == []
    jobs.deleteLater()


def test_a_job_that_does_not_listen_is_not_waited_for_beyond_the_limit(qapp):
    jobs, release = Jobs("test"), threading.Event()

    def deaf(stop):
        release.wait(20)
        yield 1

    jobs.submit(deaf)
    time.sleep(0.05)
    assert not jobs.shut_down(seconds=0.05)
    release.set()
    assert jobs.shut_down()
    jobs.deleteLater()
