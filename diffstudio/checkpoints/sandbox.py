"""Starting the process that reads a stranger's pickle, and taking its answer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import diffstudio
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

SECONDS = 300.0  # to import torch on a busy machine and read a small file; the size adds to it
BYTES_PER_SECOND = 20e6


def pickled_weights(path: Path, prefixes: Sequence[str] = ()) -> dict[str, Tensor]:
    """The tensors of a file of torch.save, read in a process of its own with a limit of memory and time.

    prefixes: of the dotted names that are wanted; none: all.

    Raises:
        BadFile: the file was refused, or the process ran out of its limits.
    """
    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory(prefix="diffstudio-") as folder:
        out = Path(folder) / "weights.safetensors"
        try:
            seconds = SECONDS + path.stat().st_size / BYTES_PER_SECOND
            done = subprocess.run(
                [sys.executable, "-m", "diffstudio.checkpoints.child", str(path.absolute()), str(out), *prefixes],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                env=_environment(),
                cwd=folder,
            )
        except subprocess.TimeoutExpired as error:
            raise BadFile(f"{shown(path, 400)} could not be read in {error.timeout:.0f} seconds: given up") from error
        except OSError as error:
            raise BadFile(f"can't read {shown(path, 400)}: {error.strerror or error}") from error
        said = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode == 1 and said:
            raise BadFile(said)
        if done.returncode or not out.is_file():
            raise BadFile(
                f"{shown(path, 400)} could not be read: the process that tried ended with {done.returncode}, "
                "most likely for want of memory"
            )
        # torch reads by a memory map; a copy outlives the folder.
        return {name: tensor.clone() for name, tensor in load_file(out).items()}


def _environment() -> dict[str, str]:
    """This process's, with the package findable; one thread is enough to copy."""
    root = str(Path(diffstudio.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
