"""The weights of one component of a folder: one file or several shards, .safetensors or pickled."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diffstudio.checkpoints.adapters.look import Look, inside, read_json
from diffstudio.checkpoints.loading import told
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.sandbox import pickled_weights
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

MAX_SHARDS = 200


@dataclass(frozen=True)
class Parts:
    """The files of a component's weights; dtype: the one that most numbers have, as safetensors names it."""

    files: tuple[Path, ...]
    parameters: int
    dtype: str


def parts(folder: Path) -> Parts:
    """Find the weights in a component's folder, and check their headers and their index.

    Raises:
        BadFile: no weights, an index that does not fit the files, or a broken file.
    """
    files, index = _files(folder)
    count: Counter[str] = Counter()
    where = shown(folder, 400)
    seen: dict[str, str] = {}
    for file in files:
        for name, (dtype, size) in _tensors(file).items():
            if name in seen:
                raise BadFile(f"{where}: tensor '{shown(name)}' is in two files, {seen[name]} and {file.name}")
            seen[name] = file.name
            count[dtype] += size
    for name, file_name in index.items():
        if seen.get(name) != file_name:
            raise BadFile(f"{where}: the index places '{shown(name)}' in {shown(file_name)}, which does not have it")
    return Parts(files, sum(count.values()), count.most_common(1)[0][0] if count else "")


def load(files: tuple[Path, ...], prefix: str) -> dict[str, Tensor]:
    """The tensors of the files as they are stored, their names with the prefix. Raises: BadFile."""
    out: dict[str, Tensor] = {}
    for file in files:
        out.update({f"{prefix}{_current(name)}": tensor for name, tensor in stored_weights(Look(file)).items()})
    return out


def _safetensors(look: Look) -> dict[str, Tensor]:
    """The tensors of one .safetensors file, its header checked first. Raises: NotFound, BadFile, Left."""
    from safetensors import safe_open

    size, out = look.header.size, {}
    try:
        with safe_open(look.path, framework="pt") as file:
            for name, tensor in look.header.tensors.items():
                out[name] = file.get_tensor(name)
                told(look.header.payload_start + tensor.end, size)
        return out
    except Exception as error:  # the library's own error type is not public
        first = shown(str(error).splitlines()[0] if str(error) else type(error).__name__, 200)
        raise BadFile(f"{shown(look.path, 400)}: the weights can't be read: {first}") from error


def stored_weights(look: Look) -> dict[str, Tensor]:
    """The tensors of one file of either kind, as they are stored. Raises: NotFound, BadFile."""
    return _safetensors(look) if look.kind == "safetensors" else pickled_weights(look.path)


def _tensors(file: Path) -> dict[str, tuple[str, int]]:
    """Of each tensor in the file the dtype and how many numbers. Raises: NotFound, BadFile."""
    return {name: (tensor.dtype, math.prod(tensor.shape)) for name, tensor in Look(file).tensors.items()}


def _files(folder: Path) -> tuple[tuple[Path, ...], dict[str, str]]:
    """The files, and of several the index: which tensor is in which of them."""
    names = sorted(Look(folder).names, key=lambda name: (len(name), name))
    for suffix in ("safetensors", "bin"):
        for base in ("diffusion_pytorch_model", "model", "pytorch_model"):
            single = re.compile(rf"{base}(\.[A-Za-z0-9_-]+)?\.{suffix}")
            for name in filter(single.fullmatch, names):
                return (inside(folder, name),), {}
            index = re.compile(rf"{base}\.{suffix}\.index(\.[A-Za-z0-9_-]+)?\.json")
            for name in filter(index.fullmatch, names):
                return _indexed(folder, name)
    raise BadFile(f"{shown(folder, 400)} has a config, but no weights beside it; copy the folder again")


def _indexed(folder: Path, name: str) -> tuple[tuple[Path, ...], dict[str, str]]:
    table = read_json(folder, name).get("weight_map")
    where = f"{shown(folder, 400)}: {name}"
    if not isinstance(table, dict) or not all(isinstance(file, str) for file in table.values()):
        raise BadFile(f"{where} has no weight_map, which says where each tensor lies")
    files = sorted(set(table.values()))
    if not 1 <= len(files) <= MAX_SHARDS:
        raise BadFile(f"{where} names {len(files):,} files, expected 1 to {MAX_SHARDS}")
    for file in files:
        if "/" in file:
            raise BadFile(f"{where} names '{shown(file)}', which leads out of the folder; it was not opened")
    return tuple(inside(folder, file) for file in files), table


def _current(name: str) -> str:
    """Attention layers were named otherwise before diffusers 0.17."""
    if ".attentions." not in name:
        return name
    for before, after in (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")):
        name = re.sub(rf"\.{before}\.(weight|bias)$", rf".{after}.\1", name)
    return name
