"""A library of 50,000 runs: how long until the dock shows its first page, and what a search finds; memory, recording.

python tests/benchmarks/library.py

First page: from the file on the disk to the rows painted in the dock, in a new process. Search: from the last key
(without the moment that is waited for another one) to the rows painted; each word is looked for once. Scrolling: to
places all over the list. Recording: what the library adds to one run, a beginning and an end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import Row, median, report, worst

RUNS, TIMES = 50_000, 3
CHILD = """
import json, sys, time
from pathlib import Path
from diffstudio.gui.application import make_application
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.runs.panel import RunsPanel
from diffstudio.gui.work.library import LibraryWork
from diffstudio.studio.library.shelf import Shelf

app = make_application()
theme.apply(app, theme.DARK)

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20 if Path("/proc").exists() else 0.0

def shown(panel, text, before=None):
    '''Until all rows in sight are there and painted.'''
    while True:
        app.processEvents()
        time.sleep(0.0005)
        numbers = panel.model.numbers
        if not len(numbers) or numbers is before:
            continue
        top = panel.list.top
        rows = [panel.model.known(i) for i in range(top, min(top + 12, len(numbers)))]
        if all(row is not None and (not text or text in row.run.prompt) for row in rows):
            panel.grab()
            return

begun = time.perf_counter()
library = LibraryWork(Shelf(Path(sys.argv[1]), Path(sys.argv[1]) / "spare"))
panel = RunsPanel(library, theme.DARK)
panel.resize(260, 700)
panel.show()
panel.refresh()
shown(panel, "")
first = time.perf_counter() - begun
searches = []
for word in json.loads(sys.argv[2]):
    before = panel.model.numbers
    begun = time.perf_counter()
    panel.search.setText(word)
    panel.search.stop()
    panel.refresh()
    shown(panel, word, before)
    searches.append(time.perf_counter() - begun)
before = panel.model.numbers
panel.search.setText("")
panel.search.stop()
panel.refresh()
shown(panel, "", before)
low, jumps = memory(), []
bar = panel.list.verticalScrollBar()
for k in range(60):
    bar.setValue(bar.maximum() * ((k * 37) % 60) // 60)
    begun = time.perf_counter()
    shown(panel, "")
    jumps.append(time.perf_counter() - begun)
grown = memory() - low
library.shut_down()
print(json.dumps([first, searches, jumps, grown]))
"""
WORDS = ("fox", "snow", "harbour", "violet", "lantern", "meadow", "copper", "orchard", "thunder", "willow")


def measure() -> list[Row]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "library"
        each = _fill(home)
        found = [_child(home) for _ in range(TIMES)]
    searches = [1000 * seconds for _, all_of_them, _, _ in found for seconds in all_of_them]
    jumps = [1000 * seconds for _, _, all_of_them, _ in found for seconds in all_of_them]
    return [
        median(f"{RUNS:,} runs: first page painted", [1000 * first for first, *_ in found], "ms", 150, 0),
        median(f"{RUNS:,} runs: a search painted", searches, "ms", 50, 1),
        worst(f"{RUNS:,} runs: a jump of the scroll bar", jumps, "ms"),
        median("memory more after 60 jumps", [grown for *_, grown in found], "MiB", None, 1),
        median("the library's part of recording a run", each, "ms", None, 2),
    ]


def _fill(home: Path) -> list[float]:
    """A library of that many runs; milliseconds that single ones took to be begun and ended."""
    from diffstudio.studio.library.library import TRACES, Library
    from diffstudio.studio.library.run import Run, facts_of

    library, each = Library(home), []
    card = {"name": "digits", "modality": "image", "sha256": "ab" * 32}
    (home / TRACES).mkdir(parents=True, exist_ok=True)
    with library.table.writing() as connection:
        for i in range(RUNS):
            prompt = f"a {WORDS[i % len(WORDS)]} beside a {WORDS[i // 7 % len(WORDS)]}, number {i}"
            request = {"model": "digits@400", "solver": "ddim", "steps": 20 + i % 30, "seed": i, "prompt": prompt}
            key = f"20260101-000000-{i:05d}"
            facts = facts_of(request, card)
            library.table.put_in(connection, Run(
                id=key, created=1.7e9 + i, state="done", file=home / TRACES / f"{key}.trace", request=request,
                bytes=10_000, records=20, **facts,
            ))  # fmt: skip
    for _ in range(50):
        begun = time.perf_counter()
        run = library.begin({"model": "digits", "solver": "ddim", "steps": 20}, card)
        library.finish(run.id, "done", bytes=1, records=1)
        each.append(1000 * (time.perf_counter() - begun))
        library.forget(run.id)
    library.close()
    return each


def _child(home: Path) -> list:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home), json.dumps(WORDS)], capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(report(measure))
