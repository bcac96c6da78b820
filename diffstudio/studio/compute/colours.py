"""The colours of latents: a linear map from the channels at a place to a colour, fitted once for an autoencoder.

With it every step of a latent model's run is seen at the cost of a small product of matrices, also in a trace that is
reopened without the model. It needs torch, and is imported when it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.finding import stamp
from diffstudio.errors import BadInput
from diffstudio.files import write_bytes
from diffstudio.networks.model import Model
from diffstudio.specs import Finite

log = logging.getLogger("diffstudio")
Colours = tuple[tuple[Finite, ...], ...]
PICTURES, SIDE = 24, 16  # pictures of each kind, and their side in latents: a second's work for a large autoencoder
RIDGE = 1e-6  # of the mean square of the latents: where they have no variance at all, the map ignores them
MAX_BYTES = 1 << 16


def colours_of(model: Model, checkpoint: Path, folder: Path) -> Colours:
    """The map of a latent model, (1 or 3, C + 1), from `folder` if it is kept there; () where it can't be found."""
    card = model.card
    try:
        about = json.dumps([str(checkpoint.absolute()), *stamp(checkpoint), card.shape, card.decoded])
    except OSError:
        return ()
    file = folder / f"{hashlib.sha256(about.encode()).hexdigest()[:40]}.json"
    kept = _read(file, card)
    if kept:
        return kept
    try:
        found = fit_colours(model)
    except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:  # too little memory; values beyond all bounds
        log.warning("the colours of the latents of %s are not known: %s", checkpoint, str(error).partition("\n")[0])
        return ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(file, json.dumps(found).encode())
    except (OSError, BadInput) as error:
        log.warning("%s", error)
    return found


def fit_colours(model: Model) -> Colours:
    """The least squares map from latents to what they are decoded to, over encoded pictures and smooth noise.

    The same on every call.

    Raises:
        ValueError: the autoencoder gives values that are not finite.
    """
    channels, colours = model.card.shape[0], model.card.decoded[0]
    sides = [min(SIDE, side) for side in model.card.shape[1:]]
    factor = model.card.decoded[1] // model.card.shape[1]
    noise = torch.Generator().manual_seed(0)
    latents = _smooth(channels, sides, noise)
    if getattr(model.network, "vae", None) is not None:
        pictures = (0.7 * _smooth(colours, [factor * side for side in sides], noise)).clamp(-1, 1)
        latents = torch.cat([latents, model.encode(pictures)])
    shown = adaptive_avg_pool2d(model.decode(latents).float().cpu().clamp(-1, 1), (latents.shape[2], latents.shape[3]))
    x, y = (_rows(values) for values in (latents, shown))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("its autoencoder gives values that are not finite")
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    square = x.T @ x / len(x)
    square += RIDGE * np.diag([*np.full(channels, np.trace(square) / len(square)), 0.0])
    map_ = np.linalg.solve(square, x.T @ y / len(x)).T
    return tuple(tuple(float(f"{value:.6g}") for value in row) for row in map_)


def _smooth(channels: int, sides: list[int], noise: torch.Generator) -> Tensor:
    """(PICTURES, channels, *sides) of about unit variance: blots of every size, as pictures have them."""
    sizes = [size for size in (1, 2, 4, 8) if size < min(sides)] + [min(sides)]
    total = torch.zeros(PICTURES, channels, *sides)
    for size in sizes:
        blots = torch.randn(PICTURES, channels, size, size, generator=noise)
        total += interpolate(blots, sides, mode="bilinear", align_corners=False)
    return total / len(sizes) ** 0.5


def _rows(values: Tensor) -> np.ndarray:
    """(B, C, H, W) → (B·H·W, C) float64."""
    return values.double().movedim(1, -1).flatten(0, 2).numpy()


def _read(file: Path, card: Card) -> Colours:
    """The map that is kept, () where there is none that fits the card."""
    try:
        with file.open("rb") as stream:
            found = TypeAdapter(Colours).validate_json(stream.read(MAX_BYTES))
    except (OSError, ValidationError):
        return ()
    fits = len(found) == card.decoded[0] and all(len(row) == card.shape[0] + 1 for row in found)
    return found if fits else ()
