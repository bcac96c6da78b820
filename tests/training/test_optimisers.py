"""The optimisers of a plan: which weights each of them changes, and how far."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from diffstudio.errors import BadInput
from diffstudio.networks.transformer import Transformer
from diffstudio.training.optimisers import Optimisers, inner_matrices
from diffstudio.training.recipe import Schedule


def network():
    torch.manual_seed(0)
    return Transformer((1, 6), vocabulary=4, width=8, depth=2, heads=2, near=3)


def with_gradients(net):
    for weight in net.parameters():
        weight.grad = torch.randn_like(weight)
    return {name: weight.detach().clone() for name, weight in net.named_parameters()}


def test_matrices_inside_are_those_of_the_blocks():
    net = network()
    inside = {id(weight) for weight in inner_matrices(net)}
    names = {name for name, weight in net.named_parameters() if id(weight) in inside}
    assert names == {f"blocks.{i}.{part}.weight" for i in (0, 1) for part in ("qkv", "mixed", "up", "down")}


def test_muon_without_blocks_is_refused():
    with pytest.raises(BadInput, match="'muon', which is for the matrices of blocks"):
        Optimisers(nn.Linear(3, 2), Schedule(steps=1, optimizer="muon"))


def test_adamw_alone_takes_its_first_step_of_lr_along_the_sign():
    net = nn.Linear(3, 2)
    before = with_gradients(net)
    Optimisers(net, Schedule(steps=1, lr=0.1)).step(0.5)
    torch.testing.assert_close(net.weight, before["weight"] - 0.05 * net.weight.grad.sign(), atol=1e-6, rtol=0)


def test_muon_moves_a_matrix_by_one_of_equal_singular_values_and_the_rest_by_adamw():
    net = network()
    before = with_gradients(net)
    Optimisers(net, Schedule(steps=1, lr=0.1, optimizer="muon", matrix_lr=0.02)).step(1.0)
    weights = dict(net.named_parameters())
    name = "blocks.0.mixed.weight"
    change = (weights[name] - before[name] * (1 - 0.02 * 0.01)) / 0.02
    values = torch.linalg.svdvals(change.detach())
    assert 0.5 < values.min() <= values.max() < 1.5  # five Newton-Schulz steps reach one only roughly
    u, _, v = torch.linalg.svd(weights[name].grad)
    aligned = torch.diagonal(u.mT @ -change.detach() @ v.mT)
    assert (aligned > 0.5).all()
    out = weights["out.weight"]
    torch.testing.assert_close(out, before["out.weight"] - 0.1 * out.grad.sign(), atol=1e-5, rtol=0)


def test_gradients_are_forgotten_by_all():
    net = network()
    with_gradients(net)
    Optimisers(net, Schedule(steps=1, optimizer="muon")).zero_grad()
    assert all(weight.grad is None for weight in net.parameters())
