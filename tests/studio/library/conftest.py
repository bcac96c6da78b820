"""A library in a folder of its own, and traces for it."""

import numpy as np
import pytest

from diffstudio.studio.library.library import Library
from diffstudio.traces.format import SCALARS, ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.writer import TraceWriter

CARD = {"name": "digits", "modality": "image", "labels": ["zero", "one", "two"], "sha256": "ab" * 32, "step": 400}
REQUEST = {"model": "digits@400", "solver": "ddim", "steps": 20, "seed": 3, "samples": 2, "guidance": 1.5, "label": 1}


@pytest.fixture
def library(tmp_path):
    found = Library(tmp_path / "library")
    yield found
    found.close()


@pytest.fixture
def write():
    """write(path, …): a trace of a run with `planned` records, of which `records` are there."""

    def write(path, records=3, planned=3, request=None, card=None, created="2026-01-02T03:04:05+00:00"):
        header = TraceHeader(
            created=created,
            request=REQUEST | (request or {}),
            card=CARD | (card or {}),
            fields=(FieldSpec(name="xt", shape=(2, 1, 2, 2)), FieldSpec(name="x0_hat", shape=(2, 1, 2, 2))),
            scalars=SCALARS,
            chains=(ChainSpec(name="reverse", records=planned),),
            device="cpu",
            checkpoint_sha256="ab" * 32,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with TraceWriter(path, header) as writer:
            for k in range(records):
                state = np.full((2, 1, 2, 2), k, np.float32)
                numbers = {"chain": 1, "step": k, "t": 1 - k / 3, "a": 1, "s": 1, "log_snr": 0, "nfe": k, "seconds": k}
                writer.append(numbers, {"xt": state, "x0_hat": state})
        return path

    return write


@pytest.fixture
def record(library, write):
    """record(…): a finished run of the library."""

    def record(state="done", request=None, card=None, **more):
        given = REQUEST | (request or {})
        run = library.begin(given, CARD | (card or {}), **more)
        write(run.file, request=given, created=f"2026-01-02T03:04:{len(library.find()):02d}+00:00")
        if state != "running":
            library.finish(run.id, state, bytes=run.file.stat().st_size)
        return library.get(run.id)

    return record
