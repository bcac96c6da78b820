"""Likelihoods in the real window: the same numbers as on the command line, a stop, a copy, a file."""

import csv
import threading

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from diffstudio.gui.dialogs.likelihood import LikelihoodDialog
from diffstudio.headless import likelihoods
from diffstudio.studio.compute.scoring import Judged
from diffstudio.studio.engine import Engine


@pytest.fixture
def dialog(studio):
    """Of the exact Gaussians: no network, so that it is quick."""
    assert studio.parts.models.choose("exact-gaussian")
    studio.commands.run("likelihood")
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, LikelihoodDialog) and w.isVisible()]
    found.samples.setValue(5)
    found.steps.setValue(3)
    yield found
    studio.commands.likelihood.close()


@pytest.fixture
def judge(studio, dialog, qtbot):
    """Ask, to the end; how it ended."""

    def judge():
        with qtbot.waitSignal(studio.parts.runs.inquiries.judgingEnded, timeout=60_000) as signal:
            dialog.run.click()
        return signal.args[0]

    return judge


def shown(dialog):
    """The table as it stands on the screen."""
    model = dialog.table.model()
    return [[model.index(i, j).data() for j in range(model.columnCount())] for i in range(model.rowCount())]


def test_the_numbers_are_those_of_the_command_line(studio, dialog, judge):
    dialog.label.setCurrentIndex(dialog.label.findData("each"))
    dialog.seed.setValue(3)
    assert judge().outcome == "done"
    expected = likelihoods(studio.parts.runs.engine, dialog.request(), "held-out", 3, 8)
    assert dialog.found.log_p == expected.log_p
    assert [row[0] for row in shown(dialog)] == ["0", "1", "2", "3", "4"]
    names = studio.parts.sampling.card.labels
    assert [row[1] for row in shown(dialog)] == [names[k] for k in (3, 4, 5, 6, 7)]
    assert [row[2].replace("−", "-") for row in shown(dialog)] == [f"{value:.3f}" for value in expected.log_p]
    assert f"± {expected.mean[1]:.3f}" in dialog.mean.text()
    assert "12 network calls" in dialog.effort.text()
    assert not dialog.progress.isVisible() and dialog.run.text() == "Judge"


def test_the_request_is_without_guidance_whatever_the_panel_says(studio, dialog):
    panel = studio.parts.sampling
    dialog.close()
    panel.guidance.set_value(3.0)
    panel.steps.set_value(7)
    panel.label.set_value(2)
    studio.commands.run("likelihood")
    (again,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, LikelihoodDialog) and w.isVisible()]
    asked = again.request()
    assert (asked.guidance, asked.source, asked.label, asked.model) == (1.0, "data", 2, panel.request().model)
    again.close()


def test_a_heading_sorts_by_numbers(dialog, judge):
    judge()
    dialog.table.header().setSortIndicator(2, dialog.table.header().sortIndicatorOrder())
    dialog.table.sortByColumn(2, dialog.table.header().sortIndicatorOrder())
    order = [int(row[0]) for row in shown(dialog)]
    assert order == np.argsort(dialog.found.log_p).tolist()


def test_the_table_is_copied_and_saved(studio, dialog, judge, qtbot, tmp_path, monkeypatch):
    assert not dialog.copy.isEnabled() and not dialog.save.isEnabled()
    judge()
    dialog.copy.click()
    text = QApplication.clipboard().text()
    assert text.startswith(dialog.found.table()) and dialog.found.effort in text
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "found"), ""))
    with qtbot.waitSignal(studio.parts.files.ended, timeout=20_000):
        dialog.save.click()
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text().splitlines()))
    assert [float(row["log_p_nats"]) for row in rows] == dialog.found.log_p


@pytest.fixture
def held(monkeypatch):
    """An engine that tells of two steps and waits until it is stopped."""
    begun = threading.Event()

    def likelihood(self, request, split, steps, probes, stop):
        yield Judged(1, 10)
        yield Judged(2, 10)
        begun.set()
        while not stop():
            begun.wait(0.001)
            threading.Event().wait(0.002)

    monkeypatch.setattr(Engine, "likelihood", likelihood)
    return begun


@pytest.mark.parametrize("how", ["button", "close", "run"])
def test_it_stops_for_a_button_for_the_window_and_for_a_run(studio, dialog, held, qtbot, how):
    runs = studio.parts.runs
    dialog.run.click()
    qtbot.waitUntil(lambda: dialog.progress.value() == 2, timeout=60_000)
    assert dialog.run.text() == "Stop" and not dialog.samples.isEnabled()
    assert dialog.note.text().startswith("2 / 10 · ")
    with qtbot.waitSignal(runs.inquiries.judgingEnded, timeout=5000) as signal:
        if how == "button":
            dialog.run.click()
        elif how == "close":
            dialog.close()
        else:
            runs.generate(studio.parts.sampling.request().model_copy(update={"steps": 1, "samples": 2}))
    assert signal.args[0].outcome == "cancelled"
    if how == "button":
        assert dialog.note.text() == "Stopped: 0 of 5 samples are judged."
    if how == "run":
        assert not dialog.run.isEnabled() and "A run goes on" in dialog.note.text()
        qtbot.waitUntil(lambda: not runs.running, timeout=60_000)
        qtbot.waitUntil(dialog.run.isEnabled)
    qtbot.waitUntil(lambda: not runs._jobs.open, timeout=20_000)


def test_what_goes_wrong_is_one_sentence_beside_the_button(studio, dialog, judge, monkeypatch):
    def fails(self, *given):
        raise FileNotFoundError("gone")

    monkeypatch.setattr(Engine, "likelihood", fails)
    assert judge().outcome == "failed"
    assert "gone" in dialog.note.text()
    assert dialog.run.isEnabled() and not dialog.copy.isEnabled()


def test_a_file_of_the_panel_can_be_judged(studio, dialog, qtbot, tmp_path):
    dialog.close()
    np.save(tmp_path / "mine.npy", np.array([[0.1, 0.2], [0.3, -0.4]], np.float32))
    studio.parts.sampling.set_source_file(tmp_path / "mine.npy")
    studio.commands.run("likelihood")
    (again,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, LikelihoodDialog) and w.isVisible()]
    assert [again.data.itemText(i) for i in range(3)] == ["Held-out data", "Training data", "My file: mine.npy"]
    again.data.setCurrentIndex(2)
    assert (again.request().source, again.request().source_file) == ("file", str(tmp_path / "mine.npy"))
    again.close()


def test_only_one_is_open_and_it_keeps_its_model(studio, dialog):
    studio.parts.models.choose("digits")
    studio.commands.run("likelihood")
    assert [w for w in QApplication.topLevelWidgets() if isinstance(w, LikelihoodDialog) and w.isVisible()] == [dialog]
    assert "exact-gaussian" in dialog.windowTitle() and dialog.probes.isHidden()
