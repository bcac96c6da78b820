"""From the command to the window, and to the first batch in it.

python tests/benchmarks/startup.py

A new process each time, with warm files and a home of its own. The clock starts just before the process does. The
window answers once it is painted and a keystroke has reached its search field; then Generate is pressed at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import Row, median, report

RUNS = 5
# What `python -m diffstudio` does, in the same order, with a watched Studio in the place of its own.
CHILD = f"""
import gc
import sys
import diffstudio.cli.window
from diffstudio.gui.shell.load_qt import load_qt
gc.disable()
load_qt()
from diffstudio.gui import startup
sys.path.insert(0, {str(Path(__file__).parent)!r})
import startup_watch
startup.Studio = startup_watch.Watched
sys.exit(diffstudio.cli.run_cli([]))
"""


def start(home: Path) -> dict[str, float]:
    """Start once; seconds until the window answered and until the first batch was on the canvas."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        **{f"XDG_{name}_HOME": str(home / name) for name in ("DATA", "CONFIG", "CACHE", "STATE")},
    }
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    begun = time.time()
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"the window ended with {done.returncode}:\n{done.stderr}")
    return {name: at - begun for name, at in json.loads(done.stdout).items()}


def measure() -> list[Row]:
    """Medians over fresh processes; one more beforehand warms the files."""
    with tempfile.TemporaryDirectory() as home:
        found = [start(Path(home)) for _ in range(RUNS + 1)][1:]
    return [
        median("start to the window visible and answering", [f["window"] for f in found], "s", 0.8),
        median("start to the first default batch on the canvas", [f["batch"] for f in found], "s", 6),
    ]


if __name__ == "__main__":
    report(measure)
