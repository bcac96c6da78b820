"""What the clipboard holds of files and folders: copied in a file manager, or their paths as text."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication

MAX_TEXT = 65_536
MAX_PATHS = 100


def pasted_paths() -> list[Path]:
    """The files and folders, [] where the clipboard holds anything else: each must be there."""
    data = QGuiApplication.clipboard().mimeData()
    if data is None:
        return []
    if data.hasUrls():
        found = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    else:
        text = data.text()
        lines = text.strip().splitlines() if len(text) <= MAX_TEXT else []
        found = [path for line in lines if (path := _path(line.strip())) is not None]
        if len(found) < len(lines):
            return []
    return [path for path in found if os.path.exists(path)][:MAX_PATHS]  # noqa: PTH110 - exists raises for odd names


def _path(text: str) -> Path | None:
    """A path as people copy it: quoted as a shell does, from the home folder, or as file://…; a mere name is none."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if text.startswith("file://"):
        text = QUrl(text).toLocalFile()
    if "\0" in text:
        return None
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises where there is no such user
    return path if path.is_absolute() else None
