"""One step over tokens, against Bayes' rule with the matrices of the process."""

from __future__ import annotations

import pytest
import torch

from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.diffusion.tokens import (
    BEST,
    TokenStep,
    ancestral,
    beliefs,
    drawn,
    embedding_denoiser,
    surest_first,
    tempered,
    token_denoiser,
    uniform_posterior,
)
from diffstudio.specs import PathSpec

PATH = make_path(PathSpec())
V = 5


def at(t):
    return level(PATH, t)


def chances(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(1)


def transition(a_from, a_to):
    """q(row | column) of the uniform process, from the share kept a_from to a_to."""
    r = a_to / a_from
    return r * torch.eye(V, dtype=torch.float64) + (1 - r) / V


@pytest.mark.parametrize(("t", "to"), [(0.9, 0.4), (0.5, 0.49), (0.3, 0.0), (1.0, 0.2)])
def test_the_uniform_posterior_is_bayes_rule_over_every_x0(t, to):
    found, x = chances(2, V, 3), torch.tensor([[[0.0, 4, 2]], [[1, 1, 3]]])
    now, later = at(t), at(to)
    direct, first = transition(1.0, now.a), transition(1.0, later.a)
    between = transition(later.a, now.a)
    expected = torch.zeros_like(found)
    for b in range(2):
        for cell in range(3):
            seen = int(x[b, 0, cell])
            for x0 in range(V):
                posterior = between[seen] * first[:, x0] / direct[seen, x0]
                expected[b, :, cell] += found[b, x0, cell] * posterior
    assert torch.allclose(uniform_posterior(x, found, now, later), expected, atol=1e-12)
    assert torch.allclose(expected.sum(1), torch.ones(2, 3, dtype=torch.float64))


def test_a_token_is_drawn_by_the_inverse_of_the_cumulative_sum():
    found = torch.tensor([0.2, 0.0, 0.5, 0.3, 0.0], dtype=torch.float64).view(1, V, 1).expand(1, V, 1000)
    u = ((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000).view(1, 1, 1000)
    counts = torch.bincount(drawn(found, u).long().flatten(), minlength=V)
    assert counts.tolist() == [200, 0, 500, 300, 0]
    edge = torch.tensor([[[0.0, 0.2, 0.7, 1 - 2**-53]]], dtype=torch.float64)
    assert drawn(found[:, :, :4], edge).flatten().tolist() == [0, 2, 3, 3]  # never one that can't be


def test_a_temperature_is_a_power_of_the_chances():
    found = chances(2, V, 3)
    assert torch.allclose(tempered(found, 0.5), found**2 / (found**2).sum(1, keepdim=True))
    assert tempered(found, 1.0) is found


def test_beliefs_are_the_best_guesses_and_the_entropy_in_bits():
    found = torch.full((1, 8, 1), 1 / 8, dtype=torch.float64)
    assert beliefs(found)["entropy"].item() == pytest.approx(3)
    sure = torch.zeros(1, 8, 1, dtype=torch.float64)
    sure[0, 6] = 1
    told = beliefs(sure)
    assert told["entropy"].item() == 0
    assert (told["guesses"][0, 0, 0].item(), told["odds"][0, :, 0].tolist()) == (6, [1, 0, 0, 0, 0])
    assert told["guesses"].shape == (1, BEST, 1)


def test_a_masked_text_keeps_what_it_shows_and_guesses_no_mask():
    logits = torch.randn(2, V, 3)
    denoise = token_denoiser(lambda x, t, labels: logits, V, "masked", torch.device("cpu"))
    x = torch.tensor([[[V, 2.0, V]], [[0, V, 1]]])
    found = denoise(x, at(0.5), None)
    chances = found.extras["probabilities"]
    assert chances.shape == (2, V, 3)
    assert chances[0, :, 1].tolist() == [0, 0, 1, 0, 0]
    assert torch.allclose(chances[0, :, 0], logits[0, :, 0].double().softmax(0))
    assert found.x0_hat[1, 0, [0, 2]].tolist() == [0, 1]
    assert found.x0_hat[0, 0, 0] == logits[0, :, 0].argmax()


def test_a_random_letter_is_not_trusted():
    logits = torch.zeros(1, V, 1)
    denoise = token_denoiser(lambda x, t, labels: logits, V, "uniform", torch.device("cpu"))
    assert denoise(torch.tensor([[[2.0]]]), at(0.5), None).extras["probabilities"].flatten().tolist() == [1 / V] * V


def test_x0_of_embeddings_is_the_mean_of_the_vectors():
    table = torch.randn(V, 7)
    logits = torch.randn(2, V, 3)
    found = embedding_denoiser(lambda x, t, labels: logits, table)(torch.randn(2, 7, 3), at(0.5), None)
    assert torch.allclose(found.x0_hat, torch.einsum("bvl,vc->bcl", logits.softmax(1), table), atol=1e-5)
    assert found.extras["guesses"][:, :1].equal(logits.argmax(1, keepdim=True).float())


def step(x, found, now, later, draw, cells=0.0):
    """A step of the masked process."""
    return TokenStep(x, found, now, later, draw, "masked", torch.full((len(x), 1, 1), float(cells)).double())


def uniform_numbers(*values):
    given = iter(values)
    return lambda: next(given)


def test_ancestral_steps_reveal_the_share_that_the_schedule_says():
    generator = torch.Generator().manual_seed(3)
    x = torch.full((64, 1, 500), float(V))
    draw = lambda: torch.rand(x.shape, generator=generator)  # noqa: E731
    after = ancestral(step(x, chances(64, V, 500), at(0.8), at(0.6), draw))
    revealed = (after != V).double().mean().item()
    assert revealed == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / 32_000) ** 0.5)
    last = ancestral(step(x, chances(64, V, 500), at(0.1), at(0.0), draw))
    assert (last < V).all()


