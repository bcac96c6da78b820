"""What every network promises: (x, t, labels) to a prediction shaped as x, each sample for itself."""

from __future__ import annotations

import pytest
import torch

KINDS = [
    ("mlp", (2,)),
    ("mlp", (3,)),
    ("unet", (1, 28, 28)),
    ("unet", (3, 32, 32)),
    ("unet", (2, 8, 20)),
]
IDS = ["mlp-2", "mlp-3", "unet-digits", "unet-colour", "unet-oblong"]
CLIPS = [("video_unet", (4, 3, 8, 8)), ("video_transformer", (4, 3, 6, 9))]
ALL, ALL_IDS = [*KINDS, *CLIPS], [*IDS, "video-unet", "video-transformer"]


@pytest.fixture(params=ALL, ids=ALL_IDS)
def network(request, make_network):
    kind, shape = request.param
    made = make_network(kind, shape)
    made.sample_shape = shape
    return made


def inputs(network, batch=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, *network.sample_shape, generator=generator, dtype=torch.float64)
    t = torch.rand(batch, generator=generator, dtype=torch.float64)
    return x, t, torch.arange(batch) % 3


def test_the_prediction_has_the_shape_of_the_state(network):
    x, t, labels = inputs(network)
    out = network(x, t, labels)
    assert out.shape == x.shape
    assert torch.isfinite(out).all()
    assert network(x[:1], t[:1], labels[:1]).shape == x[:1].shape


@pytest.mark.parametrize(("kind", "shape"), KINDS, ids=IDS)
def test_with_two_outputs_it_has_twice_the_channels(kind, shape, make_network):
    network = make_network(kind, shape, outputs=2)
    network.sample_shape = shape
    out = network(*inputs(network))
    assert out.shape == (4, 2 * shape[0], *shape[1:])
    first, second = out.chunk(2, dim=1)
    assert not torch.allclose(first, second, atol=1e-3)


def test_a_sample_does_not_see_the_rest_of_its_batch(network):
    x, t, labels = inputs(network)
    out = network(x, t, labels)
    for i in range(len(x)):
        torch.testing.assert_close(network(x[i : i + 1], t[i : i + 1], labels[i : i + 1])[0], out[i])
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(network(x[order], t[order], labels[order]), out[order])


def test_the_prediction_depends_on_state_time_and_label(network):
    x, t, labels = inputs(network)
    out = network(x, t, labels)
    changes = {"state": (x + 0.1, t, labels), "time": (x, t * 0.9, labels), "label": (x, t, (labels + 1) % 3)}
    for what, changed in changes.items():
        difference = (network(*changed) - out).flatten(1).abs().amax(dim=1)
        assert (difference > 1e-4).all(), what


def test_no_label_means_any_and_any_is_none_of_the_classes(network):
    x, t, _ = inputs(network)
    any_label = network(x, t, torch.full((4,), 3))
    assert torch.equal(network(x, t, None), any_label)
    for label in range(3):
        assert not torch.allclose(network(x, t, torch.full((4,), label)), any_label, atol=1e-4)


def test_a_label_beyond_any_is_an_error(network):
    x, t, _ = inputs(network)
    with pytest.raises(IndexError):
        network(x, t, torch.full((4,), 4))


def test_every_weight_is_used(network):
    """Each weight but those of labels not asked for has a gradient: none is left over, none is cut off."""
    network.requires_grad_(True)
    x, t, _ = inputs(network)
    network(x, t, torch.tensor([0, 1, 2, 3])).square().sum().backward()
    dead = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert dead == []


@pytest.mark.parametrize(("kind", "shape"), ALL, ids=ALL_IDS)
def test_without_classes_there_is_no_label_to_learn(kind, shape, make_network):
    network = make_network(kind, shape, labels=0)
    network.sample_shape = shape
    x, t, labels = inputs(network)
    assert not any("label" in name for name, _ in network.named_parameters())
    assert torch.equal(network(x, t, None), network(x, t, labels))
