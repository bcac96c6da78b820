"""Models that were distilled to draw in a few steps: by their scheduler, their config or their name.

They are known by words, and start with their own number of steps and with little guidance or none: with the settings of
slow models their pictures burn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NONE = 1.0  # guidance that leads away from nothing


@dataclass(frozen=True)
class FewSteps:
    """How a family is sampled. word: its name.  chain: its solver and its times, where nothing else says them."""

    word: str
    steps: int
    guidance: float
    chain: dict[str, Any] = field(default_factory=dict)

    def defaults(self, usual: float) -> dict[str, Any]:
        """Its number of steps and its guidance, at most the usual one of the network."""
        return {"steps": self.steps, "guidance": min(self.guidance, usual)}

    def told(self) -> str:
        """The clause for the card."""
        led = "without guidance" if self.guidance == NONE else f"with a guidance of {self.guidance:g}"
        return f"it is known as a few-step model ({self.word}) and starts with {self.steps} steps {led}"


def _family(word: str, steps: int, guidance: float, solver: str, grid: str, **more: Any) -> FewSteps:
    return FewSteps(word, steps, guidance, {"solver": solver, "grid": grid, **more})


_LCM = {"grid_params": {"original": 50.0}}
FAMILIES = (
    _family("schnell", 4, NONE, "euler", "uniform"),
    _family("lightning", 4, NONE, "euler", "trailing"),
    _family("hyper", 8, NONE, "ddim", "trailing"),
    _family("tcd", 4, NONE, "tcd", "lcm", grid_params={"original": 50.0, "end": 1.0}),
    _family("lcm", 4, 1.5, "lcm", "lcm", **_LCM),
    _family("dmd", 4, NONE, "lcm", "lcm", **_LCM),
    _family("turbo", 4, NONE, "euler_ancestral", "trailing"),
)
_BY_NAME = {family.word: family for family in FAMILIES}
_BY_SCHEDULER = {"LCMScheduler": "lcm", "TCDScheduler": "tcd", "FlowMatchLCMScheduler": "lcm"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COUNT = re.compile(r"(?<!\d)(\d{1,2})[-_ ]?steps?(?![a-z])", re.IGNORECASE)
MOST = 16  # steps that a name may ask for


def by_words(texts: Iterable[str]) -> FewSteps | None:
    """The family that a name or title has among its words, with the number of steps that stands there."""
    for text in texts:
        words = [word.lower() for word in _WORD.findall(text[:300])]
        for word, after in zip(words, [*words[1:], ""], strict=False):
            family = _BY_NAME.get(word)
            if family is None or (word == "hyper" and after.startswith("real")):  # "HyperReal" is another thing
                continue
            asked = [int(count) for count in _COUNT.findall(text[:300]) if 0 < int(count) <= MOST]
            return FewSteps(family.word, asked[0] if asked else family.steps, family.guidance, family.chain)
    return None


def by_scheduler(scheduler: str, defaults: dict[str, Any]) -> FewSteps | None:
    """The family that a pipeline's scheduler is for. defaults: what its settings became.

    Ancestral Euler that is counted from the end of the table is how the turbos of Stable Diffusion were published.
    """
    if scheduler in _BY_SCHEDULER:
        return _BY_NAME[_BY_SCHEDULER[scheduler]]
    turbo = scheduler == "EulerAncestralDiscreteScheduler" and defaults.get("grid") == "trailing"
    return _BY_NAME["turbo"] if turbo else None


SCHNELL = _BY_NAME["schnell"]
