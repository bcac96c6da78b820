"""What is typed finds what is meant."""

import pytest

from diffstudio.gui.kit.fuzzy import score

NAMES = (
    "Timeline: Step back", "Timeline: Ten steps back", "Sampling: Steps", "Sampling: Solver", "Solver: DPM-Solver++ 2M",
    "View: Dark / light", "Model: digits@400", "Model: bouncing-digits@34600", "Help: Keys", "File: Export…",
)  # fmt: skip


def best(query, names=NAMES):
    found = [(score(query, name), name) for name in names]
    found = [(fits, name) for fits, name in found if fits is not None]
    return max(found, key=lambda row: row[0])[1] if found else None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("steps", "Sampling: Steps"), ("step back", "Timeline: Step back"), ("bounc", "Model: bouncing-digits@34600"),
        ("dpm 2m", "Solver: DPM-Solver++ 2M"), ("drk", "View: Dark / light"), ("EXPORT", "File: Export…"),
        ("400", "Model: digits@400"), ("keys help", "Help: Keys"), ("expt", "File: Export…"),
        ("light", "View: Dark / light"), ("dark / light", "View: Dark / light"),
    ],
)  # fmt: skip
def test_the_best_is_what_is_meant(query, name):
    assert best(query) == name


@pytest.mark.parametrize("query", ["zzz", "steps zzz", "qx", "back steps extra"])
def test_every_word_must_fit(query):
    assert best(query) is None


def test_whole_words_beat_beginnings_beat_insides_beat_letters():
    fits = [score("light", name) for name in ("a light", "a lighter", "a delight", "a line going hot")]
    assert fits == sorted(fits, reverse=True) and None not in fits[:3]


def test_what_else_it_is_called_counts_less():
    assert score("theme", "Theme") > score("theme", "Dark / light", "Change the theme.") > 0
    assert score("theme", "Dark / light") is None


def test_nothing_typed_fits_everything_alike():
    assert score("", "a") == score("  ", "b") == 0
