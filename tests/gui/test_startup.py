"""What the window imports before it shows itself; what it does afterwards."""

import logging
import subprocess
import sys

import pytest

from diffstudio.gui import startup

# Each took some 10 ms of the start, torch 2 s, until they were imported where they are needed.
LATER = ("torch", "PIL.Image", "numpy.random", "logging.handlers", "difflib", "diffstudio.studio.export.write")


def test_the_window_is_imported_without_what_its_first_paint_does_not_need():
    code = f"import sys, diffstudio.gui.startup; print(*[name for name in {LATER} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture
def _log_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    log = logging.getLogger("diffstudio")
    before, level = log.handlers[:], log.level
    yield
    for handler in log.handlers[len(before) :]:
        log.removeHandler(handler)
        handler.close()
    log.setLevel(level)


@pytest.mark.usefixtures("_log_of_its_own")
def test_the_log_is_written(tmp_path):
    startup._log_to_file()
    logging.getLogger("diffstudio").warning("so it was")
    (file,) = tmp_path.rglob("diffstudio.log")
    assert file.read_text(encoding="utf-8").endswith("WARNING so it was\n")
