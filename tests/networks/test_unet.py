"""The U-Net: sizes it takes and refuses, memory layouts, and what its parts are for."""

from __future__ import annotations

import pytest
import torch

from diffstudio.networks.unet import Attention, UNet


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_channels_last_gives_the_same_result(shape, dtype, make_network):
    network = make_network("unet", shape).to(dtype)
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    t, labels = torch.tensor([0.1, 0.5, 0.9], dtype=dtype), torch.tensor([0, 1, 3])
    plain = network(x, t, labels)
    network = network.to(memory_format=torch.channels_last)
    swapped = network(x.contiguous(memory_format=torch.channels_last), t, labels)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-3 * plain.abs().max().item()
    torch.testing.assert_close(swapped, plain, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("shape", "args"),
    [
        ((1, 28, 28), {"channels": (8,), "patch": 4}),
        ((3, 32, 32), {"channels": (8, 16, 24), "blocks": 2, "patch": 1}),
        ((1, 64, 32), {"channels": (8, 8, 8, 8), "heads": 1}),
    ],
    ids=["one level", "three levels of two blocks", "four levels"],
)
def test_depth_blocks_and_patch_are_free(shape, args, make_network):
    network = make_network("unet", shape, **args)
    x = torch.zeros(2, *shape, dtype=torch.float64)
    x[1] = 1
    out = network(x, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert out.shape == x.shape
    assert not torch.allclose(out[0], out[1])


@pytest.mark.parametrize(
    ("shape", "args", "divisor"),
    [((1, 30, 28), {}, 4), ((1, 28, 28), {"channels": (8, 8, 8, 8)}, 16), ((3, 32, 33), {"channels": (8,)}, 2)],
)
def test_sides_that_do_not_halve_are_refused_with_the_divisor(shape, args, divisor):
    with pytest.raises(ValueError, match=rf"divisible by {divisor}, got {shape[1]}×{shape[2]}"):
        UNet(shape, 3, **args)


def test_an_untrained_one_predicts_zero_and_its_blocks_pass_their_input_on():
    """Up to the biases, which are constant over the picture."""
    torch.manual_seed(0)
    network = UNet((1, 28, 28), 3, channels=(8, 16))
    out = network(torch.randn(2, 1, 28, 28), torch.tensor([0.2, 0.8]), torch.tensor([0, 3]))
    assert torch.equal(out, torch.zeros(2, 1, 28, 28))
    x, c = torch.randn(1, 16, 7, 7), torch.randn(1, 128)
    for block in network.middle:
        added = block(x, c) - x
        torch.testing.assert_close(added, added[:, :, :1, :1].expand_as(added))


def test_attention_is_the_softmax_of_scaled_products_head_by_head():
    """Vaswani et al. 2017, eq. 1, written out with loops over heads and places."""
    torch.manual_seed(0)
    layer = Attention(16, 2).double()
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    x = torch.randn(1, 16, 2, 3, dtype=torch.float64)
    qkv = layer.qkv(layer.norm(x)).reshape(3, 2, 8, 6)  # which, head, channel, place
    mixed = torch.zeros(16, 6, dtype=torch.float64)
    for head in range(2):
        q, k, v = qkv[:, head]
        for place in range(6):
            weights = torch.softmax(q[:, place] @ k / 8**0.5, dim=0)
            mixed[8 * head : 8 * head + 8, place] = v @ weights
    expected = x + layer.out(mixed.reshape(1, 16, 2, 3))
    torch.testing.assert_close(layer(x, None), expected)
