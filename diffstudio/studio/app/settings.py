"""What the application remembers between starts: one declared table, one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes

MAX_BYTES = 4 << 20
MOST_PRESETS = 200
MOST_REQUESTS = 100  # models whose settings are remembered


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
    library_budget_gib: float = _shown(
        20.0, "Room for runs (GiB)", "When the recorded runs take more, it is asked which may go.", ge=0.01, le=65536
    )
    threads: int = _shown(0, "CPU threads", "Threads that computing may use; 0 lets torch decide.", ge=0, le=256)
    device: str = _shown(
        "auto", "Device", "auto uses the GPU where there is one; else cpu, cuda:0, mps …", max_length=40
    )
    export_folder: str = _shown(
        "", "Export folder", "Where exports go at first; empty: where the last one went.", max_length=1000
    )
    folders: Annotated[list[str], Field(max_length=100)] = []
    recent: Annotated[list[str], Field(max_length=20)] = []
    model_sort: Literal["name", "newest", "size", "used", "folder"] = "name"
    favourites: Annotated[list[str], Field(max_length=200)] = []  # names of models
    used: Annotated[list[str], Field(max_length=200)] = []  # names of models, the last one first
    presets: Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_PRESETS)] = {}
    # What the sampling panel said last, by model; a request that is not understood any more is passed over.
    requests: Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_REQUESTS)] = {}
    palette_recent: Annotated[list[str], Field(max_length=40)] = []  # what was done by the palette, the last first
    last_model: str = ""
    last_folder: str = ""  # of what was opened
    last_export: str = ""
    seed_locked: bool = False
    seed_each_run: bool = False
    window: dict[str, Any] = {}  # geometry, dock state, canvas and timeline options: opaque to everyone but the window

    @property
    def export_start(self) -> Path:
        """The folder that an export begins in: the one that is set, else the last one, else the user's own."""
        for folder in (self.export_folder, self.last_export, self.last_folder):
            if folder and Path(folder).is_dir():
                return Path(folder)
        return Path.home()

    def remember_recent(self, path: str) -> None:
        """Put a file first among the recent ones."""
        self.recent = [path, *(p for p in self.recent if p != path)][:10]

    def remember_used(self, model: str) -> None:
        """Put a model first among those used lately."""
        self.used = [model, *(name for name in self.used if name != model)][:100]

    def remember_requests(self, requests: Mapping[str, dict[str, Any]]) -> None:
        """Keep what the panel said of these models; of too many the ones that were remembered first go."""
        kept = {name: request for name, request in self.requests.items() if name not in requests}
        self.requests = dict([*kept.items(), *requests.items()][-MOST_REQUESTS:])


def settings_file() -> Path:
    """Where the settings lie."""
    import platformdirs

    return Path(platformdirs.user_config_dir("diffstudio", appauthor=False)) / "settings.json"


def added_folders(path: Path | None = None) -> list[Path]:
    """The folders of checkpoints that are in the window's list, for commands: nothing is said or repaired.

    path: of the settings, None for the user's.
    """
    path = path or settings_file()
    try:
        if path.stat().st_size > MAX_BYTES:
            return []
        found = json.loads(path.read_bytes())
        return [Path(folder) for folder in Settings.model_validate({"folders": found["folders"]}).folders]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return []


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
