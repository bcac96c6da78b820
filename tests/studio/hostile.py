"""What the tests of hostile files share."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from diffstudio.data import spoken
from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.modalities import Meaning
from diffstudio.studio.sources import load_source

MEANINGS = {
    "image": Meaning("image", (1, 8, 8)),
    "points": Meaning("points", (2,)),
    "video": Meaning("video", (3, 1, 8, 8)),
    "audio": Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump()}),
    "text": Meaning("text", (1, 8), {"text": {"vocabulary": list(" abc"), "process": "masked"}}),
}


def fit_of(kind):
    """A fit that such files can have."""
    return "keep" if kind == "points" else "crop"


def refused(path, kind, error: type[DiffStudioError] = BadInput, most=12 << 20):
    """The sentence; at most so many bytes of memory are needed for it."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            load_source(path, MEANINGS[kind], fit_of(kind))
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    return str(caught.value)


def npy(shape, data=b"", dtype="<f4", fortran=False):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": fortran, "shape": shape})
    return out.getvalue() + data


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path
