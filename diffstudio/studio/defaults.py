"""The request that gives a good result with one click: a card's own defaults."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from diffstudio.checkpoints.card import Card
from diffstudio.studio.request import Request

ALLOWED = ("solver", "steps", "guidance", "samples", "label", "grid")


def default_request(card: Card, model: str, **given: Any) -> Request:
    """A request for that model: what is given, else what the card recommends, else our own defaults.

    Raises:
        pydantic.ValidationError: something given is out of its bounds. (A card's absurd default is passed over.)
    """
    known = {key: value for key, value in card.defaults.items() if key in ALLOWED and key not in given}
    for key in list(known):
        if isinstance(known[key], float) and float(known[key]).is_integer() and key != "guidance":
            known[key] = int(known[key])
        try:
            Request.model_validate({key: known[key]})
        except ValidationError:
            del known[key]
    label = known.get("label")
    if label is not None and (not card.labels or (isinstance(label, int) and label >= len(card.labels))):
        del known["label"]
    return Request.model_validate({"model": model, **known, **given})
