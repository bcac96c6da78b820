"""What is told of a Stable Diffusion in one file beside the names and shapes of its tensors.

In the order in which it counts: its metadata (ModelSpec), tensors that mark it for ComfyUI, the .yaml beside it that
CompVis, Stability AI and A1111 have, the JSON that managers of downloads write beside it, its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.header import TensorInfo
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

EPSILON, V = "epsilon", "v_prediction"
MAX_BESIDE = 1 << 20  # bytes of a file that is read beside it
MAX_NUMBERS = 64
_YAML = (".yaml", ".yml")
_JSON = (".json", ".civitai.info", ".metadata.json")
_SAID = {"epsilon": EPSILON, "eps": EPSILON, "v": V, "v_prediction": V, "vpred": V, "v-prediction": V}
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


@dataclass(frozen=True)
class Told:
    """What is known beside the architecture.

    prediction: as a scheduler of diffusers names it, "" where nothing says it.  by: who says it, for the card.
    sure: whether it is said, not guessed from a name.  zero_snr: whether the table is rescaled.
    sigmas: (σ min, σ max) of a network of v in EDM's continuous σ; None for a table.  edm: whether it gives EDM's F.
    latents: entries of the autoencoder's config.  betas: entries of the scheduler's config.
    words: names and titles, by which published families of few steps are known.
    """

    prediction: str = ""
    by: str = ""
    sure: bool = True
    zero_snr: bool = False
    sigmas: tuple[float, float] | None = None
    edm: bool = False
    latents: dict[str, Any] = field(default_factory=dict)
    betas: dict[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()


def told(look: Look, family: str, names: Mapping[str, str] | None = None) -> Told:
    """Everything that is told of the file.

    family: "1", "2" or "XL".  names: of its tensors there, by those without what wraps them; None where nothing does.

    Raises:
        NotFound, BadFile: of the file itself.
    """
    names = {name: name for name in look.tensors} if names is None else names
    metadata = look.header.metadata if look.kind == "safetensors" else {}
    tables = dict(_tables(look.path))
    ask: tuple[Callable[[], tuple[str, str] | None], ...] = (
        lambda: _by_metadata(metadata),
        lambda: ("v_prediction", "the file says") if "v_pred" in names else None,
        lambda: _by_yaml(tables),
        lambda: _by_json(tables),
    )
    prediction, by = next((found for question in ask if (found := question())), ("", ""))
    sure = bool(prediction)
    if not sure:
        prediction, by = _by_name(look.path.stem, family)
    return Told(
        prediction,
        by,
        sure,
        "ztsnr" in names or _has(look.path.stem, r"z(?:ero)?[-_ ]?(?:t(?:erminal)?[-_ ]?)?snr"),
        _sigmas(look, names),
        "edm_mean" in names and "edm_std" in names,
        {**_scale(tables), **_latents(look, names)},
        _betas(tables),
        tuple(_words(look, metadata, tables)),
    )


def beside(path: Path) -> Iterator[Path]:
    """The files beside a model that may tell of it, those that are there."""
    for ending in (*_YAML, *_JSON):
        for name in dict.fromkeys((path.stem + ending, path.name + ending)):
            at = path.with_name(name)
            if at != path and at.is_file():
                yield at


def numbers(look: Look, name: str) -> tuple[float, ...] | None:
    """The numbers of a short tensor of a .safetensors file; None where there is none that can be read so."""
    info = look.tensors.get(name) if look.kind == "safetensors" else None
    if not isinstance(info, TensorInfo) or not 0 < info.end - info.begin <= 8 * MAX_NUMBERS:
        return None
    try:
        with look.path.open("rb") as stream:
            stream.seek(look.header.payload_start + info.begin)
            raw = stream.read(info.end - info.begin)
    except OSError as error:
        raise BadFile(f"can't read {shown(look.path, 400)}: {error.strerror}") from error
    if info.dtype == "BF16":  # the upper half of a float32
        found = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    elif info.dtype in _DTYPES:
        found = np.frombuffer(raw, _DTYPES[info.dtype])
    else:
        return None
    return tuple(found.astype(float).tolist()) if np.isfinite(found).all() else None


# ── the prediction ──────────────────────────────────────────────────────────────────────────────────────────────────


def _by_metadata(metadata: dict[str, str]) -> tuple[str, str] | None:
    """ModelSpec; its `architecture` tells the two Stable Diffusions 2 apart."""
    for key in ("modelspec.prediction_type", "modelspec.predict_key"):
        said = _SAID.get(metadata.get(key, "").strip().lower())
        if said:
            return said, "the file says"
    architecture = metadata.get("modelspec.architecture", "").lower()
    if "768-v" in architecture:
        return V, f"the file says that it is {shown(architecture, 60)}, and so"
    if "v2-512" in architecture:
        return EPSILON, f"the file says that it is {shown(architecture, 60)}, and so"
    return None


def _by_yaml(tables: dict[Path, dict[str, Any]]) -> tuple[str, str] | None:
    for path, table in tables.items():
        said = _SAID.get(str(table.get("parameterization", "")).lower()) if path.suffix in _YAML else None
        if said:
            return said, f"{shown(path.name, 100)} beside it says"
    return None


def _by_json(tables: dict[Path, dict[str, Any]]) -> tuple[str, str] | None:
    for path, table in tables.items():
        if path.suffix in _YAML:
            continue
        for key in ("prediction_type", "parameterization", "modelspec.prediction_type"):
            said = _SAID.get(str(table.get(key, "")).lower())
            if said:
                return said, f"{shown(path.name, 100)} beside it says"
        base = _base(table)
        if _has(base, r"sd ?2\.\d 768"):
            return V, f"{shown(path.name, 100)} beside it says that it is {shown(base, 60)}, and so"
        if re.fullmatch(r"sd ?2\.\d", base.lower()):
            return EPSILON, f"{shown(path.name, 100)} beside it says that it is {shown(base, 60)}, and so"
    return None


def _by_name(name: str, family: str) -> tuple[str, str]:
    """What a name says: "v-pred", and of Stable Diffusion 2 the size that goes with either."""
    if _has(name, r"v[-_ ]?pred(?:iction)?"):
        return V, "its name says"
    if _has(name, r"eps(?:ilon)?[-_ ]?pred(?:iction)?"):
        return EPSILON, "its name says"
    if family == "2" and _has(name, r"768"):
        return V, "its name has 768, and so"
    if family == "2" and _has(name, r"512|base"):
        return EPSILON, "its name has 512 or base, and so"
    return "", ""


def _has(text: str, pattern: str) -> bool:
    """Whether it has that as a word of its own, in any case."""
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z])", text.lower()) is not None


# ── what goes with it ───────────────────────────────────────────────────────────────────────────────────────────────


def _sigmas(look: Look, names: Mapping[str, str]) -> tuple[float, float] | None:
    """The ends of EDM's σ, which mark a network of v in it; CosXL's own where they can't be read."""
    if "edm_vpred.sigma_max" not in names:
        return None
    low, high = (numbers(look, names.get(f"edm_vpred.sigma_{end}", "")) for end in ("min", "max"))
    found = (low or (0.002,))[0], (high or (120.0,))[0]
    if not 0 < found[0] < found[1] <= 10_000:
        raise BadFile(
            f"{shown(look.path, 400)}: edm_vpred.sigma_min and edm_vpred.sigma_max are {found[0]:g} and {found[1]:g}, "
            "expected two rising numbers above 0, at most 10,000"
        )
    return found


