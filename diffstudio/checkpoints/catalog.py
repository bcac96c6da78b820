"""What checkpoints there are: the bundled ones, the user's folder, and folders the user adds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.finding import SUFFIXES, files_in, hub_folder, stamp, training_of, user_folder
from diffstudio.checkpoints.listing import Entry, Listing, Model, distinct_names
from diffstudio.checkpoints.scan_cache import ScanCache, cache_file
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.resources import resource

HUB = "Hugging Face"  # the group of what lies in its cache
BUNDLED = "bundled"
SETTLED = 2.0  # seconds after which nobody writes a file any more
TOLD = 0.15  # seconds between two listings of a scan that goes on
Folder = tuple[str, Path]  # (group, folder)


class Catalog:
    """Scans folders; a file that has not changed is not read again, with a cache not by the next process either.

    One thread scans at a time; the others may read meanwhile.
    """

    def __init__(self, folders: Sequence[Folder], cache: ScanCache | None = None) -> None:
        """folders: (group, folder); the first of two checkpoints with the same name and step wins."""
        self.folders = list(folders)
        self.cache = cache
        self._known: dict[Folder, Entry] = {}
        self._found: dict[Folder, list[Entry]] = {}
        self._renamed: dict[Folder, tuple[Entry, Entry]] = {}
        self._listing: Listing | None = None

    def scan(self) -> list[Entry]:
        """Look again; every checkpoint is an entry, broken ones with their problem."""
        for _ in self.scanning(self.folders):
            pass
        return self.entries

    def scanning(
        self, folders: Sequence[Folder], settle: bool = False, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Listing]:
        """Look again in some of the folders; gives the whole listing from time to time and at the end.

        A folder that was looked at before is listed as it was until the scan has gone through it. settle: a new file
        that can't be used, and that was written a moment ago, is not listed yet. stop: asked before every file.
        """
        unsettled = False
        yield self._list()
        for folder in list(folders):
            if folder not in self.folders:  # it was taken off the list meanwhile
                self._found.pop(folder, None)
                yield self._list(unsettled)
                continue
            first, known = folder not in self._found, {entry.path for entry in self._found.get(folder, ())}
            found: list[Entry] = []
            told = time.monotonic()
            for entry in self._entries_in(folder):
                if stop():
                    return
                if settle and entry.path not in known and _is_being_written(entry):
                    unsettled = True
                    continue
                found.append(entry)
                if first and time.monotonic() - told > TOLD:
                    self._found[folder] = found
                    yield self._list(unsettled)
                    told = time.monotonic()
            self._found[folder] = found
            yield self._list(unsettled)
        if self.cache is not None:
            self.cache.save()

    @property
    def listing(self) -> Listing:
        """What the last scan found."""
        if self._listing is None:
            self.scan()
        return self._listing or Listing()

    @property
    def entries(self) -> list[Entry]:
        """What the last scan found."""
        return list(self.listing.entries)

    def models(self) -> list[Model]:
        """The usable checkpoints grouped by model, in the order of the folders and of their names."""
        return list(self.listing.models)

    def add(self, folder: Folder) -> None:
        """Another folder, or a file as a folder of its own; the next scan looks at it."""
        if folder not in self.folders:
            self.folders.append(folder)

    def remove(self, folder: Folder) -> None:
        """List a folder no more."""
        if folder in self.folders:
            self.folders.remove(folder)
            self._found.pop(folder, None)
            self._list()

    def keep_picture(self, entry: Entry, picture: str) -> None:
        """A small picture for a checkpoint that has none, a PNG in base64; the next scan lists it."""
        key = entry.group, entry.path
        if key in self._known:
            self._known[key] = replace(self._known[key], picture=picture)
        if self.cache is not None and entry.group != BUNDLED:
            self.cache.put(entry.path, entry.changed, entry.size, picture=picture)
            self.cache.save()

    def renew(self, path: Path) -> None:
        """Read the card of a checkpoint again, of which its loading has found out more than its file says."""
        for (group, known), entry in list(self._known.items()):
            if known != path:
                continue
            if self.cache is not None:
                self.cache.put(path, entry.changed, entry.size, card="", problem="")
            anew = self._known[group, path] = self._read(path, entry.changed, entry.size, group)
            for folder, entries in list(self._found.items()):
                self._found[folder] = [anew if each is entry else each for each in entries]
        self._list()
        if self.cache is not None:
            self.cache.save()

    def find(self, spec: str) -> Entry:
        """The checkpoint that "digits", "digits@400" or a path names.

        Raises:
            NotFound: nothing of that name; close ones are named.  BadFile: a path to a file that can't be used.
        """
        path = Path(spec)
        if path.suffix in SUFFIXES or os.sep in spec or (os.altsep and os.altsep in spec):
            return _opened(path)
        if spec.partition("@")[0] not in self.listing.by_name and os.path.isfile(path):  # noqa: PTH113
            # What it is, its content says. (Path.is_file raises for a name that is too long.)
            return _opened(path)
        return self.listing.find(spec)

    def _list(self, unsettled: bool = False) -> Listing:
        """Everything that is found so far, each under a name by which it can be found."""
        entries = [entry for folder in list(self.folders) for entry in self._found.get(folder, ())]
        self._listing = Listing(map(self._named, entries, distinct_names(entries)), unsettled)
        return self._listing

    def _named(self, entry: Entry, name: str) -> Entry:
        """The entry under that name; the same object as long as nothing changes."""
        if entry.card is None or entry.card.name == name:
            return entry
        key = entry.group, entry.path
        before = self._renamed.get(key)
        if before is None or before[0] is not entry or before[1].card is None or before[1].card.name != name:
            renamed = replace(entry, card=entry.card.model_copy(update={"name": name}))
            before = self._renamed[key] = entry, renamed
        return before[1]

    def _entries_in(self, folder: Folder) -> Iterator[Entry]:
        group, root = folder
        for path in files_in(root, lone=group != HUB):
            entry = self._entry(path, group)
            # The cache of the hub is full of what other tools need: only what can be used here is listed.
            if entry is not None and not (group == HUB and entry.problem):
                yield entry

    def _entry(self, path: Path, group: str) -> Entry | None:
        try:
            changed, size = stamp(path)
        except OSError:
            return None  # deleted between listing and reading
        known = self._known.get((group, path))
        if known is None or (known.changed, known.size) != (changed, size):
            known = self._known[group, path] = self._read(path, changed, size, group)
        return known

    def _read(self, path: Path, changed: int, size: int, group: str) -> Entry:
        """The entry of a file that is new or has changed: from the cache, else from the file."""
        cache = self.cache if group != BUNDLED else None  # those few are there sooner than the cache
        kept = cache.find(path, changed, size) if cache else None
        card, problem = _from_cache(kept.card, kept.problem) if kept else (None, None)
        if card is None and problem is None:
            try:
                card = card_at(path)
            except DiffStudioError as error:
                problem = str(error)
            if cache and (card is not None or os.access(path, os.R_OK)):  # who may not read now may later
                found = {"card": card.model_dump_json(exclude_defaults=True)} if card else {"problem": problem or ""}
                cache.put(path, changed, size, **found)
        home = training_of(path) if card is not None and card.format else None
        return Entry(path, card, size, group, problem, changed, home, kept.picture if kept else "")


def _from_cache(card: str, problem: str) -> tuple[Card | None, str | None]:
    """The card and the problem as they were kept; neither if they make no sense."""
    if problem or not card:
        return None, problem or None
    try:
        return Card.model_validate_json(card), None
    except ValueError:
        return None, None


def _is_being_written(entry: Entry) -> bool:
    """Whether a file that can't be used was changed so lately that its end may still be to come."""
    return entry.problem is not None and abs(time.time() - entry.changed / 1e9) < SETTLED


def _opened(path: Path) -> Entry:
    """The checkpoint at a path. Raises: NotFound, BadFile."""
    card = card_at(path)
    try:
        changed, size = stamp(path)
    except OSError as error:
        raise BadFile(f"can't read {path}: {error.strerror}") from error
    return Entry(path, card, size, "file", changed=changed)


def default_catalog(extra: Sequence[Path] = ()) -> Catalog:
    """The bundled folder, the user's folder, those given, and what other tools have downloaded."""
    own = [(BUNDLED, resource("checkpoints")), ("user", user_folder())]
    hub = hub_folder()
    folders = [*own, *((str(folder), folder) for folder in extra), *([(HUB, hub)] if hub.is_dir() else [])]
    return Catalog(folders, ScanCache(cache_file()))
