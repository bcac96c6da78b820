"""Folders of what can be made again."""

from __future__ import annotations

from pathlib import Path


def runs_folder() -> Path:
    """Where masks lie that were painted, and where runs were recorded before there was a library."""
    return _cache() / "runs"


def colours_folder() -> Path:
    """Where the colours of latents are kept, see `latent_colours`."""
    return _cache() / "latents"


def _cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False))
