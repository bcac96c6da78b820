"""What the application remembers between starts: one declared table, one JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes

MAX_BYTES = 4 << 20


def _shown(default: Any, title: str, tip: str, **bounds: Any) -> Any:
    """A field that the settings dialog shows, with its title and one sentence."""
    return Field(default, title=title, description=tip, **bounds)


class Settings(BaseModel):
    """Fields with a title are shown in the dialog, the others are remembered silently."""

    model_config = ConfigDict(extra="ignore", validate_assignment=True)
    theme: Literal["system", "dark", "light"] = _shown("system", "Theme", "Follow the system, or stay dark or light.")
    trace_budget_gib: float = _shown(
        4.0, "Trace budget (GiB)", "A run that would record more than this asks first.", ge=0.01, le=4096
    )
    keep_runs: int = _shown(20, "Runs kept", "Recorded runs that are kept on disk; the oldest go first.", ge=1, le=1000)
    threads: int = _shown(0, "CPU threads", "Threads that computing may use; 0 lets torch decide.", ge=0, le=256)
    device: str = _shown(
        "auto", "Device", "auto uses the GPU where there is one; else cpu, cuda:0, mps …", max_length=40
    )
    folders: Annotated[list[str], Field(max_length=100)] = []
    recent: Annotated[list[str], Field(max_length=20)] = []
    model_sort: Literal["name", "newest", "size", "used"] = "name"
    favourites: Annotated[list[str], Field(max_length=200)] = []  # names of models
    used: Annotated[list[str], Field(max_length=200)] = []  # names of models, the last one first
    presets: Annotated[dict[str, dict[str, Any]], Field(max_length=200)] = {}
    last_model: str = ""
    last_folder: str = ""
    seed_locked: bool = False
    window: dict[str, Any] = {}  # geometry, dock state, canvas and timeline options: opaque to everyone but the window

    def remember_recent(self, path: str) -> None:
        """Put a file first among the recent ones."""
        self.recent = [path, *(p for p in self.recent if p != path)][:10]

    def remember_used(self, model: str) -> None:
        """Put a model first among those used lately."""
        self.used = [model, *(name for name in self.used if name != model)][:100]


def settings_file() -> Path:
    """Where the settings lie."""
    import platformdirs

    return Path(platformdirs.user_config_dir("diffstudio", appauthor=False)) / "settings.json"


def load_settings(path: Path) -> tuple[Settings, str | None]:
    """The settings, and one sentence if a part of them could not be used.

    A damaged file is kept beside as settings.json.damaged; a field out of its bounds falls back to its default.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("not a table")
    except FileNotFoundError:
        return Settings(), None
    except (OSError, ValueError, RecursionError) as error:
        kept = path.with_name(path.name + ".damaged")
        try:
            path.replace(kept)
        except OSError:
            return Settings(), f"The settings in {path} can't be read ({error}); defaults are used."
        return Settings(), f"The settings were damaged and are kept as {kept}; defaults are used."
    return _valid_part(found, path)


def _valid_part(found: dict[str, Any], path: Path) -> tuple[Settings, str | None]:
    try:
        return Settings.model_validate(found), None
    except ValidationError as error:
        bad = {str(e["loc"][0]) for e in error.errors() if e["loc"]}
        good = {key: value for key, value in found.items() if key not in bad}
        return Settings.model_validate(
            good
        ), f"{path}: {', '.join(sorted(bad))} was out of bounds; the default is used."


def save_settings(settings: Settings, path: Path) -> str | None:
    """Write the settings; one sentence if that is not possible, None if it went well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, settings.model_dump_json(indent=2).encode())
    except (OSError, DiffStudioError) as error:
        return f"The settings were not saved: {error}"
    return None
