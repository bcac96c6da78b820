"""Where the library lies."""

from __future__ import annotations

from pathlib import Path


def library_folder() -> Path:
    """In the user's data: runs are work, and can't always be made again."""
    import platformdirs

    return Path(platformdirs.user_data_dir("diffstudio", appauthor=False)) / "library"
