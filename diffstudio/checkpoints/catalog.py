"""What checkpoints there are: the bundled ones, the user's folder, and folders the user adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.header import read_card
from diffstudio.errors import BadFile, DiffStudioError, NotFound
from diffstudio.resources import resource

SUFFIX = ".safetensors"
MAX_DEPTH = 4
MAX_FILES = 10_000


@dataclass(frozen=True)
class Entry:
    """A file in the catalog. `problem` says in one sentence why it can't be used, None if it can."""

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
        """Look again; every .safetensors file is an entry, broken ones with their problem."""
        entries = []
        for group, folder in self.folders:
            for path in _files(folder):
                entry = self._entry(path, group)
                if entry is not None:
                    entries.append(entry)
        self._entries = entries
        return entries

    @property
    def entries(self) -> list[Entry]:
        """What the last scan found."""
        return self.scan() if self._entries is None else self._entries

    def models(self) -> list[Model]:
        """The usable checkpoints grouped by model, in the order of the folders and of their names."""
        grouped: dict[str, dict[int, Entry]] = {}
        for entry in self.entries:
            if entry.card is not None and entry.problem is None:
                grouped.setdefault(entry.card.name, {}).setdefault(entry.card.step, entry)
        return [Model(name, tuple(by_step[step] for step in sorted(by_step))) for name, by_step in grouped.items()]

    def find(self, spec: str) -> Entry:
        """The checkpoint that "digits", "digits@400" or a path names.

        Raises:
            NotFound: nothing of that name; close ones are named.  BadFile: a path to a file that can't be used.
        """
        path = Path(spec)
        if path.suffix == SUFFIX or os.sep in spec or (os.altsep and os.altsep in spec):
            return Entry(path, read_card(path), path.stat().st_size, "file")
        models = {model.name: model for model in self.models()}
        name, _, step = spec.partition("@")
        if name not in models:
            import difflib

            close = difflib.get_close_matches(name, models, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(models) or 'none'}"
            if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
                raise BadFile(f"{path} is not a {SUFFIX} checkpoint")
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
            stat = path.stat()
        except OSError:
            return None  # deleted between listing and reading
        known = self._known.get((group, path))
        if known and known[:2] == (stat.st_mtime_ns, stat.st_size):
            return known[2]
        try:
            entry = Entry(path, read_card(path), stat.st_size, group)
        except DiffStudioError as error:
            entry = Entry(path, None, stat.st_size, group, str(error))
        self._known[group, path] = (stat.st_mtime_ns, stat.st_size, entry)
        return entry


def user_folder() -> Path:
    """Where the user's own checkpoints lie."""
    import platformdirs

    return Path(platformdirs.user_data_dir("diffstudio", appauthor=False)) / "checkpoints"


def default_catalog(extra: Sequence[Path] = ()) -> Catalog:
    """The bundled folder, the user's folder, and those given."""
    own = [("bundled", resource("checkpoints")), ("user", user_folder())]
    return Catalog([*own, *((str(folder), folder) for folder in extra)])


def _files(folder: Path) -> Iterator[Path]:
    """The checkpoint files of a folder and of its folders, a few levels deep; links to folders are not followed."""
    if folder.is_file():
        yield folder  # a single file that was opened
        return
    count = 0
    root_depth = len(folder.parts)
    for at, folders, files in os.walk(folder, onerror=None):
        here = Path(at)
        if len(here.parts) - root_depth >= MAX_DEPTH:
            folders.clear()
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(files, key=lambda n: n.removesuffix(SUFFIX)):
            if name.endswith(SUFFIX) and not name.startswith("."):
                count += 1
                if count > MAX_FILES:
                    return
                yield here / name
