"""The short-lived process that takes the weights out of strangers' pickles: a file in, a .safetensors file out.

    python -m diffstudio.checkpoints.child FILE OUT [PREFIX …] [-- FILE OUT [PREFIX …] …]

It ends with 0, or with 1 and one sentence on the standard output, and when its standard input ends. Whatever a hostile
file does to it, the window lives.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstudio.checkpoints.limits import end_with_parent, limit_memory
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.pickled import read_stream
from diffstudio.errors import BadFile

NEXT = "--"  # between two files: no path that is given whole is that
LOOKED = 160 << 20  # bytes for the look at what a file says of itself
TORCH = 16 << 30  # of addresses, most of them never used: what its libraries map when they are loaded
SPARE = 1 << 30  # bytes beside three times the file: what torch itself needs while it reads


def main(arguments: Sequence[str]) -> int:
    """Convert one file after the other; 0, or 1 when one was refused."""
    jobs = [list(words) for apart, words in itertools.groupby(arguments, NEXT.__eq__) if not apart]
    try:
        for source, out, *prefixes in jobs:
            convert(Path(source), Path(out), prefixes)
    except BadFile as error:
        sys.stdout.write(str(error))
        return 1
    return 0


def convert(source: Path, out: Path, prefixes: Sequence[str] = ()) -> None:
    """Write the tensors whose dotted names begin with one of the prefixes (all, without any).

    Raises:
        BadFile: the file is refused, or can't be read.
    """
    with source.open("rb") as stream:
        # The same open file is checked and then loaded: what is put in its place meanwhile is never read.
        limit_memory(LOOKED)
        known = read_stream(source, stream)
        limit_memory(3 * known.size + SPARE + TORCH)
        import torch
        from safetensors.torch import save_file

        limit_memory(3 * known.size + SPARE)
        stream.seek(0)
        try:
            found = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever torch makes of a damaged file
            first = shown(str(error).splitlines()[0] if str(error) else type(error).__name__, 200)
            raise BadFile(f"{shown(source, 400)}: torch can't read it: {first}") from error
    tensors = {}
    for name in known.tensors:
        if not prefixes or name.startswith(tuple(prefixes)):
            tensor = _at(found, name)
            if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.device.type != "cpu":
                raise BadFile(f"{shown(source, 400)}: '{shown(name)}' is no dense tensor; it was not opened")
            tensors[name] = tensor.detach().clone(memory_format=torch.contiguous_format)
    save_file(tensors, out)


def _at(found: Any, name: str) -> Any:
    """What lies at a dotted name; names of weights have dots themselves."""
    if not name:
        return found
    if isinstance(found, dict):
        if name in found:
            return found[name]
        for key, value in found.items():
            text = str(key)
            if name == text:
                return value
            if name.startswith(f"{text}."):
                inner = _at(value, name[len(text) + 1 :])
                if inner is not None:
                    return inner
    elif isinstance(found, list | tuple):
        head, _, rest = name.partition(".")
        if head.isdigit() and int(head) < len(found):
            return _at(found[int(head)], rest)
    return None


if __name__ == "__main__":
    end_with_parent(Path(sys.argv[2]).parent)
    sys.exit(main(sys.argv[1:]))