def test_an_ancestral_step_leaves_revealed_cells_alone():
    x = torch.tensor([[[1.0, V, 3]]])
    half = torch.full((1, 1, 3), 0.0)
    after = ancestral(step(x, chances(1, V, 3), at(0.5), at(0.4), uniform_numbers(half, half)))
    assert after[0, 0, [0, 2]].tolist() == [1, 3]


def test_the_surest_cells_are_revealed_first_and_as_many_as_the_schedule_says():
    found = torch.full((1, V, 10), 0.1, dtype=torch.float64)
    best = torch.linspace(0.3, 0.9, 10, dtype=torch.float64)
    found[0] = (1 - best) / (V - 1)
    found[0, 2] = best
    x = torch.full((1, 1, 10), float(V))
    u = torch.full((1, 1, 10), 0.5, dtype=torch.float64)  # draws token 2 where its share is the middle
    after = surest_first(step(x, found, at(0.5), at(0.3), uniform_numbers(u, u), cells=20), randomness=0.0)
    assert int((after != V).sum()) == 4
    sure = found.gather(1, drawn(found, u).long())
    assert set(torch.nonzero(after[0, 0] != V).flatten().tolist()) == set(
        sure[0, 0].argsort(descending=True)[:4].tolist()
    )
    again = surest_first(step(after, found, at(0.3), at(0.0), uniform_numbers(u, u), cells=20))
    assert (again < V).all()
    assert again[0, 0][after[0, 0] != V].equal(after[0, 0][after[0, 0] != V])


def test_randomness_changes_the_order_alone():
    found = chances(1, V, 40)
    x = torch.full((1, 1, 40), float(V))
    u, noise = torch.rand(1, 1, 40, dtype=torch.float64), torch.rand(1, 1, 40, dtype=torch.float64)
    plain, loose = (
        surest_first(step(x, found, at(0.5), at(0.25), uniform_numbers(u, noise), cells=80), randomness=weight)
        for weight in (0.0, 10.0)
    )
    assert (plain != V).sum() == (loose != V).sum() == 20
    assert not ((plain != V).equal(loose != V))
    both = (plain != V) & (loose != V)
    assert plain[both].equal(loose[both])


def test_the_randomness_of_the_order_fades_as_the_text_fills():
    """As s falls the chances decide: the same noise that turns the order at 0.9 leaves it at 0.01."""
    best = torch.linspace(0.3, 0.9, 10, dtype=torch.float64)
    found = ((1 - best) / (V - 1)).expand(1, V, 10).clone()
    found[0, 2] = best
    x, u = torch.full((1, 1, 10), float(V)), torch.full((1, 1, 10), 0.5, dtype=torch.float64)
    noise = torch.linspace(0.95, 0.05, 10, dtype=torch.float64)[None, None]  # the least sure first

    def shown(s, randomness):
        given = step(x, found, at(s), at(s / 2), uniform_numbers(u, noise), cells=10 / s)
        return surest_first(given, randomness=randomness) != V

    assert shown(0.01, 1.0).equal(shown(0.01, 0.0))
    assert not shown(0.9, 1.0).equal(shown(0.9, 0.0))
