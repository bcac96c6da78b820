"""What the user fixes of a text: typed, counted, refused with its sentence, kept."""

import pytest

from diffstudio.errors import BadInput
from diffstudio.studio.plan import make_plan


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
