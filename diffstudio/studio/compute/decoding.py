"""The pictures of a latent model's run: its records through the autoencoder, as a trace of pictures.

Everything that draws or writes a trace then works on them as on any other. Imported when it is used: it needs torch.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch

from diffstudio.networks.model import Model
from diffstudio.traces.format import ChainSpec, FieldSpec
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

FIELDS = ("xt", "x0_hat")


def decode_trace(trace: Trace, model: Model, records: Sequence[int], out: Path) -> Generator[int, None, None]:
    """Write the chosen records as pictures; yields before each of them, and at the end, how many are written.

    Raises:
        NoRoom: the disk is full.  BadFile: the trace can't be read any more.
    """
    shape = tuple(model.card.decoded)
    numbers = [trace.chain(k) for k in records]
    chains = tuple(
        ChainSpec(name="reverse" if n else "forward", records=numbers.count(n)) for n in sorted(set(numbers))
    )
    header = trace.header.model_copy(
        update={
            "card": {**trace.header.card, "modality": "image", "shape": list(shape), "decoded": [], "colours": []},
            "fields": tuple(FieldSpec(name=name, shape=(trace.batch, *shape), unit="data") for name in FIELDS),
            "chains": chains,
        }
    )
    with TraceWriter(out, header) as writer:
        for count, k in enumerate(records):
            yield count
            arrays = {name: decoded(model, trace.array(k, name)) for name in FIELDS}
            writer.append({name: trace.scalar(k, name) for name in header.scalars}, arrays)
    yield len(records)


def decoded(model: Model, states: np.ndarray) -> np.ndarray:
    """States (B, C, h, w) as pictures (B, 1 or 3, H, W) float32."""
    return model.decode(torch.from_numpy(states.astype(np.float32))).float().cpu().numpy()
