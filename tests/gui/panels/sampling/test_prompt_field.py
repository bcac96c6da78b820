"""Prompts: what the user fixes of a text, and what to draw; typed, counted, refused with a sentence, kept."""

from pathlib import Path

import pytest
import tiny_prompted

from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadInput
from diffstudio.studio.request.plan import make_plan


@pytest.fixture
def words(sampling, catalog):
    """The panel with `words` chosen."""
    sampling.set_entry(catalog.find("words"))
    return sampling


def test_it_is_there_for_texts_alone(sampling, catalog):
    assert not sampling.rows["prompt"].isVisible()
    sampling.set_entry(catalog.find("words"))
    assert sampling.rows["prompt"].isVisible() and sampling.prompt.edit.isEnabled()
    assert not sampling.rows["label"].isVisible() and not sampling.rows["guidance"].isVisible()
    sampling.set_entry(catalog.find("digits"))
    assert not sampling.rows["prompt"].isVisible() and sampling.request().prompt == ""


def test_what_is_typed_is_counted_and_becomes_the_prompt(words, type_into, catalog):
    assert words.prompt.counter.text() == "0 / 10"
    type_into(words.prompt.edit, "th_ng")
    assert words.request().prompt == "th_ng" and words.prompt.counter.text() == "5 / 10"
    assert not words.prompt.note.isVisible()
    assert make_plan(catalog, words.request()).request.prompt == "th_ng"
    assert words.rows["prompt"].reset.isVisible()
    words.rows["prompt"].reset.click()
    assert words.request().prompt == ""


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("th$ng", "the prompt has characters that the model does not know: $; it knows"),
        ("a very long word", "the prompt has 16 characters, expected at most 10: shorten it"),
    ],
)
def test_what_can_not_be_a_prompt_is_refused_while_it_is_typed(words, catalog, qtbot, type_into, typed, sentence):
    qtbot.keyClicks(words.prompt.edit, typed)  # not left with Enter yet
    assert words.prompt.note.isVisible() and words.prompt.note.text().startswith(sentence)
    with pytest.raises(BadInput, match=sentence[:30].replace("$", r"\$")):
        make_plan(catalog, words.request())
    type_into(words.prompt.edit, "fine")
    assert not words.prompt.note.isVisible()


def test_it_is_undone_like_any_other_field(words, type_into):
    type_into(words.prompt.edit, "a_b")
    words._history.separate()
    type_into(words.prompt.edit, "c_d")
    words.undo()
    assert words.request().prompt == "a_b" and words.prompt.edit.text() == "a_b"
    words.undo()
    assert words.request().prompt == ""
    words.redo()
    assert words.request().prompt == "a_b"


def test_a_model_that_is_chosen_again_has_its_prompt(words, catalog):
    words.set_request(words.request().model_copy(update={"prompt": "_ing"}))
    words.set_entry(catalog.find("digits"))
    words.set_entry(catalog.find("words"))
    assert words.request().prompt == "_ing"


def test_it_says_what_it_is(words):
    assert words.prompt.edit.accessibleName() == "Prompt"
    assert "_ is a free one" in words.prompt.edit.toolTip()
    assert "_" in words.prompt.edit.placeholderText()


def test_the_solvers_are_those_of_tokens(words):
    names = [words.solver.itemData(i) for i in range(words.solver.count())]
    assert [name for name in names if words.solver.can_choose(name)] == ["tokens_ancestral", "tokens_surest"]


@pytest.fixture
def painter(sampling):
    """The panel with a model that draws what a prompt says."""
    sampling.set_entry(Entry(Path("painter"), tiny_prompted.card(), 0, "file"))
    return sampling


def test_to_a_model_that_draws_a_prompt_is_words(painter, type_into):
    assert painter.rows["prompt"].isVisible() and painter.rows["negative_prompt"].isVisible()
    assert painter.rows["guidance"].isVisible() and painter.rows["distilled_guidance"].isVisible()
    assert "What to draw" in painter.prompt.edit.toolTip() and "_" not in painter.prompt.edit.placeholderText()
    assert not painter.prompt.counter.isVisible()
    type_into(painter.prompt.edit, "a $ cat_ of 2,000 letters")
    assert painter.request().prompt == "a $ cat_ of 2,000 letters" and not painter.prompt.note.isVisible()


def test_without_guidance_there_is_nothing_that_is_led_away_from(painter, type_into):
    assert not painter.negative_prompt.isEnabled() and "leads away from nothing" in painter.negative_prompt.toolTip()
    painter.guidance.set_value(3.0)
    type_into(painter.negative_prompt, "a dog")
    assert painter.request().negative_prompt == "a dog"
    painter.guidance.set_value(1.0)
    assert painter.request().negative_prompt == ""
    painter.guidance.set_value(2.0)
    assert painter.request().negative_prompt == "a dog"


def test_only_a_distilled_network_is_told_a_guidance(sampling):
    plain = tiny_prompted.card(prompts={"tokens": 77})
    sampling.set_entry(Entry(Path("plain"), plain, 0, "file"))
    assert sampling.rows["negative_prompt"].isVisible() and not sampling.rows["distilled_guidance"].isVisible()


def test_a_text_after_a_picture_has_its_letters_counted_again(painter, catalog):
    painter.set_entry(catalog.find("words"))
    assert painter.prompt.counter.isVisible() and "_ is a free one" in painter.prompt.edit.toolTip()
    assert not painter.rows["negative_prompt"].isVisible()


def test_the_negative_prompt_says_what_it_is(painter):
    assert painter.negative_prompt.accessibleName() == "Negative prompt"
    assert painter.distilled.accessibleName() == "Distilled guidance"
