"""What a .safetensors file says of itself, read safely: bounded, without the weights, without torch.

Content decides, never the suffix. The safetensors library trusts header sizes and takes a million empty tensors; here
both are capped before anything is parsed.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from diffstudio import options
from diffstudio.checkpoints.card import FORMAT_VERSION, Card
from diffstudio.checkpoints.other_files import other_file
from diffstudio.checkpoints.tensors import ITEM_BYTES, MAX_NUMBERS, MAX_TENSORS
from diffstudio.errors import BadFile, NotFound
from diffstudio.findings import field_of, reason
from diffstudio.strangers import bounded_json, shown

CARD_KEY = "diffstudio.card"
MAX_HEADER = 1 << 20
LARGE_FILE = 1 << 30  # from here on a header may be larger, as the models are that have many tensors
MAX_HEADER_OF_LARGE = 16 << 20
MAX_PARTS = 500_000  # of a header, see `bounded_json`: 10,000 tensors have some twenty each
MAX_CARD_PARTS = 150_000  # a table of betas has up to 100,000, the classes 10,000

# Kinds of numbers that share a byte, with their bits.
PACKED = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
START = 512  # bytes by which a file of another kind is told


@dataclass(frozen=True)
class TensorInfo:
    """dtype as safetensors names it; begin and end in the payload."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """A file's tensors and metadata; payload_start is where the first byte of weights lies."""

    path: Path
    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    payload_start: int
    size: int

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(math.prod(t.shape) for t in self.tensors.values())

    @property
    def dtype(self) -> str:
        """The one that most numbers have, "" where there are none."""
        count: Counter[str] = Counter()
        for tensor in self.tensors.values():
            count[tensor.dtype] += math.prod(tensor.shape)
        return count.most_common(1)[0][0] if count else ""

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """The numbers of a short list in float32, such as a table of betas; None where there is none of that kind.

        Raises:
            BadFile: the file has changed since it was looked at.
        """
        tensor = self.tensors.get(name)
        if tensor is None or len(tensor.shape) != 1 or tensor.dtype != "F32" or tensor.shape[0] > MAX_NUMBERS:
            return None
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.payload_start + tensor.begin)
                return struct.unpack(f"<{tensor.shape[0]}f", stream.read(tensor.end - tensor.begin))
        except (OSError, struct.error) as error:
            raise BadFile(f"{shown(self.path, 400)}: the table '{shown(name)}' can't be read: {error}") from error


def read_header(path: Path) -> Header:
    """The header of a .safetensors file.

    Raises:
        NotFound: no such file.  BadFile: not a safetensors file, truncated, or absurd; the sentence says which.
    """
    where = shown(path, 400)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            raise BadFile(f"can't read {where}: it is not a file")
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            start = stream.read(START)
            length = _length(path, start, size)
            stream.seek(8)
            raw = stream.read(length)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {where}") from error
    except OSError as error:
        raise BadFile(f"can't read {where}: {error.strerror}") from error
    if len(raw) < length:
        raise BadFile(f"{where} is truncated: its header ends early; copy the file again")
    found = _parse(where, raw)
    metadata = found.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise BadFile(f"{where}: __metadata__ is not a table of texts, as the safetensors format has it")
    if len(found) > MAX_TENSORS:
        raise BadFile(f"{where}: {len(found):,} tensors, expected at most {MAX_TENSORS:,}")
    tensors = {name: _tensor(where, name, entry) for name, entry in found.items()}
    _check_layout(where, tensors, size - 8 - length)
    return Header(path, tensors, metadata, 8 + length, size)


