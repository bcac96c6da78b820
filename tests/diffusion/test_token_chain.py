"""Chains over tokens: their marginals in closed form, and reverse chains of a distribution that is known."""

from __future__ import annotations

import itertools

import pytest
import torch

from diffstudio.diffusion import token_chain
from diffstudio.diffusion.denoiser import Estimate
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels
from diffstudio.diffusion.token_chain import Fixed, forward_fixed, forward_markov, prior, reverse
from diffstudio.diffusion.tokens import one_hot
from diffstudio.specs import PathSpec, TextSpec

PATH = make_path(PathSpec())
V = 3
LENGTH = 2
JOINT = torch.tensor([[0.30, 0.02, 0.08], [0.05, 0.25, 0.00], [0.00, 0.10, 0.20]], dtype=torch.float64)


def text(process):
    return TextSpec(vocabulary=("a", "b", "c"), process=process)


def process(name, samples, length=LENGTH, seed=0, stream=0):
    return token_chain.process(text(name), seed, samples, (1, length), stream)


def known(name):
    """The exact p(x_0 | x_t) of each cell, when pairs of letters are JOINT."""

    def denoise(x, at, cond):
        if name == "masked":
            likely = torch.where(x == V, 1.0, one_hot(x, V + 1)[:, :V]).double()
        else:
            likely = at.a * one_hot(x, V) + at.s / V
        weights = JOINT * likely[:, :, 0, None] * likely[:, None, :, 1]
        weights = weights / weights.sum((1, 2), keepdim=True)
        found = torch.stack([weights.sum(2), weights.sum(1)], 2)
        return Estimate(found.argmax(1, keepdim=True).float(), {"probabilities": found})

    return denoise


def up(steps):
    return levels(PATH, steps)[::-1]


@pytest.mark.parametrize("chain", [forward_fixed, forward_markov])
@pytest.mark.parametrize("name", ["masked", "uniform"])
def test_forward_chains_lose_the_share_that_the_path_says(chain, name):
    x0 = torch.zeros(200, 1, 100)
    for step in chain(x0, up(10), process(name, 200, 100)):
        changed = (step.xt != x0).double().mean().item()
        expected = step.level.s * (1 if name == "masked" else (V - 1) / V)
        assert changed == pytest.approx(expected, abs=5 * (0.25 / 20_000) ** 0.5), step.index
        assert step.x0_hat is x0
        assert step.chain == "forward"


@pytest.mark.parametrize("chain", [forward_fixed, forward_markov])
def test_a_mask_is_never_lifted_on_the_way_to_the_noise(chain):
    states = [step.xt for step in chain(torch.ones(8, 1, 50), up(12), process("masked", 8, 50))]
    for before, after in itertools.pairwise(states):
        assert (after[before == V] == V).all()
    assert (states[-1] == V).all()


def test_the_prior_is_masks_or_every_token_alike():
    assert (prior(process("masked", 4, 9), 4, 9) == V).all()
    found = prior(process("uniform", 300, 100), 300, 100)
    assert found.shape == (300, 1, 100)
    shares = torch.bincount(found.long().flatten(), minlength=V) / found.numel()
    assert torch.allclose(shares, torch.full((V,), 1 / V), atol=0.02)


@pytest.mark.parametrize(("name", "steps", "tolerance"), [("masked", 48, 0.02), ("uniform", 96, 0.02)])
def test_the_reverse_chain_of_the_exact_posterior_gives_the_distribution(name, steps, tolerance):
    samples = 6000
    own = process(name, samples)
    *_, last = reverse(known(name), own, levels(PATH, steps), prior(own, samples, LENGTH))
    pairs = last.xt[:, 0].long()
    found = torch.zeros(V, V, dtype=torch.float64)
    found.index_put_((pairs[:, 0], pairs[:, 1]), torch.ones(samples, dtype=torch.float64), accumulate=True)
    assert (found / samples - JOINT).abs().max() < tolerance


@pytest.mark.parametrize(
    ("name", "solver"), [("masked", "tokens_ancestral"), ("masked", "tokens_surest"), ("uniform", "tokens_ancestral")]
)
def test_a_sample_is_the_same_alone_and_in_a_batch(name, solver):
    def run(seed, samples):
        own = process(name, samples, seed=seed)
        return [
            step.xt for step in reverse(known(name), own, levels(PATH, 7), prior(own, samples, LENGTH), solver=solver)
        ]

    for batch, alone in zip(run(0, 5), run(3, 1), strict=True):
        assert batch[3:4].equal(alone)


