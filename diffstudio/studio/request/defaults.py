"""The request that gives a good result with one click: a card's own defaults."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from diffstudio.checkpoints.card import Card
from diffstudio.studio.request.request import Request

ALLOWED = (
    "solver", "solver_params", "steps", "guidance", "samples", "label", "grid", "grid_params", "clip", "clip_params",
    "distilled_guidance",
)  # fmt: skip
# Numbers that mean something with the card's own choice alone.
NEEDS = {"solver_params": "solver", "grid_params": "grid", "clip_params": "clip"}


def default_request(card: Card, model: str, **given: Any) -> Request:
    """A request for that model: what is given, else what the card recommends, else our own defaults.

    Raises:
        pydantic.ValidationError: something given is out of its bounds. (A card's absurd default is passed over.)
    """
    known = {key: value for key, value in card.defaults.items() if key in ALLOWED and key not in given}
    for key, choice in NEEDS.items():
        if key in known and (choice in given or choice not in known):
            del known[key]
    for key in [key for key in known if key not in NEEDS]:  # those are judged together with the choice
        value = known[key]
        if isinstance(value, float) and value.is_integer() and key not in ("guidance", "distilled_guidance"):
            known[key] = int(value)
        numbers = {name: known[name] for name, choice in NEEDS.items() if choice == key and name in known}
        try:
            Request.model_validate({key: known[key], **numbers})
        except ValidationError:
            for name in (key, *numbers):
                del known[name]
    label = known.get("label")
    if label is not None and (not card.labels or (isinstance(label, int) and label >= len(card.labels))):
        del known["label"]
    return Request.model_validate({"model": model, **known, **given})
