"""A run that became not finite in the real window: everything draws it, and it is said where it began.

Warnings are errors here, those of numpy too.
"""

from __future__ import annotations

import pytest
from wild_trace import KINDS_OF_WILD, MODELS, write_wild

from diffstudio.analysis import fields
from diffstudio.gui.views.options import OPTIONS


@pytest.fixture
def opened(studio, tmp_path, qtbot):
    def opened(name, kind):
        studio.parts.window.show()
        studio.parts.runs.open_trace(write_wild(tmp_path / f"{name}.trace", name, kind))
        qtbot.waitUntil(lambda: studio.parts.inspect.isVisible())
        return studio.parts.runs.trace

    return opened


@pytest.mark.parametrize("kind", KINDS_OF_WILD)
@pytest.mark.parametrize("name", MODELS)
def test_every_part_of_the_window_draws_it(studio, opened, qtbot, name, kind):
    trace, p = opened(name, kind), studio.parts
    p.inspect.load_pages()
    for option in set(OPTIONS) - {"arrows", "density", "log_p", "decoded"}:  # these ask the model, not the trace
        p.canvas.set_option(option, True)
    for page in p.inspect.pages:
        p.inspect._tabs.button(list(p.inspect.pages).index(page)).click()
        for k in (0, 1, len(trace) - 1):
            p.playhead.move_to(k)
            for tensor in fields.available(trace):
                p.canvas.set_tensor(tensor)
                p.canvas.toggle_single()
                p.window.grab()
