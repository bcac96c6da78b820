"""Settings that several windows share: what each has changed since it read them is kept, whoever writes last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffstudio.studio.app.settings import Settings, load_settings, save_settings

OWN = ("window", "last_model", "last_folder", "last_export")  # how one window stands: the last one that writes says
ORDERED = ("recent", "used", "palette_recent")  # the newest first


def save_shared(ours: Settings, base: Settings, path: Path) -> tuple[Settings, str | None]:
    """Write what this window has changed into the file that all share; what they are then, and a problem, or None.

    base: the settings as this window has read or written them last.
    """
    try:
        with _locked(path):
            found = merged(base, ours, read_shared(path, base))
            return found, save_settings(found, path)
    except OSError as error:
        return ours, f"The settings were not saved: {error}"


def read_shared(path: Path, base: Settings) -> Settings:
    """What lies in the file; `base` where there is none that can be read."""
    if not path.is_file():
        return base
    found, problem = load_settings(path)
    return base if problem else found


def merged(base: Settings, ours: Settings, theirs: Settings) -> Settings:
    """Both changes of what was `base`: of tables entry by entry, of lists what came to them and what went.

    Where both have changed the same thing otherwise, ours counts.
    """
    return Settings.model_validate(
        {
            name: _merged(name, getattr(base, name), getattr(ours, name), getattr(theirs, name))
            for name in Settings.model_fields
        }
    )


def _merged(name: str, base: Any, ours: Any, theirs: Any) -> Any:
    if ours == base and name not in OWN:
        return theirs
    if theirs == base or name in OWN:
        return ours
    if isinstance(base, dict):
        return _table(base, ours, theirs)
    if isinstance(base, list):
        return _list(base, ours, theirs, newest_first=name in ORDERED)
    return ours


def _table(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in ours.items() if key not in base or base[key] != value}
    gone = base.keys() - ours.keys()
    return {key: value for key, value in theirs.items() if key not in gone} | changed


def _list(base: list[str], ours: list[str], theirs: list[str], newest_first: bool) -> list[str]:
    gone = set(base) - set(ours)
    kept = [one for one in theirs if one not in gone]
    if newest_first:
        new = ours[: _until(ours, base)]
        return [*new, *(one for one in kept if one not in new)][: max(len(ours), len(theirs))]
    return [*kept, *(one for one in ours if one not in base and one not in kept)]


def _until(ours: list[str], base: list[str]) -> int:
    """How many at the beginning are new, or were moved there."""
    return next((i for i in range(len(ours)) if ours[i:] == [one for one in base if one in ours[i:]]), len(ours))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One window after the other. Where a disk knows no locks, as some shares do not, nobody waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # not on Windows, where another window's write fails and is tried again at its next change
        yield
        return
    with path.with_name(path.name + ".lock").open("w") as stream:
        with contextlib.suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
