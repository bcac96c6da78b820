"""log p through the engine: closed forms, parts that change nothing, and a stop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from known_network import MEANS, STD, save_known

from diffstudio import data
from diffstudio.checkpoints import store
from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.diffusion import exact
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec
from diffstudio.studio.compute import scoring

CENTRES = np.array([[0.6, 0.3], [-0.6, -0.3], [0.0, 0.8]])
VARIANCES = np.array([0.09, 0.09, 0.16])
WEIGHTS = np.array([0.3, 0.3, 0.4])


@pytest.fixture
def mixture(folder):
    """An exact mixture of three round Gaussians, two of the class "pair", as a checkpoint; its density at σ."""
    card = Card(
        name="mixture", modality="points", shape=(2,), path=PathSpec(), prediction="x0", network="exact_mixture",
        network_args={"components": 3}, labels=("pair", "one"), data=TrainingData(dataset="shapes-2d"), step=0,
    )  # fmt: skip
    classes = np.array([0, 0, 1])
    weights = {"weights": WEIGHTS, "means": CENTRES, "floors": VARIANCES, "labels": classes}
    store.save(folder / "mixture.safetensors", card, weights, dtype="float32")

    def log_p(points, sigma, label=None):
        """Of x_0 + σ·ε."""
        chosen = np.full(3, True) if label is None else classes == label
        variance = VARIANCES + sigma**2
        away = np.square(points[:, None] - CENTRES).sum(2)
        parts = WEIGHTS / WEIGHTS[chosen].sum() * np.exp(-away / (2 * variance)) / (2 * math.pi * variance)
        return np.log(parts[:, chosen].sum(1))

    return log_p


@pytest.fixture
def judge(engine, request_of):
    """The rows of a likelihood and how many reports there were."""

    def judge(split="train", steps=60, probes=8, stop=lambda: False, **fields):
        found = list(engine.likelihood(request_of(source="data", **fields), split, steps, probes, stop))
        rows = [step.found for step in found if step.found is not None]
        return (rows[-1] if rows else None), found

    return judge


@pytest.mark.parametrize("label", [None, 0, 1])
def test_the_density_of_a_mixture_is_its_closed_form(engine, request_of, mixture, label):
    points = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32) * 0.7
    found = engine.log_density(request_of(model="mixture", label=label), points)
    assert (found.shape, found.dtype) == ((60,), np.float64)
    exact_p = np.exp(mixture(points, scoring.MAP_SIGMA, label))
    # For a map: right to a few per cent of the highest density.
    assert np.abs(np.exp(found) - exact_p).max() < 0.05 * exact_p.max()


@pytest.mark.parametrize("label", [None, 0, 1])
@pytest.mark.parametrize("split", ["train", "held-out"])
def test_the_likelihood_of_data_is_its_closed_form(judge, mixture, label, split, monkeypatch):
    rng = np.random.default_rng(1)
    points = {name: rng.normal(size=(6, 2)).astype(np.float32) * 0.6 for name in ("train", "held-out")}
    monkeypatch.setattr(data, "sample", lambda name, labels, seeds, split: (points[split], list(labels)))
    found, _ = judge(split, model="mixture", label=label, samples=6)
    expected = mixture(points[split], 1e-3, label)
    np.testing.assert_allclose(found.log_p, expected, atol=5e-4)
    np.testing.assert_allclose(found.bits_per_dim, -expected / (2 * math.log(2)), atol=5e-4)
    assert not found.standard_error.any()


def test_on_another_path_it_is_the_same_density(judge, mixture):
    own, _ = judge(model="mixture", label=0)
    other, _ = judge(model="mixture", label=0, path={"name": "vp_cosine"})
    np.testing.assert_allclose(own.log_p, other.log_p, atol=2e-3)


def test_the_data_are_those_of_the_seeds(judge, mixture):
    found, _ = judge(model="mixture", label=0, seed=30)
    x0, _ = data.sample("shapes-2d", [0] * 3, range(30, 33))
    np.testing.assert_allclose(found.log_p, mixture(x0, 1e-3, 0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("part", [1, 2, 5])
def test_parts_change_nothing_for_points(judge, mixture, monkeypatch, part):
    whole, once = judge(model="mixture", label="each", samples=5, steps=10)
    monkeypatch.setattr(scoring, "POINTS_PART", part)
    parted, found = judge(model="mixture", label="each", samples=5, steps=10)
    np.testing.assert_allclose(parted.log_p, whole.log_p, rtol=1e-4, atol=1e-4)
    count = -(-5 // part)
    assert len(once) == 10
    assert [(step.done, step.total) for step in found] == [(k + 1, 10 * count) for k in range(10 * count)]
    assert [len(step.found.log_p) for step in found if step.found] == [min(5, part * (k + 1)) for k in range(count)]


@pytest.fixture
def pictures(folder, tmp_path):
    """A Gaussian of pictures, and a file of five of them."""
    save_known(folder, "pictures", modality="image", shape=(1, 4, 4), data={"dataset": ""})
    x0 = MEANS[0] + STD * np.random.default_rng(2).normal(size=(5, 1, 4, 4))
    np.save(tmp_path / "five.npy", x0.astype(np.float32))
    return {"model": "pictures", "source": "file", "source_file": str(tmp_path / "five.npy"), "label": 0}


@pytest.mark.parametrize("part", [2, 16])
def test_pictures_are_judged_in_bits_of_their_grey_levels(engine, request_of, pictures, monkeypatch, part):
    monkeypatch.setattr(scoring, "PART", part)
    *_, last = engine.likelihood(request_of(**pictures, samples=5), "train", 60, 4)
    # Of an isotropic Gaussian every probe has the exact trace: vᵀ(c·1)v = c·D.
    assert last.found.standard_error.max() < 1e-3
    u = torch.stack([exact_noise(7 + i) for i in range(5)]).numpy()
    x0 = np.load(pictures["source_file"]) + u / 127.5
    away = np.square(x0 - MEANS[0]).reshape(5, -1).sum(1)
    log_p = -away / (2 * STD**2) - 8 * math.log(2 * math.pi * STD**2)
    np.testing.assert_allclose(last.found.log_p, log_p, rtol=2e-3)
    np.testing.assert_allclose(last.found.bits_per_dim, -log_p / (16 * math.log(2)) + math.log2(127.5), rtol=2e-3)


def exact_noise(seed):
    """The uniform noise of one grey level that the sample of that seed is given, in [−½, ½]."""
    from diffstudio.diffusion.likelihood import DEQUANTISE
    from diffstudio.diffusion.noise import SampleNoise

    return SampleNoise(seed, 1, (1, 4, 4), stream=DEQUANTISE).draw("uniform")[0] / math.sqrt(12)


def test_a_stop_keeps_the_parts_that_are_done(judge, mixture, monkeypatch):
    monkeypatch.setattr(scoring, "POINTS_PART", 2)
    seen = []

    def stop():
        seen.append(None)
        return len(seen) > 4 * 10 + 6  # calls of the first part, and some of the second's

    found, steps = judge(model="mixture", label=0, samples=5, steps=10, stop=stop)
    assert len(found.log_p) == 2
    assert len(steps) == 11
    assert len(seen) == 4 * 10 + 7


def test_without_data_there_is_nothing_to_judge(engine, request_of):
    with pytest.raises(BadInput, match=r"^there are no data to judge: start from a data sample or a file$"):
        list(engine.likelihood(request_of(source="noise", forward="off")))


def test_the_closed_form_here_is_that_of_the_exact_mixture(mixture):
    known = exact.isotropic(*(torch.tensor(rows) for rows in (WEIGHTS, CENTRES, np.sqrt(VARIANCES))))
    x = np.random.default_rng(4).normal(size=(9, 2))
    found = known.log_density(torch.tensor(x), Level(0.1, 1.0, 0.2))
    np.testing.assert_allclose(found, mixture(x, 0.2), rtol=1e-9)
