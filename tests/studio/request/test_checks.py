"""What goes with what: every rule refuses what it must, and nothing else; every sentence says what to do."""

import re

import pytest

from diffstudio import options
from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec
from diffstudio.studio.request.checks import (
    NEUTRAL,
    check,
    grid_choice_problem,
    path_choice_problem,
    path_problem,
    solver_problem,
    unavailable,
    usable,
)
from diffstudio.studio.request.request import Request


def card(name="named", **fields):
    plain = {
        "name": name, "modality": "image", "shape": (1, 8, 8), "path": PathSpec(), "prediction": "flow",
        "network": "unet", "labels": ("a", "b", "c"), "data": TrainingData(dataset="digits"), "step": 1,
    }  # fmt: skip
    return Card.model_validate(plain | fields)


TOKENS = ("tokens_ancestral", "tokens_surest")
CARDS = {
    "image": card(),
    "points": card(modality="points", shape=(2,), network="mlp", data={"dataset": "shapes-2d"}),
    "plain": card(labels=()),
    "alone": card(data={"dataset": ""}),
    "eps": card(prediction="eps", path={"name": "vp_linear"}),
    "blind": card(prediction="eps"),  # on the flow path there is no signal at t = 1
    "ranged": card(prediction="eps", path={"name": "vp_linear"}, learned_range=True),
}
FILE = {"source": "file", "source_file": "x.npy"}
STEP = {"source": "step", "source_file": "x.trace", "source_step": 1}
GUIDED = {"label": 1, "guidance": 2.0}

# field, a value that is not neutral, its card, what forbids it, what allows it, words of the sentence
RULES = [
    ("label", 1, "plain", {}, None, "classes"),
    ("negative", 2, "plain", {}, None, "negative class"),
    ("negative", 2, "image", {"guidance": 2.0}, GUIDED, "negative class"),
    ("negative", 2, "image", {"label": 1, "guidance": 1.0}, GUIDED, "negative class"),
    ("negative", 2, "image", {"label": 1, "guidance": 1.0}, {"label": 1, "record_split": True}, "negative class"),
    ("negative", 2, "image", {**GUIDED, "guidance_model": "weak"}, GUIDED, "negative class"),
    ("guidance", 2.0, "plain", {}, {"guidance_model": "weak"}, "guidance"),
    ("guidance_interval", (0.1, 2.0), "plain", {"guidance": 2.0}, {"guidance": 2.0, "guidance_model": "w"}, "guidance"),
    ("guidance_interval", (0.1, 2.0), "image", {"guidance": 2.0}, GUIDED, "guidance"),
    ("guidance_interval", (0.1, 2.0), "image", {"label": 1, "guidance": 1.0}, GUIDED, "guidance"),
    ("guidance_rescale", 0.7, "image", {"guidance": 2.0}, GUIDED, "guidance"),
    ("guidance_rescale", 0.7, "image", {"label": 1, "guidance": 1.0}, GUIDED, "guidance"),
    ("record_split", True, "image", {"guidance": 2.0}, {"label": "each", "guidance": 1.0}, "guidance"),
    ("source_fit", "crop", "image", {}, FILE, "fitted"),
    ("source_invert", True, "image", {"source": "data"}, FILE, "inverted"),
    ("kind", "forward", "image", STEP, {}, "forward run"),
    ("kind", "forward", "alone", {}, FILE, "data set"),
    ("kind", "forward", "image", {"forward": "off"}, {"forward": "markov"}, "forward run"),
    ("interpolate", 5, "image", {"source": "data"}, {}, "interpolation"),
    ("interpolate", 5, "image", {"samples": 1}, {"samples": 2}, "interpolation"),
    ("variation", 0.5, "image", FILE, {}, "variation"),
    ("variation_seed", 5, "image", {}, {"variation": 0.5}, "seed of the variations"),
    ("strength", 0.5, "image", {}, {"source": "data"}, "strength"),
    ("strength", 0.5, "image", STEP, FILE, "strength"),
    ("strength", 0.5, "image", {"source": "data", "kind": "forward"}, {"source": "data"}, "strength"),
    ("mask", "m.png", "image", {}, {"source": "data"}, "mask"),
    ("mask", "m.png", "points", {"source": "data"}, None, "mask"),
    ("mask", "m.png", "image", {"source": "data", "kind": "forward"}, FILE, "mask"),
    ("resample", 3, "image", {"source": "data"}, {"source": "data", "mask": "m.png"}, "repeat"),
    ("clip", "static", "points", {}, None, "clipping"),
    ("noise", "fresh", "image", {"solver": "euler"}, {"solver": "ddpm"}, "noise"),
    (
        "noise", "brownian", "image", {"solver": "ddpm", "source": "data", "mask": "m.png", "resample": 2},
        {"solver": "ddpm", "source": "data", "mask": "m.png"}, "noise",
    ),
]  # fmt: skip
ELSEWHERE = {"label": {}, "negative": GUIDED, "mask": {"source": "data"}, "clip": {}}  # with another checkpoint
IDS = [f"{rule[0]}-{rule[2]}-{i}" for i, rule in enumerate(RULES)]


