"""Judge the bundled checkpoints: class agreement, copies, sliced Wasserstein distances, modes of the ring.

python tests/benchmarks/judge.py [digits] [digits-ddpm] [shapes-2d] [shapes-ddpm]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.svm import SVC

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import digits
from diffstudio.data.shapes2d import SHAPES
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace


def final_samples(engine: Engine, request: Request) -> np.ndarray:
    """The final x_t of a run, recorded coarsely: (B, …)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.trace"
        for _ in engine.run(request, path):
            pass
        with Trace.open(path) as trace:
            return trace.array(len(trace) - 1, "xt")


def digits_judge() -> SVC:
    """An RBF-SVM trained on the real training digits and four augmented copies of each."""
    train, labels = digits.load("train")
    rng = np.random.default_rng(0)
    seen = np.concatenate([train, *(digits.augment(train, rng) for _ in range(4))])
    return SVC(C=10, gamma="scale").fit(seen.reshape(len(seen), -1), np.tile(labels, 5))


def judge_digits(engine: Engine, name: str, steps: int, solver: str, per_class: int) -> None:
    """Agreement of an RBF-SVM trained on the real training digits; nearest neighbours against held-out digits."""
    train, _ = digits.load("train")
    held_out, held_labels = digits.load("held-out")
    judge = digits_judge()
    floor = np.mean(judge.predict(held_out.reshape(len(held_out), -1)) == held_labels)
    drawn, asked = [], []
    for label in range(10):
        request = Request(
            model=name, label=label, samples=per_class, steps=steps, solver=solver, guidance=1.5, seed=10_000 * label,
            forward="off", trace_every=steps,
        )  # fmt: skip
        drawn.append(final_samples(engine, request))
        asked += [label] * per_class
    samples = np.concatenate(drawn)
    agreed = np.mean(judge.predict(samples.reshape(len(samples), -1)) == asked)
    print(f"{name:12} {solver}, {steps} steps, guidance 1.5, {len(samples)} samples")
    print(f"  class agreement {agreed:.3f}   (held-out real digits {floor:.3f})")
    print(
        f"  distance to the nearest training digit, median: samples {nearest(samples, train):.2f}   "
        f"held-out digits {nearest(held_out, train):.2f}"
    )


def nearest(some: np.ndarray, others: np.ndarray) -> float:
    """Median over `some` of the Euclidean distance to the nearest of `others`, where a shift of a pixel is free."""
    best = np.full(len(some), np.inf)
    b = others.reshape(len(others), -1)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            a = np.roll(some, (dy, dx), (2, 3)).reshape(len(some), -1)
            squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
            best = np.minimum(best, np.sqrt(squared.clip(0)).min(1))
    return float(np.median(best))


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, directions: int = 200) -> float:
    """W1 over random directions (Rabin et al. 2011), equal sizes: (N, 2), (N, 2)."""
    angle = np.random.default_rng(0).uniform(0, np.pi, directions)
    line = np.stack([np.cos(angle), np.sin(angle)])
    return float(np.abs(np.sort(a @ line, 0) - np.sort(b @ line, 0)).mean())


def judge_shapes(engine: Engine, name: str, steps: int, solver: str, samples: int = 5000) -> None:
    """Distance to fresh data over the distance between two fresh data sets, median of five pairs."""
    print(f"{name:12} {solver}, {steps} steps, {samples:,} points of each shape")
    for label, (shape, draw) in enumerate(SHAPES.items()):
        request = Request(
            model=name, label=label, samples=samples, steps=steps, solver=solver, guidance=1.0, forward="off",
            trace_every=steps,
        )  # fmt: skip
        found = final_samples(engine, request)
        fresh = [draw(np.random.default_rng(i), samples) for i in range(10)]
        ours = np.median([sliced_wasserstein(found, data) for data in fresh])
        floor = np.median([sliced_wasserstein(fresh[i], fresh[i + 5]) for i in range(5)])
        extra = f"   modes {ring_modes(found)}" if shape == "8 Gaussians" else ""
        if shape == "unit square":
            extra = f"   inside [0, 1]² {np.mean(((found >= 0) & (found <= 1)).all(1)):.3f}"
        print(f"{shape:14} SW {ours:.4f}   data against data {floor:.4f}   ratio {ours / floor:.2f}{extra}")


def ring_modes(found: np.ndarray) -> str:
    """How many modes of the ring have samples within 3σ, and the share of such samples."""
    angle = np.arange(8) * np.pi / 4
    centres = np.stack([np.cos(angle), np.sin(angle)], 1)
    data = SHAPES["8 Gaussians"](np.random.default_rng(9), 20_000)
    sigma = np.sqrt((np.linalg.norm(data[:, None] - centres, axis=2).min(1) ** 2).mean() / 2)
    distance = np.linalg.norm(found[:, None] - centres, axis=2)
    near = distance.min(1) < 3 * sigma
    return f"{len(set(distance.argmin(1)[near]))} of 8, {near.mean():.3f} within 3σ (data 0.989)"


def main() -> None:
    """Judge what is named, or everything."""
    engine, names = (
        Engine(default_catalog()),
        sys.argv[1:] or ["shapes-2d", "shapes-ddpm", "digits", "digits@400", "digits-ddpm"],
    )
    for name in names:
        if name == "shapes-2d":
            judge_shapes(engine, name, 40, "dpmpp_2m")
        elif name == "shapes-ddpm":
            judge_shapes(engine, name, 100, "ddpm_learned")
        elif name == "digits-ddpm":
            judge_digits(engine, name, 1000, "ddpm", 10)
            judge_digits(engine, name, 30, "dpmpp_2m", 100)
        else:
            judge_digits(engine, name, 30, "dpmpp_2m", 100)


if __name__ == "__main__":
    main()
