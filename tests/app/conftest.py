"""One real window per test, with its files in the test's own folder."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from diffstudio.gui.app import Studio


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, qapp):
    made = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    made.wait_read = lambda: qtbot.waitUntil(lambda: not made.parts.reading.busy)  # files are read in the background
    yield made
    made.shut_down()
    made.parts.window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def generate(studio: Studio, qtbot: QtBot):
    """Run what the panel says, to its end; returns how it ended."""

    def run(action: str = "generate"):
        with qtbot.waitSignal(studio.parts.runs.ended) as signal:
            studio.commands.run(action)
        return signal.args[0]

    return run
