"""What checkpoints there are: the bundled ones, the user's folder, and folders the user adds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import is_not
from pathlib import Path

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.by_path import ByPath, as_path, exists, is_path, names_file
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.finding import LISTED, SUFFIX, Search, Stamp, hub_folder, stamped, user_folder
from diffstudio.checkpoints.grouping import Grouping
from diffstudio.checkpoints.hashing import known_hash
from diffstudio.checkpoints.listing import BUNDLED, Entry, Listing, Model, Place
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.scan_cache import ScanCache, cache_file
from diffstudio.checkpoints.training_state import is_training_state
from diffstudio.errors import DiffStudioError, NotFound
from diffstudio.resources import resource

__all__ = ["BUNDLED", "HUB", "OPENED", "Catalog", "Folder", "default_catalog"]

HUB = "Hugging Face"  # the group of what lies in its cache
OPENED = "file"  # the group of what was found by its path alone
SETTLED = 2.0  # seconds after which nobody writes a file any more
MOST_GONE = 1000
TOLD = 0.15  # seconds between two listings of a scan that goes on
Folder = tuple[str, Path]  # (group, folder)


@dataclass(frozen=True)
class _Known:
    """What was read of a path. card, problem: one of them; neither of what is no checkpoint, and not listed."""

    stamp: Stamp
    card: Card | None = None
    problem: str | None = None
    picture: str = ""
    hashed: str = ""


class Catalog:
    """Scans folders; a file that has not changed is not read again, with a cache not by the next process either.

    One thread scans at a time; the others may read meanwhile.
    """

    def __init__(self, folders: Sequence[Folder], cache: ScanCache | None = None, depth: int | None = None) -> None:
        """folders: (group, folder); what is really one file is listed once, in the first folder that has it.

        depth: how many levels of folders are looked at, as many as `Search` does without it.
        """
        self.folders = list(folders)
        self.cache = cache
        self.at_rest = False  # nothing changes meanwhile: a folder that is found by its path is looked through once
        self._depth = depth
        self._known: dict[Path, _Known] = {}
        self._entries: dict[Folder, tuple[_Known, Entry]] = {}  # the same object as long as nothing changes
        self._found: dict[Folder, list[Entry]] = {}
        self._cut: dict[Folder, str] = {}  # which bound ended a search
        self._placed: dict[Folder, tuple[Entry, Place, Entry]] = {}
        self._by_path = ByPath(self._look, self._within)
        self._inside: dict[tuple[Path, int | None], Catalog] = {}  # folders that were found by their paths alone
        self._grouping = Grouping()
        self._listed: list[Entry] = []  # what the listing was made of
        self._listing: Listing | None = None
        self._gone: dict[str, Path] = {}  # where what is listed no more lay, by its spec

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

    def found_in(self, folder: Folder) -> list[Entry]:
        """What the last scan found in one of the folders, also what is listed in another one before it."""
        return list(self._found.get(folder, ()))

    def add(self, folder: Folder) -> None:
        """Another folder, or a file as a folder of its own; the next scan looks at it."""
        if folder not in self.folders:
            self.folders.append(folder)

    def remove(self, folder: Folder) -> None:
        """List a folder no more."""
        if folder in self.folders:
            self.folders.remove(folder)
            self._found.pop(folder, None)
            self._cut.pop(folder, None)
            self._list()

    def keep_picture(self, entry: Entry, picture: str) -> None:
        """A small picture for a checkpoint that has none, a PNG in base64; the next scan lists it."""
        known = self._known.get(entry.path)
        if known is not None:
            self._known[entry.path] = replace(known, picture=picture)
        if self.cache is not None and entry.group != BUNDLED:
            self.cache.put(entry.path, entry.changed, entry.size, picture=picture)
            self.cache.save()

    def keep_hash(self, entry: Entry, sha256: str) -> None:
        """The sha256 of its weights, which somebody has read; the next scan lists it."""
        known = self._known.get(entry.path)
        if known is not None and known.hashed != sha256 and known.stamp[:2] == (entry.changed, entry.size):
            self._known[entry.path] = replace(known, hashed=sha256)

    def renew(self, path: Path) -> None:
        """Read the card of a checkpoint again, of which its loading has found out more than its file says."""
        for inside in self._inside.values():
            inside.renew(path)
        known = self._known.pop(path, None)
        if known is None:
            return
        if self.cache is not None:
            self.cache.put(path, known.stamp.changed, known.stamp.size, card="", problem="")
        for folder, entries in list(self._found.items()):
            self._found[folder] = [self._entry(path, e.group) or e if e.path == path else e for e in entries]
        if self._listing is not None:
            self._list()
        if self.cache is not None:
            self.cache.save()

    def find(self, spec: str) -> Entry:
        """The checkpoint that a spec names (see `listing`), or that lies at a path.

        A path may be that of a file, whatever it is called, of a folder that is a model, or of a folder of steps: the
        last of them, or the one that "@STEP" names. "FOLDER/NAME" is the model of that name in a folder, and a name
        that is not listed may be that of a file, folder or model in the folder in which one works.

        Raises:
            NotFound: nothing of that name; close ones are named.  BadFile: a path to a file that can't be used.
        """
        path, name = as_path(spec), spec.partition("@")[0]
        if path.name == spec and names_file(path) and not exists(path):
            called = self.listing.of_file(spec)
            return called if called is not None else self._by_path.find(path)
        # A name may say folders too, "cats (a/b)": nobody means by it a path that is not there.
        in_brackets = name.endswith(")") and not exists(path) and bool(self.listing.called(name))
        if is_path(spec) and not in_brackets:
            return self._listed_as(self._by_path.find(path))
        if self._listing is None:
            bundled = [entry for folder in self.folders if folder[0] == BUNDLED for entry in self._entries_in(folder)]
            listing = self._listing_of(Grouping(), bundled)
            if listing.called(name):  # nobody else can be called so: the other folders need no look
                return listing.find(spec)
        if self.listing.called(name):
            return self.listing.find(spec)
        try:
            return self.listing.find(spec)  # by the name of its file
        except NotFound:
            if name and (exists(path) or exists(Path(name)) or self._by_path.beside(path) is not None):
                return self._listed_as(self._by_path.find(path))
            gone = self._gone.get(spec)
            if gone is None or exists(gone):
                raise
        raise NotFound(f"{shown(gone, 400)} is gone, which was '{spec}': choose another checkpoint, or bring it back")

    def _look(self, path: Path, again: bool) -> Entry | None:
        """The entry of what lies at a path, also if it was looked at before: for `ByPath`."""
        if again:
            self._known.pop(path, None)
        return self._entry(path, OPENED)

    def _within(self, folder: Path, depth: int | None = None) -> Listing:
        """What lies in a folder now."""
        inside = self._inside.setdefault((folder, depth), Catalog([(OPENED, folder)], self.cache, depth))
        if not self.at_rest:
            inside.scan()
        return inside.listing

    def _listed_as(self, entry: Entry) -> Entry:
        """The entry as the list has it, if it does."""
        known = self._listing.identities.get(entry.identity) if self._listing is not None else None
        return known if known is not None and known.card is not None else entry

    def _list(self, unsettled: bool = False) -> Listing:
        """Everything that is found so far, each real file once."""
        entries: dict[str, Entry] = {}
        for folder in list(self.folders):
            for entry in self._found.get(folder, ()):
                entries.setdefault(entry.identity, entry)
        now, remarks = list(entries.values()), tuple(self._cut.values())
        before = self._listing
        same = before is not None and (before.unsettled, before.remarks) == (unsettled, remarks)
        if before is None or not same or len(now) != len(self._listed) or any(map(is_not, now, self._listed)):
            there = {entry.path for entry in now}
            lost = {e.spec: e.path for e in (before.entries if before else ()) if e.card and e.path not in there}
            self._gone = dict([*self._gone.items(), *lost.items()][-MOST_GONE:])
            self._listed = now
            self._listing = self._listing_of(self._grouping, now, unsettled, remarks)
        return self._listing or Listing()

    def _listing_of(
        self, grouping: Grouping, entries: list[Entry], unsettled: bool = False, remarks: Sequence[str] = ()
    ) -> Listing:
        """These entries, each under a name by which it can be found."""
        found = grouping.places(entries)
        listing = Listing(map(self._named, entries, found), found, unsettled, remarks)
        _ = listing.by_name, listing.identities  # here, not on the thread of the window that shows it
        return listing

    def _named(self, entry: Entry, place: Place | None) -> Entry:
        """The entry under the name of its place; the same object as long as nothing changes."""
        card = entry.card
        if place is None or card is None or (card.name, card.step, "") == (place.name, place.step, place.variant):
            return entry
        key = entry.group, entry.path
        before = self._placed.get(key)
        if before is None or before[0] is not entry or before[1] != place:
            before = self._placed[key] = entry, place, place.of(entry)
        return before[2]

    def _entries_in(self, folder: Folder) -> Iterator[Entry]:
        group, root = folder
        # The cache of the hub is full of what other tools need: only what can be used here is listed.
        hub = group == HUB
        search = Search(root, (SUFFIX,) if hub else LISTED, self._depth)
        for path in search:
            entry = self._entry(path, group)
            if entry is not None and (entry.card is not None or (entry.problem and not hub)):
                yield entry
        self._cut.pop(folder, None)
        if search.cut:
            self._cut[folder] = search.cut

    def _entry(self, path: Path, group: str) -> Entry | None:
        try:
            stamp = stamped(path)
        except OSError:
            return None  # deleted between listing and reading
        known = self._known.get(path)
        if known is None or known.stamp != stamp:
            known = self._known[path] = self._read(path, stamp, group)
        before = self._entries.get((group, path))
        if before is None or before[0] is not known:
            entry = Entry(
                path, known.card, stamp.size, group, known.problem, stamp.changed, stamp.identity, known.picture,
                known.hashed,
            )  # fmt: skip
            before = self._entries[group, path] = known, entry
        return before[1]

    def _read(self, path: Path, stamp: Stamp, group: str) -> _Known:
        """What is known of a file that is new or has changed: from the cache, else from the file."""
        cache = self.cache if group != BUNDLED else None  # those few are there sooner than the cache
        kept = cache.find(path, stamp.changed, stamp.size) if cache else None
        card, problem = _from_cache(kept.card, kept.problem) if kept else (None, None)
        passed = kept.passed if kept else False
        if card is None and problem is None and not passed:
            look = Look(path)
            try:
                card = card_at(look)
            except DiffStudioError as error:
                problem = str(error)
                passed = is_training_state(look)
            if cache and (card is not None or os.access(path, os.R_OK)):  # who may not read now may later
                found = {"card": card.model_dump_json(exclude_defaults=True)} if card else {"problem": problem or ""}
                cache.put(path, stamp.changed, stamp.size, passed=passed, **found)
        picture = kept.picture if kept else ""
        hashed = known_hash(path, cache) if cache and cache.has_hash(path) else ""
        return _Known(stamp, card, None if passed else problem, picture, hashed)


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


def default_catalog(extra: Sequence[Path] = ()) -> Catalog:
    """The bundled folder, the user's folder, those given, and what other tools have downloaded."""
    own = [(BUNDLED, resource("checkpoints")), ("user", user_folder())]
    hub = hub_folder()
    folders = [*own, *((str(folder), folder) for folder in extra), *([(HUB, hub)] if hub.is_dir() else [])]
    return Catalog(folders, ScanCache(cache_file()))
