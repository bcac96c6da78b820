"""Writing what a run has recorded: as it is, or of a latent model the pictures that its states are decoded to."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from diffstudio.scratch import temporary_path
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.plan import decodes, records
from diffstudio.studio.export.write import export
from diffstudio.traces.reader import Trace

if TYPE_CHECKING:
    from diffstudio.studio.engine import Engine


def export_run(
    engine: Engine,
    trace: Trace,
    out: Path,
    options: ExportOptions,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, int], None, list[Path]]:
    """Write `out`; yields how many of how many records are decoded, and returns the files: [] once `stop` is true.

    folder: where the pictures are kept until they are written.

    Raises:
        As `export` and `Engine.decode`.
    """
    if not decodes(trace, options):
        return export(trace, out, options, stop=stop)
    chosen = records(trace, options)
    path = temporary_path(folder, trace.path.name)
    try:
        with contextlib.closing(engine.decode(trace, chosen, path)) as steps:
            for done in steps:
                if stop():
                    return []
                yield done, len(chosen)
        options = dataclasses.replace(options, first=None, last=None, record=None, every=1)
        with Trace.open(path) as decoded:
            return export(decoded, out, options, stop=stop)
    finally:
        path.unlink(missing_ok=True)
