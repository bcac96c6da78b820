"""Attention of the places of a grid to those near them, in plain torch: neighbourhoods and shifted windows.

Both are computed in tiles: a square of queries looks at one square of keys that holds all that any of them sees, and a
mask leaves out the rest. So keys are held a few times over, not once for each query that sees them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor

TILE = 8  # queries on a side of a tile, at the least: measured fastest for the usual neighbourhood of 7


@dataclass(frozen=True)
class Tiles:
    """One axis of n places, in tiles of Q queries and K keys.

    queries: (tiles, Q) and keys: (tiles, K), their places. seen: (tiles, Q, K), what sees what. back: (n,), where the
    answer of each place is among the tiles·Q.
    """

    queries: Tensor
    keys: Tensor
    seen: Tensor
    back: Tensor


def neighbourhood(n: int, device: torch.device, size: int) -> Tiles:
    """Every place sees `size` places, itself in the middle; at a border the same number, from the border on.

    size: odd, at most n (Hassani et al. 2023, "Neighborhood Attention Transformer").
    """
    side = max(TILE, size)
    held = min(n, side + size - 1)
    starts = torch.arange(0, n, side, device=device)[:, None]
    queries = (starts + torch.arange(side, device=device)).clamp(max=n - 1)
    keys = (starts - size // 2).clamp(0, n - held) + torch.arange(held, device=device)
    first = (queries - size // 2).clamp(0, n - size)[..., None]
    seen = (first <= keys[:, None]) & (keys[:, None] < first + size)
    return Tiles(queries, keys, seen, torch.arange(n, device=device))


def shifted_window(n: int, device: torch.device, size: int, shift: int) -> Tiles:
    """Every place sees those of its window; the windows begin `shift` places before the border.

    size: divides n. What is missing before the border is filled with the places at the other end, which see only each
    other (Liu et al. 2021, "Swin Transformer").
    """
    places = torch.arange(n, device=device).unflatten(0, (-1, size)) - shift
    before = places < 0
    back = (torch.arange(n, device=device) + shift) % n
    return Tiles(places % n, places % n, before[..., None] == before[:, None], back)


def attend(q: Tensor, k: Tensor, v: Tensor, rows: Tiles, columns: Tiles) -> Tensor:
    """softmax(q·k)·v over what each place sees of both axes: (B, heads, h, w, d) → the same."""
    batch = len(q)
    sides = (rows.queries.shape[1], columns.queries.shape[1])
    tiles = (len(rows.queries), len(columns.queries))
    mask = (
        (rows.seen[:, None, :, None, :, None] & columns.seen[:, None, :, None]).flatten(4).flatten(2, 3).flatten(0, 1)
    )
    q, k, v = (
        _tiled(x, down, along)
        for x, down, along in (
            (q, rows.queries, columns.queries),
            (k, rows.keys, columns.keys),
            (v, rows.keys, columns.keys),
        )
    )
    out = F.scaled_dot_product_attention(q, k, v, mask.repeat(batch, 1, 1)[:, None], scale=1.0)
    out = out.unflatten(0, (batch, *tiles)).unflatten(4, sides)  # (B, tiles, tiles, heads, Q, Q, d)
    out = out.permute(0, 3, 1, 4, 2, 5, 6).flatten(4, 5).flatten(2, 3)
    return out[:, :, rows.back][:, :, :, columns.back]


def _tiled(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(B, heads, h, w, d) → (B·tiles, heads, places of a tile, d)."""
    x = x[:, :, rows][:, :, :, :, columns]  # (B, heads, tiles, Q, tiles, Q, d)
    return x.permute(0, 2, 4, 1, 3, 5, 6).flatten(4, 5).flatten(0, 2)
