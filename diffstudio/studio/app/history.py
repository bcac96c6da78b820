"""The runs on disk: where a new one is recorded, and which old ones make room."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from diffstudio.errors import NoRoom

SUFFIX = ".trace"


class History:
    """A folder of traces, the newest last. Several windows may share it: names carry the process."""

    def __init__(self, folder: Path, keep: int = 20) -> None:
        self.folder = folder
        self.keep = keep
        self._count = 0

    def new_path(self, model: str) -> Path:
        """A name for the next run; the folder is made if it is not there.

        Raises:
            NoRoom: the folder can't be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoRoom(f"can't make the folder of the runs, {self.folder}: {error.strerror}") from error
        self._count += 1
        safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in model)[-40:]
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        return self.folder / f"{stamp}-{os.getpid()}-{self._count:04d}-{safe}{SUFFIX}"

    def runs(self) -> list[Path]:
        """The recorded runs, oldest first."""
        return sorted(self.folder.glob(f"*{SUFFIX}"), key=_age) if self.folder.is_dir() else []

    def prune(self, in_use: set[Path]) -> list[Path]:
        """Delete the oldest runs beyond `keep`, never one that is in use; returns what was deleted."""
        runs = self.runs()
        gone = []
        for path in runs[: max(0, len(runs) - self.keep)]:
            if path not in in_use:
                path.unlink(missing_ok=True)
                gone.append(path)
        return gone


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # deleted meanwhile by another window


def runs_folder() -> Path:
    """Where runs are recorded: they can be made again, so it is a cache."""
    return _cache() / "runs"


def colours_folder() -> Path:
    """Where the colours of latents are kept, see `latent_colours`."""
    return _cache() / "latents"


def _cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False))
