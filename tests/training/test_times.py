"""The times of a training batch: one from each equal share of the law, checked by undoing the law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from diffstudio.diffusion.paths import make_path
from diffstudio.specs import PathSpec
from diffstudio.training.objectives import draw_times
from diffstudio.training.recipe import Schedule

B = 512


def draw(law, path="flow", batch=B, seed=0, **params):
    plan = Schedule(steps=1, batch=batch, times=law)
    return draw_times(make_path(PathSpec(name=path, params=params)), plan, np.random.default_rng(seed))


def uniform_again(t, law):
    """The distribution function of the law: uniform, or Φ(logit t)."""
    return t if law == "uniform" else special.ndtr(special.logit(t))


LAWS = pytest.mark.parametrize("law", ["uniform", "logit-normal"])


@LAWS
@pytest.mark.parametrize("path", ["flow", "vp_cosine", "ve"])
def test_each_equal_share_of_the_law_is_drawn_once(law, path):
    shares = np.floor(uniform_again(draw(law, path), law) * B).astype(int)
    np.testing.assert_array_equal(np.sort(shares), np.arange(B))


@LAWS
def test_within_its_share_a_time_is_random(law):
    within = np.concatenate([uniform_again(draw(law, seed=s), law) * B % 1 for s in range(8)])
    counts = np.histogram(within, bins=8, range=(0, 1))[0]
    assert np.abs(counts - 512).max() < 5 * np.sqrt(512)


@LAWS
def test_times_come_in_random_order(law):
    """Labels are drawn beside them: sorted times would tie a time to a place in the batch."""
    t = draw(law)
    assert abs(np.corrcoef(t, np.arange(B))[0, 1]) < 0.15
    assert not np.array_equal(np.argsort(t), np.argsort(draw(law, seed=1)))


@LAWS
def test_times_stay_within_the_path(law):
    for seed in range(20):
        t = draw(law, batch=4096, seed=seed)
        assert t.min() >= 1e-5
        assert t.max() <= 1


def test_the_middle_is_drawn_more_often_by_the_logit_normal_law():
    """P(1/4 < t < 3/4) = 2Φ(log 3) − 1 = 0.728."""
    t = draw("logit-normal", batch=4096)
    assert np.mean((t > 0.25) & (t < 0.75)) == pytest.approx(2 * special.ndtr(np.log(3)) - 1, abs=2 / 4096)


def test_a_table_is_trained_at_each_of_its_steps_equally_often():
    steps = draw("uniform", "vp_linear", batch=3000) * 1000
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    np.testing.assert_array_equal(np.sort(np.round(steps).astype(int)), np.repeat(np.arange(1, 1001), 3))


def test_the_law_holds_on_a_table_too():
    """Step k of n stands for (k − 1)/n < t ≤ k/n."""
    steps = np.round(draw("logit-normal", "mixing", batch=4000, n=4) * 4).astype(int)
    shares = np.diff(special.ndtr(special.logit([0, 0.25, 0.5, 0.75, 1])))
    np.testing.assert_allclose(np.bincount(steps, minlength=5)[1:] / 4000, shares, atol=2 / 4000)
