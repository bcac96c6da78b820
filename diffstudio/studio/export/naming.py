"""Names of files that tell runs apart, fit every file system, and are not taken yet."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffstudio.studio.export.options import ExportOptions
from diffstudio.traces.reader import Trace

MOST_BYTES = 180  # of a stem: file systems take 255 with the suffix, and with the "(2)" and ".tmp" that come to it
MODEL, PROMPT, CLASS = 60, 28, 24  # characters of a part
NUMBERED = re.compile(r"(frame-|sample-)?\d{4,}\.\w+|samples\.\w+")  # what an export calls the files in a folder
# Devices of Windows: no file there can be called so, whatever its suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s]+')
_TENSORS = {"x0_hat": "x0hat", "eps_hat": "eps", "delta": "delta", "x0_cond": "x0class", "x0_free": "x0free"}
_KINDS = {"picture": "", "animation": "chain", "arrays": "arrays", "trace": ""}


def safe(text: str, most: int = MOST_BYTES) -> str:
    """A text as a part of a file's name on every system: what is forbidden somewhere, or not printed, is a "-".

    most: bytes in UTF-8.
    """
    plain = unicodedata.normalize("NFC", text)
    plain = "".join(c if c.isprintable() else " " for c in plain)
    plain = re.sub("-{2,}", "-", _FORBIDDEN.sub("-", plain))
    plain = plain.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").strip("-. ")
    return f"_{plain}" if _RESERVED.match(plain) else plain


def proposed(trace: Trace, options: ExportOptions) -> str:
    """The stem of a file that an export of a trace is written to: what made it, then what is in it.

    digits@3500_dpmpp-2m_30steps_class-3_seed7_grid; of one sample its own class and its number as the window counts.
    """
    sample = options.sample if options.kind not in ("arrays", "trace") else None
    labels = trace.header.labels
    own = labels[sample] if sample is not None and sample < len(labels) else None
    request = dict(trace.header.request) | ({} if own is None else {"label": own})
    card = trace.header.card
    name = str(card.get("name") or "run")
    step = card.get("step")
    return run_name(
        request, f"{name}@{step}" if step else name, card.get("labels") or (), _shown(trace, options, sample)
    )


def run_name(
    request: Mapping[str, Any], model: str, labels: Sequence[object] = (), shown: Sequence[str] = (), steps: str = ""
) -> str:
    """The stem of a file for a request, which may be a stranger's: what it lacks is left out.

    labels: the names of the classes.  shown: what is in the file.  steps: in words, where they are not the request's.
    """
    made = [safe(model.removesuffix("@0"), MODEL) or "run"]  # a model without training steps is its name
    if request.get("kind") == "forward":
        made.append("forward")
    elif request.get("solver"):
        made.append(safe(str(request["solver"]).replace("_", "-"), CLASS))
    if steps or isinstance(request.get("steps"), int):
        made.append(steps or f"{_steps(request)}steps")
    made += [part for part in (_class(request.get("label"), labels), _prompt(request.get("prompt"))) if part]
    if isinstance(request.get("seed"), int):
        made.append(f"seed{request['seed']}")
    # Without dots: what follows one would be taken for the suffix of a folder.
    return safe("_".join([*made, *(part for part in shown if part)]).replace(".", "-"))


def free(path: Path, taken: Sequence[Path] = ()) -> Path:
    """The path, or the first with a number behind its stem where nothing is yet: "name (2).png".

    A folder that is empty is free. taken: paths that count as taken too.
    """
    suffix = path.suffix if path.suffix[1:].isalnum() and len(path.suffix) <= 6 else ""
    stem = path.name.removesuffix(suffix)
    names = itertools.chain([path.name], (f"{stem} ({n}){suffix}" for n in itertools.count(2)))
    return next(p for p in map(path.with_name, names) if p not in taken and not _is_taken(p))


def with_suffix(path: Path, suffix: str) -> Path:
    """The path with that suffix behind its whole name, in which a dot may stand for itself: "sd-v1.5" + ".png"."""
    return path if path.name.lower().endswith(suffix) else path.with_name(path.name + suffix)


def others_in(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """What earlier exports have left in a folder and would mix with new files; names: those that will be replaced."""
    try:
        found = sorted(file.name for file in folder.iterdir())
    except OSError:
        return []
    return [name for name in found if NUMBERED.fullmatch(name) and name not in names]


def _is_taken(path: Path) -> bool:
    try:
        return path.exists() and not (path.is_dir() and not any(path.iterdir()))
    except OSError:
        return True


def _steps(request: Mapping[str, Any]) -> int:
    times = request.get("times")
    return len(times) - 1 if isinstance(times, list | tuple) and len(times) > 1 else int(request["steps"])


def _class(label: object, labels: Sequence[object]) -> str:
    if isinstance(label, int) and 0 <= label < len(labels):
        return f"class-{safe(str(labels[label]), CLASS) or label}"
    return f"class-{label}" if isinstance(label, int) or label == "each" else ""


def _prompt(prompt: object) -> str:
    """Its start, cut at a word."""
    words = re.sub(r"[^\w'-]+", "-", str(prompt or "")).strip("-")
    if len(words) > PROMPT:
        words = words[:PROMPT].rpartition("-")[0] or words[:PROMPT]
    return safe(words)


def _shown(trace: Trace, options: ExportOptions, sample: int | None) -> list[str]:
    """The tensor and the record, where they are not the usual ones, which samples, and the kind of file."""
    if options.kind in ("arrays", "trace"):
        return [_KINDS[options.kind]]
    parts = [_TENSORS.get(options.tensor, "") if options.tensor != "split" else "split"]
    k = options.record
    if options.kind in ("picture", "clip", "samples") and k is not None and k < len(trace) - 1:
        parts.append(f"{'forward-' if trace.chain(k) == 0 else ''}step{trace.scalar(k, 'step'):.0f}")
    if options.chain != "reverse" and options.kind in ("animation", "strip", "frames"):
        parts.append(options.chain)
    if options.kind != "samples":
        parts.append("all" if sample is None and trace.meaning.kind.cloud else "grid" if sample is None else "")
    parts.append(f"sample{sample + 1}" if sample is not None else "")
    return [*parts, _KINDS.get(options.kind, options.kind)]
