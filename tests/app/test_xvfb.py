"""The real program on a real X server: started as a user does, driven by keys and the mouse alone, looked at."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab

from diffstudio.errors import BadFile
from diffstudio.traces.reader import Trace

pytestmark = pytest.mark.xvfb
ROOT = Path(__file__).resolve().parents[2]
SCREEN = "1440x900x24"


@pytest.fixture(scope="module")
def display():
    """A screen of its own: ":7"."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        name = f":{answer.readline().strip()}"
    yield name
    server.terminate()
    server.wait(10)


class Program:
    """`diffstudio` with an empty home."""

    def __init__(self, display, home):
        self.display, self.home = display, home
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "QT_", "WAYLAND_"))}
        self.environment = kept | {
            "HOME": str(home), "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",  # on a busy machine torch's threads wait for each other
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "diffstudio"], env=self.environment, cwd=home, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.window = self._xdotool("search", "--sync", "--onlyvisible", "--name", "^DiffStudio$")
        self._xdotool("windowfocus", "--sync", self.window)  # there is no window manager to do it

    def _xdotool(self, *words):
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=120)
        return done.stdout.strip()

    def key(self, *names):
        self._xdotool("key", "--delay", "40", *names)

    def type(self, text):
        self._xdotool("type", "--delay", "20", text)

    def click(self, x, y):
        self._xdotool("mousemove", str(x), str(y), "click", "1")

    def look(self):
        """The screen: (H, W, 3) uint8."""
        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB"))

    def playhead(self):
        """The column of the playhead's line, or None."""
        columns = self.red().sum(0)
        return int(columns.argmax()) if columns.max() > 60 else None

    def red(self):
        """Where the screen is red, (H, W) bool: only the playhead is."""
        red, green, blue = self.look().astype(np.int16).transpose(2, 0, 1)
        return red - np.maximum(green, blue) > 70

    def traces(self):
        return sorted(self.home.rglob("*.trace"))

    def records(self):
        """Records of the only run: what is there, and what is planned; before its header is written none of one."""
        try:
            with Trace.open(self.traces()[0]) as trace:
                return len(trace), trace.planned
        except BadFile:  # another process reads while the program still writes it
            return 0, 1


@pytest.fixture
def program(display, tmp_path):
    made = Program(display, tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def wait_for(found, seconds=120):
    """Look again and again until something is there."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def steady(look):
    """What is seen once it does not change any more."""
    before = look()
    while True:
        time.sleep(0.15)
        now = look()
        if np.array_equal(before, now):
            return now
        before = now


def quits(program):
    """Ctrl+Q ends the program without a word."""
    program.key("ctrl+q")
    out, err = program.process.communicate(timeout=120)
    return (program.process.returncode, out, err) == (0, "", "")


def test_the_main_job_by_keys_and_mouse(program):
    assert program.playhead() is None
    program.key("Return")
    wait_for(program.traces)
    wait_for(lambda: len(set(program.records())) == 1)
    last = steady(program.playhead)
    assert last > 1300  # at the end of the reverse chain

    places = [last]
    for _ in range(3):
        program.key("Left")
        places.append(steady(program.playhead))
    steps = -np.diff(places)
    assert steps.min() > 10 and np.ptp(steps) <= 1
    program.key("Home")
    first = steady(program.playhead)
    assert first < 120
    assert last - first == pytest.approx((program.records()[0] - 1) * steps.mean(), rel=0.05)
    program.key("End")
    assert steady(program.playhead) == last

    there = first + (last - first) // 4
    program.click(there, int(np.median(np.flatnonzero(program.red()[:, last]))))
    assert abs(steady(program.playhead) - there) <= 2 * steps.mean()  # a thumbnail stands for some steps

    plain = steady(program.look)
    program.key("ctrl+k")
    steady(program.look)
    program.type("flip")
    steady(program.look)
    program.key("Return")
    flipped = steady(program.look)
    canvas = (slice(120, 560), slice(260, 1100))
    assert (flipped[canvas] != plain[canvas]).any(-1).mean() > 0.2
    program.key("x")
    assert (steady(program.look)[canvas] == plain[canvas]).all()
    assert quits(program)


def test_closing_mid_run_ends_it_quietly_and_keeps_what_is_recorded(program):
    program.key("Return")
    wait_for(lambda: program.traces() and program.records()[0] > 2)
    assert quits(program)
    done, planned = program.records()
    assert 2 < done < planned
