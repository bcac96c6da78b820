"""What the window says and offers at each moment of a run, and in another theme."""

import pytest
from PySide6.QtGui import QColor

from diffstudio.gui.kit import theme


@pytest.fixture
def window(studio, qtbot):
    p = studio.parts
    p.window.show()
    qtbot.waitExposed(p.window)
    p.sampling.steps.set_value(4)
    p.sampling.samples.set_value(2)
    return studio


def test_the_word_that_the_model_is_loaded_goes_with_the_first_step(window, generate):
    p, said = window.parts, []
    busy = p.canvas._busy
    p.runs.started.connect(lambda: said.append(("started", busy.isVisible(), busy.text())))
    p.runs.progressed.connect(lambda progress: said.append((progress.done, busy.isVisible(), "")))
    assert generate().outcome == "done"
    assert said[0] == ("started", True, "Loading the model…")
    assert len(said) > 2 and not any(visible for _, visible, _ in said[1:])


def test_a_fork_is_offered_at_noisy_steps_alone(window, generate):
    p = window.parts
    fork = p.window.actions_by_id["fork"]
    assert not fork.isEnabled()
    assert generate().outcome == "done"
    last = len(p.runs.trace) - 1
    offered = []
    for k in range(last + 1):
        p.playhead.move_to(k)
        offered.append(fork.isEnabled())
    assert p.runs.trace.scalar(last, "s") == 0 and p.runs.trace.chain(5) == 1
    assert offered == [False] * 5 + [True] * 4 + [False], "not in the forward chain, and not at the clean end"


@pytest.fixture
def forked(window, monkeypatch):
    """The request of a fork at the middle of the reverse chain."""
    asked = []

    def fork():
        monkeypatch.setattr(window.parts.runs, "generate", lambda request, budget=None: asked.append(request))
        window.parts.playhead.move_to(6)
        window.commands.run("fork")
        return asked.pop()

    return fork


def test_a_fork_of_another_models_run_keeps_the_class_of_that_run(window, generate, forked):
    p = window.parts
    p.sampling.label.set_value(3)
    generate()
    assert p.models.choose("shapes-2d")
    p.sampling.label.set_value(1)
    request = forked()
    assert (request.model, request.label) == ("digits@3500", 3)


def test_a_fork_of_the_same_models_run_has_the_panels_class(window, generate, forked):
    window.parts.sampling.label.set_value(3)
    generate()
    window.parts.sampling.label.set_value(7)
    assert forked().label == 7


@pytest.mark.parametrize("part", ["models", "card", "sampling", "inspect", "canvas", "timeline"])
def test_every_part_of_the_window_follows_the_theme(window, generate, qtbot, part):
    window.use_settings(window.parts.settings.model_copy(update={"theme": "dark"}))
    generate()
    qtbot.waitUntil(lambda: bool(window.parts.inspect.pages))
    widget = getattr(window.parts, part)
    dark = lightness(widget)
    window.use_settings(window.parts.settings.model_copy(update={"theme": "light"}))
    assert lightness(widget) > dark + 60


def test_the_plots_follow_the_theme(window, generate, qtbot):
    generate()
    qtbot.waitUntil(lambda: bool(window.parts.inspect.pages))
    for name in ("light", "dark", "light"):
        window.use_settings(window.parts.settings.model_copy(update={"theme": name}))
        page = window.parts.inspect.pages[window.parts.inspect.page]
        assert lightness(page) == pytest.approx(QColor(theme.THEMES[name].bg).lightness(), abs=30)


def lightness(widget):
    """Of most of what a widget shows: the median of its pixels, 0 to 255."""
    picture = widget.grab().toImage()
    width, height = picture.width(), picture.height()
    places = [(width * i // 40, height * j // 40) for i in range(1, 40) for j in range(1, 40)]
    return sorted(picture.pixelColor(x, y).lightness() for x, y in places)[len(places) // 2]
