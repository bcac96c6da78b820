"""A checkpoint by where it lies: a file, a folder that is a model, a folder of steps, a name in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.finding import LISTED
from diffstudio.checkpoints.grouping import Grouping
from diffstudio.checkpoints.listing import Entry, Listing, Model
from diffstudio.checkpoints.names import model_name, shown
from diffstudio.errors import BadFile, NotFound


@dataclass(frozen=True)
class ByPath:
    """look: the entry of a file or folder, None where nothing is; with True also if it was looked at before.

    within: what lies in a folder now, down to so many levels, or as deep as is searched.
    """

    look: Callable[[Path, bool], Entry | None]
    within: Callable[[Path, int | None], Listing]

    def find(self, path: Path) -> Entry:
        """The checkpoint at a path, or that "FOLDER@STEP" or "FOLDER/NAME" names. Raises: NotFound, BadFile."""
        if not names_file(path) and not exists(path):
            parts = path.name.split("@")
            for count in range(1, len(parts)):  # a folder's own name may have an "@"
                folder = path.with_name("@".join(parts[:count]))
                if _is_folder(folder):
                    return self._in_folder(folder, "@".join(parts[count:]))
            found = self.beside(path)
            if found is not None:
                return found
        return self._in_folder(path) if _is_folder(path) else self._opened(path)

    def beside(self, path: Path) -> Entry | None:
        """The model of that name among those that lie right in the folder; None without one.

        Raises:
            NotFound: it has no such step, or there are several of that name.
        """
        if names_file(path) or not _is_folder(path.parent):
            return None
        listing = self.within(path.parent, 1)
        return listing.find(path.name) if listing.called(path.name.partition("@")[0]) else None

    def _opened(self, path: Path) -> Entry:
        """The checkpoint in that file or folder. Raises: NotFound, BadFile."""
        try:
            entry = self.look(path, False)
        except ValueError:
            entry = None  # no name that a file can have
        if entry is None or entry.card is None:
            card_at(path)  # says why not
            entry = self.look(path, True)  # it may be used now
        if entry is None or entry.card is None:
            raise BadFile(f"{shown(path, 400)} has changed while it was read: try again")
        (place,) = Grouping().places([entry])
        return entry if place is None else place.of(entry)

    def _in_folder(self, folder: Path, rest: str = "") -> Entry:
        """The last checkpoint of the model in a folder, or the one of that step ("500", "500:ema").

        Raises:
            NotFound: it holds several, or has no such step.  BadFile: it holds none that can be used.
        """
        listing = self.within(folder, None)
        models = _own_models(folder, listing.models)
        if not models:
            problems = [entry.problem for entry in listing.entries if entry.problem]
            if problems:
                raise BadFile(problems[0])
            return self._opened(folder)  # says that it is none
        if len(models) > 1:
            names = ", ".join(model.name for model in models[:8]) + (", …" if len(models) > 8 else "")
            raise NotFound(f"{shown(folder, 400)} holds {len(models)} models: say which, as FOLDER/NAME: {names}")
        step, _, variant = rest.partition(":")
        return models[0].find(step, variant) if rest else models[0].default


def as_path(spec: str) -> Path:
    """The path that a spec may be, "~" for the home folder."""
    path = Path(spec)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user
        return path


def is_path(spec: str) -> bool:
    """Whether a spec can't be a name alone."""
    separated = any(separator in spec for separator in (os.sep, os.altsep) if separator)
    return separated or spec.startswith("~") or names_file(Path(spec))


def names_file(path: Path) -> bool:
    """Whether it is called as files of weights are; "cats@5:model-5.pt" is a step of a model."""
    return path.name.lower().endswith(LISTED) and re.search(r"@\d+:", path.name) is None


def exists(path: Path) -> bool:
    """Whether something is there."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a name that is too long


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _own_models(folder: Path, models: Sequence[Model]) -> list[Model]:
    """Of the models below a folder the one that it is itself, that lies right in it, or is called so; else all."""
    if len(models) > 1:
        for is_own in (
            lambda model: any(entry.path == folder for entry in model.entries),
            lambda model: any(entry.path.parent == folder for entry in model.entries),
            lambda model: model.base == model_name(folder.resolve().name),
        ):
            own = [model for model in models if is_own(model)]
            if len(own) == 1:
                return own
    return list(models)