def test_what_is_fixed_stays_at_every_step():
    fixed = Fixed(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[False, True]]]))
    for name in ("masked", "uniform"):
        own = process(name, 500)
        steps = list(reverse(known(name), own, levels(PATH, 32), prior(own, 500, LENGTH), fixed=fixed))
        assert all((step.xt[:, 0, 1] == 1).all() for step in steps)
        first = torch.bincount(steps[-1].xt[:, 0, 0].long(), minlength=V) / 500
        expected = JOINT[:, 1] / JOINT[:, 1].sum()
        if name == "masked":  # exact: the other cell is seen from the first step on
            assert torch.allclose(first.double(), expected, atol=0.1)


def test_the_network_is_asked_again_only_when_the_text_has_changed():
    asked = []

    def denoise(x, at, cond):
        asked.append(x.clone())
        return known("masked")(x, at, cond)

    own = process("masked", 1)
    steps = list(reverse(denoise, own, levels(PATH, 40), prior(own, 1, LENGTH)))
    assert len(asked) == steps[-1].nfe <= LENGTH + 1
    assert len(steps) == 41
    asked.clear()
    own = process("uniform", 1)
    *_, last = reverse(known("uniform"), own, levels(PATH, 40), prior(own, 1, LENGTH))
    assert last.nfe == 40  # a network that has a clock answers anew


def test_every_cell_tells_the_step_that_set_it():
    own = process("masked", 20)
    fixed = Fixed(torch.tensor([[[2.0, 0.0]]]), torch.tensor([[[True, False]]]))
    steps = list(reverse(known("masked"), own, levels(PATH, 10), prior(own, 20, LENGTH), fixed=fixed))
    for step in steps:
        told = step.extras["revealed"]
        assert (told[:, 0, 0] == 0).all()
        assert ((told == -1) == (step.xt == V)).all()
        assert (told <= step.index).all()
    final = steps[-1].extras["revealed"][:, 0, 1].long()
    for sample, k in enumerate(final.tolist()):
        assert steps[k].xt[sample, 0, 1] < V
        assert steps[k - 1].xt[sample, 0, 1] == V


def masked_shares(steps, length, randomness, fixed=None, start=1.0):
    """(of the free cells masked, s) at every level of a chain of the surest letters first."""
    own = process("masked", 6, length)
    chances = torch.rand(6, V, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64).softmax(1)
    grid = levels(PATH, steps, t_start=start)
    x = prior(own, 6, length, fixed)
    if start < 1:
        x = torch.where(torch.arange(length) < round(start * length), x, torch.zeros_like(x))
    chain = reverse(
        lambda x, at, cond: Estimate(x, {"probabilities": chances}), own, grid, x,
        solver="tokens_surest", params={"randomness": randomness}, fixed=fixed,
    )  # fmt: skip
    free = length if fixed is None else int((~fixed.where).sum())
    return [((step.xt == V).sum(2).double() / free, step.level.s) for step in chain], free


@pytest.mark.parametrize("randomness", [0.0, 0.5, 10.0])
@pytest.mark.parametrize(("steps", "length"), [(200, 64), (7, 64), (500, 5), (3, 40), (64, 64)])
def test_the_surest_letters_are_revealed_evenly_in_any_number_of_steps(steps, length, randomness):
    """Rounded step by step, nothing was revealed while fewer than half a letter was due."""
    shares, _ = masked_shares(steps, length, randomness)
    for share, s in shares:
        assert (share - s).abs().max() <= 0.5 / length + 1e-12


def test_what_is_not_free_does_not_hold_the_letters_back():
    """A prompt that fixes half of the cells, and a start from data that are noised to 0.6 alone."""
    where = (torch.arange(40) % 2 == 0)[None, None]
    fixed = Fixed(torch.zeros(1, 1, 40), where)
    for shares, free in (masked_shares(100, 40, 0.5, fixed), masked_shares(100, 40, 0.5, start=0.6)):
        for share, s in shares:
            assert (share - s).abs().max() <= 0.5 / free + 1e-12
