"""A folder of 2,000 checkpoints: how long until all are listed, and how long the window waits meanwhile.

python tests/benchmarks/listing.py

First scan: nothing is kept of it yet. Second: by the same process. New process: with what the first one kept on disk.
The picker is that of the window, its rows are laid out and painted.
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

FILES, STEPS, RUNS = 2000, 10, 3  # STEPS: of one model
CHILD = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QElapsedTimer, QEventLoop, QTimer
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.gui.kit import theme
from diffstudio.gui.application import make_application
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.work.catalog_scan import Scanning

app = make_application()
theme.apply(app, theme.DARK)
catalog = Catalog([], ScanCache(Path(sys.argv[2])))
panel, scanning = ModelsPanel(catalog.listing, theme.DARK), Scanning(catalog)
scanning.listed.connect(panel.show_listing)
panel.resize(260, 700)
panel.show()
catalog.add(("many", Path(sys.argv[1])))

def scan():
    gaps, last = [], [time.perf_counter()]
    def tick():
        now = time.perf_counter()
        gaps.append(1000 * (now - last[0]))
        last[0] = now
    loop, timer, begun = QEventLoop(), QTimer(), time.perf_counter()
    timer.timeout.connect(tick)
    timer.start(1)
    scanning.scanned.connect(loop.quit)
    scanning.scan(catalog.folders)
    loop.exec()
    panel.grab()
    timer.stop()
    scanning.scanned.disconnect(loop.quit)
    return time.perf_counter() - begun, gaps

for _ in range(3):
    app.processEvents()
found = [scan(), scan()]
rows = sum(rows.item.childCount() > 0 for rows in panel._rows.values())
scanning.shut_down()
print(json.dumps({"scans": [seconds for seconds, _ in found], "gaps": [gaps for _, gaps in found], "models": rows}))
"""


def make(folder: Path) -> None:
    """The checkpoints: small, but each with a card and a picture as a real one has."""
    from diffstudio.checkpoints.catalog import default_catalog
    from diffstudio.checkpoints.store import load_weights, save

    bundled = default_catalog().find("shapes-2d")
    assert bundled.card is not None
    path = folder / "first.safetensors"
    weights = {name: value.numpy()[:1] for name, value in load_weights(bundled.path).items() if value.ndim == 1}
    for number in range(FILES):
        name, step = f"model-{number // STEPS}", 100 * (number % STEPS)
        card = bundled.card.model_copy(update={"name": name, "step": step})
        save(path, card, weights)
        path.rename(folder / f"{name}@{step}.safetensors")


def look(folder: Path, cache: Path) -> dict[str, list]:
    """A process that lists them twice."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(cache)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found = json.loads(done.stdout)
    assert found["models"] == FILES // STEPS, found["models"]
    return found


def measure() -> list[Row]:
    """Each in several processes; the first scan with a cache of its own each time."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "models"
        folder.mkdir()
        begun = time.monotonic()
        make(folder)
        print(f"{FILES:,} files made in {time.monotonic() - begun:.0f} s", file=sys.stderr)
        first = [look(folder, Path(place) / f"{run}.jsonl") for run in range(RUNS)]
        later = [look(folder, Path(place) / "0.jsonl") for _ in range(RUNS)]
    what = f"{FILES:,} checkpoints listed and painted"
    gaps = [gap for found in (*first, *later) for gap in found["gaps"][0]]
    return [
        median(f"{what}, first scan", [found["scans"][0] for found in first], "s"),
        median(f"{what}, second scan", [found["scans"][1] for found in first], "s", 1),
        median(f"{what}, in a new process", [found["scans"][0] for found in later], "s", 1),
        worst("event-loop gap during these scans", gaps, "ms", 100),
    ]


if __name__ == "__main__":
    report(measure)
