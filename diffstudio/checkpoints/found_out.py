"""What calls of networks have shown, kept in the user's cache: nobody is asked twice.

A JSON table by the place, the time and the size of a file. Whatever is wrong with it, it is written anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes

log = logging.getLogger("diffstudio")
Shown = Literal["epsilon", "v_prediction", "unclear"]
Kept = dict[Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")], Shown]
PREDICTIONS: dict[str, Literal["eps", "v"]] = {"epsilon": "eps", "v_prediction": "v"}  # as a card has them
SIGNS = {"epsilon": "ε", "v_prediction": "v"}
MAX_ENTRIES = 2000
MAX_BYTES = 1 << 20


def shown_prediction(path: Path) -> Shown | None:
    """What the network in that file was found to predict; None where nobody has looked yet."""
    try:
        return _read().get(_key(path))
    except OSError:
        return None


def remember_prediction(path: Path, found: Shown) -> None:
    """Keep it; that it can't be kept is no more than a line in the log."""
    file = cache_file()
    try:
        kept = {key: value for key, value in _read().items() if key != _key(path)}
        newest = dict(list({**kept, _key(path): found}.items())[-MAX_ENTRIES:])
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(file, json.dumps(newest).encode())
    except (OSError, DiffStudioError) as error:
        log.warning("what the network of %s predicts is not kept: %s", path, error)


def cache_file() -> Path:
    """Where it lies."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False)) / "predictions.json"


def _key(path: Path) -> str:
    """Raises: OSError, where the file is gone."""
    real = path.resolve()
    stat = real.stat()
    return hashlib.sha256(json.dumps([str(real), stat.st_mtime_ns, stat.st_size]).encode()).hexdigest()[:40]


def _read() -> Kept:
    try:
        with cache_file().open("rb") as stream:
            return TypeAdapter(Kept).validate_json(stream.read(MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        log.info("what networks predict is found out again: %s can't be used: %s", cache_file(), error)
        return {}