def card_of(header: Header) -> Card:
    """The card in a header; the dtype is that of the tensors.

    Raises:
        BadFile: no card, a newer one, or a field that is not what a card has; the sentence names it.
    """
    where, text = shown(header.path, 400), header.metadata.get(CARD_KEY)
    if text is None:
        raise BadFile(f"{where} has no DiffStudio card: it holds weights, but nothing says of which network")
    try:
        found = bounded_json(text, MAX_CARD_PARTS)
    except ValueError as error:
        raise BadFile(f"{where}: the card is not JSON: {shown(error, 200)}") from error
    version = found.get("format_version", FORMAT_VERSION) if isinstance(found, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BadFile(
            f"{where}: the card has format_version {version}, expected {FORMAT_VERSION}: "
            "open it with a newer DiffStudio"
        )
    try:
        card = Card.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field, said = shown(field_of(first)), shown(reason(first), 300)
        own = ": " if first["type"] == "value_error" else " "  # a sentence of our own
        raise BadFile(f"{where}: card {f'field {field}' if field else 'as a whole'}{own}{said}") from error
    if card.network not in options.NETWORKS:
        raise BadFile(f"{where}: network is '{shown(card.network)}', expected one of {', '.join(options.NETWORKS)}")
    return card.model_copy(update={"dtype": header.dtype})


def _length(path: Path, start: bytes, size: int) -> int:
    """The header's length, after a look at whether this is a safetensors file at all."""
    where = shown(path, 400)
    if size == 0:
        raise BadFile(f"{where} is empty")
    if start[8:9] != b"{":
        zipped = "is a zip archive (torch.save writes those, with a pickle inside), not a safetensors checkpoint"
        what = zipped if start[:4] == b"PK\x03\x04" else other_file(path, start) or "is not a safetensors checkpoint"
        raise BadFile(f"{where} {what}")
    (length,) = struct.unpack("<Q", start[:8])
    most = MAX_HEADER if size <= LARGE_FILE else MAX_HEADER_OF_LARGE
    if length > most:
        raise BadFile(f"{where}: the header has {length:,} bytes, expected at most {most:,}")
    if 8 + length > size:
        raise BadFile(f"{where} is truncated: its header ends early; copy the file again")
    return length


def _parse(where: str, raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) < len(pairs):
            raise ValueError("a name stands twice")
        return out

    try:
        found = bounded_json(raw, MAX_PARTS, unique)
    except ValueError as error:
        raise BadFile(f"{where}: the header is not valid JSON: {shown(error, 200)}") from error
    if not isinstance(found, dict):
        raise BadFile(f"{where}: the header is not a table of tensors")
    return found


def _tensor(where: str, name: str, entry: Any) -> TensorInfo:
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        whole = all(type(n) is int and 0 <= n < 2**63 for n in [*shape, begin, end])
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{where}: tensor '{shown(name)}' is not described as the safetensors format has it") from error
    if not whole or not isinstance(shape, list) or len(shape) > 8:
        raise BadFile(f"{where}: tensor '{shown(name)}' has shape {shown(shape, 60)}, expected up to 8 whole numbers")
    bits = PACKED.get(dtype) or 8 * ITEM_BYTES.get(dtype, 0) if isinstance(dtype, str) else 0
    if not bits:
        raise BadFile(
            f"{where}: tensor '{shown(name)}' has dtype {shown(dtype, 20)}, expected one of {', '.join(ITEM_BYTES)}"
        )
    if 8 * (end - begin) != math.prod(shape) * bits:
        raise BadFile(f"{where}: tensor '{shown(name)}' takes {end - begin} bytes, its shape {shape} needs others")
    return TensorInfo(dtype, tuple(shape), begin, end)


def _check_layout(where: str, tensors: dict[str, TensorInfo], payload: int) -> None:
    """The tensors must cover the payload without gap or overlap."""
    at = 0
    for tensor in sorted(tensors.values(), key=lambda t: (t.begin, t.end)):
        if tensor.begin != at:
            raise BadFile(f"{where}: the tensors overlap or leave gaps; the file is damaged")
        at = tensor.end
    if at > payload:
        raise BadFile(f"{where} is truncated: {at:,} bytes of weights expected, {payload:,} found; copy the file again")
    if at < payload:
        raise BadFile(f"{where}: {payload - at:,} bytes lie behind the last tensor; the file is damaged")
