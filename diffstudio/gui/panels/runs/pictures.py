"""Thumbnails of runs: drawn beside the window once somebody looks at a run that has none, and kept in the library."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from diffstudio.errors import DiffStudioError
from diffstudio.gui.panels.runs.model import Row, RunsModel
from diffstudio.gui.work.jobs import Stop
from diffstudio.gui.work.library import LibraryWork
from diffstudio.studio.export.pictures import png_of_end
from diffstudio.studio.library.library import Library
from diffstudio.traces.reader import Trace

AT_ONCE = 4  # between two looks at what is wanted now
MOST = 200  # that wait; those that were looked at longest ago are left out


class Pictures(QObject):
    """What was wanted last is drawn first."""

    def __init__(self, library: LibraryWork, model: RunsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._library, self._model = library, model
        self._waiting: dict[int, Row] = {}
        self._tried: set[str] = set()
        self._drawing = False

    def want(self, rows: Mapping[int, Row]) -> None:
        """These rows are looked at."""
        for number, row in rows.items():
            run = row.run
            whole = run.records > 0 and not row.missing and run.state not in ("running", "queued")
            if whole and row.picture is None and run.id not in self._tried:
                self._waiting[number] = row
        for number in list(self._waiting)[:-MOST]:
            del self._waiting[number]
        self._next()

    def _next(self) -> None:
        if self._drawing or not self._waiting:
            return
        some = {number: self._waiting.pop(number) for number in list(self._waiting)[-AT_ONCE:]}
        self._tried |= {row.run.id for row in some.values()}
        self._drawing = True

        def draw(library: Library, stop: Stop) -> dict[int, QImage]:
            found = {}
            for number, row in some.items():
                png = b"" if stop() else _drawn(row)
                if png:
                    library.set_picture(row.run.id, png)
                    found[number] = QImage.fromData(png)
            return found

        self._library.work(draw, self._on_drawn, self._on_refused)

    def _on_drawn(self, found: dict[int, QImage]) -> None:
        self._drawing = False
        for number, picture in found.items():
            self._model.set_picture(number, picture)
        self._next()

    def _on_refused(self, sentence: str) -> None:
        self._drawing = False
        self._next()


def _drawn(row: Row) -> bytes:
    """A small PNG of what the run came to, b"" where there is nothing to look at."""
    try:
        with Trace.open(row.run.file) as trace:
            return png_of_end(trace)
    except DiffStudioError:
        return b""
