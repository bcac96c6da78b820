"""The bundled exact models: cards with few weights or none, written from formulas and data.

    python -m diffstudio.training.exact resources/checkpoints

writes all of them, the same numbers every time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
import torch

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.data import dataset, ring2d
from diffstudio.data.finite import finite_part
from diffstudio.specs import PathSpec
from diffstudio.training import thumbnail

SAMPLES = 100_000  # of each shape, for its mean and covariance
COPIES = 20  # of each training digit, changed as in training
RANK = 60  # main axes of a digit's covariance
POINTS = 2000  # of each shape, in the finite set

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Exact:
    """A model to write.

    weights: what the file holds, computed when it is written; dtype: how it holds them.
    shown: the class in its thumbnail, None for any.
    """

    title: str
    description: str
    dataset: str
    network: str
    network_args: dict[str, Any]
    defaults: dict[str, float | int | str | dict[str, float]]
    weights: Callable[[], Weights] = dict
    dtype: Literal["float16", "float32"] = "float32"
    shown: int | None = thumbnail.LABEL


def ring() -> Weights:
    """The very mixture that the data set's formula draws from."""
    modes = ring2d.RING_MODES
    return {
        "weights": np.full(modes, 1 / modes),
        "means": ring2d.MEANS,
        "floors": np.full(modes, ring2d.RING_STD**2),
        "labels": np.arange(modes),
    }


def shape_gaussians() -> Weights:
    """A Gaussian for each shape, with the mean and the covariance of its points."""
    return _gaussians(*finite_part(dataset("shapes-2d"), SAMPLES, 0), rank=2)


def digit_gaussians() -> Weights:
    """A Gaussian for each digit, with the mean and the main axes of the pictures that a network is trained on."""
    source = dataset("digits")
    data, labels = finite_part(source, 0, 0)
    assert source.augment is not None
    rng = np.random.default_rng(0)
    copies = [source.augment(data, rng) for _ in range(COPIES)]
    return _gaussians(np.concatenate(copies), np.tile(labels, COPIES), RANK)


def _gaussians(data: np.ndarray, labels: np.ndarray, rank: int) -> Weights:
    """Probabilistic PCA by class: the first axes of the covariance, the mean of the other variances as floor.

    Tipping & Bishop 1999, eq. 8 and 9: F = U·√(v − f), so that F·Fᵀ + f has the variances v along the axes.
    """
    rows = data.reshape(len(data), -1).astype(np.float64)
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("weights", "means", "floors", "factors")}
    classes = np.unique(labels)
    for label in classes:
        own = rows[labels == label]
        variances, axes = np.linalg.eigh(np.cov(own.T))
        main = slice(None, -rank - 1, -1)  # the largest come last
        floor = variances[:-rank].mean() if rank < len(variances) else 0.0
        found["weights"].append(np.asarray(len(own) / len(rows)))
        found["means"].append(own.mean(0))
        found["floors"].append(np.asarray(floor))
        found["factors"].append(axes[:, main] * np.sqrt(variances[main] - floor))
    return {name: np.stack(values) for name, values in found.items()} | {"labels": classes}


MODELS: dict[str, Exact] = {
    "exact-gaussian": Exact(
        "A Gaussian for each shape",
        "The mean and covariance of each of the eight shapes and nothing else: within a class the denoiser is linear. "
        "What a network has learned beyond this is what it knows of the shape.",
        "shapes-2d",
        "exact_mixture",
        {"components": 8, "rank": 2},
        {"label": 6, "solver": "dpmpp_2m", "steps": 40, "guidance": 1.0, "samples": 1000},
        shape_gaussians,
    ),
    "exact-ring": Exact(
        "The ring of 8 Gaussians",
        "The very mixture that the ring's points are drawn from, a class for each mode. Compare it with 'shapes-2d' of "
        "the class '8 Gaussians': the difference is the network's error.",
        "ring-2d",
        "exact_mixture",
        {"components": 8},
        {"solver": "dpmpp_2m", "steps": 40, "grid": "karras", "guidance": 1.0, "samples": 1000},
        ring,
        shown=None,
    ),
    "exact-points": Exact(
        "Every shape, as 2,000 points",
        f"The optimal denoiser of a finite training set: a softmax over {POINTS:,} points a shape. Its samples are "
        "those points once more.",
        "shapes-2d",
        "exact_data",
        {"dataset": "shapes-2d", "size": POINTS, "seed": 0},
        {"label": 6, "solver": "dpmpp_2m", "steps": 40, "grid": "karras", "guidance": 1.0, "samples": 1000},
    ),
    "exact-digits": Exact(
        "The digits, memorised",
        "The optimal denoiser of the 1,438 training digits: what a network would do that minimised its loss on them to "
        "the end. Every sample is one of these pictures: that a trained network makes new ones is its error.",
        "digits",
        "exact_data",
        {"dataset": "digits"},
        {"label": "each", "solver": "dpmpp_2m", "steps": 30, "guidance": 1.0, "samples": 16},
    ),
    "exact-digits-gaussian": Exact(
        "A Gaussian for each digit",
        f"The mean and the {RANK} main axes of each digit's pictures, as the networks see them in training: within a "
        "class the denoiser is linear, a Wiener filter. At high noise a network needs to know no more.",
        "digits",
        "exact_mixture",
        {"components": 10, "rank": RANK},
        {"label": "each", "solver": "dpmpp_2m", "steps": 30, "guidance": 1.0, "samples": 16},
        digit_gaussians,
        "float16",
    ),
}


def write(name: str, folder: Path) -> Path:
    """Write the model of that name into a folder; returns its file.

    Raises:
        BadInput: the folder can't be written.
    """
    made = MODELS[name]
    source, weights = dataset(made.dataset), made.weights()
    card = Card(
        name=name,
        title=made.title,
        description=made.description,
        modality=source.modality,  # pyright: ignore[reportArgumentType] - pydantic checks it
        shape=source.shape,
        path=PathSpec(name="flow"),
        prediction="x0",
        network=made.network,
        network_args=made.network_args,
        labels=source.labels,
        data=TrainingData(dataset=source.name, title=source.title, licence=source.licence, credit=source.credit),
        step=0,
        licence="Apache-2.0",
        defaults=made.defaults,
    )
    as_held = {key: torch.from_numpy(np.asarray(value, made.dtype)) for key, value in weights.items()}
    file = folder / f"{name}.safetensors"
    picture = thumbnail.thumbnail(card, as_held, made.shown)
    save(file, card.model_copy(update={"thumbnail": picture}), weights, made.dtype)
    return file


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write all bundled exact models into FOLDER."""
    for name in MODELS:
        click.echo(write(name, folder))


if __name__ == "__main__":
    main()
