"""What only some views can do they declare themselves: the canvas and the commands know no verb of a modality."""

import inspect

import pytest
from PySide6.QtWidgets import QApplication

from diffstudio.gui.controllers import commands
from diffstudio.gui.kit import theme
from diffstudio.gui.kit.actions import ACTIONS, VIEW
from diffstudio.gui.stage import canvas as canvas_module
from diffstudio.gui.stage.canvas import VIEWS, Canvas
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.picture_view import SWITCHES


class Stranger(ImageView):
    """A view of somebody else's that does one thing of its own."""

    def __init__(self, tokens):
        super().__init__(tokens)
        self.played = 0

    def verbs(self):
        return {"clip_play": self.play}

    def play(self):
        self.played += 1
        self.told.emit("played")


@pytest.fixture
def canvas(qtbot, playhead):
    theme.apply(QApplication.instance(), theme.DARK)
    made = Canvas(playhead, theme.DARK)
    qtbot.addWidget(made)
    return made


def test_a_new_verb_needs_no_branch_in_the_canvas(canvas, make_run, monkeypatch):
    monkeypatch.setitem(VIEWS, "image", Stranger)
    told = []
    canvas.told.connect(told.append)
    canvas.set_trace(make_run(2, 2).trace)
    assert canvas.offered() == {"clip_play", "stretch"}
    canvas.act("clip_play")
    canvas.act("play_sound")
    assert (canvas._view.played, told) == (1, ["played"])


def test_without_a_trace_nothing_is_offered_and_nothing_happens(canvas):
    assert canvas.offered() == set()
    canvas.act("clip_play")


def test_the_rows_of_the_table_that_views_do_are_those_that_some_view_has(qtbot):
    had = {"decoded", *SWITCHES}  # switches that a view has of some traces alone
    for kind in VIEWS.values():
        view = kind(theme.DARK)
        qtbot.addWidget(view)
        had |= {*view.verbs(), *view.options}
    assert {row.id for row in ACTIONS.values() if row.when == VIEW} == had


def test_canvas_and_commands_name_no_verb_of_a_view(qtbot):
    for kind in VIEWS.values():
        view = kind(theme.DARK)
        qtbot.addWidget(view)
        for name in view.verbs():
            for module in (canvas_module, commands):
                assert f'"{name}"' not in inspect.getsource(module), name


def test_an_option_that_can_not_be_had_is_not_offered(canvas, make_run):
    canvas.set_trace(make_run(2, 2, modality="points").trace)
    assert "trails" in canvas.offered() and "underlay" not in canvas.offered(), "its data are not at hand"
