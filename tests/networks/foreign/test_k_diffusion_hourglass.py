"""The hourglass transformer: what it promises, and its parts against other ways to compute them."""

from __future__ import annotations

import pytest
import torch

from diffstudio.errors import BadFile
from diffstudio.networks import build
from diffstudio.networks.foreign.k_diffusion_hourglass import (
    Attention,
    KDiffusionHourglass,
    Merge,
    Split,
    Turns,
    _places,
)
from diffstudio.networks.foreign.k_diffusion_hourglass import _look as look

ARGS = {
    "widths": (16, 24, 32),
    "depths": (2, 1, 2),
    "hidden": (24, 16, 8),
    "attention": ("shifted-window", "neighborhood", "global"),
    "head_width": (8, 24, 16),
    "reach": (4, 3, 0),
    "patch": (1, 2),
    "mapping": (12, 2, 8),
}
SHAPE = (3, 16, 24)


def made(labels=3, **changes):
    torch.manual_seed(0)
    network = KDiffusionHourglass(SHAPE, labels, **(ARGS | changes))
    for name, weight in network.state_dict().items():
        if name.endswith("attn.scale"):
            torch.nn.init.uniform_(weight, 4, 12)
        else:
            torch.nn.init.normal_(weight, std=0.3 if weight.ndim > 1 else 0.5)
    return network.double().requires_grad_(False)


def inputs(batch=4):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, *SHAPE, generator=generator, dtype=torch.float64)
    return x, torch.randn(batch, generator=generator, dtype=torch.float64) / 2, torch.arange(batch) % 4


def test_a_sample_does_not_see_the_rest_of_its_batch_and_sees_all_it_is_told():
    network, (x, c_noise, labels) = made(), inputs()
    out = network(x, c_noise, labels)
    assert out.shape == x.shape
    for i in range(len(x)):
        torch.testing.assert_close(network(x[i : i + 1], c_noise[i : i + 1], labels[i : i + 1])[0], out[i])
    for other in ((x + 0.1, c_noise, labels), (x, c_noise + 0.1, labels), (x, c_noise, (labels + 1) % 4)):
        assert ((network(*other) - out).flatten(1).abs().amax(dim=1) > 1e-4).all()


def test_every_weight_is_used():
    network, (x, c_noise, labels) = made(), inputs()
    network.requires_grad_(True)
    network(x, c_noise, labels).square().sum().backward()
    unused = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unused == []


def test_with_classes_a_sample_needs_one():
    x, c_noise, labels = inputs()
    with pytest.raises(ValueError, match="needs one for each sample"):
        made()(x, c_noise, None)
    without = made(labels=0)
    assert torch.equal(without(x, c_noise, None), without(x, c_noise, labels))


def test_a_level_is_blind_beyond_its_windows_and_the_next_layer_moves_them():
    """In one layer a change stays within its window of 4; a second, shifted by 2, carries it on."""
    changed = {}
    for depth in (1, 2):
        one = {"widths": (16,), "hidden": (16,), "attention": ("shifted-window",), "head_width": (8,), "reach": (4,)}
        network = made(**one, depths=(depth,), patch=(1, 1))
        x, c_noise, labels = inputs(1)
        other = x.clone()
        other[:, :, 5, 6] += 1
        difference = (network(other, c_noise, labels) - network(x, c_noise, labels)).abs().amax(dim=(0, 1)) > 1e-12
        changed[depth] = difference.nonzero()
    assert changed[1].amin(dim=0).tolist() == [4, 4] and changed[1].amax(dim=0).tolist() == [7, 7]
    assert changed[2].amin(dim=0).tolist() == [2, 2] and changed[2].amax(dim=0).tolist() == [9, 9]


def test_on_the_way_up_the_windows_go_on_where_the_way_down_ended():
    network = made(depths=(3, 1, 2))
    shifts = [
        [layer.self_attn.look.keywords["shift"] for layer in levels[0]]
        for levels in (network.down_levels, network.up_levels)
    ]
    assert shifts == [[0, 2, 0], [2, 0, 2]]


