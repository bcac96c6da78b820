"""The likelihood of data: the dialog, the question to the engine, and the file that is made of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.files import write_bytes
from diffstudio.gui.dialogs.saving import ask_where
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.request.checks import likelihood_problem
from diffstudio.studio.request.request import Request

if TYPE_CHECKING:
    from diffstudio.gui.dialogs.likelihood import LikelihoodDialog
    from diffstudio.studio.likelihoods import Likelihoods


class Likelihood(QObject):
    """One dialog at a time, of the model that is chosen when it is opened."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self.parts = parts
        self._dialog: LikelihoodDialog | None = None

    def open(self) -> None:
        """Open the dialog, or bring it to the front.

        Raises:
            BadInput: the model is of a kind that has none.
        """
        from diffstudio.gui.dialogs.likelihood import LikelihoodDialog

        p = self.parts
        if self._dialog is not None:
            self._dialog.raise_()
            self._dialog.activateWindow()
            return
        if p.sampling.card is None:
            return
        problem = likelihood_problem(p.sampling.card)
        if problem:
            raise BadInput(problem)
        dialog = LikelihoodDialog(p.window, p.sampling.card, p.sampling.request(), self._problem)
        dialog.set_busy(p.runs.running)
        dialog.wanted.connect(p.runs.judge)
        dialog.unwanted.connect(p.runs.inquiries.stop_judging)
        dialog.saved.connect(self._save)
        dialog.finished.connect(self._on_finished)
        p.runs.inquiries.judged.connect(dialog.show_progress)
        p.runs.inquiries.judgingEnded.connect(dialog.show_end)
        p.runs.started.connect(self._on_run)
        p.runs.ended.connect(self._on_run)
        self._dialog = dialog
        dialog.show()

    def close(self) -> None:
        """Close the dialog, if it is open; what goes on is stopped."""
        if self._dialog is not None:
            self._dialog.close()

    def _problem(self, request: Request) -> str:
        """Why the engine would not judge, in one sentence."""
        try:
            self.parts.runs.engine.plan(request)
        except DiffStudioError as error:
            return str(error)
        return ""

    @Slot()
    def _on_run(self) -> None:
        if self._dialog is not None:
            self._dialog.set_busy(self.parts.runs.running)

    @Slot()
    def _on_finished(self) -> None:
        self.parts.runs.inquiries.stop_judging()
        self.parts.runs.started.disconnect(self._on_run)
        self.parts.runs.ended.disconnect(self._on_run)
        self._dialog = None

    @Slot(object)
    def _save(self, found: Likelihoods) -> None:
        """Ask for a place and write the rows there, beside the window."""
        p = self.parts
        name = f"{found.request['model']}-likelihood".replace("/", "-")[:60]
        start = Path(p.settings.last_folder or Path.home()) / f"{name}.csv"
        path = ask_where(self._dialog, tr("Save as CSV"), start, f"{tr('Tables')} (*.csv)", ".csv")
        if path is None:
            return
        p.settings.last_folder = str(path.parent)

        def job(stop: Stop) -> Iterator[str]:
            write_bytes(path, found.csv_text().encode())
            yield tr("Saved {}").format(path)

        p.files.submit(job)