def _latents(look: Look, names: Mapping[str, str]) -> dict[str, Any]:
    """The mean and the spread of each channel of the latents, where the file has them (Playground 2.5)."""
    mean, std = (numbers(look, names.get(name, "")) for name in ("edm_mean", "edm_std"))
    if mean is None or std is None:
        return {}
    return {"latents_mean": list(mean), "latents_std": list(std), "scaling_factor": 0.5}


def _scale(tables: dict[Path, dict[str, Any]]) -> dict[str, Any]:
    scale = _number(tables, "scale_factor")
    return {} if scale is None else {"scaling_factor": scale}


def _betas(tables: dict[Path, dict[str, Any]]) -> dict[str, float]:
    names = {"linear_start": "beta_start", "linear_end": "beta_end", "timesteps": "num_train_timesteps"}
    found = {name: _number(tables, key) for key, name in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _number(tables: dict[Path, dict[str, Any]], key: str) -> float | None:
    for path, table in tables.items():
        if path.suffix in _YAML and key in table:
            try:
                value = float(table[key])
            except ValueError:
                continue
            return value if 0 < value < 1e6 else None
    return None


def _words(look: Look, metadata: dict[str, str], tables: dict[Path, dict[str, Any]]) -> Iterator[str]:
    yield look.path.stem
    for key in ("modelspec.title", "modelspec.architecture"):
        if key in metadata:
            yield metadata[key]
    for path, table in tables.items():
        if path.suffix not in _YAML:
            yield _base(table)


def _base(table: dict[str, Any]) -> str:
    """What a manager of downloads says of the family, e.g. "SD 2.1 768", "SDXL Lightning"."""
    return next((str(table[key])[:200] for key in ("baseModel", "base_model", "sd version") if table.get(key)), "")


# ── the files beside it ─────────────────────────────────────────────────────────────────────────────────────────────


def _tables(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What the files beside it say. They are other tools': one that can't be read says nothing."""
    for at in beside(path):
        try:
            with at.open("rb") as stream:
                text = stream.read(MAX_BESIDE + 1)
        except OSError:
            continue
        table = None if len(text) > MAX_BESIDE else _scalars(text) if at.suffix in _YAML else _json(text)
        if table:
            yield at, table


def _json(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _scalars(text: bytes) -> dict[str, Any]:
    """The lines `key: word` of a .yaml, wherever they stand, the first of each key.

    No more is asked of it than five words of a file that a model's authors publish, so nothing is built from it.
    """
    line = re.compile(r"^[ \t]*([a-z_]{1,40}):[ \t]*[\"']?([^\s\"'#]{1,60})", re.MULTILINE)
    found: dict[str, Any] = {}
    for key, value in line.findall(text.decode("utf-8", "replace")):
        found.setdefault(key, value)
    return found
