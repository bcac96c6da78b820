"""Where checkpoints lie: which files and folders of a folder may be some, and when they last changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from diffstudio.checkpoints.adapters import ENDING, is_step_folder, may_be_model
from diffstudio.checkpoints.adapters.beside import newest
from diffstudio.user_files import is_file, is_folder

SUFFIX = ".safetensors"  # of our own
# Which files a folder is searched for; what a file is, its content says.
SUFFIXES = (SUFFIX, ".pt", ".pth", ".ckpt", ".pkl", ".bin")
MAX_DEPTH = 4
MAX_FILES = 10_000
WITH_PARTS = 1 << 28  # bytes from which a file may be a transformer whose other parts lie beside it
MAX_COUNTED = 1000  # files of a folder that are looked at to see whether it has changed


def user_folder() -> Path:
    """Where the user's own checkpoints lie."""
    import platformdirs

    return Path(platformdirs.user_data_dir("diffstudio", appauthor=False)) / "checkpoints"


def hub_folder() -> Path:
    """Where the Hugging Face libraries keep what was downloaded, by their own environment variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def files_in(folder: Path, lone: bool = True) -> Iterator[Path]:
    """The checkpoint files and folders in a folder, a few levels deep; links to folders are not followed.

    A folder that is a model is one entry; in it only the steps of its training are looked for. lone: files too.
    """
    if not is_folder(folder):
        yield folder  # a single file that was opened
        return
    count = 0
    root_depth = len(folder.parts)
    for at, folders, files in os.walk(folder, onerror=None):
        here = Path(at)
        if len(here.parts) - root_depth >= MAX_DEPTH:
            folders.clear()
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found = []
        if may_be_model(here, files, folders):
            found = [here]
            folders[:] = filter(is_step_folder, folders)
        elif lone:
            found = [here / name for name in sorted(files, key=_without_suffix) if _is_candidate(name)]
        for path in found:
            count += 1
            if count > MAX_FILES:
                return
            yield path


def folders_in(folder: Path, most: int) -> list[Path]:
    """The folder and those below it in which checkpoints may appear, the upper ones first."""
    if not is_folder(folder):
        return []
    found = [folder]
    for at in found:  # grows while it is walked
        if len(found) >= most or len(at.parts) - len(folder.parts) >= MAX_DEPTH:
            break
        try:
            with os.scandir(at) as entries:
                below = sorted(e.path for e in entries if e.is_dir(follow_symlinks=False) and e.name[0] != ".")
        except OSError:
            continue
        found.extend(map(Path, below))
    return found[:most]


def stamp(path: Path) -> tuple[int, int]:
    """When it was last changed, in ns, and its bytes; of a folder over its files and those of its folders.

    The card beside a file counts for it, and so do the text encoders and the autoencoder beside a large one.

    Raises:
        OSError: it is gone.
    """
    stat = path.stat()
    if not path.is_dir():
        card = path.with_name(path.name + ENDING)
        told = card.stat().st_mtime_ns if is_file(card) else 0
        return max(stat.st_mtime_ns, told, newest(path) if stat.st_size >= WITH_PARTS else 0), stat.st_size
    changed, size, waiting, count = stat.st_mtime_ns, 0, [path], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > MAX_COUNTED:
                    return changed, size
                found = entry.stat()
                changed = max(changed, found.st_mtime_ns)
                if entry.is_file():
                    size += found.st_size
                elif entry.is_dir(follow_symlinks=False) and Path(entry.path).parent == path:
                    waiting.append(Path(entry.path))
    return changed, size


def training_of(path: Path) -> Path:
    """The folder whose checkpoints are steps of one training."""
    return path.parent if is_step_folder(path.name) or not path.is_dir() else path


def _is_candidate(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _without_suffix(name: str) -> str:
    return name.removesuffix(SUFFIX)
