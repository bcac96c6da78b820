"""The transformer of texts: each cell knows its neighbours by their distance, and each text is on its own."""

from __future__ import annotations

import pytest
import torch

from diffstudio.networks.transformer import Transformer

V, L = 5, 12


@pytest.fixture(params=[0, 3], ids=["attention", "near"])
def network(request):
    torch.manual_seed(0)
    made = Transformer((1, L), vocabulary=V, width=16, depth=2, heads=2, near=request.param)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return made.double().requires_grad_(False)


def texts(batch=3):
    return torch.randint(0, V + 1, (batch, 1, L), generator=torch.Generator().manual_seed(1)).double()


def test_each_cell_has_a_logit_for_each_token(network):
    out = network(texts(), torch.zeros(3))
    assert out.shape == (3, V, L)
    assert torch.isfinite(out).all()


def test_a_text_does_not_see_the_rest_of_its_batch(network):
    x = texts()
    together = network(x, torch.zeros(3))
    for i in range(3):
        torch.testing.assert_close(network(x[i : i + 1], torch.zeros(1))[0], together[i])


def test_every_cell_counts_for_every_other(network):
    x = texts(1)
    before = network(x, torch.zeros(1))
    x[0, 0, 0] = (x[0, 0, 0] + 1) % V
    assert ((network(x, torch.zeros(1)) - before).abs().amax(1)[0] > 1e-6).all()


def test_what_is_near_is_a_convolution_of_each_channel_with_nothing_beyond_the_ends():
    torch.manual_seed(0)
    block = Transformer((1, L), vocabulary=V, width=8, depth=1, heads=2, near=3).blocks[0]
    torch.nn.init.normal_(block.near.weight)
    h = torch.randn(2, L, 8)
    turns = torch.ones(L, 2), torch.zeros(L, 2)
    found = block(h, turns)  # attention and MLP begin as nothing
    left, here, right = block.near.weight[:, 0, 0].T
    beyond = torch.zeros(2, 1, 8)
    before, after = torch.cat([beyond, h[:, :-1]], 1), torch.cat([h[:, 1:], beyond], 1)
    torch.testing.assert_close(found, h + left * before + here * h + right * after)


def test_it_begins_as_the_identity_of_each_block():
    network = Transformer((1, L), vocabulary=V, width=8, depth=2, heads=2, near=5)
    h = torch.randn(1, L, 8)
    turns = torch.ones(L, 2), torch.zeros(L, 2)
    for block in network.blocks:
        torch.testing.assert_close(block(h, turns), h)


@pytest.mark.parametrize("near", [-1, 2, 67])
def test_an_even_or_absurd_neighbourhood_is_refused(near):
    with pytest.raises(ValueError, match=f"near is {near}, expected an odd number up to 65, or 0 for none"):
        Transformer((1, L), vocabulary=V, width=8, depth=1, heads=2, near=near)
