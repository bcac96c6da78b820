"""A model without a picture gets one from its first run."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from PySide6.QtCore import QObject, Slot

from diffstudio.checkpoints.catalog import Folder
from diffstudio.errors import DiffStudioError
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.asking import Question
from diffstudio.gui.work.jobs import Ended, Stop
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace


class FirstPictures(QObject):
    """Never of a run that was stopped or failed, or whose numbers are not finite."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self._parts = parts
        self._question = Question(parts.scanning.jobs, self)
        self._question.answered.connect(self._on_kept)
        parts.runs.ended.connect(self._on_run)

    @Slot(object)
    def _on_run(self, ended: Ended) -> None:
        p, trace, request = self._parts, self._parts.runs.trace, self._parts.runs.request
        if ended.outcome != "done" or trace is None or request is None or not _is_generated(request):
            return
        try:
            entry = p.catalog.find(request.model)
        except DiffStudioError:
            return
        folder = next((f for f in p.catalog.folders if f[0] == entry.group and entry.path.is_relative_to(f[1])), None)
        if entry.thumbnail or folder is None or not trace.complete:
            return

        def part(stop: Stop) -> Iterator[Folder]:
            picture = picture_of(trace)
            if picture and not stop():
                p.catalog.keep_picture(entry, picture)
                yield folder

        self._question.ask((entry.path, id(trace)), [part])

    @Slot(object, object)
    def _on_kept(self, about: object, folder: Folder) -> None:
        self._parts.scanning.scan([folder])


def picture_of(trace: Trace) -> str:
    """A small PNG in base64 of what a run came to, "" where that is nothing to look at."""
    from diffstudio.studio.export.pictures import png_of_end

    return base64.b64encode(png_of_end(trace)).decode("ascii")


def _is_generated(request: Request) -> bool:
    """Whether it says what the model draws by itself."""
    return request.kind == "sample" and request.source == "noise"
