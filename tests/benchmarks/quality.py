"""Quality against network calls: every deterministic solver on the bundled digits, as a table, JSON and a plot.

python tests/benchmarks/quality.py [--samples 500] [--out resources/pictures/quality.png] [--from quality.json]

Class agreement: share of samples that an SVM trained on real digits reads as the class asked for. FD-smallnet: Fréchet
distance between 16 features of a small classifier (not Inception, so not FID) of the samples and of held-out digits,
moved and turned as in training; its floor is that of as many training digits, treated alike.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from judge import digits_judge, final_samples
from scipy.linalg import sqrtm
from torch import nn

from diffstudio import options
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import digits
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.plan import network_calls
from diffstudio.studio.request.request import Request

FEATURES, COPIES = 16, 8
NFE = (4, 6, 8, 10, 20, 50)
COLOURS = [
    "#4878cf", "#d65f5f", "#6acc65", "#b47cc7", "#c4ad66", "#77bedb",
    "#e68a00", "#7f7f7f", "#1b7837", "#c51b7d", "#542788", "#8c510a",
]  # fmt: skip


class SmallNet(nn.Module):
    """Two convolutions and a layer of 16 features in [-1, 1], on which the distance is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1), nn.SiLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.SiLU(), nn.Flatten(),
            nn.Linear(32 * 49, FEATURES), nn.Tanh(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, 10)

    def features(self, x: np.ndarray) -> np.ndarray:
        """(N, 1, 28, 28) → (N, 16)."""
        with torch.no_grad():
            return self.body(torch.from_numpy(np.array(x))).double().numpy()


