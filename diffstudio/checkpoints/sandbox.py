"""Starting the process that reads a stranger's pickle, and taking its answer."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diffstudio.checkpoints.child import NEXT
from diffstudio.checkpoints.described import OWN_GROUP, environment
from diffstudio.checkpoints.header import read_header
from diffstudio.checkpoints.loading import told
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.scratch import scratch_folder

if TYPE_CHECKING:
    from torch import Tensor

SECONDS = 300.0  # to import torch on a busy machine and read a small file; the size adds to it
BYTES_PER_SECOND = 20e6
LOOK = 0.1  # seconds between two looks at whether the weights are still wanted
MAX_SAID = 65_536


def pickled_weights(path: Path, prefixes: Sequence[str] = ()) -> dict[str, Tensor]:
    """The tensors of a file of torch.save, read in a process of its own with a limit of memory and time.

    prefixes: of the dotted names that are wanted; none: all.

    Raises:
        BadFile: the file was refused, or the process ran out of its limits.  Left: nobody waits for them any more.
    """
    return pickled_weights_of([path], prefixes)


def pickled_weights_of(paths: Sequence[Path], prefixes: Sequence[str] = ()) -> dict[str, Tensor]:
    """The tensors of several such files, which share one process: it takes seconds to start. Raises: as for one."""
    from safetensors.torch import load_file

    named = shown(paths[0], 400) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    with _folder(named) as folder:
        outs = [folder / f"weights-{i}.safetensors" for i in range(len(paths))]
        jobs = [[str(path.absolute()), str(out), *prefixes] for path, out in zip(paths, outs, strict=True)]
        try:
            code, said = _run([word for job in jobs for word in (NEXT, *job)][1:], folder, paths, outs, named)
        except OSError as error:
            raise BadFile(f"can't read {named}: {error.strerror or error}") from error
        if code == 1 and said:
            raise BadFile(said)
        if code or not all(out.is_file() for out in outs):
            raise BadFile(
                f"{named} could not be read: the process that tried ended with {code}, most likely for want of memory"
            )
        for out in outs:
            read_header(out)  # what that process has written is no surer than the files were
        # torch reads by a memory map; a copy outlives the folder.
        return {name: tensor.clone() for out in outs for name, tensor in load_file(out).items()}


@contextlib.contextmanager
def _folder(named: str) -> Iterator[Path]:
    """Room for the weights. Raises: BadFile: there is none."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
        except OSError as error:
            raise BadFile(f"{named} can't be unpacked: {error.strerror or error}") from error
        yield folder


def _run(
    arguments: Sequence[str], folder: Path, paths: Sequence[Path], outs: Sequence[Path], named: str
) -> tuple[int, str]:
    """Run the child to its end: its exit code and what it said. Raises: OSError, BadFile, Left."""
    size = sum(path.stat().st_size for path in paths)
    seconds = SECONDS + size / BYTES_PER_SECOND
    command, begun = [sys.executable, "-m", "diffstudio.checkpoints.child", *arguments], time.monotonic()
    with (folder / "said").open("w+b") as stream:  # no pipe, which would fill and hold the child up
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.DEVNULL, env=environment(), cwd=folder,
            **OWN_GROUP,
        )  # fmt: skip
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(LOOK)
                    break
                if time.monotonic() - begun > seconds:
                    raise BadFile(f"{named} could not be read in {seconds:.0f} seconds: given up")
                told(sum(out.stat().st_size for out in outs if out.exists()), size)
        finally:
            child.kill()
            child.wait()
            if child.stdin is not None:
                child.stdin.close()
        stream.seek(0)
        return child.returncode, stream.read(MAX_SAID).decode("utf-8", "replace").strip()
