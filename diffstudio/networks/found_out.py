"""What a network predicts, found out by calling it on noise, where nothing in its file says it."""

from __future__ import annotations

import math
from pathlib import Path as FilePath

import torch
from torch import Tensor

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.found_out import PREDICTIONS, Shown, remember_prediction
from diffstudio.diffusion.denoiser import Denoiser, estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import level
from diffstudio.errors import DiffStudioError

SIDE = 32  # of the states that it is called on: a convolutional network takes any, and small ones cost little
ALIKE = 0.5  # correlation, and share of the noise that went in, from which what comes out is taken for that noise
MIDDLE = 0.5  # the a of the level at which ε and v are told apart

LOG_SNR = math.log(MIDDLE**2 / (1 - MIDDLE**2))


def with_prediction(card: Card, file: FilePath, output: Denoiser) -> Card:
    """The card with what a call of the network shows, which is remembered for the next time; as it is if it is unclear.

    output: gives what the network puts out, as it is.
    """
    found = shown_by(card, output)
    remember_prediction(file, found)
    try:
        anew = card_at(file)
    except DiffStudioError:
        anew = card
    prediction = anew.prediction if found == "unclear" else PREDICTIONS[found]
    return anew.model_copy(update={"untold": (), "prediction": prediction})


def shown_by(card: Card, output: Denoiser) -> Shown:
    """What a network of that card predicts, by its answer to noise.

    To pure noise, at the end of its path, ε̂ is that noise, and v̂ nearly minus the data, which have nothing of it. At a
    level with a = ½ the state s·ε is a noisy grey picture: v̂ is a·ε then and ε̂ is ε. A network that gives back nothing
    of the noise at either level leaves it open.
    """
    path = make_path(card.path)
    alike, slope = _answer(card, path, 1.0, output)
    if alike > ALIKE and slope > ALIKE:
        return "epsilon"
    alike, slope = _answer(card, path, path.t_at_log_snr(LOG_SNR), output)
    return "v_prediction" if alike > ALIKE and slope < (1 + MIDDLE) / 2 else "unclear"


def _answer(card: Card, path: Path, t: float, output: Denoiser) -> tuple[float, float]:
    """How far the output at s·ε is the noise ε: their correlation, and how much of ε it has."""
    at = level(path, t if path.n is None else path.t_at_timestep(path.timestep(t)))
    shape = (card.shape[0], *(min(SIDE, side) for side in card.shape[1:]))
    noise = SampleNoise(0, 1, shape).draw()
    with torch.no_grad():
        out = estimate(output(at.s * noise, at, None)).x0_hat
    return _alike(out.float().cpu(), noise)


def _alike(out: Tensor, noise: Tensor) -> tuple[float, float]:
    product, power = float((out * noise).sum()), float(noise.square().sum())
    size = float(out.square().sum())
    return product / (size * power) ** 0.5 if size > 0 else 0.0, product / power
