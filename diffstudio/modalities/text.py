"""Texts: (1, L) numbers of tokens, or (C, L) vectors near those of tokens. Drawn as cells, written as .txt and .json.

What the text is and what the network guesses are never drawn alike: letters of x_t are ink, a guess is coloured and as
strong as it is sure, and a masked cell shows its box behind it.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from pydantic import ValidationError

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.glyphs import HEIGHT, SIZE, WIDTH, atlas, block, cell
from diffstudio.modalities.modality import Extra, Making, Meaning, Modality, Shown, SourceInfo, Taken, Taking
from diffstudio.modalities.region import Axes
from diffstudio.modalities.text_file import read_text
from diffstudio.specs import TextSpec

ONE_LINE, WRAPPED = 20, 16  # a text of more cells than the first is wrapped at the second
LEAST = 10  # size of letters that can be read in the film strip
BEST = 5  # guesses of a cell that are recorded
LARGEST = 1e15  # single precision holds the squares of values up to here
FAINT, FAINTEST = 0.12, 0.15  # strength of a mask's box, and of a guess that is hardly one
WRITTEN = ("xt", "x0_hat")  # the tensors that are texts
INK = {True: (232, 233, 237), False: (24, 26, 31)}
PAPER = {True: (18, 19, 22), False: (255, 255, 255)}
GUESS = {True: (106, 165, 255), False: (31, 95, 208)}


def spec_of(meaning: Meaning) -> TextSpec:
    """The vocabulary and process of a text model's states.

    Raises:
        BadFile: the card does not say them, or not within their bounds.
    """
    try:
        return _spec(json.dumps(meaning.card.get("text")))
    except ValidationError as error:
        raise BadFile("the card does not say what its tokens are: text is missing or out of bounds") from error


@functools.lru_cache(maxsize=16)
def _spec(stored: str) -> TextSpec:
    return TextSpec.model_validate_json(stored)


def tokens_of(rows: np.ndarray, spec: TextSpec) -> np.ndarray:
    """The token of each cell, (B, C, L) → (B, L) int: its number, V for a mask; of vectors the nearest."""
    if spec.discrete:
        return _tame(rows[:, 0]).round().clip(0, spec.mask).astype(np.int64)
    table = _table(spec)
    # |x − e|² without |x|², the same for every e
    return ((table**2).sum(1)[:, None] - 2 * np.einsum("vc,bcl->bvl", table, _tame(rows))).argmin(1)


def _tame(rows: np.ndarray) -> np.ndarray:
    """Numbers that can be counted with: 0 for NaN, and none so large that its square would be infinite."""
    return np.nan_to_num(rows, nan=0.0, posinf=LARGEST, neginf=-LARGEST).clip(-LARGEST, LARGEST)


def nearness(rows: np.ndarray, spec: TextSpec) -> np.ndarray:
    """How near a cell is to its token, (B, L) in 0..1: of vectors the cosine to the nearest, of tokens 1."""
    if spec.discrete:
        return np.ones((len(rows), rows.shape[2]), np.float32)
    rows = _tame(rows)
    nearest = _table(spec)[tokens_of(rows, spec)].transpose(0, 2, 1)
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(nearest, axis=1)
    return ((rows * nearest).sum(1) / np.maximum(lengths, 1e-6)).clip(0, 1)


def states_of(tokens: np.ndarray, spec: TextSpec) -> np.ndarray:
    """The clean states of tokens (B, L): (B, 1, L), or (B, C, L) of vectors."""
    if spec.discrete:
        return tokens[:, None].astype(np.float32)
    return _table(spec)[tokens.astype(np.int64)].transpose(0, 2, 1)


def _table(spec: TextSpec) -> np.ndarray:
    return _as_array(spec.embedding)


@functools.lru_cache(maxsize=4)
def _as_array(rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    return np.asarray(rows, np.float32)


def strings(rows: np.ndarray, spec: TextSpec, mask: str = "░") -> list[str]:
    """Each sample as a string; `mask` stands for a masked cell."""
    return spelled(tokens_of(rows, spec), spec, mask)


def spelled(tokens: np.ndarray, spec: TextSpec, mask: str = "░") -> list[str]:
    """Rows of tokens as strings; `mask` stands for what is no letter: a masked cell, or one of a run that diverged."""
    letters = np.array([*spec.vocabulary, mask])
    known = (tokens >= 0) & (tokens < spec.mask)
    return ["".join(line) for line in letters[np.where(known, tokens, spec.mask)]]


def _read(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    spec = spec_of(meaning)
    rows, remarks = read_text(path, spec, meaning.shape[1])
    return Taken(SourceInfo(len(rows), meaning.shape, remarks=remarks), states_of(rows, spec))


def _encode(meaning: Meaning, rows: np.ndarray) -> np.ndarray:
    """Samples of a dataset, which are numbers, as states."""
    return states_of(rows[:, 0], spec_of(meaning))


def columns(length: int) -> int:
    """Cells of a line of the picture."""
    return length if length <= ONE_LINE else WRAPPED


def _tile(meaning: Meaning) -> tuple[int, int]:
    across = columns(meaning.shape[1])
    return HEIGHT * -(-meaning.shape[1] // across), WIDTH * across


def _draw(meaning: Meaning, shown: Shown) -> np.ndarray:
    return _wrapped(_pixels(meaning, shown), columns(meaning.shape[1]), PAPER[shown.dark])


def _pixels(meaning: Meaning, shown: Shown, size: int = SIZE) -> np.ndarray:
    """The cells as small pictures, (B, L, height, width, 3) uint8; size: of the letters."""
    spec = spec_of(meaning)
    if shown.limit is not None:
        return _heat(shown, spec, size)
    return _painted(cells_of(shown, spec), spec, shown.dark, size)


def _glance(meaning: Meaning, shown: Shown, side: int) -> np.ndarray:
    """The cells in a square, as large as they can be; of a long text the first, so that they can be read."""
    size, across, lines = _squared(meaning.shape[1], side)
    few = Meaning(meaning.modality, (meaning.shape[0], min(meaning.shape[1], across * lines)), meaning.card)
    length = few.shape[1]

    def other(name: str) -> np.ndarray | None:
        found = shown.other(name)
        return None if found is None else found[..., :length]

    cut = shown._replace(rows=shown.rows[:1, :, :length], other=other)
    [picture] = _wrapped(_pixels(few, cut, size), across, PAPER[shown.dark])
    out = np.full((side, side, 3), PAPER[shown.dark], np.uint8)
    height, width = min(side, picture.shape[0]), min(side, picture.shape[1])
    y, x = (side - height) // 2, (side - width) // 2
    out[y : y + height, x : x + width] = picture[:height, :width]
    return out


@functools.cache
def _squared(length: int, side: int) -> tuple[int, int, int]:
    """Size of the letters, cells of a line, and lines, in a square of that side."""
    for size in range(max(LEAST, side), LEAST, -1):
        height, width = cell(size)
        most = side // width
        if most and -(-length // most) * height <= side:
            lines = -(-length // most)
            return size, -(-length // lines), lines
    height, width = cell(LEAST)
    across = max(1, side // width)
    return LEAST, across, max(1, min(side // height, -(-length // across)))


class Cells(NamedTuple):
    """What the cells (B, L) of a tensor show. letters: a token's number.  strength: in 0..1, how sure it is.

    masked: there is no token, the letter is what the network guesses there.  guessed: the letter is a guess.
    """

    letters: np.ndarray
    strength: np.ndarray
    masked: np.ndarray
    guessed: np.ndarray


def cells_of(shown: Shown, spec: TextSpec) -> Cells:
    """What the cells of x_t or x̂0 show: a guess is as strong as it is sure, a vector as it is near its token."""
    letters = tokens_of(shown.rows, spec)
    masked = letters == spec.mask
    strength, guessed = nearness(shown.rows, spec), np.zeros_like(masked)
    guesses, odds = shown.other("guesses"), shown.other("odds")
    if guesses is not None and odds is not None and shown.name in WRITTEN:
        best, sure = _tame(guesses[:, 0]).clip(0, spec.mask - 1).astype(np.int64), _tame(odds[:, 0]).clip(0, 1)
        guessed = masked if shown.name == "xt" else sure < 1
        letters = np.where(guessed, best, letters)
        strength = np.where(guessed, FAINTEST + (1 - FAINTEST) * sure, strength)
    return Cells(letters, strength, masked & (shown.name == "xt"), guessed)


def _painted(found: Cells, spec: TextSpec, dark: bool, size: int) -> np.ndarray:
    """Letters on paper, (B, L, height, width, 3) uint8."""
    paper, ink, guess = (np.array(colours[dark], np.float32) for colours in (PAPER, INK, GUESS))
    cover = (atlas(spec.vocabulary, size)[found.letters] * found.strength[..., None, None])[..., None]
    under = (block(size) * FAINT * found.masked[..., None, None])[..., None]
    cells = paper + (ink - paper) * under
    cells += (np.where(found.guessed[..., None], guess, ink)[..., None, None, :] - cells) * cover
    return cells.round().astype(np.uint8)


def changed(rows: np.ndarray, spec: TextSpec, limit: float) -> np.ndarray:
    """How much a cell of a difference changed, (B, L) in 0..1: of tokens whether, of vectors how far beside a limit."""
    if spec.discrete:
        return (rows[:, 0] != 0).astype(np.float32)
    return (np.sqrt((_tame(rows) ** 2).mean(1)) / limit).clip(0, 1)


def _heat(shown: Shown, spec: TextSpec, size: int) -> np.ndarray:
    """Of a difference: cells as bright as they changed, (B, L, height, width, 3) uint8."""
    paper, mark = (np.array(colours[shown.dark], np.float32) for colours in (PAPER, GUESS))
    amount = changed(shown.rows, spec, shown.limit or 1)
    cells = paper + (mark - paper) * (amount[..., None, None, None] * block(size)[..., None])
    return cells.round().astype(np.uint8)


def _wrapped(cells: np.ndarray, across: int, paper: tuple[int, int, int]) -> np.ndarray:
    """Cells (B, L, h, w, 3) as pictures of lines with so many cells."""
    batch, length, height, width, _ = cells.shape
    missing = -length % across
    if missing:
        fill = np.broadcast_to(np.array(paper, np.uint8), (batch, missing, height, width, 3))
        cells = np.concatenate([cells, fill], 1)
    lines = cells.reshape(batch, -1, across, height, width, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(lines.reshape(batch, lines.shape[1] * height, across * width, 3))


def _extras(meaning: Meaning) -> tuple[Extra, ...]:
    spec, length = spec_of(meaning), meaning.shape[1]
    best = min(BEST, len(spec.vocabulary))

    def guesses(x0: np.ndarray) -> np.ndarray:
        out = np.zeros((len(x0), best, length), np.float32)
        out[:, 0] = tokens_of(x0, spec)
        return out

    def odds(x0: np.ndarray) -> np.ndarray:
        out = np.zeros((len(x0), best, length), np.float32)
        out[:, 0] = 1
        return out

    def nothing(x0: np.ndarray) -> np.ndarray:
        return np.zeros((len(x0), 1, length), np.float32)

    found = (
        Extra("guesses", (best, length), "token", guesses),
        Extra("odds", (best, length), "1", odds),
        Extra("entropy", (1, length), "bit", nothing),
    )
    return (*found, Extra("revealed", (1, length), "step", nothing)) if spec.discrete else found


def _change(meaning: Meaning, new: np.ndarray, old: np.ndarray) -> float:
    """Cells of a sample that hold another token, on average."""
    spec = spec_of(meaning)
    return float((tokens_of(new, spec) != tokens_of(old, spec)).sum() / len(new))


def _lanes(meaning: Meaning) -> Mapping[str, str]:
    spec = spec_of(meaning)
    counted = {"masked": "masked letters"} if spec.process == "masked" else {}
    numbers = {} if spec.discrete else {"log_snr": "log-SNR"}
    return {
        **counted,
        "entropy": "entropy, bits",
        "dx_norm": "letters changed",
        "x0_change": "guesses changed",
        **numbers,
    }


def _meaningless(meaning: Meaning) -> tuple[str, ...]:
    """Between numbers of tokens there is nothing."""
    return ("eps_hat", "split") if spec_of(meaning).discrete else ()


def _masked(meaning: Meaning, arrays: Mapping[str, np.ndarray]) -> float:
    spec = spec_of(meaning)
    return float((tokens_of(arrays["xt"], spec) == spec.mask).sum() / len(arrays["xt"]))


def _entropy(meaning: Meaning, arrays: Mapping[str, np.ndarray]) -> float:
    return float(arrays["entropy"].sum() / len(arrays["xt"]))


def _write(stream: BinaryIO, suffix: str, meaning: Meaning, shown: Shown, making: Making) -> None:
    """.txt: a line for each sample. .json: tokens, and the step at which each was set; with the settings."""
    if shown.name not in WRITTEN:
        raise BadInput("only x_t and x̂0 are texts: choose one of them, or export a picture")
    spec = spec_of(meaning)
    lines = strings(shown.rows, spec)
    if suffix == ".txt":
        stream.write("".join(line.rstrip() + "\n" for line in lines).encode())
        return
    found: dict[str, Any] = {
        "tensor": shown.name,
        "texts": lines,
        "tokens": [[spec.vocabulary[i] if i < spec.mask else None for i in row] for row in tokens_of(shown.rows, spec)],
    }
    revealed, odds = shown.other("revealed"), shown.other("odds")
    if revealed is not None:
        found["revealed_at_step"] = [[int(k) if k >= 0 else None for k in row] for row in _tame(revealed[:, 0])]
    if odds is not None:
        found["confidence"] = [[_chance(p) for p in row] for row in odds[:, 0]]
    found["settings"] = dict(making.settings)
    stream.write(json.dumps(found, ensure_ascii=False, indent=1).encode())


def _chance(p: float) -> float | None:
    """A number as JSON has it; None where it is none."""
    return round(float(p), 4) if math.isfinite(p) else None


def _axes(meaning: Meaning, rows: np.ndarray | None) -> Axes:
    """Letters, counted from 1."""
    return Axes({"letter": np.arange(1, meaning.shape[-1] + 1)})


TEXT = Modality(
    name="text",
    title="Text",
    rank=2,
    suffixes=(".txt",),
    read=_read,
    tile=_tile,
    draw=_draw,
    encode=_encode,
    extras=_extras,
    change=_change,
    lanes=_lanes,
    meaningless=_meaningless,
    glance=_glance,
    scalars={"masked": _masked, "entropy": _entropy},
    exports={".txt": ("samples",), ".json": ("samples",)},
    write=_write,
    sample_suffix=".txt",
    default_scale=2,
    gap=WIDTH,
    axes=_axes,
    ranged=False,
)
