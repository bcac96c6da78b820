"""The request that a card recommends."""

import pytest
from pydantic import ValidationError

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.specs import PathSpec
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request


def card(labels=("a", "b"), **defaults):
    plain = {"name": "rings", "modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow"}
    plain |= {"network": "mlp", "labels": labels, "data": TrainingData(dataset=""), "step": 3}
    return Card.model_validate(plain | {"defaults": defaults})


def test_without_a_recommendation_the_requests_own_defaults_hold():
    assert default_request(card(), "rings") == Request(model="rings")


def test_a_card_recommends_and_what_is_given_wins():
    recommended = card(solver="ddim", steps=11, guidance=2.5, samples=4, label="each", grid="quadratic")
    found = default_request(recommended, "rings@3", steps=7, label=None, seed=5)
    assert (found.model, found.solver, found.steps, found.guidance) == ("rings@3", "ddim", 7, 2.5)
    assert (found.samples, found.label, found.grid, found.seed) == (4, None, "quadratic", 5)


def test_numbers_of_a_solver_go_with_the_recommended_solver_alone():
    recommended = card(solver="ddim", solver_params={"eta": 0.5})
    assert default_request(recommended, "rings").solver_params == {"eta": 0.5}
    assert default_request(recommended, "rings", solver="euler").solver_params == {}
    assert default_request(card(solver="ddim", solver_params={"eta": 9.0}), "rings").solver_params == {}


def test_whole_numbers_may_come_as_floats():
    found = default_request(card(steps=12.0, label=1.0, guidance=2.0), "rings")
    assert (found.steps, found.label, found.guidance) == (12, 1, 2.0)
    assert isinstance(found.steps, int)


@pytest.mark.parametrize(
    "absurd",
    [
        {"steps": -1}, {"steps": 10**9}, {"steps": 2.5}, {"samples": 0}, {"solver": "magic"}, {"guidance": -3.0},
        {"grid": "round"}, {"label": "all"}, {"label": -1}, {"label": 2}, {"seed": 3}, {"source_file": "/etc/passwd"},
        {"device": "cuda"}, {"no_such": 1},
    ],
)  # fmt: skip
def test_an_absurd_or_foreign_recommendation_is_passed_over(absurd):
    assert default_request(card(**absurd), "rings") == Request(model="rings")


def test_a_class_for_a_model_without_classes_is_passed_over():
    for label in (0, "each"):
        assert default_request(card(labels=(), label=label), "rings").label is None


def test_what_is_given_is_judged_not_passed_over():
    with pytest.raises(ValidationError, match="steps"):
        default_request(card(), "rings", steps=0)
