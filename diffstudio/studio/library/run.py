"""A Run: a request, its trace, and what became of it."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

State = Literal["queued", "running", "done", "stopped", "failed", "interrupted"]
STATES: tuple[State, ...] = ("queued", "running", "done", "stopped", "failed", "interrupted")
# What may differ between two runs that are "the same but for the seed".
SEEDS = ("seed", "variation_seed", "interpolate")
# What says where and how a run is recorded or computed, not what.
OUTSIDE = ("device", "trace_every", "trace_dtype", "record_split")
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
MAX_WORDS = 2000  # of a prompt, a note: what is searched


@dataclass(frozen=True)
class Run:
    """One row of the library.

    created, ended: seconds since 1970.  seconds: wall time of the chains.  file: where the trace lies.
    parent, parent_step: the run and the recorded step that this one goes on from, "" and None for none.
    sweep, cell: of a sweep, its id and the values of this cell.  marks: markers and ranges, as `marks` has them.
    header: SHA-256 of the trace's header, by which a trace that was moved is known again.
    """

    id: str
    created: float
    state: State
    file: Path
    request: dict[str, Any]
    ended: float | None = None
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    model: str = ""
    checkpoint: str = ""
    modality: str = ""
    sha256: str = ""
    kind: str = "sample"
    solver: str = ""
    steps: int = 0
    seed: int = 0
    samples: int = 0
    guidance: float = 1.0
    label: str = ""
    prompt: str = ""
    source: str = ""
    precision: str = ""
    bytes: int = 0
    seconds: float = 0.0
    records: int = 0
    nfe: int = 0
    device: str = ""
    problem: str = ""
    parent: str = ""
    parent_step: int | None = None
    sweep: str = ""
    cell: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)
    header: str = ""
    owner: str = ""
    same_but_seed: str = ""
    trashed: float | None = None
    alike: int = 1  # how many runs a row stands for, where those that differ by seed alone are one row

    @property
    def title(self) -> str:
        """The name that the user gave, else the checkpoint's."""
        return self.name or self.checkpoint or self.model or self.file.stem

    @property
    def missing(self) -> bool:
        """Whether its trace is not where it was."""
        return self.state != "queued" and not self.file.exists()

    def summary(self) -> dict[str, Any]:
        """As JSON values; "id", "request", "state" and "path" are what others may rely on."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "created": datetime.fromtimestamp(self.created).astimezone().isoformat(timespec="seconds"),
            "path": str(self.file),
            "model": self.checkpoint or self.model,
            "sha256": self.sha256,
            "modality": self.modality,
            "star": self.star,
            "tags": list(self.tags),
            "note": self.note,
            "seconds": round(self.seconds, 3),
            "records": self.records,
            "network_calls": self.nfe,
            "bytes": self.bytes,
            "device": self.device,
            "problem": self.problem,
            "parent": self.parent or None,
            "parent_step": self.parent_step,
            "sweep": self.sweep or None,
            "cell": self.cell,
            "request": self.request,
        }


def new_id(now: float | None = None) -> str:
    """A name for a run: when it began, and four letters that nobody else has."""
    stamp = datetime.fromtimestamp(time.time() if now is None else now).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}"


def same_but_seed(request: Mapping[str, Any]) -> str:
    """Equal for requests that differ by seed alone."""
    kept = {key: value for key, value in request.items() if key not in (*SEEDS, *OUTSIDE)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:20]


def facts_of(request: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """What is searched and listed of a run, from the plain data of its request and its card.

    Both may come from a file that another version wrote: what is not as expected is left out.
    """
    model, step = str(card.get("name") or request.get("model") or ""), card.get("step")
    source = str(request.get("source") or "")
    if source == "file" and request.get("source_file"):
        source = Path(str(request["source_file"])).name
    prompts = [str(request.get(key) or "") for key in ("prompt", "negative_prompt")]
    return {
        "model": model[:200],
        "checkpoint": _checkpoint(request, model, step),
        "modality": str(card.get("modality") or "")[:40],
        "sha256": str(card.get("sha256") or "")[:64],
        "kind": str(request.get("kind") or "sample")[:20],
        "solver": str(request.get("solver") or "")[:60],
        "steps": _whole(request.get("steps")),
        "seed": _whole(request.get("seed")),
        "samples": _whole(request.get("samples")),
        "guidance": _number(request.get("guidance"), 1.0),
        "label": _label(request.get("label"), card.get("labels")),
        "prompt": " − ".join(filter(None, prompts))[:MAX_WORDS],
        "source": source[:200],
        "precision": str(request.get("precision") or "")[:20],
        "same_but_seed": same_but_seed(request),
    }


def _checkpoint(request: Mapping[str, Any], model: str, step: object) -> str:
    """The model as the request names it; of one that was opened by its path, its name and step."""
    spec = str(request.get("model") or "")
    if spec and "/" not in spec and "\\" not in spec:
        return spec[:200]
    return f"{model}@{step}"[:200] if isinstance(step, int) and step else model[:200]


def _label(label: object, labels: object) -> str:
    if isinstance(label, str):
        return label[:100]
    if isinstance(label, int) and isinstance(labels, list | tuple) and 0 <= label < len(labels):
        return str(labels[label])[:100]
    return "" if label is None else str(label)[:100]


def _whole(value: object) -> int:
    number = _number(value, 0.0)
    return int(value) if isinstance(value, int) else int(number)


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default
