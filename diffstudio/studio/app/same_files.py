"""Whether the files that made a picture are those that bear the names here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.errors import DiffStudioError
from diffstudio.studio.made_of import checkpoint_sha256

ROLES = (("checkpoint", "model"), ("guide", "guidance_model"))  # of the hash, and of the request


def other_files(
    found: Mapping[str, Any], catalog: Catalog, stop: Callable[[], bool] = lambda: False
) -> list[tuple[str, str, str]]:
    """The models of a picture's settings that are other files here: (name, sha256 told, sha256 here).

    It reads whole checkpoints where their hash is not known yet: not for a thread that somebody waits for.
    """
    told = dict(found.get("sha256") or {})
    told.setdefault("checkpoint", found.get("checkpoint_sha256") or "")
    request = found.get("request") or {}
    out = []
    for role, field in ROLES:
        name, wanted = request.get(field), told.get(role, "")
        if not name or not wanted or stop():
            continue
        try:
            entry = catalog.find(str(name))
        except DiffStudioError:
            continue  # that it is not here at all is said elsewhere
        here = checkpoint_sha256(entry, catalog.cache, stop)
        if here and here != wanted:
            out.append((str(name), wanted, here))
    return out
