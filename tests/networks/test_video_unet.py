"""The space-time U-Net: sizes, what ties frames together, and what each clip sees."""

from __future__ import annotations

import pytest
import torch

from diffstudio.networks.video_unet import Block, JointAttention, VideoUNet

SHAPE = (4, 3, 8, 8)


@pytest.fixture
def network(make_network) -> VideoUNet:
    return make_network("video_unet", SHAPE)


def clip(count: int = 2) -> torch.Tensor:
    return torch.randn(count, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def times(count: int = 2) -> torch.Tensor:
    return torch.linspace(0.2, 0.8, count, dtype=torch.float64)


def test_every_frame_depends_on_every_frame(network):
    x = clip(1).requires_grad_()
    out = network(x, times(1), torch.tensor([3]))
    for frame in range(SHAPE[0]):
        gradient = torch.autograd.grad(out[0, frame].sum(), x, retain_graph=True)[0][0]
        assert torch.all(gradient.abs().amax((1, 2, 3)) > 0)


def test_the_order_of_frames_matters(network):
    x = clip(1)
    forwards = network(x, times(1), None)
    backwards = network(x.flip(1), times(1), None).flip(1)
    assert not torch.allclose(forwards, backwards, atol=1e-3)


def test_an_untrained_one_predicts_zero():
    torch.manual_seed(0)
    out = VideoUNet(SHAPE, 10, channels=(8,), patch=2)(clip().float(), times().float(), None)
    assert torch.equal(out, torch.zeros_like(out))


def test_mixing_frames_is_a_convolution_over_three_frames():
    """Against torch's own convolution over time, with its zeros beyond the first and the last frame."""
    torch.manual_seed(0)
    block = Block(8, 8, 16).double()
    for weight in block.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    x, c = torch.randn(2 * 5, 8, 3, 3, dtype=torch.float64), torch.randn(10, 16, dtype=torch.float64)
    within = block.within(x, c)
    h = torch.nn.functional.silu(block.norm(within)).view(2, 5, 8, 3, 3).permute(0, 2, 1, 3, 4)
    weight = block.between.weight.view(8, 3, 8).permute(0, 2, 1)[..., None, None]
    mixed = torch.nn.functional.conv3d(h, weight, block.between.bias, padding=(1, 0, 0))
    torch.testing.assert_close(block(x, c, 5), within + mixed.permute(0, 2, 1, 3, 4).flatten(0, 1))


def test_attention_reaches_over_space_and_time_head_by_head():
    """Vaswani et al. 2017, eq. 1, over all places of all frames of a clip, written out with loops."""
    torch.manual_seed(0)
    layer = JointAttention(8, 2).double()
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    frames, places = 3, 4
    x = torch.randn(frames, 8, 2, 2, dtype=torch.float64)
    tokens = layer.norm(x).flatten(2).transpose(1, 2).reshape(frames * places, 8)
    q, k, v = layer.qkv(tokens).view(-1, 3, 2, 4).unbind(1)
    mixed = torch.zeros(frames * places, 8, dtype=torch.float64)
    for head in range(2):
        for token in range(frames * places):
            weights = torch.softmax(k[:, head] @ q[token, head] / 4**0.5, dim=0)
            mixed[token, 4 * head : 4 * head + 4] = weights @ v[:, head]
    expected = x + layer.out(mixed).view(frames, places, 8).transpose(1, 2).view(frames, 8, 2, 2)
    torch.testing.assert_close(layer(x, None, frames), expected)


@pytest.mark.parametrize(
    ("shape", "args", "message"),
    [
        ((4, 3, 30, 28), {}, "divisible by 4, got 30×28"),
        ((4, 3, 28, 28), {"channels": (8, 8, 8, 8)}, "divisible by 16"),
        ((4, 3, 28, 28), {"channels": (8, 18)}, "heads is 4"),
        ((4, 3, 28, 28), {"patch": 0}, "patch is 0"),
        ((4, 3, 28, 28), {"channels": (0, 8)}, "channels is 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(shape, args, message):
    with pytest.raises(ValueError, match=message):
        VideoUNet(shape, 3, **args)