def test_places_are_turned_as_complex_numbers_are():
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(2, 3, 5, 4, 16, generator=generator, dtype=torch.float64)
    places = torch.rand(5, 4, 2, generator=generator, dtype=torch.float64)
    turns = Turns(3, 16).double()
    turns.freqs.copy_(torch.rand(3, 2, generator=generator, dtype=torch.float64) * 20)
    pairs = torch.complex(x[..., :4], x[..., 4:8])
    angle = torch.cat([places[..., i, None] * turns.freqs[:, None, None] for i in range(2)], dim=-1)
    expected = pairs * torch.exp(1j * angle)
    torch.testing.assert_close(turns(x, places), torch.cat([expected.real, expected.imag, x[..., 8:]], dim=-1))


def test_places_are_the_middles_of_tokens_and_of_four_the_middle():
    places = _places(2, 4, torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(places[0, :, 1], torch.tensor([-0.75, -0.25, 0.25, 0.75], dtype=torch.float64))
    torch.testing.assert_close(places[:, 0, 0], torch.tensor([-0.25, 0.25], dtype=torch.float64))


def test_a_neighbourhood_of_all_tokens_is_global_attention():
    torch.manual_seed(3)
    everything, near = (Attention(4, 16, 8, look(kind, 7, False)).double() for kind in ("global", "neighborhood"))
    near.load_state_dict(everything.state_dict())
    h, c = torch.randn(2, 7, 7, 16, dtype=torch.float64), torch.randn(2, 1, 1, 4, dtype=torch.float64)
    places = _places(7, 7, h)
    torch.testing.assert_close(near(h, places, c), everything(h, places, c))


def test_queries_and_keys_count_by_their_direction_alone():
    torch.manual_seed(4)
    attention = Attention(4, 16, 8, None).double()
    part = torch.randn(1, 2, 3, 3, 8, dtype=torch.float64)
    loud = attention._loud(part)
    expected = torch.full((1, 2, 3, 3), 10.0, dtype=torch.float64)
    torch.testing.assert_close(loud.norm(dim=-1).square(), expected, atol=0, rtol=1e-5)
    torch.testing.assert_close(attention._loud(7 * part), loud, atol=0, rtol=1e-5)


def test_tokens_are_merged_as_pixels_of_a_rectangle_lie_and_split_again():
    pixels = torch.arange(2 * 4 * 6 * 3, dtype=torch.float64).reshape(2, 4, 6, 3)
    merge, split = Merge(3, 18, (2, 3)).double(), Split(18, 3, (2, 3)).double()
    for layer in (merge, split):
        layer.proj.weight.data = torch.eye(18, dtype=torch.float64)
    tokens = merge(pixels)
    assert tokens.shape == (2, 2, 2, 18)
    assert torch.equal(tokens[1, 1, 0].reshape(2, 3, 3), pixels[1, 2:4, :3])
    assert torch.equal(split(tokens), pixels)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"depths": [2, 1]}, "one entry for each of 1 to 8"),
        ({"widths": [], "depths": []}, "one entry for each of 1 to 8"),
        ({"depths": [22, 21, 22]}, "depths are 65 together, expected at most 64"),
        ({"depths": [2, 0, 1]}, "depths is 0"),
        ({"widths": [16, 24, 10**4 * 5]}, "widths is 50000"),
        ({"hidden": [1.5, 1, 1]}, "hidden is 1.5"),
        ({"attention": ["near", "none", "none"]}, "attention has 'near', expected one of global, neighborhood"),
        ({"head_width": [12, 24, 16]}, "head_width is 12 in a width of 16"),
        ({"head_width": [8, 16, 16]}, "head_width is 16 in a width of 24"),
        ({"reach": [3, 3, 0]}, "windows of 3 do not fill 16×12 tokens"),
        ({"reach": [4, 2, 0]}, "reach is 2 on 8×6 tokens, expected an odd number within them"),
        ({"reach": [4, 7, 0]}, "reach is 7 on 8×6 tokens"),
        ({"reach": [4, 0, 0]}, "reach is 0"),
        ({"patch": [3, 2]}, "sides divisible by 12×8"),
        ({"patch": [2]}, "patches of two sides"),
        ({"mapping": [12, 2]}, "mapping is "),
        ({"mapping": [12, 65, 8]}, "mapping depth is 65"),
        ({"mapping": [11, 2, 8]}, "even number of features"),
    ],
)
def test_what_does_not_fit_is_said(changes, reason, make_card):
    args = {name: list(value) for name, value in (ARGS | changes).items()}
    with pytest.raises(BadFile, match=f"^evil: network_args don't fit a 'k_diffusion_hourglass': .*{reason}"):
        build(make_card("k_diffusion_hourglass", SHAPE, args=args), "evil")
