"""Traces of runs that became not finite, or as large as numbers get; for the tests of all that looks at a trace."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import RECORDED, ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.writer import TraceWriter

MODELS = ("digits", "shapes-2d", "bouncing-digits", "spoken-digits", "words", "words-gaussian")
KINDS_OF_WILD = ("not finite", "huge")
STEPS, SAMPLES = 3, 4
CATALOG = default_catalog()


def wild(kind, arrays, rng):
    """From the second record on all samples but the last are as large as numbers get, or of them one is NaN alone, one
    ∞ with a −∞ in it, so that every mean is NaN, and one is NaN in a single number."""
    for array in arrays[1:]:
        if kind == "huge":
            array[:-1] = 3e38 * rng.choice([-1, 1], array[:-1].shape)
            continue
        array[0], array[1] = np.nan, np.inf
        array[1].flat[0] = -np.inf
        array[2].flat[rng.integers(array[2].size)] = np.nan
    return arrays


CASES = [(*case, "float32") for case in itertools.product(MODELS, KINDS_OF_WILD) if case != ("bouncing-digits", "huge")]
CASES += [("digits", "huge", "float16")]


def write_wild(path: Path, name: str, kind: str, dtype: str = "float32") -> Path:
    """Both chains of a bundled model's states, all samples but one wild."""
    card, rng = CATALOG.find(name).card, np.random.default_rng(3)
    extras = card.meaning.kind.extras(card.meaning)
    shapes = {"xt": card.shape, "x0_hat": card.shape, **{extra.name: extra.shape for extra in extras}}
    if not extras:
        shapes |= {"x0_cond": card.shape, "x0_free": card.shape}
    header = TraceHeader(
        created="2026-01-02",
        request=Request(model=name, samples=SAMPLES, steps=STEPS, forward="invert", source="data").model_dump(
            mode="json"
        ),
        card=card.model_dump(mode="json"),
        fields=tuple(FieldSpec(name=n, shape=(SAMPLES, *s), dtype=dtype) for n, s in shapes.items()),
        scalars=(*RECORDED, *card.meaning.kind.scalars),
        chains=tuple(ChainSpec(name=n, records=STEPS + 1) for n in ("forward", "reverse")),
    )
    with TraceWriter(path, header) as writer:
        for chain in (0, 1):
            states = {
                n: wild(kind, list(rng.normal(size=(STEPS + 1, SAMPLES, *s)).astype(np.float32)), rng)
                for n, s in shapes.items()
            }
            for k in range(STEPS + 1):
                t = k / STEPS if chain == 0 else 1 - k / STEPS
                level = {"t": t, "a": 1 - t, "s": t, "log_snr": 2 * np.log((1 - t + 1e-9) / (t + 1e-9))}
                norms = dict.fromkeys(("dx_norm", "eps_norm", "x0_change"), np.nan if k else 1.0)
                arrays = {n: rows[k] for n, rows in states.items()}
                count = {"not_finite": SAMPLES - 1 if k else 0, "nfe": k, "seconds": 0.1 * k}
                writer.append({"chain": chain, "step": k, **level, **norms, **count}, arrays)
    return path
