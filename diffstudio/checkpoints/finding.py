"""Where checkpoints lie: which files and folders of a folder may be some, and when they last changed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from diffstudio.checkpoints.adapters import is_step_folder, may_be_model
from diffstudio.checkpoints.adapters.beside import newest
from diffstudio.checkpoints.adapters.sidecar import card_beside
from diffstudio.checkpoints.adapters.told import beside
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.other_files import ENDINGS
from diffstudio.user_files import is_file, is_folder

SUFFIX = ".safetensors"  # of our own
# Which files may be weights; what a file is, its content says.
SUFFIXES = (SUFFIX, ".sft", ".pt", ".pth", ".ckpt", ".pkl", ".bin")
LISTED = (*SUFFIXES, *ENDINGS)  # which files a folder is searched for: others are listed with the way out
MAX_DEPTH = 12
MAX_FILES = 10_000
MAX_FOLDERS = 20_000
WITH_PARTS = 1 << 28  # bytes from which a file may be a transformer whose other parts lie beside it
MAX_COUNTED = 1000  # files of a folder that are looked at to see whether it has changed
# Programs' own folders: there are thousands of them in a home, and files of .pt and .bin that are no checkpoints.
_NO_MODELS = frozenset({"node_modules", "__pycache__", "site-packages", "dist-packages"})
Key = tuple[int, int] | str


def user_folder() -> Path:
    """Where the user's own checkpoints lie."""
    import platformdirs

    return Path(platformdirs.user_data_dir("diffstudio", appauthor=False)) / "checkpoints"


