"""Starting the process that reads a stranger's pickle, and taking its answer."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import diffstudio
from diffstudio.checkpoints.child import NEXT
from diffstudio.checkpoints.loading import told
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

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

    with tempfile.TemporaryDirectory(prefix="diffstudio-") as folder:
        outs = [Path(folder) / f"weights-{i}.safetensors" for i in range(len(paths))]
        jobs = [[str(path.absolute()), str(out), *prefixes] for path, out in zip(paths, outs, strict=True)]
        named = shown(paths[0], 400) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        try:
            code, said = _run([word for job in jobs for word in (NEXT, *job)][1:], Path(folder), paths, outs, named)
        except OSError as error:
            raise BadFile(f"can't read {named}: {error.strerror or error}") from error
        if code == 1 and said:
            raise BadFile(said)
        if code or not all(out.is_file() for out in outs):
            raise BadFile(
                f"{named} could not be read: the process that tried ended with {code}, most likely for want of memory"
            )
        # torch reads by a memory map; a copy outlives the folder.
        return {name: tensor.clone() for out in outs for name, tensor in load_file(out).items()}


def _run(
    arguments: Sequence[str], folder: Path, paths: Sequence[Path], outs: Sequence[Path], named: str
) -> tuple[int, str]:
    """Run the child to its end: its exit code and what it said. Raises: OSError, BadFile, Left."""
    size = sum(path.stat().st_size for path in paths)
    seconds = SECONDS + size / BYTES_PER_SECOND
    command, begun = [sys.executable, "-m", "diffstudio.checkpoints.child", *arguments], time.monotonic()
    with (folder / "said").open("w+b") as stream:  # no pipe, which would fill and hold the child up
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.DEVNULL, env=_environment(), cwd=folder
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(LOOK)
                    break
                if time.monotonic() - begun > seconds:
                    raise BadFile(f"{named} could not be read in {seconds:.0f} seconds: given up")
                told(sum(out.stat().st_size for out in outs if out.exists()), size)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        stream.seek(0)
        return child.returncode, stream.read(MAX_SAID).decode("utf-8", "replace").strip()


def _environment() -> dict[str, str]:
    """This process's, with the package findable; one thread is enough to copy."""
    root = str(Path(diffstudio.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
