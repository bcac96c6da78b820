"""Attention in tiles, against loops over single places and against masks over all pairs of them."""

from __future__ import annotations

import pytest
import torch

from diffstudio.networks.foreign.local_attention import attend, neighbourhood, shifted_window

CPU = torch.device("cpu")


def drawn(rows, columns, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 2, 3, rows, columns, 8, generator=generator, dtype=dtype)


def first(place, size, n):
    """Where the neighbourhood of a place begins: half of it before, and never beyond a border."""
    return min(max(place - size // 2, 0), n - size)


def masked(q, k, v, seen):
    """seen: of every place (row by row) every other."""
    scores = q.flatten(2, 3) @ k.flatten(2, 3).transpose(-1, -2)
    weights = torch.where(seen, scores, -torch.inf).softmax(dim=-1)
    return (weights @ v.flatten(2, 3)).unflatten(2, q.shape[2:4])


@pytest.mark.parametrize(
    ("rows", "columns", "size"), [(7, 9, 3), (16, 13, 5), (10, 33, 9), (8, 8, 1), (12, 7, 7), (5, 6, 3)]
)
def test_a_neighbourhood_is_what_a_loop_over_the_places_sees(rows, columns, size):
    q, k, v = drawn(rows, columns)
    out = attend(q, k, v, *(neighbourhood(n, CPU, size) for n in (rows, columns)))
    for i in range(rows):
        for j in range(columns):
            top, left = first(i, size, rows), first(j, size, columns)
            keys, values = (x[:, :, top : top + size, left : left + size].flatten(2, 3) for x in (k, v))
            weights = (keys @ q[:, :, i, j, :, None]).softmax(dim=2)
            torch.testing.assert_close(out[:, :, i, j], (weights * values).sum(dim=2))


@pytest.mark.parametrize(("rows", "columns", "size"), [(8, 12, 4), (6, 6, 6), (10, 5, 5), (9, 3, 3), (4, 4, 1)])
@pytest.mark.parametrize("shifted", [False, True])
def test_a_shifted_window_is_a_mask_over_all_pairs(rows, columns, size, shifted):
    q, k, v = drawn(rows, columns)
    shift = size // 2 if shifted else 0
    window = torch.tensor([[(i + shift) // size, (j + shift) // size] for i in range(rows) for j in range(columns)])
    seen = (window[:, None] == window).all(dim=-1)  # the parts of a window that is cut by a border are two windows
    out = attend(q, k, v, *(shifted_window(n, CPU, size, shift) for n in (rows, columns)))
    torch.testing.assert_close(out, masked(q, k, v, seen))


def test_a_neighbourhood_of_all_is_attention_to_all():
    q, k, v = drawn(9, 9)
    out = attend(q, k, v, *(neighbourhood(9, CPU, 9),) * 2)
    torch.testing.assert_close(out, masked(q, k, v, torch.ones(81, 81, dtype=torch.bool)))


@pytest.mark.parametrize(("n", "size"), [(5, 3), (7, 7), (8, 3), (23, 5), (64, 13)])
def test_every_place_sees_as_many_and_itself(n, size):
    tiles = neighbourhood(n, CPU, size)
    assert torch.equal(tiles.seen.sum(dim=-1), torch.full(tiles.queries.shape, size))
    same = tiles.queries[..., None] == tiles.keys[:, None]
    assert (same & tiles.seen).any(dim=-1).all()
    assert torch.equal(tiles.queries.flatten()[tiles.back], torch.arange(n))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_it_says_about_the_same(dtype):
    q, k, v = drawn(10, 12)
    tiles = [neighbourhood(n, CPU, 3) for n in (10, 12)]
    out = attend(*(x.to(dtype) for x in (q, k, v)), *tiles)
    assert out.dtype == dtype
    expected = attend(q, k, v, *tiles)
    assert (out.double() - expected).norm() < 0.02 * expected.norm()
