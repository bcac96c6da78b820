"""Where texts lie: nothing overlaps, nothing lies outside, and the letters are as large as they can be."""

import pytest

from diffstudio.gui.stage.views.text.text_layout import ALONE, MARGIN, SIZES, arrange


@pytest.mark.parametrize("count", [1, 3, 16, 100])
@pytest.mark.parametrize("length", [1, 10, 64, 300])
@pytest.mark.parametrize("room", [(300, 200), (760, 470), (1600, 900)])
def test_every_cell_lies_in_the_room_beside_the_others(count, length, room):
    found = arrange(count, length, room)
    places = [found.cell(sample, index) for sample in range(min(count, 4)) for index in range(length)]
    assert len({place[:2] for place in places}) == len(places)
    assert all(x >= MARGIN and x + wide <= room[0] for x, _, wide, _ in places)
    assert found.grid.scroll_limit == 0 or found.size == SIZES[-1]
    assert len(found.places) == length == found.length


def test_larger_letters_would_not_fit():
    found = arrange(60, 10, (760, 470))
    larger = SIZES[: SIZES.index(found.size)]
    assert larger and found.grid.scroll_limit == 0
    for size in larger:
        assert arrange(60, 10, (760, 470), (size,)).grid.scroll_limit > 0


def test_a_single_text_is_larger_than_in_the_batch():
    assert arrange(1, 64, (760, 470), ALONE).size > arrange(16, 64, (760, 470)).size


def test_a_text_that_is_wider_than_the_room_is_wrapped_and_its_cells_are_found_again():
    found = arrange(2, 64, (300, 600))
    assert found.across < 64
    for sample in range(2):
        for index in (0, found.across - 1, found.across, 63):
            x, y, wide, high = found.cell(sample, index)
            assert found.at(x + wide / 2, y + high / 2) == (sample, index)
    x, y, wide, high = found.cell(0, 63)
    beside = found.at(x + 3 * wide, y + high / 2)
    assert beside is None or found.length % found.across == 0


def test_between_the_texts_there_is_no_cell():
    found = arrange(4, 10, (760, 470))
    x, y, _, _ = found.grid.cell(0)
    assert found.at(x - 2, y + 2) is None
    assert found.at(x + found.grid.width + 2, y + 2) is None


def test_a_room_without_any_width_has_a_cell_all_the_same():
    assert arrange(3, 10, (1, 1)).across == 1
