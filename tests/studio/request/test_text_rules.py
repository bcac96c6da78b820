"""What texts can't be asked: a likelihood, a weaker checkpoint; and what their pictures may not claim."""

import numpy as np
import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.errors import BadInput
from diffstudio.studio.engine import Engine
from diffstudio.studio.export import pictures
from diffstudio.studio.request.checks import likelihood_problem
from diffstudio.studio.request.plan import guides, make_plan
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace


@pytest.fixture(scope="module")
def catalog():
    return default_catalog()


def asked(**fields):
    return Request.model_validate(
        {"model": "words", "solver": "tokens_ancestral", "steps": 4, "samples": 2, "source": "data", **fields}
    )


def test_a_text_has_no_likelihood_and_says_so_before_anything_is_loaded(catalog):
    engine = Engine(catalog)
    with pytest.raises(BadInput, match="a likelihood follows an equation of numbers, and 'words' makes text"):
        engine.likelihood(asked())
    assert engine._models == {}
    assert likelihood_problem(catalog.find("digits").card) == ""


def test_tokens_are_not_led_away_from_a_weaker_checkpoint(catalog):
    assert guides(catalog, catalog.find("words")) == []
    with pytest.raises(BadInput, match="'words' draws tokens: leave the weaker one out"):
        make_plan(catalog, asked(guidance_model="words", guidance=2.0))


def test_where_x0_is_known_nothing_is_shown_as_guessed(catalog, tmp_path):
    for _ in Engine(catalog).run(asked(prompt="th_ng"), tmp_path / "a.trace"):
        pass
    with Trace.open(tmp_path / "a.trace") as trace:
        masked = trace.array(4, "xt", slice(0, 1))
        kind, meaning = trace.meaning.kind, trace.meaning
        assert kind.draw is not None and (masked == 31).all()
        alone = kind.draw(meaning, pictures.Shown(masked))
        assert np.array_equal(pictures.tiles(trace, 4, "xt", 0), alone)
        state = trace.array(5, "xt", slice(0, 1))  # the reverse chain begins; what comes between is surely guessed
        assert not np.array_equal(pictures.tiles(trace, 5, "xt", 0), kind.draw(meaning, pictures.Shown(state)))
        thumbnail = pictures.thumbnail(trace, 0, "xt", 0, 64)
        assert thumbnail.shape == (64, 64, 3) and np.ptp(thumbnail) > 100
