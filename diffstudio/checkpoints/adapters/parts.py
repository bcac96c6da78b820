"""The weights of one component of a folder: one file or several shards, .safetensors or pickled."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diffstudio.checkpoints.adapters.look import Look, inside, read_json
from diffstudio.checkpoints.adapters.quantised import quantised_by_names
from diffstudio.checkpoints.loading import told
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.sandbox import NEXT, pickled_weights, pickled_weights_of
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

MAX_SHARDS = 200
MANY = 64  # beginnings of names by which the process that reads a pickle is told what is wanted
BASES = ("diffusion_pytorch_model", "model", "pytorch_model")
RAW = "non_ema"  # the variant that has the raw weights where the others are averages
_VARIANT = r"(?:\.([A-Za-z0-9_-]+?))?"
_SHARD = r"-(\d{5})-of-(\d{5})"


@dataclass(frozen=True)
class Parts:
    """The files of a component's weights; dtype: the one that most numbers have, as safetensors names it.

    prefix: what all names begin with, of a network that was compiled or distributed when it was saved; it means
    nothing.  raw: whether a variant with the raw weights lies beside averaged ones.
    """

    files: tuple[Path, ...]
    parameters: int
    dtype: str
    prefix: str = ""
    raw: bool = False


@dataclass(frozen=True)
class _Choice:
    """One way in which the weights of a component lie in its folder; index: the file that says what lies where."""

    variant: str
    files: tuple[str, ...] = ()
    index: str = ""
    missing: str = ""


def parts(folder: Path, raw: bool = False) -> Parts:
    """Find the weights in a component's folder, and check their headers and their index.

    raw: take the variant with the raw weights, where there is one.

    Raises:
        BadFile: no weights, an index that does not fit the files, weights in fewer bits than floats have, or a broken
            file.
    """
    files, index, has_raw = _files(folder, raw)
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
    how = quantised_by_names(seen, count)
    if how:
        raise BadFile(f"{where}: {how}")
    dtype = count.most_common(1)[0][0] if count else ""
    return Parts(files, sum(count.values()), dtype, common_prefix(seen), has_raw)


def load(found: Parts, prefix: str) -> dict[str, Tensor]:
    """The tensors of a component as they are stored, their names with the prefix. Raises: BadFile."""
    pickled = [file for file in found.files if Look(file).kind == "torch"]
    stored = pickled_weights_of(pickled) if pickled else {}
    for file in found.files:
        if file not in pickled:
            stored |= _safetensors(Look(file))
    cut = len(found.prefix)
    return {f"{prefix}{current_name(name[cut:])}": tensor for name, tensor in stored.items()}


def common_prefix(names: Collection[str]) -> str:
    """What all of the names begin with, in whole words: "module." or "_orig_mod.module."; "" for a single name."""
    if len(names) < 2:
        return ""
    first, last = min(names).split("."), max(names).split(".")
    same = 0
    while same < min(len(first), len(last)) - 1 and first[same] == last[same]:
        same += 1
    return "".join(f"{word}." for word in first[:same])


def _safetensors(look: Look, wanted: Collection[str] | None = None) -> dict[str, Tensor]:
    """The tensors of one .safetensors file, its header checked first. Raises: NotFound, BadFile, Left."""
    from safetensors import safe_open

    size, out = look.header.size, {}
    try:
        with safe_open(look.path, framework="pt") as file:
            for name, tensor in look.header.tensors.items():
                if wanted is None or name in wanted:
                    out[name] = file.get_tensor(name)
                    told(look.header.payload_start + tensor.end, size)
        return out
    except Exception as error:  # the library's own error type is not public
        first = shown(str(error).splitlines()[0] if str(error) else type(error).__name__, 200)
        raise BadFile(f"{shown(look.path, 400)}: the weights can't be read: {first}") from error


def stored_weights(look: Look, wanted: Collection[str] | None = None) -> dict[str, Tensor]:
    """The tensors of one file of either kind, as they are stored; wanted: their names, None: all.

    Raises:
        NotFound, BadFile.  Left: nobody waits for them any more.
    """
    if look.kind == "safetensors":
        return _safetensors(look, None if wanted is None else frozenset(wanted))
    if wanted is None:
        return pickled_weights(look.path)
    starts = {name.partition(".")[0] + ("." if "." in name else "") for name in wanted}
    # A stranger's names go into a command line only where they are few and plain.
    plain = len(starts) <= MANY and all(start.isprintable() and len(start) <= 80 and start != NEXT for start in starts)
    found = pickled_weights(look.path, sorted(starts) if plain else ())
    return {name: found[name] for name in wanted}


def _tensors(file: Path) -> dict[str, tuple[str, int]]:
    """Of each tensor in the file the dtype and how many numbers. Raises: NotFound, BadFile."""
    return {name: (tensor.dtype, math.prod(tensor.shape)) for name, tensor in Look(file).tensors.items()}


def _files(folder: Path, raw: bool) -> tuple[tuple[Path, ...], dict[str, str], bool]:
    """The files, of several the index (which tensor is in which of them), and whether there are raw ones too."""
    names = Look(folder).names
    for suffix in ("safetensors", "bin"):
        for base in BASES:
            found = sorted(_choices(names, base, suffix), key=lambda choice: (len(choice.variant), choice.variant))
            if not found:
                continue
            has_raw = RAW in {choice.variant for choice in found} and len({choice.variant for choice in found}) > 1
            plain = [choice for choice in found if (choice.variant == RAW) == (raw and has_raw)] or found
            first = next((choice for choice in plain if not choice.missing), plain[0])
            if first.missing:
                raise BadFile(f"{shown(folder, 400)}: the shard '{first.missing}' is missing; copy the folder again")
            if first.index:
                return *_indexed(folder, first.index), has_raw
            return tuple(inside(folder, name) for name in first.files), {}, has_raw
    raise BadFile(f"{shown(folder, 400)} has a config, but no weights beside it; copy the folder again")


def _choices(names: Collection[str], base: str, suffix: str) -> Iterator[_Choice]:
    """Every spelling: one file, an index, or shards without one; the variant stands before or after the number."""
    shards: dict[tuple[str, int], set[int]] = {}
    patterns: dict[tuple[str, int], str] = {}
    single = re.compile(rf"{base}{_VARIANT}\.{suffix}")
    index = re.compile(rf"{base}{_VARIANT}\.{suffix}\.index{_VARIANT}\.json")
    before, after = (re.compile(rf"{base}{form}\.{suffix}") for form in (_VARIANT + _SHARD, _SHARD + _VARIANT))
    for name in sorted(names):
        if found := index.fullmatch(name):
            yield _Choice(found[1] or found[2] or "", index=name)
        elif found := before.fullmatch(name):
            key = found[1] or "", int(found[3])
            shards.setdefault(key, set()).add(int(found[2]))
            patterns[key] = f"{base}{'.' * bool(key[0])}{key[0]}-{{:05}}-of-{key[1]:05}.{suffix}"
        elif found := after.fullmatch(name):
            key = found[3] or "", int(found[2])
            shards.setdefault(key, set()).add(int(found[1]))
            patterns[key] = f"{base}-{{:05}}-of-{key[1]:05}.{key[0]}.{suffix}"
        elif found := single.fullmatch(name):
            yield _Choice(found[1] or "", (name,))
    for key, there in shards.items():
        wanted = range(1, min(key[1], MAX_SHARDS) + 1)
        gone = next((i for i in wanted if i not in there), None)
        files = tuple(patterns[key].format(i) for i in wanted)
        yield _Choice(key[0], files, missing="" if gone is None else patterns[key].format(gone))


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


def current_name(name: str) -> str:
    """Attention layers were named otherwise before diffusers 0.17."""
    if ".attentions." not in name:
        return name
    for before, after in (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")):
        name = re.sub(rf"\.{before}\.(weight|bias)$", rf".{after}.\1", name)
    return name
