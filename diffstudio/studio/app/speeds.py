"""How long a network call takes here: measured in earlier runs, or else guessed from the network's size."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio import options
from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes
from diffstudio.studio.request.plan import Plan
from diffstudio.studio.request.request import Request

MOST = 300  # checkpoints whose speed is remembered
MAX_BYTES = 1 << 20
NEWS = 0.1  # by so much a speed must have changed to be worth writing

# A call of one sample over one parameter, in times of `calibration.reference_seconds`; measured on the bundled models
# on one core. Networks that are not here are taken for U-Nets, which is true of most.
PER_PARAMETER = {"mlp": 4.6e-8, "smalldiffusion_mlp": 4.6e-8, "transformer": 2.2e-6, "video_transformer": 5.9e-6}
USUAL = 1.6e-6


class _Kept(BaseModel):
    """The file: seconds a call and sample by checkpoint and device, and what the reference took (0: not measured)."""

    model_config = ConfigDict(extra="ignore")
    reference: Annotated[float, Field(ge=0, le=100)] = 0.0
    calls: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(max_length=10 * MOST)] = {}


class Speeds:
    """What is known of this machine. A file that is damaged or can't be written is measured anew, nothing else."""

    def __init__(self, file: Path | None = None) -> None:
        """file: where it is kept from one start to the next; None keeps nothing."""
        self._file = file
        self._kept = _read(file)
        self._written = self._kept.model_copy(deep=True)

    @property
    def calibrated(self) -> bool:
        """Whether the reference has been measured here."""
        return self._kept.reference > 0

    def calibrate(self, seconds: float) -> None:
        """Take the time of the reference."""
        self._kept.reference = seconds
        self.keep()

    def learn(self, plan: Plan, seconds: float) -> None:
        """Take the seconds of a call for one sample."""
        key, calls = _key(plan), self._kept.calls
        calls.pop(key, None)
        calls[key] = seconds
        for oldest in list(calls)[:-MOST]:
            del calls[oldest]

    def call_seconds(self, plan: Plan, guessing: bool) -> float | None:
        """Seconds of a call for one sample; None where nobody knows. guessing: the processor alone computes here."""
        found = self._kept.calls.get(_key(plan))
        if found is not None:
            return found
        trained = options.NETWORKS[plan.card.network].trained
        if not (guessing and trained and self.calibrated):
            return None
        one = PER_PARAMETER.get(plan.card.network, USUAL) * plan.card.parameters * self._kept.reference
        return one * (2 if _guided(plan.request) else 1)

    def keep(self) -> None:
        """Write what has changed."""
        before, now = self._written, self._kept
        same = before.reference == now.reference and before.calls.keys() == now.calls.keys()
        if self._file is None or (same and all(abs(s - before.calls[k]) <= NEWS * s for k, s in now.calls.items())):
            return
        with contextlib.suppress(OSError, DiffStudioError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._file, now.model_dump_json().encode())
            self._written = now.model_copy(deep=True)


def speeds_file() -> Path:
    """Where they lie: measured again whenever it is lost, so it is a cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False)) / "speeds.json"


def _read(file: Path | None) -> _Kept:
    with contextlib.suppress(OSError, ValueError, ValidationError):
        if file is not None and file.stat().st_size <= MAX_BYTES:
            return _Kept.model_validate(json.loads(file.read_bytes()))
    return _Kept()


def _key(plan: Plan) -> str:
    """The checkpoint as it lies there, and where and how precisely it runs."""
    entry, request = plan.entry, plan.request
    return f"{entry.path}|{entry.size}|{request.device}|{request.precision}"


def _guided(request: Request) -> bool:
    """Whether each call asks the network twice."""
    return request.guidance_model is not None or request.guidance != 1
