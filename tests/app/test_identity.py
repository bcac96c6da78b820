"""Whose run is on the screen is said; panel, title and fork never mix two runs; A | B keeps the moment."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

from diffstudio.gui.dialogs.questions import RestoreQuestion


@pytest.fixture
def small(studio):
    """The panel set to a short run of digits."""
    panel = studio.parts.sampling
    assert studio.parts.models.choose("digits")
    panel.steps.set_value(4), panel.samples.set_value(2), panel.seed.set_value(7), panel.label.set_value(3)
    return studio


def bar(studio):
    return studio.parts.canvas.run_bar


def test_title_and_line_name_the_run_and_nothing_else(small, generate):
    p = small.parts
    assert p.window.windowTitle() == "DiffStudio" and bar(small).isHidden()
    generate()
    line = bar(small).name.text()
    for part in ("digits@3500", "4 steps", "class 3", "seed 7"):
        assert part in line
    assert p.window.windowTitle().startswith("digits@3500 · ") and "seed 7" in p.window.windowTitle()
    assert str(p.runs.trace.path) in bar(small).name.toolTip()
    p.sampling.seed.set_value(8)
    assert p.models.choose("shapes-2d")
    assert bar(small).name.text() == line, "the panel is not the run"


def test_a_mark_says_in_how_many_settings_the_panel_differs(small, generate):
    p = small.parts
    generate()
    assert bar(small).mark.isHidden()
    p.sampling.steps.set_value(9)
    assert not bar(small).mark.isHidden() and "1 setting" in bar(small).mark.text()
    p.sampling.seed.set_value(8)
    assert "2 settings" in bar(small).mark.text()
    bar(small).use.trigger()
    found = p.sampling.request()
    assert (found.steps, found.seed, found.label) == (4, 7, 3) and bar(small).mark.isHidden()
    p.sampling.undo()
    assert (p.sampling.request().steps, p.sampling.request().seed) == (9, 8), "one step takes it back"


def test_its_settings_bring_its_model_along(small, generate, qtbot):
    p = small.parts
    generate()
    assert p.models.choose("shapes-2d")
    assert not bar(small).mark.isHidden()
    bar(small).show_differences.trigger()
    (question,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, RestoreQuestion) and w.isVisible()]
    question.accept()
    assert p.sampling.card.name == "digits" and p.sampling.request().seed == 7


def test_what_anothers_trace_names_is_not_opened(small, generate, tmp_path):
    """Only a run of ours may name a file to start from."""
    p = small.parts
    Image.new("L", (28, 28), 90).save(tmp_path / "mine.png")
    small.commands.filing.open_paths([tmp_path / "mine.png"])
    small.wait_read()
    generate()
    ours, other = p.runs.trace.path, tmp_path / "other.trace"
    shutil.copyfile(ours, other)
    for path, source in ((other, "noise"), (ours, "file")):
        small.commands.filing.open_paths([path])
        small.wait_read()
        assert p.runs.trace.path == path
        p.sampling.reset()
        bar(small).use.trigger()
        small.wait_read()
        assert p.sampling.request().source == source


def test_a_fork_of_another_models_run_has_that_runs_own_settings(small, generate, monkeypatch):
    p = small.parts
    generate()
    made = p.runs.trace.header.request
    assert p.models.choose("sentences")
    asked = []
    monkeypatch.setattr(p.runs, "generate", lambda request, budget=None: asked.append(request))
    p.playhead.move_to(len(p.runs.trace) - 3)
    small.commands.run("fork")
    (request,) = asked
    assert (request.model, request.solver, request.steps) == (made["model"], made["solver"], made["steps"])
    assert (request.source, request.label) == ("step", 3)
    assert "another model" in p.window.message.text()


def test_a_b_keeps_the_moment_not_the_number(small, generate):
    p = small.parts
    generate()
    p.sampling.steps.set_value(8)
    generate()
    long = p.runs.trace
    first = long.first_of(1)
    k = next(k for k in range(first, len(long)) if long.scalar(k, "t") <= 0.5)
    t = long.scalar(k, "t")
    p.playhead.move_to(k)
    small.commands.run("compare")
    short = p.runs.trace
    assert short is not long
    there = [abs(short.scalar(i, "t") - t) for i in range(len(short)) if short.chain(i) == 1]
    assert abs(short.scalar(p.playhead.position, "t") - t) == min(there)
    assert short.chain(p.playhead.position) == 1
    small.commands.run("compare")
    assert p.runs.trace is long and abs(long.scalar(p.playhead.position, "t") - t) <= 1 / 4


def test_a_b_with_a_fork_shows_the_same_t_where_it_has_no_forward_chain(small, generate):
    p = small.parts
    generate()
    p.playhead.move_to(len(p.runs.trace) - 3)
    generate("fork")
    fork = p.runs.trace
    assert fork.first_of(0) is None
    small.commands.run("compare")
    whole = p.runs.trace
    p.playhead.move_to(1)
    assert whole.chain(1) == 0
    t = whole.scalar(1, "t")
    small.commands.run("compare")
    assert p.runs.trace is fork
    there = [abs(fork.scalar(i, "t") - t) for i in range(len(fork))]
    assert there[p.playhead.position] == min(there)