def made(fields):
    """Not validated: a request that can't even be written down is refused before."""
    return Request().model_copy(update=fields)


@pytest.mark.parametrize(("field", "value", "name", "forbids", "allows", "words"), RULES, ids=IDS)
def test_a_rule_refuses_what_it_must_in_words(field, value, name, forbids, allows, words):
    request = made({**forbids, field: value})
    reason = unavailable(CARDS[name], request)[field]
    assert words in reason
    with pytest.raises(BadInput, match=f"^{re.escape(reason)}$"):
        check(CARDS[name], request)
    assert getattr(usable(CARDS[name], request), field) == NEUTRAL[field]


@pytest.mark.parametrize(("field", "value", "name", "forbids", "allows", "words"), RULES, ids=IDS)
def test_what_lifts_a_rule_lets_the_field_through(field, value, name, forbids, allows, words):
    if allows is None:
        name, allows = "image", ELSEWHERE[field]
    request = Request.model_validate({**allows, field: value})
    assert field not in unavailable(CARDS[name], request)
    check(CARDS[name], request)
    assert getattr(usable(CARDS[name], request), field) == value


@pytest.mark.parametrize("name", [name for name in CARDS if name != "blind"])
def test_a_neutral_field_is_never_refused(name):
    check(CARDS[name], Request())
    assert usable(CARDS[name], Request()) == Request()


def test_a_strength_of_guidance_that_nobody_turned_back_is_let_through_where_there_are_classes():
    check(CARDS["image"], Request(guidance=1.5))
    assert usable(CARDS["image"], Request(guidance=1.5)).guidance == 1
    with pytest.raises(BadInput, match="'named' knows no classes, so there is nothing that guidance could lead to"):
        check(CARDS["plain"], Request(guidance=1.5))


def test_a_forward_chain_that_can_not_be_is_left_out_quietly():
    for name, fields in (("alone", {}), ("image", STEP)):
        request = Request.model_validate({"forward": "markov", **fields})
        assert "forward" in unavailable(CARDS[name], request)
        check(CARDS[name], request)


def test_a_list_of_times_says_how_many_steps_there_are():
    request = Request(grid="custom", times=(1.0, 0.5, 0.2, 0.0), steps=30)
    assert unavailable(CARDS["image"], request)["steps"] == (
        "your own list of times has 3 steps: change the list instead"
    )
    check(CARDS["image"], request)
    assert usable(CARDS["image"], request).steps == 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"label": 3}, "'named' has the labels 0 to 2, found 3 as the label"),
        ({**GUIDED, "negative": 3}, "'named' has the labels 0 to 2, found 3 as the negative class"),
        ({**GUIDED, "negative": 1}, "the negative class is 1, the class itself: choose another to lead away from"),
        ({"solver": "ddpm_learned"}, "DDPM, learned variance needs a network that has learned its variance"),
        ({"grid": "trailing"}, "'trailing' counts integer training steps, and 'flow' has none"),
        ({"grid": "custom", "times": (0.5, 1.0)}, r"times[1] is 1, expected less than times[0], 0.5"),
        ({"grid": "custom", "times": (1.0, 1.0, 0.0)}, r"times[1] is 1, expected less than times[0], 1"),
        ({"grid": "custom", "times": ()}, "times has 0 entries, expected 2"),
        ({"grid": "custom", "times": (1.5, 0.0)}, r"times[0] is 1.5, expected 0 to 1"),
        (
            {"path": PathSpec(name="vp_linear"), "grid": "trailing", "steps": 1001},
            "'trailing' has 1,000 training steps on 'vp_linear', found 1,001 steps: choose fewer or uniform",
        ),
        (
            {"path": PathSpec(name="vp_linear"), "grid": "leading", "grid_params": {"steps_offset": 990}, "steps": 10},
            "'leading' starts at training step 1,890 with steps_offset 990, expected at most 999",
        ),
    ],
)
def test_what_is_wrong_in_itself_is_refused(fields, sentence):
    with pytest.raises(BadInput, match="^" + re.escape(sentence)):
        check(CARDS["image"], Request.model_validate(fields))


