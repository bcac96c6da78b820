"""The rows of the list of runs: only what is looked at is looked up, and memory stays as it is."""

from array import array
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from diffstudio.gui.panels.runs import model as rows
from diffstudio.gui.panels.runs.model import KEPT, PAGE, Row, RunsModel
from diffstudio.gui.panels.runs.words import detail_line, spoken, state_word, tip_of, title_line
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.run import Run

MANY = 50_000


def run(**more):
    given = {"id": "20260102-030405-abcd", "created": 1.7e9, "state": "done", "request": {}, "records": 3}
    return Run(
        **{**given, "file": Path("/x.trace"), "model": "digits", "solver": "ddim", "steps": 20, "seed": 3, **more}
    )


@pytest.fixture
def model(qapp, qtbot):
    made = RunsModel()
    made.asked = []
    made.wanted.connect(made.asked.append)
    made.show(array("q", range(1, MANY + 1)), {})
    yield made
    made.deleteLater()


def look(model, qapp, place):
    model.data(model.index(place))
    qapp.processEvents()


def test_what_is_looked_at_is_asked_for_by_the_page_and_once(model, qapp):
    for place in (0, 1, PAGE - 1, 0):
        model.data(model.index(place))
    model.data(model.index(2 * PAGE))
    qapp.processEvents()
    assert model.asked == [[*range(1, PAGE + 1), *range(2 * PAGE + 1, 3 * PAGE + 1)]]
    look(model, qapp, 3)
    assert len(model.asked) == 1


def test_memory_stays_as_it_is_while_everything_is_scrolled_through(model, qapp):
    for place in range(0, MANY, PAGE):
        look(model, qapp, place)
        model.take({number: Row(run(), False) for number in model.asked.pop()})
        assert model.data(model.index(place)) == "digits"
    assert len(model._rows) == KEPT and not model._pages
    look(model, qapp, 0)
    assert model.asked == [list(range(1, PAGE + 1))], "what was forgotten is asked for again"


def test_what_may_have_changed_is_shown_until_it_is_looked_up_again(model, qapp):
    model.take({1: Row(run(name="old"), False)})
    assert model.show(array("q", range(1, MANY + 1)), {}) is False
    assert model.data(model.index(0)) == "old"
    qapp.processEvents()
    assert model.asked
    model.take({1: Row(run(name="new"), False)})
    assert model.data(model.index(0)) == "new"


def test_other_runs_are_another_list(model):
    resets = []
    model.modelReset.connect(lambda: resets.append(model.rowCount()))
    assert model.show(array("q", [7]), {7: Row(run(), False)})
    assert resets == [1] and model.known(0) is not None and model.known(1) is None


def test_a_page_of_the_library(tmp_path):
    library = Library(tmp_path / "library")
    made = [library.begin({"model": "digits", "seed": seed}, {"name": "digits"}) for seed in range(3)]
    library.set_picture(made[1].id, b"no picture")
    numbers = library.numbers()
    found = rows.rows_of(library, numbers)
    assert [found[number].run.id for number in numbers] == [one.id for one in reversed(made)]
    assert all(row.missing for row in found.values())
    assert library.at([*numbers, 10**6]).keys() == set(numbers)
    library.close()


def test_what_is_said_of_a_run():
    named = run(name="mine", checkpoint="digits@400", label="7", star=True, note="<b>fox", state="stopped", problem="")
    assert title_line(named) == "mine · 7" and detail_line(named).endswith("ddim 20 · seed 3")
    assert state_word(named, False) == "Stopped" and state_word(run(), False) == ""
    assert state_word(run(), True) == "File gone" and state_word(run(records=0, state="failed"), True) == "Failed"
    assert "starred" in spoken(named, False) and "Stopped" in spoken(named, False)
    assert "&lt;b>fox" in tip_of(named, False), "what was typed is no markup"
    assert "/x.trace" in tip_of(run(), True).replace("&#8203;", "")


def test_a_screen_reader_hears_the_whole_row(model):
    model.take({1: Row(run(label="7"), False)})
    said = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("digits · 7, ") and said.endswith("seed 3")
