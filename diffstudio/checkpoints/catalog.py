"""What checkpoints there are: the bundled ones, the user's folder, and folders the user adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diffstudio.checkpoints.adapters import ENDING, card_at, is_step_folder, may_be_model
from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadFile, DiffStudioError, NotFound
from diffstudio.resources import resource

SUFFIX = ".safetensors"  # of our own
# Which files a folder is searched for; what a file is, its content says.
SUFFIXES = (SUFFIX, ".pt", ".pth", ".ckpt", ".pkl", ".bin")
HUB = "Hugging Face"  # the group of what lies in its cache
MAX_DEPTH = 4
MAX_FILES = 10_000
MAX_COUNTED = 1000  # files of a folder that are looked at to see whether it has changed


@dataclass(frozen=True)
class Entry:
    """A file or folder in the catalog. `problem` says in one sentence why it can't be used, None if it can."""

    path: Path
    card: Card | None
    size: int
    group: str  # "bundled", "user", or the folder that was added
    problem: str | None = None

    @property
    def spec(self) -> str:
        """How the command line and a request name it: "digits@400"."""
        return self.card.spec if self.card else str(self.path)


@dataclass(frozen=True)
class Model:
    """A name with one or more checkpoints, in the order of their training steps."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def default(self) -> Entry:
        """The one that the bare name means: the last of the training."""
        return self.entries[-1]

    @property
    def card(self) -> Card:
        """The card of the default checkpoint."""
        assert self.default.card is not None
        return self.default.card


class Catalog:
    """Scans folders; a file that has not changed is not read again."""

    def __init__(self, folders: Sequence[tuple[str, Path]]) -> None:
        """folders: (group, folder); the first of two checkpoints with the same name and step wins."""
        self.folders = list(folders)
        self._known: dict[tuple[str, Path], tuple[int, int, Entry]] = {}
        self._entries: list[Entry] | None = None

    def scan(self) -> list[Entry]:
        """Look again; every checkpoint is an entry, broken ones with their problem."""
        entries = []
        for group, folder in self.folders:
            for path in _files(folder, lone=group != HUB):
                entry = self._entry(path, group)
                # The cache of the hub is full of what other tools need: only what can be used here is listed.
                if entry is not None and not (group == HUB and entry.problem):
                    entries.append(entry)
        self._entries = _distinct(entries)
        return self._entries

    @property
    def entries(self) -> list[Entry]:
        """What the last scan found."""
        return self.scan() if self._entries is None else self._entries

    def models(self) -> list[Model]:
        """The usable checkpoints grouped by model, in the order of the folders and of their names."""
        grouped: dict[str, dict[float, Entry]] = {}
        for entry in self.entries:
            if entry.card is not None and entry.problem is None:
                grouped.setdefault(entry.card.name, {}).setdefault(_place(entry.card), entry)
        return [Model(name, tuple(by_step[step] for step in sorted(by_step))) for name, by_step in grouped.items()]

    def find(self, spec: str) -> Entry:
        """The checkpoint that "digits", "digits@400" or a path names.

        Raises:
            NotFound: nothing of that name; close ones are named.  BadFile: a path to a file that can't be used.
        """
        path = Path(spec)
        if path.suffix in SUFFIXES or os.sep in spec or (os.altsep and os.altsep in spec):
            return _opened(path)
        models = {model.name: model for model in self.models()}
        name, _, step = spec.partition("@")
        if name not in models:
            import difflib

            close = difflib.get_close_matches(name, models, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(models) or 'none'}"
            if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
                return _opened(path)  # what it is, its content says
            raise NotFound(f"there is no model '{spec}': {hint}")
        model = models[name]
        if not step:
            return model.default
        for entry in model.entries:
            if entry.card is not None and str(entry.card.step) == step:
                return entry
        steps = ", ".join(str(entry.card.step) for entry in model.entries if entry.card)
        raise NotFound(f"'{name}' has no checkpoint '{step}': it has the steps {steps}")

    def _entry(self, path: Path, group: str) -> Entry | None:
        try:
            changed, size = stamp(path)
        except OSError:
            return None  # deleted between listing and reading
        known = self._known.get((group, path))
        if known and known[:2] == (changed, size):
            return known[2]
        try:
            entry = Entry(path, card_at(path), size, group)
        except DiffStudioError as error:
            entry = Entry(path, None, size, group, str(error))
        self._known[group, path] = (changed, size, entry)
        return entry


def _opened(path: Path) -> Entry:
    """The checkpoint at a path. Raises: NotFound, BadFile."""
    card = card_at(path)
    try:
        return Entry(path, card, stamp(path)[1], "file")
    except OSError as error:
        raise BadFile(f"can't read {path}: {error.strerror}") from error


def user_folder() -> Path:
    """Where the user's own checkpoints lie."""
    import platformdirs

    return Path(platformdirs.user_data_dir("diffstudio", appauthor=False)) / "checkpoints"


def hub_folder() -> Path:
    """Where the Hugging Face libraries keep what was downloaded, by their own environment variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def default_catalog(extra: Sequence[Path] = ()) -> Catalog:
    """The bundled folder, the user's folder, those given, and what other tools have downloaded."""
    own = [("bundled", resource("checkpoints")), ("user", user_folder())]
    hub = hub_folder()
    return Catalog([*own, *((str(folder), folder) for folder in extra), *([(HUB, hub)] if hub.is_dir() else [])])


def _files(folder: Path, lone: bool = True) -> Iterator[Path]:
    """The checkpoint files and folders in a folder, a few levels deep; links to folders are not followed.

    A folder that is a model is one entry; in it only the steps of its training are looked for. lone: files too.
    """
    if not folder.is_dir():
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


def _is_candidate(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _without_suffix(name: str) -> str:
    return name.removesuffix(SUFFIX)


def stamp(path: Path) -> tuple[int, int]:
    """When it was last changed, in ns, and its bytes; of a folder over its files and those of its folders.

    The card beside a file counts for it.

    Raises:
        OSError: it is gone.
    """
    stat = path.stat()
    if not path.is_dir():
        beside = path.with_name(path.name + ENDING)
        return max(stat.st_mtime_ns, beside.stat().st_mtime_ns if beside.is_file() else 0), stat.st_size
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


def _place(card: Card) -> float:
    """Where a checkpoint stands in its training; other tools do not number their last one."""
    return card.step if card.step or not card.format else float("inf")


def _distinct(entries: list[Entry]) -> list[Entry]:
    """The entries with names by which each can be found: other tools name by the folder, and folders share names."""
    homes: dict[str, set[Path | None]] = {}
    out = []
    for entry in entries:
        if entry.card is not None:
            own = not entry.card.format
            home = None if own else _training_of(entry.path)
            name, number = entry.card.name, 1
            while homes.setdefault(name, {home}) != {home}:
                number += 1
                name = f"{entry.card.name[:70]} {number}"
            if name != entry.card.name:
                entry = replace(entry, card=entry.card.model_copy(update={"name": name}))
        out.append(entry)
    return out


def _training_of(path: Path) -> Path:
    """The folder whose checkpoints are steps of one training."""
    return path.parent if is_step_folder(path.name) or not path.is_dir() else path
