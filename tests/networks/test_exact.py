"""Exact distributions in the place of a network: loaded from small files made here, refused where they are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffstudio import data
from diffstudio.checkpoints import store
from diffstudio.data.finite import finite_part
from diffstudio.diffusion.denoiser import estimate
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadFile
from diffstudio.networks import build
from diffstudio.networks.exact import ExactData, ExactMixture
from diffstudio.networks.model import load_file

AT = Level(0.4, 0.6, 0.4)
WEIGHTS = {
    "weights": np.array([0.25, 0.5, 0.25]),
    "means": np.array([[0.0, 0.5], [-1.0, 0.0], [1.0, -0.5]]),
    "floors": np.array([0.0625, 0.125, 0.25]),
    "factors": np.array([[[0.5], [0.25]], [[0.0], [0.5]], [[0.25], [-0.5]]]),
    "labels": np.array([0, 1, 2]),
}


@pytest.fixture
def save_mixture(tmp_path, make_card):
    """Write three Gaussians of the classes a, b and c, with changes."""

    def write(**changes):
        card = make_card("exact_mixture", args={"components": 3, "rank": 1}, prediction="x0")
        file = tmp_path / "known.safetensors"
        store.save(file, card, WEIGHTS | changes)
        return file

    return write


def test_the_denoiser_of_a_mixture_is_that_of_its_gaussians(save_mixture):
    loaded = load_file(save_mixture())
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    each = []
    for k in range(3):
        factor, mean = torch.tensor(WEIGHTS["factors"][k]), torch.tensor(WEIGHTS["means"][k])
        covariance = factor @ factor.T + WEIGHTS["floors"][k] * torch.eye(2).double()
        spread = AT.a**2 * covariance + AT.s**2 * torch.eye(2).double()
        x0_hat = mean + (x.double() - AT.a * mean) @ (AT.a * covariance @ torch.linalg.inv(spread)).T
        law = torch.distributions.MultivariateNormal(AT.a * mean, spread)
        each.append((x0_hat, WEIGHTS["weights"][k] * law.log_prob(x.double()).exp()))
        found = loaded.denoiser(x, AT, loaded.labels(k, 4))
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), x0_hat, rtol=1e-5, atol=1e-6)
    total = sum(p for _, p in each)
    expected = sum(p[:, None] * x0_hat for x0_hat, p in each) / total[:, None]
    for cond in (None, loaded.labels(None, 4)):
        torch.testing.assert_close(loaded.denoiser(x, AT, cond).double(), expected, rtol=1e-5, atol=1e-6)


def test_an_exact_model_is_guided_as_any_other(save_mixture):
    loaded = load_file(save_mixture())
    x, cond = torch.ones(2, 2), loaded.labels(1, 2)
    free, chosen = (loaded.denoiser(x, AT, label) for label in (loaded.labels(None, 2), cond))
    found = estimate(loaded.guided(3.0)(x, AT, cond)).x0_hat
    torch.testing.assert_close(found, free + 3 * (chosen - free), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"weights": np.array([0.5, 0.0, 0.5])}, "must be above 0"),
        ({"weights": np.array([0.5, -0.5, 0.5])}, "must be above 0"),
        ({"floors": np.array([0.1, 0.0, 0.1])}, "must be above 0"),
        ({"labels": np.array([0, 1, 1])}, "every class from 0 to 2"),
        ({"labels": np.array([0, 1, 3])}, "every class from 0 to 2"),
        ({"means": np.zeros((3, 3))}, r"tensor 'means' has shape \(3, 3\), expected \(3, 2\)"),
    ],
)
def test_gaussians_that_are_none_are_refused_with_their_file(change, reason, save_mixture):
    with pytest.raises(BadFile, match=rf"known\.safetensors: .*{reason}"):
        load_file(save_mixture(**change))


def test_data_need_no_weights_and_give_their_own_points_back(tmp_path, make_card):
    source = data.dataset("shapes-2d")
    args = {"dataset": "shapes-2d", "size": 50, "seed": 3}
    card = make_card("exact_data", labels=source.labels, args=args, prediction="x0")
    file = tmp_path / "points.safetensors"
    assert store.save(file, card, {}).parameters == 0
    loaded = load_file(file)
    points, labels = finite_part(source, 50, 3)
    cond = torch.arange(8)
    found = loaded.denoiser(torch.randn(8, 2), Level(1e-3, 1.0, 1e-3), cond)
    for label in range(8):
        assert np.isclose(found[label], points[labels == label]).all(1).any()


def test_a_finite_part_of_a_formula_is_drawn_with_its_seed():
    source = data.dataset("shapes-2d")
    points, labels = finite_part(source, 20, 0)
    assert np.bincount(labels).tolist() == [20] * 8
    assert np.array_equal(points, finite_part(source, 20, 0)[0])
    assert not np.array_equal(points, finite_part(source, 20, 1)[0])
    assert points[labels == 0].min() >= 0  # the unit square
    assert points[labels == 0].max() <= 1


def test_a_finite_part_of_a_finite_set_has_nothing_twice():
    source = data.dataset("digits")
    every, known = finite_part(source, 0, 0)
    assert len(every) == 1438
    part, labels = finite_part(source, 30, 0)
    assert np.bincount(labels).tolist() == [30] * 10
    assert len(np.unique(part.reshape(300, -1), axis=0)) == len(np.unique(every.reshape(1438, -1), axis=0)) - 1138
    of_part = {row.tobytes() for row in part[labels == 4]}
    assert of_part <= {row.tobytes() for row in every[known == 4]}


@pytest.mark.parametrize(
    ("kind", "args", "reason"),
    [
        ("exact_mixture", {}, "components"),
        ("exact_mixture", {"components": 0}, "components is 0"),
        ("exact_mixture", {"components": 5000}, "components is 5000"),
        ("exact_mixture", {"components": 2, "rank": 3}, "rank is 3, expected .* 1 to 2"),
        ("exact_mixture", {"components": 2, "rank": -1}, "rank is -1"),
        ("exact_data", {"dataset": "cats"}, "dataset is 'cats', expected one of digits"),
        ("exact_data", {"dataset": 3}, "dataset is 3"),
        ("exact_data", {"dataset": "digits"}, r"expected \(1, 28, 28\) with 10 as 'digits' has"),
        ("exact_data", {"dataset": "ring-2d"}, "size is 0"),
        ("exact_data", {"dataset": "ring-2d", "size": 10**5}, "network_args.size is 100000|size is 100000"),
        ("exact_data", {"dataset": "ring-2d", "size": 2.5}, "size is 2.5"),
        ("exact_data", {"dataset": "ring-2d", "size": 5, "seed": -1}, "seed is -1"),
    ],
    ids=str,
)
def test_absurd_arguments_are_refused_with_the_argument_and_the_file(kind, args, reason, make_card):
    card = make_card(labels=tuple("abcdefgh")).model_copy(update={"network": kind, "network_args": args})
    with pytest.raises(BadFile, match=f"^evil: network_args .*{reason}"):
        build(card, "evil")


def test_what_is_built_takes_no_memory(make_card):
    built = build(make_card("exact_mixture", args={"components": 4, "rank": 2}))
    assert {w.device.type for w in built.state_dict().values()} == {"meta"}
    assert isinstance(built, ExactMixture)
    with pytest.raises(BadFile, match="parameters"):
        build(make_card("exact_mixture", (1, 4096, 64), args={"components": 4096, "rank": 1024}))
    assert not ExactData((2,), 8, "ring-2d", 5).state_dict()
