"""Texts at the playhead: what is a letter, a mask, a guess; what the cursor, the keys and the options add."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.stage.views.text.text_card import card_lines
from diffstudio.gui.stage.views.text.text_view import TextView

FORWARD, HALF, LAST = 1, 4, 5  # records: two masks in the forward chain; one letter of the reverse chain; its end


@pytest.fixture
def made(qtbot, text_trace):
    """`made(process)`: the view with a text run, at record HALF."""

    def make(process="masked", tokens=theme.DARK, size=(640, 320), **request):
        view = TextView(tokens)
        qtbot.addWidget(view)
        view.resize(*size)
        view.set_trace(text_trace(process, **request))
        for name in view.options:
            view.set_option(name, OPTIONS[name])
        view.show_record(HALF)
        view.show()
        return view

    return make


@pytest.fixture
def cell(grab):
    """The pixels of one cell: (H, W, 3) int."""

    def find(view, sample, index):
        x, y, wide, high = view._scene.cell(sample, index)
        return grab(view)[y : y + high, x : x + wide].astype(int)

    return find


@pytest.fixture
def ink(colour):
    """How strong a colour of the theme is in a cell, 0..1, as far as it is mixed with the paper alone."""

    def find(pixels, token, tokens=theme.DARK):
        paper, full = colour(tokens.bg).astype(int), colour(getattr(tokens, token)).astype(int)
        share = (pixels - paper) / (full - paper)
        even = np.ptp(share, axis=2) < 0.06
        return float((share.mean(2) * even).max())

    return find


def blended(colour, amount, tokens, over):
    """`amount` of a colour of the theme over another colour (3,)."""
    found = QColor(getattr(tokens, colour))
    return over + amount * (np.array([found.red(), found.green(), found.blue()]) - over)


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT])
def test_letters_are_ink_and_masks_are_boxes(made, cell, ink, colour, tokens):
    view = made(tokens=tokens)
    view.set_option("ghosts", False)
    assert ink(cell(view, 0, 0), "text", tokens) > 0.9
    paper = colour(tokens.bg).astype(int)
    masked = cell(view, 0, 3)
    middle = masked[masked.shape[0] // 2, masked.shape[1] // 2]
    assert np.abs(middle - blended("text", 0.10, tokens, paper)).max() <= 2
    assert (masked.reshape(-1, 3) == paper).all(1).any()  # around the box


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT])
def test_a_guess_is_coloured_and_as_strong_as_it_is_sure(made, cell, colour, tokens):
    view = made(tokens=tokens)
    plain = blended("text", 0.10, tokens, colour(tokens.bg).astype(int))
    full = colour(tokens.lane_a).astype(int)
    shares = (cell(view, 0, 3)[8:-8, 4:-4] - plain) / (full - plain)
    strongest = shares.mean(2).max()
    assert strongest == pytest.approx(0.15 + 0.85 * 0.6, abs=0.05)


def test_a_guess_is_never_drawn_like_a_letter_of_the_state(made, cell, colour):
    view = made()
    text = colour(theme.DARK.text).astype(int)
    for record in range(3, 6):
        view.show_record(record)
        for index in range(8):
            white = (np.abs(cell(view, 1, index) - text).max(2) < 40).any()
            masked = view._scene.trace.array(record, "xt")[1, 0, index] == 5
            space = view._scene.trace.array(record, "xt")[1, 0, index] == 0
            assert white == (not masked and not space), (record, index)


def test_the_prediction_shows_guesses_without_boxes(made, cell, ink):
    view = made()
    view.set_tensor("x0_hat")
    assert ink(cell(view, 0, 3), "lane_a") == pytest.approx(0.15 + 0.85 * 0.6, abs=0.05)
    assert ink(cell(view, 0, 0), "text") > 0.9  # what is known is what it is


def test_in_the_forward_chain_nothing_is_guessed(made, cell, colour):
    view = made()
    view.show_record(FORWARD)
    accent = colour(theme.DARK.lane_a).astype(int)
    assert not view._scene.sheet or not view._scene.sheet.cells.guessed.any()
    assert (np.abs(cell(view, 2, 1) - accent).max(2) > 60).all()
    view.set_tensor("x0_hat")
    view._scene.compose()
    assert not view._scene.sheet.cells.guessed.any() and not view._scene.sheet.cells.masked.any()


def test_what_the_last_step_set_is_marked(made, cell, colour):
    view = made()
    green = blended("lane_c", 0.28, theme.DARK, colour(theme.DARK.bg).astype(int))
    corner = cell(view, 0, 1)[3, 2]
    assert np.abs(corner - green).max() <= 2
    assert np.abs(cell(view, 0, 0)[3, 2] - green).max() > 5
    assert "green changed in this step" in view._note()
    view.set_tensor("delta")
    bright = blended("lane_a", 0.85, theme.DARK, colour(theme.DARK.bg).astype(int))
    assert np.abs(cell(view, 0, 1)[3, 2] - bright).max() <= 2
    assert "changed in this step" in view._note()


def test_the_prompt_is_underlined_where_the_network_runs(made, cell, colour):
    view = made()
    accent = colour(theme.DARK.lane_a)

    def underlined(index):
        return (cell(view, 1, index)[-3:, 5:-5] == accent).all(2).any()

    assert underlined(0) and not underlined(1)
    view.show_record(FORWARD)
    assert not underlined(0)


def test_entropy_and_the_step_are_drawn_where_they_are_asked_for(made, cell):
    view = made()
    plain = cell(view, 0, 3)
    view.set_option("entropy", True)
    heated = cell(view, 0, 3)
    assert (heated != plain).any()
    view.set_option("entropy", False)
    view.set_option("revealed", True)
    assert (cell(view, 0, 3) == plain).all()  # it is not set yet
    before = cell(view, 0, 1)
    view.set_option("revealed", False)
    assert (cell(view, 0, 1) != before).any()
    with pytest.raises(ValueError, match="ghosts"):
        view.set_option("trails", True)


def test_the_cursor_says_what_is_known_of_a_cell(made, mouse, grab):
    view = made()
    before = grab(view)

    def at(sample, index):
        x, y, wide, high = view._scene.cell(sample, index)
        mouse(view, "move", x + wide / 2, y + high / 2)
        return view.readout()

    assert at(0, 1) == "sample 1 of 3 · cell 2 of 8 · b · revealed at step 1 · 0.00 bits"
    assert (grab(view) != before).any()
    assert at(1, 0) == "sample 2 of 3 · cell 1 of 8 · d · fixed by the prompt · 0.00 bits"
    assert at(2, 5) == "sample 3 of 3 · cell 6 of 8 · b 60 % c 30 % d 10 % · masked · 1.25 bits"
    facts = view._facts()
    assert card_lines(facts, 8, view._scene.spec) == ["cell 6 of 8: masked", "entropy 1.25 bits"]
    assert facts.guesses == (("b", pytest.approx(0.6)), ("c", pytest.approx(0.3)), ("d", pytest.approx(0.1)))
    view.show_record(FORWARD)
    assert at(0, 1) == "sample 1 of 3 · cell 2 of 8 · masked"
    assert card_lines(view._facts(), 8, view._scene.spec) == ["cell 2 of 8: masked", "the true letter: b"]
    mouse(view, "move", 1, 1)
    assert view.readout() == "sample 1 of 3" and view._facts() is None


def test_the_card_stays_within_the_view(made, mouse, grab, colour):
    view = made(size=(300, 200))
    raised = colour(theme.DARK.raised)
    for sample, index in ((0, 0), (0, 7), (2, 7)):
        x, y, wide, high = view._scene.cell(sample, index)
        mouse(view, "move", x + wide / 2, y + high / 2)
        found = (grab(view) == raised).all(2)
        assert found.sum() > 2000
        assert not found[0].any() and not found[:, 0].any() and not found[-1].any() and not found[:, -1].any()


def test_a_click_chooses_and_a_double_click_shows_one_alone(made, mouse, qtbot):
    view = made()
    clicked, singles = [], []
    view.sampleClicked.connect(clicked.append)
    view.singleWanted.connect(singles.append)
    x, y, wide, high = view._scene.cell(2, 4)
    mouse(view, "move", x + wide / 2, y + high / 2)
    mouse(view, "press", x + wide / 2, y + high / 2)
    mouse(view, "double", x + wide / 2, y + high / 2)
    assert clicked == [2] and singles == [True]
    size = view._scene.layout.size
    view.set_sample(2)
    view.set_single(True)
    assert view._scene.layout.size > size
    x, y, wide, high = view._scene.cell(2, 7)
    mouse(view, "move", x + wide / 2, y + high / 2)
    assert view.readout().startswith("sample 3 of 3 · cell 8 of 8")


def test_many_texts_scroll_to_the_one_that_is_chosen(made, wheel):
    view = made(size=(180, 90))
    assert view._bar.maximum() > 0
    view.set_sample(2)
    _, y, _, high = view._scene.cell(2, 7)
    assert y >= 0 and y + high <= view._scene.room[1]
    wheel(view, 50, 240)
    assert view._bar.value() < view._bar.maximum()


def test_texts_are_copied_as_they_are_shown(made):
    view = made()
    assert view.text(every=False) == "ab░░░░░░"
    assert view.text(every=True) == "ab░░░░░░\ndc░░░░░░\naa░░░░░░"
    view.set_tensor("x0_hat")
    view.set_sample(1)
    assert view.text(every=False) == "dcbbbbbb"
    view.show_record(LAST)
    assert view.text(every=False) == "dcba dcb"


def test_of_the_uniform_process_a_letter_is_set_not_revealed(made, mouse):
    view = made("uniform")
    x, y, wide, high = view._scene.cell(0, 1)
    mouse(view, "move", x + wide / 2, y + high / 2)
    assert "set at step 1" in view.readout()
    x, y, wide, high = view._scene.cell(0, 3)
    mouse(view, "move", x + wide / 2, y + high / 2)
    assert "there from the start" in view.readout() and "b 60 %" in view.readout()
    view._scene.compose()
    assert not view._scene.sheet.cells.masked.any()


def test_vectors_are_the_nearest_letters_as_strong_as_they_are_near(made, cell, ink, mouse):
    view = made("embedding")
    view.show_record(LAST)
    assert ink(cell(view, 0, 1), "text") > 0.9
    view.show_record(3)
    near = float(view._scene.facts(0, 1).nearness)
    assert 0.3 < near < 0.9
    assert ink(cell(view, 0, 1), "text") == pytest.approx(near, abs=0.1)
    x, y, wide, high = view._scene.cell(0, 1)
    mouse(view, "move", x + wide / 2, y + high / 2)
    assert f"nearness {near:.2f}" in card_lines(view._facts(), 8, view._scene.spec)
    for name in ("delta", "eps_hat", "x0_hat"):
        view.set_tensor(name)
        view._scene.compose()
        assert view._scene.problem == "" and view._scene.sheet is not None


def test_the_picture_has_no_selection_and_no_card(made, mouse, pixels, grab, colour):
    view = made()
    x, y, wide, high = view._scene.cell(0, 1)
    mouse(view, "move", x + wide / 2, y + high / 2)
    shown, shot = pixels(view.picture()), grab(view)
    raised = colour(theme.DARK.raised)
    assert (shot == raised).all(2).sum() > 1000 > 10 > (shown == raised).all(2).sum()


def test_a_trace_that_is_no_text_says_why(make_run, text_trace):
    assert TextView.problem(text_trace()) == ""
    run = make_run(modality="text", shape=(1, 8))
    assert TextView.problem(run.trace) == "the card does not say what its tokens are: text is missing or out of bounds"
    wrong = make_run(modality="text", shape=(2, 8), card={"text": {"vocabulary": ["a", "b"]}})
    assert "not texts" in TextView.problem(wrong.trace)


def test_a_file_that_is_cut_is_a_sentence_on_the_view(made, text_trace, grab):
    view = made()
    trace = view._scene.trace
    with trace.path.open("r+b") as stream:
        stream.truncate(2000)
    trace._recent.clear()
    view.show_record(LAST)
    grab(view)
    assert "was cut while it was open" in view._scene.problem
    assert view.text(every=True) == ""
