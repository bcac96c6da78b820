"""The page of proofs: what is stored, what is filtered, and running them again."""

import json
import sys

import pytest
from PySide6.QtWidgets import QApplication

from diffstudio.errors import BadFile
from diffstudio.gui.dialogs.proofs import ProofsDialog
from diffstudio.gui.kit import theme
from diffstudio.resources import resource
from diffstudio.verification.stored import read

ROWS = [
    {"name": "ddim", "measured": 1.01, "expected": 1.0, "within": 0.15, "ok": True, "judged": True, "note": "slope"},
    {"name": "heun", "measured": 0.3, "expected": 0.1, "ok": False, "judged": True},
]
PROOF = {"title": "Order", "seconds": 2.5, "rows": ROWS}
PRINTS = "import json,time;print('hello');print(json.dumps({}),flush=True);time.sleep({})"


@pytest.fixture
def page(qtbot, tmp_path):
    def make(command=("x",), text=None):
        file = tmp_path / "proofs.json"
        stored = {"date": "2026-01-02", "versions": {"torch": "2.11"}, "proofs": [PROOF]}
        file.write_text(json.dumps(stored) if text is None else text, encoding="utf-8")
        made = ProofsDialog(None, theme.DARK, file, command)
        qtbot.addWidget(made)
        made.show()
        return made

    return make


def rows(page):
    group = page.tree.topLevelItem(0)
    return [[group.child(i).text(c) for c in range(5)] for i in range(group.childCount())]


def test_stored_results_are_shown(page):
    made = page()
    assert made.about.text() == "Run on 2026-01-02 with torch 2.11"
    assert rows(made) == [["ddim", "1.01", "1 ± 0.15", "✓", "slope"], ["heun", "0.3", "≤ 0.1", "✗", ""]]
    assert made.state.text() == "1 of 2 hold"
    made.filter.setText("order HEUN")
    group = made.tree.topLevelItem(0)
    assert [group.child(i).isHidden() for i in range(2)] == [True, False]
    made.filter.setText("nothing")
    assert group.isHidden()


def test_running_again_replaces_the_rows(page, qtbot):
    fresh = PROOF | {"rows": [ROWS[1] | {"measured": 0.05, "ok": True}]}
    made = page((sys.executable, "-c", PRINTS.format(fresh, 0)))
    made.run()
    assert not made.again.isEnabled() and made.stop.isEnabled()
    qtbot.waitUntil(lambda: made.again.isEnabled())
    assert rows(made) == [["heun", "0.05", "≤ 0.1", "✓", ""]]
    assert made.state.text() == "1 of 1 hold"


@pytest.mark.parametrize("how", ["stop", "close"])
def test_it_stops_when_told_or_closed(page, qtbot, how):
    made = page((sys.executable, "-c", PRINTS.format(PROOF, 60)))
    made.run()
    process = made._process
    qtbot.waitUntil(lambda: "1 groups" in made.state.text())
    made.stop.click() if how == "stop" else made.reject()
    QApplication.processEvents()
    if how == "stop":
        assert not process.processId() and made.again.isEnabled() and "Ended early" in made.state.text()


def test_damaged_results_are_a_sentence(page, tmp_path):
    assert "holds no results of the proofs" in page(text="[1]").about.text()
    with pytest.raises(BadFile, match="can't be read"):
        read(tmp_path / "nowhere.json")


def test_the_shipped_results_are_read():
    stored = read(resource("proofs.json"))
    assert len(stored.proofs) >= 8 and stored.date and "torch" in stored.versions
