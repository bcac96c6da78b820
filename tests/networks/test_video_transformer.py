"""The transformer of clips: squares in and out, where its tokens are, and what each clip sees."""

from __future__ import annotations

import pytest
import torch

from diffstudio.networks.video_transformer import VideoTransformer, rotations

SHAPE = (4, 3, 6, 9)


@pytest.fixture
def network(make_network) -> VideoTransformer:
    return make_network("video_transformer", SHAPE)


def clip(count: int = 2) -> torch.Tensor:
    return torch.randn(count, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def times(count: int = 2) -> torch.Tensor:
    return torch.linspace(0.2, 0.8, count, dtype=torch.float64)


def test_every_pixel_depends_on_every_square(network):
    x = clip(1).requires_grad_()
    out = network(x, times(1), torch.tensor([3]))
    gradient = torch.autograd.grad(out[0, 2, 1, 4, 7], x)[0][0]
    assert torch.all(gradient.abs() > 0)


def test_a_token_is_a_square_of_a_frame_in_the_order_of_the_places(network):
    x = clip(1)
    tokens = network._tokens(x)
    assert tokens.shape == (1, 4 * 2 * 3, 27)
    for frame, down, across in ((0, 0, 0), (1, 0, 2), (3, 1, 1)):
        square = x[0, frame, :, 3 * down : 3 * down + 3, 3 * across : 3 * across + 3]
        torch.testing.assert_close(tokens[0, (frame * 2 + down) * 3 + across], square.flatten())
    torch.testing.assert_close(network._clip(tokens, x.shape), x)


@pytest.mark.parametrize("axes", [(1,), (3,), (4,)])
def test_the_order_of_frames_and_of_squares_matters(network, axes):
    x = clip(1)
    assert not torch.allclose(network(x, times(1), None), network(x.flip(axes), times(1), None).flip(axes), atol=1e-3)


def test_positions_turn_by_their_distance_along_each_axis():
    """A third of the pairs for each axis: what a query sees of a key depends on how far it is, not on where."""
    cos, sin = rotations(12, (4, 2, 3), torch.device("cpu"))
    turn = torch.complex(cos, sin).view(4, 2, 3, 6)
    torch.testing.assert_close(turn[..., 0], torch.exp(1j * torch.arange(4.0))[:, None, None].expand(4, 2, 3))
    torch.testing.assert_close(turn[..., 2], torch.exp(1j * torch.arange(2.0))[:, None].expand(4, 2, 3))
    torch.testing.assert_close(turn[..., 4], torch.exp(1j * torch.arange(3.0)).expand(4, 2, 3))
    torch.testing.assert_close(turn[1:] * turn[:-1].conj(), turn[1:2].conj().mul(turn[2:3]).expand(3, 2, 3, 6))
    assert rotations(2, (2, 1, 1), torch.device("cpu"))[0].shape == (2, 1)  # a single pair, for time alone


def test_attention_is_that_of_torch(network):
    """Against the library's, with queries and keys normalised and turned beforehand."""
    block, h = network.blocks[0], torch.randn(2, 24, 24, dtype=torch.float64)
    q, k, v = block.qkv(h).view(2, 24, 3, 2, 12).permute(2, 0, 3, 1, 4)
    turn = torch.complex(*rotations(12, network.grid, h.device)).to(torch.complex128)

    def turned(x):
        x = x / x.square().mean(-1, keepdim=True).add(torch.finfo(x.dtype).eps).sqrt()
        both = torch.complex(x[..., :6], x[..., 6:]) * turn
        return torch.cat([both.real, both.imag], -1)

    expected = torch.nn.functional.scaled_dot_product_attention(turned(q), turned(k), v)
    expected = block.mixed(expected.transpose(1, 2).reshape(2, 24, 24))
    torch.testing.assert_close(block._attention(h, rotations(12, network.grid, h.device)), expected)


def test_an_untrained_one_predicts_zero_and_its_blocks_change_nothing():
    torch.manual_seed(0)
    made = VideoTransformer(SHAPE, 10, width=24, depth=1, heads=2, patch=3)
    out = made(clip().float(), times().float(), None)
    assert torch.equal(out, torch.zeros_like(out))
    h, told = torch.randn(2, 24, 24), made.modulation(torch.randn(2, 24)).view(2, 6, 1, 24)
    assert torch.equal(made.blocks[0](h, told, rotations(12, made.grid, h.device)), h)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"width": 20, "heads": 3}, "width is 20, expected an even share for each of the 3 heads"),
        ({"width": 6, "heads": 2}, "an even share"),
        ({"patch": 2}, "patch is 2, expected a divisor of both sides of 6×9"),
        ({"width": 10**6}, "width"),
        ({"depth": 0}, "depth"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        VideoTransformer(SHAPE, 10, **args)