def hub_folder() -> Path:
    """Where the Hugging Face libraries keep what was downloaded, by their own environment variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


class Search:
    """The checkpoint files and folders in a folder, each real folder once, those behind links last; iterate over it.

    A folder that is a model is one of them; in it only the steps of its training are looked for. A link that leads to
    a folder above is not followed. cut: afterwards the sentence that says which bound ended the search, "" for none.
    """

    def __init__(self, root: Path, suffixes: tuple[str, ...] = LISTED, depth: int | None = None) -> None:
        """suffixes: of the single files that are found; a root that is a file is found whatever it is called.

        depth: how many levels are looked at, and nothing is said of what lies deeper.
        """
        self.root, self.cut = root, ""
        self._depth = depth
        self._suffixes = suffixes
        self._links: deque[tuple[Path, int]] = deque()
        self._seen: set[Key] = set()
        self._folders = self._count = 0

    def __iter__(self) -> Iterator[Path]:
        if not is_folder(self.root):
            yield self.root
            return
        self._seen = _above(self.root)
        self._links.append((self.root, 0))
        while self._links:
            yield from self._in(*self._links.popleft())

    def _in(self, at: Path, depth: int) -> Iterator[Path]:
        key = key_of(at)
        if key is None or key in self._seen:
            return
        if not self._may_go_on(self._folders < MAX_FOLDERS, MAX_FOLDERS, "folders"):
            return
        self._seen.add(key)
        self._folders += 1
        files, folders, links = _listed(at)
        found: list[Path] = []
        if may_be_model(at, files, [*folders, *links]):
            found = [at]
            folders, links = [name for name in folders if is_step_folder(name)], list(filter(is_step_folder, links))
        elif self._suffixes:
            found = [at / name for name in sorted(files, key=_without_suffix) if self._is_candidate(name)]
        for path in found:
            if not self._may_go_on(self._count < MAX_FILES, MAX_FILES, "checkpoints"):
                return
            self._count += 1
            yield path
        if depth == self._depth:
            return
        if depth == MAX_DEPTH and (folders or links):
            self.cut = f"{shown(self.root, 400)}: folders more than {MAX_DEPTH} levels deep were not looked at"
            return
        self._links.extend((at / name, depth + 1) for name in links)
        for name in folders:
            yield from self._in(at / name, depth + 1)

    def _may_go_on(self, further: bool, most: int, what: str) -> bool:
        if not further:
            self.cut = (
                f"{shown(self.root, 400)}: only the first {most:,} {what} were looked at: add the folder in which your "
                "checkpoints lie"
            )
        return further

    def _is_candidate(self, name: str) -> bool:
        return name.lower().endswith(self._suffixes) and not name.startswith(".")


def folders_in(folder: Path, most: int) -> list[Path]:
    """The folder and those below it in which checkpoints may appear, the upper ones first; each real folder once."""
    if not is_folder(folder):
        return []
    found, seen = [folder], _above(folder) | {key_of(folder)}
    for at in found:  # grows while it is walked
        if len(found) >= most or len(at.parts) - len(folder.parts) >= MAX_DEPTH:
            break
        _, folders, links = _listed(at)
        for name in (*folders, *links):
            key = key_of(at / name)
            if key is not None and key not in seen:
                seen.add(key)
                found.append(at / name)
    return found[:most]


class Stamp(NamedTuple):
    """changed: when, in ns, of all that counts.  size: in bytes.  identity: the same for whatever is really the same.

    own: when the file or folder itself was changed, in ns.
    """

    changed: int
    size: int
    identity: str
    own: int


def stamp(path: Path) -> tuple[int, int]:
    """When it was last changed, in ns, and its bytes. As `stamped`."""
    return stamped(path)[:2]


def stamped(path: Path) -> Stamp:
    """When a checkpoint was last changed, how large it is, and which it really is; of a folder over all its files.

    The card and what else is told beside a file or folder count for it, and so do the text encoders and the autoencoder
    beside a large file. The steps of a training, which lie in the folder of the finished model, do not count for that.
    A folder is known by its weights and configs: two snapshots of the Hugging Face cache that share them are the same.

    Raises:
        OSError: it is gone.
    """
    stat = path.stat()
    told = max((at.stat().st_mtime_ns for at in (card_beside(path), *beside(path)) if is_file(at)), default=0)
    if not path.is_dir():
        changed = max(stat.st_mtime_ns, told, newest(path) if stat.st_size >= WITH_PARTS else 0)
        return Stamp(changed, stat.st_size, _identity(path, stat), stat.st_mtime_ns)
    changed, size, waiting, count = max(stat.st_mtime_ns, told), 0, [path], 0
    parts: list[str] = []
    while waiting and count <= MAX_COUNTED:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > MAX_COUNTED:
                    break
                try:
                    found = entry.stat()
                except OSError:
                    continue  # a link to nothing: whoever needs the file says that it is missing
                if S_ISDIR(found.st_mode) and is_step_folder(entry.name):
                    continue
                changed = max(changed, found.st_mtime_ns)
                if S_ISREG(found.st_mode):
                    size += found.st_size
                    if entry.name.lower().endswith((*SUFFIXES, ".json")):
                        parts.append(_identity(Path(entry.path), found))
                elif entry.is_dir(follow_symlinks=False) and Path(entry.path).parent == path:
                    waiting.append(Path(entry.path))
    return Stamp(changed, size, f"folder {' '.join(sorted(parts)) or _identity(path, stat)}", stat.st_mtime_ns)


def training_of(path: Path) -> Path:
    """The folder whose checkpoints are steps of one training: of a file the one in which it lies."""
    return path.parent if is_step_folder(path.name) or not path.is_dir() else path


def key_of(folder: Path) -> Key | None:
    """The same for each way to a folder, None where there is none to be read."""
    try:
        stat = folder.stat()
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino) if stat.st_ino else str(folder.resolve())


def _identity(path: Path, stat: os.stat_result) -> str:
    """Not every file system numbers its files."""
    return f"{stat.st_dev}:{stat.st_ino}" if stat.st_ino else str(path.resolve())


def _above(folder: Path) -> set[Key]:
    """The folders in which a folder really lies."""
    return {key for at in folder.resolve().parents if (key := key_of(at)) is not None}


def _listed(at: Path) -> tuple[list[str], list[str], list[str]]:
    """The names of the files in a folder, of its folders, and of links to others; nothing where it can't be read."""
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    try:
        with os.scandir(at) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    kind = folders
                else:
                    kind = links if entry.is_symlink() and entry.is_dir() else files
                kind.append(entry.name)
    except OSError:
        return [], [], []
    if "pyvenv.cfg" in files:  # an environment of Python's: its packages bring files like those of checkpoints
        return [], [], []
    return files, sorted(filter(_is_shown, folders)), sorted(filter(_is_shown, links))


def _is_shown(folder: str) -> bool:
    return not folder.startswith(".") and folder not in _NO_MODELS


def _without_suffix(name: str) -> str:
    return name.removesuffix(SUFFIX)