def train_smallnet(steps: int = 600) -> SmallNet:
    """Trained on augmented training digits, from a fixed seed."""
    torch.manual_seed(0)
    rng, (pictures, labels) = np.random.default_rng(0), digits.load("train")
    net = SmallNet()
    adam = torch.optim.AdamW(net.parameters(), 2e-3)
    for _ in range(steps):
        rows = rng.integers(len(labels), size=128)
        loss = nn.functional.cross_entropy(
            net.head(net.body(torch.from_numpy(digits.augment(pictures[rows], rng)))), torch.from_numpy(labels[rows])
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net.eval()


def balanced(pictures: np.ndarray, labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` pictures, as many of each class, moved and turned as in training."""
    rng = np.random.default_rng(seed)
    rows = [rng.choice(np.flatnonzero(labels == i % 10)) for i in range(count)]
    return digits.augment(pictures[rows], rng)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2(Σ_aΣ_b)^½) of two sets of features (Dowson & Landau 1982)."""
    root = np.real(np.asarray(sqrtm(np.cov(a.T) @ np.cov(b.T))))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root))


def requests(solver: str, budget: int, samples: int) -> Request | None:
    """A run of that solver with at most `budget` network calls; None where it can't choose."""
    per_step = options.SOLVERS[solver].evals_per_step
    if per_step is None:
        return None
    request = Request(
        model="digits", label="each", samples=samples, solver=solver, guidance=1.0, forward="off", seed=77,
        trace_every=1000, trace_dtype="float32",
    )  # fmt: skip
    fitting = [s for s in range(1, budget + 1) if network_calls(request.model_copy(update={"steps": s})) <= budget]
    return request.model_copy(update={"steps": max(fitting, default=1)})


def measure(samples: int) -> dict:
    """Every solver at every budget; the floors beside."""
    engine, net, judge = Engine(default_catalog()), train_smallnet(), digits_judge()
    (train, labels), (held_out, held_labels) = digits.load("train"), digits.load("held-out")
    known = net.features(balanced(held_out, held_labels, COPIES * len(held_out), 0))
    floors = [frechet(net.features(balanced(train, labels, samples, seed)), known) for seed in range(1, 10)]
    out = {
        "floor_fd": float(np.median(floors)),
        "floor_agreement": float(np.mean(judge.predict(held_out.reshape(len(held_out), -1)) == held_labels)),
        "samples": samples,
        "rows": [],
    }
    print(f"floors: agreement {out['floor_agreement']:.3f}  FD-smallnet {out['floor_fd']:.3f}")
    for name, row in options.SOLVERS.items():
        if row.stochastic or row.needs:
            continue
        for budget in NFE:
            request = requests(name, budget, samples)
            if request is None:
                continue
            drawn = final_samples(engine, request)
            asked = [(request.seed + i) % 10 for i in range(samples)]
            agreed = float(np.mean(judge.predict(drawn.reshape(samples, -1)) == asked))
            found = {"solver": name, "budget": budget, "nfe": network_calls(request), "agreement": agreed}
            out["rows"].append(found | {"fd": frechet(net.features(drawn), known)})
            print(f"{name:16} NFE {found['nfe']:3}  agreement {agreed:.3f}  FD-smallnet {out['rows'][-1]['fd']:.3f}")
            sys.stdout.flush()
    return out


def table(found: dict) -> str:
    """Markdown: a row a solver, agreement / FD-smallnet at every budget."""
    head = "| agreement / FD-smallnet at NFE ≤ | " + " | ".join(map(str, NFE)) + " |"
    lines = [head, "|---" * (len(NFE) + 1) + "|"]
    for name in dict.fromkeys(row["solver"] for row in found["rows"]):
        cells = {row["budget"]: row for row in found["rows"] if row["solver"] == name}
        text = " | ".join(f"{cells[b]['agreement']:.2f} / {cells[b]['fd']:.2f}" for b in NFE)
        lines.append(f"| {options.SOLVERS[name].label} | {text} |")
    floor = f"{found['floor_agreement']:.2f} / {found['floor_fd']:.2f}"
    return "\n".join(
        [*lines, f"| real digits: held-out; training against held-out | {' | '.join([floor] * len(NFE))} |"]
    )


def plot(found: dict, out: Path) -> None:
    """FD-smallnet over NFE, with the floor."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph as pg
    from pyqtgraph.exporters import ImageExporter

    pg.setConfigOptions(background="w", foreground="#303030", antialias=True)
    app = pg.mkQApp()
    chart = pg.PlotWidget()
    chart.resize(900, 520)
    chart.setLogMode(x=True, y=False)
    chart.getAxis("bottom").setTicks([[(float(np.log10(n)), str(n)) for n in NFE]])
    chart.getAxis("left").enableAutoSIPrefix(False)
    chart.setLabel("bottom", "network calls (NFE)")
    chart.setLabel("left", "FD-smallnet to held-out digits")
    chart.addLegend(offset=(-10, 10), colCount=2, labelTextSize="9pt")
    for i, name in enumerate(dict.fromkeys(row["solver"] for row in found["rows"])):
        rows = [row for row in found["rows"] if row["solver"] == name]
        pen = pg.mkPen(COLOURS[i % len(COLOURS)], width=2)
        nfe, fd = [r["nfe"] for r in rows], [r["fd"] for r in rows]
        chart.plot(nfe, fd, pen=pen, symbol="o", symbolSize=6, symbolBrush=pen.color(), symbolPen=None,
                   name=options.SOLVERS[name].label)  # fmt: skip
    floor = pg.mkPen("#303030", width=1, style=pg.QtCore.Qt.PenStyle.DashLine)
    chart.plot([NFE[0], NFE[-1]], [found["floor_fd"]] * 2, pen=floor, name="training against held-out digits")
    chart.show()
    app.processEvents()
    exporter = ImageExporter(chart.plotItem)
    exporter.parameters()["width"] = 900
    exporter.export(str(out))
    chart.close()


def main() -> None:
    """Measure or read, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--from", dest="source", type=Path, help="figures that were measured before")
    parser.add_argument("--out", type=Path, help="the plot, a PNG")
    given = parser.parse_args()
    found = json.loads(given.source.read_text()) if given.source else measure(given.samples)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    print(table(found))
    if given.out:
        plot(found, given.out)


if __name__ == "__main__":
    main()
