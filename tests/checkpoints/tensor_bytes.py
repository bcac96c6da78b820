"""Cards, and safetensors files put together by hand: the good one and what must be refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from cards import read_card

from diffstudio.checkpoints.card import Card
from diffstudio.errors import DiffStudioError


def card_table(**changes: Any) -> dict[str, Any]:
    """The card of a tiny MLP for points; changes replace its entries."""
    plain = {
        "format_version": 1,
        "name": "rings",
        "modality": "points",
        "shape": [2],
        "path": {"name": "flow"},
        "prediction": "flow",
        "network": "mlp",
        "network_args": {"width": 8, "depth": 1, "octaves": 2, "embed": 4},
        "data": {"dataset": "shapes-2d"},
        "step": 300,
    }
    return {**plain, **changes}


def card(**changes: Any) -> Card:
    """The same as a Card."""
    return Card.model_validate(card_table(**changes))


def tensor(begin: int, end: int, shape: list[Any] | None = None, dtype: Any = "U8") -> dict[str, Any]:
    """An entry of a header; bytes in one row unless it is told otherwise."""
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


def metadata(**changes: Any) -> dict[str, str]:
    """Metadata with a card."""
    return {"diffstudio.card": json.dumps(card_table(**changes))}


def file_bytes(header: dict[str, Any] | bytes, payload: bytes = b"") -> bytes:
    """Length, header, payload: https://github.com/huggingface/safetensors#format."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + payload


def good(**changes: Any) -> bytes:
    """A file with a card and two tensors of 4 and 8 bytes."""
    tensors = {"a": tensor(0, 4), "b": tensor(4, 12, [2, 1], "F32")}
    return file_bytes({"__metadata__": metadata(**changes), **tensors}, bytes(range(12)))


def refusal(path: Path, data: bytes | None = None) -> str:
    """The one sentence that refuses the file (with that content, if given): short, and it names the file."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DiffStudioError) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))
    return str(caught.value)
