"""Writing a checkpoint, and loading its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.header import CARD_KEY, MAX_HEADER, card_of, read_header
from diffstudio.checkpoints.loading import read_bytes
from diffstudio.errors import BadFile, BadInput
from diffstudio.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor


def save(
    path: Path, card: Card, tensors: Mapping[str, np.ndarray], dtype: Literal["float16", "float32"] = "float16"
) -> Card:
    """Write weights and card as one .safetensors file, atomically; returns the card with its sha256,
    parameters and dtype.

    Raises:
        BadInput: a weight is not finite (in half precision, with float16), or the file can't be written.
    """
    from safetensors.numpy import save as serialise

    stored = {}
    for name in sorted(tensors):
        with np.errstate(over="ignore"):
            stored[name] = np.asarray(tensors[name], dtype=dtype, order="C")
        if not np.isfinite(stored[name]).all():
            raise BadInput(f"weight '{name}' is not finite as {dtype}: not saved; train again or save as float32")
    # The library orders tensors by itself; the hash is over the bytes as they will lie in the file.
    payload = _payload(serialise(stored))
    card = card.model_copy(
        update={
            "sha256": hashlib.sha256(payload).hexdigest(),
            "parameters": int(sum(array.size for array in stored.values())),
            "dtype": {"float16": "F16", "float32": "F32"}[dtype] if stored else "",
        }
    )
    data = serialise(stored, metadata=_metadata(card))
    if int.from_bytes(data[:8], "little") > MAX_HEADER:
        raise BadInput(f"the card of '{card.name}' is too large for a header of {MAX_HEADER:,} bytes")
    write_bytes(path, data)
    return card


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights in float32 on the CPU.

    Raises:
        NotFound, BadFile: the file is gone, damaged (its sha256 is not the card's), or has a weight that is not finite.
        Left: nobody waits for them any more.
    """
    import torch
    from safetensors.torch import load

    header = read_header(path)
    card = card_of(header)
    try:
        data = read_bytes(path)
    except OSError as error:
        raise BadFile(f"can't read {path}: {error.strerror}") from error
    if card.sha256 and hashlib.sha256(_payload(data)).hexdigest() != card.sha256:
        raise BadFile(f"{path}: the weights are not those that were saved (sha256 differs): copy or download it again")
    try:
        weights = {name: tensor.float() for name, tensor in load(data).items()}
    except Exception as error:  # the library's own error type is not public
        raise BadFile(f"{path}: the weights can't be read: {str(error).splitlines()[0]}") from error
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise BadFile(f"{path}: weight '{name}' has values that are not finite (NaN or ∞); it can't be used")
    return weights


def _payload(data: bytes) -> memoryview:
    return memoryview(data)[8 + int.from_bytes(data[:8], "little") :]


def _metadata(card: Card) -> dict[str, str]:
    """The card, and the keys of the ModelSpec standard (1.0.1), so that other tools show it."""
    found = {
        CARD_KEY: card.model_dump_json(),
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"diffstudio/{card.network}",
        "modelspec.implementation": "diffstudio",
        "modelspec.title": card.title or card.name,
        "modelspec.description": card.description,
        "modelspec.author": "DiffStudio",
        "modelspec.date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "modelspec.license": card.licence,
        "modelspec.hash_sha256": f"0x{card.sha256}",
        "modelspec.prediction_type": {"eps": "epsilon", "v": "v"}.get(card.prediction, card.prediction),
    }
    if len(card.shape) == 3:
        found["modelspec.resolution"] = f"{card.shape[2]}x{card.shape[1]}"
    if card.thumbnail:
        found["modelspec.thumbnail"] = f"data:image/png;base64,{card.thumbnail}"
    return {key: value for key, value in found.items() if value}
