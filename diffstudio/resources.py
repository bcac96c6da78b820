"""Where the files that DiffStudio ships lie, in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """The path of a bundled resource, e.g. ``resource("checkpoints")``."""
    # A wheel carries resources/ inside the package; an editable install only beside it.
    inside = _PACKAGE / "resources"
    root = inside if inside.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)
