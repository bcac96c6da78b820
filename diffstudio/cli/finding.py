"""Which checkpoints the commands know by name, and whether a file is given where it belongs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffstudio.checkpoints.catalog import Catalog
    from diffstudio.studio.app.opening import Role


def catalog(extra: Sequence[Path] = ()) -> Catalog:
    """What the window lists: the bundled checkpoints, the user's, the folders that were added there, and the hub's.

    extra: more folders.
    """
    from diffstudio.checkpoints.catalog import default_catalog
    from diffstudio.studio.app.settings import added_folders

    return default_catalog([*added_folders(), *extra])


def check_files(given: Mapping[str, Any]) -> None:
    """Refuse files that are surely of another kind than the option for which they are given.

    Raises:
        BadInput: a sentence that says what the file is.
    """
    from diffstudio.studio.app.opening import check_role

    roles: dict[str, Role] = {"model": "checkpoint", "source": "source", "mask": "mask"}
    for option, role in roles.items():
        if given.get(option) and os.path.isfile(given[option]):  # noqa: PTH113 - Path's own raises for odd names
            check_role(Path(given[option]), role)