@pytest.mark.parametrize("steps", [0, -1, 10**9])
def test_a_number_of_steps_that_is_none_can_not_be_written_down(steps):
    with pytest.raises(ValueError, match=r"steps[\s\S]*(greater|less) than or equal to"):
        Request(steps=steps)


@pytest.mark.parametrize("beta", [float("nan"), -0.1, 1.5])
def test_betas_that_are_none_can_not_be_written_down(beta):
    with pytest.raises(ValueError, match=r"betas\[1\] is .*, expected 1e-12 to 1"):
        PathSpec(name="vp_table", betas=(0.1, beta, 0.2))


def test_a_solver_that_needs_a_learned_variance_goes_with_a_network_that_has_one():
    for name in options.SOLVERS:
        assert bool(solver_problem(CARDS["eps"], name)) == (name == "ddpm_learned" or name in TOKENS)
        assert bool(solver_problem(CARDS["ranged"], name)) == (name in TOKENS)
    back = usable(CARDS["eps"], Request(solver="ddpm_learned", noise="fresh"))
    assert (back.solver, back.solver_params, back.noise) == (NEUTRAL["solver"], {}, None)


def test_a_grid_of_training_steps_goes_with_a_path_that_has_them():
    tables = {name for name, row in options.GRIDS.items() if row.needs == "table"}
    assert tables == {"trailing", "leading", "linspace"}
    for name in options.GRIDS:
        assert bool(grid_choice_problem(CARDS["image"], Request(), name)) == (name in tables)
        assert not grid_choice_problem(CARDS["eps"], Request(), name)
        on_flow = Request(path=PathSpec(name="flow"))
        assert bool(grid_choice_problem(CARDS["eps"], on_flow, name)) == (name in tables)


def test_a_grid_that_has_too_few_steps_can_still_be_chosen_and_says_so_itself():
    request = Request(grid="trailing", steps=2000)
    assert not grid_choice_problem(CARDS["eps"], request, "trailing")
    assert usable(CARDS["eps"], request) == request
    with pytest.raises(BadInput, match="found 2,000 steps: choose fewer or uniform"):
        check(CARDS["eps"], request)


def test_noise_prediction_needs_a_start_with_signal():
    blind = CARDS["blind"]
    with pytest.raises(BadInput, match="ε prediction has no x̂0 where the signal is gone"):
        check(blind, Request())
    check(blind, Request(grid="custom", times=(0.99, 0.5, 0.0)))
    # α at the end is 0.0063 for DDPM's betas, 1 for EDM; the cosine and the flow end in noise alone.
    for name, has_signal in (("vp_linear", True), ("edm", True), ("vp_cosine", False), ("flow", False)):
        assert bool(path_choice_problem(blind, Request(), name)) != has_signal, name
        request = Request(path=PathSpec(name=name))
        assert (usable(blind, request).path is not None) == has_signal
        assert not path_choice_problem(CARDS["image"], Request(), name)


def test_a_path_is_judged_on_its_own_even_where_the_grid_does_not_suit_it():
    assert "ε prediction" in path_problem(CARDS["blind"], Request(grid="trailing"), PathSpec(name="vp_cosine"))


def test_a_table_without_signal_at_its_end_is_refused_for_noise_prediction_only():
    path = {"name": "vp_linear", "params": {"zero_snr": 1}}
    with pytest.raises(BadInput, match="signal is gone"):
        check(card(prediction="eps", path=path), Request())
    check(card(prediction="v", path=path), Request())
    check(card(prediction="eps", path=path), Request(grid="leading"))  # starts below the end of the table


TO_DO = r": (\w+ it or |either )?(leave|choose|give|start|ask|change|repeat)\b"


@pytest.mark.parametrize(("field", "value", "name", "forbids", "allows", "words"), RULES, ids=IDS)
def test_a_sentence_is_one_and_says_what_to_do(field, value, name, forbids, allows, words):
    for reason in unavailable(CARDS[name], made({**forbids, field: value})).values():
        assert "\n" not in reason and ". " not in reason and not reason.endswith(".")
        assert re.search(TO_DO, reason), reason


def test_to_make_usable_is_done_once():
    """And the same fields have no meaning before and after."""
    for name in CARDS.keys() - {"blind"}:
        for rule in RULES:
            request = made({**rule[3], rule[0]: rule[1]})
            once = usable(CARDS[name], request)
            assert usable(CARDS[name], once) == once
            if once.source == request.source:
                assert unavailable(CARDS[name], request).keys() <= unavailable(CARDS[name], once).keys()
            Request.model_validate(dict(once))
            check(CARDS[name], once)
