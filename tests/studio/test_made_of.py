"""Every file that a run is made of is named by its sha256, computed once."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from known_network import save_known
from PIL import Image

from diffstudio.checkpoints import hashing
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.studio.engine import Engine
from diffstudio.studio.made_of import file_sha256
from diffstudio.studio.provenance import settings
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def pictures(folder, tmp_path):
    """A model of pictures, and a weaker one; a source and a mask."""
    fields = {"modality": "image", "shape": (1, 8, 8), "data": {"dataset": ""}}
    save_known(folder, "pictures", **fields)
    save_known(folder, "weak", step=1, means=(0.0, 0.0, 0.0), **fields)
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(tmp_path / "source.png")
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


def test_checkpoint_guide_source_and_mask_are_all_named(record, pictures):
    trace = record(
        model="pictures", guidance_model="weak", guidance=2.0, source="file", source_file=str(pictures / "source.png"),
        mask=str(pictures / "mask.png"),
    )  # fmt: skip
    told = trace.header.sha256
    assert told["source"] == sha(pictures / "source.png") and told["mask"] == sha(pictures / "mask.png")
    assert told["checkpoint"] == trace.header.checkpoint_sha256 == trace.header.card["sha256"] != told["guide"] != ""
    assert settings(trace)["sha256"] == told


def test_a_folder_of_another_tool_is_named_too_and_read_once(latent_folder, tmp_path, monkeypatch):
    cache = ScanCache(tmp_path / "cache.json")
    engine = Engine(Catalog([("user", latent_folder.parent)], cache), tmp_path / "colours")
    card = engine.catalog.find("faces").card
    request = default_request(card, "faces", samples=1, steps=1, device="cpu", prompt="")
    digests = []
    for k in range(2):
        if k:
            monkeypatch.setattr(hashing.Hashing, "read", lambda *_: pytest.fail("its hash is known"))
        for _ in engine.run(request, tmp_path / f"{k}.trace"):
            pass
        with Trace.open(tmp_path / f"{k}.trace") as trace:
            digests.append(trace.header.checkpoint_sha256)
    assert digests[0] == digests[1] and len(digests[0]) == 64


def test_a_folder_of_frames_is_hashed_in_the_order_of_its_numbers(tmp_path):
    for folder, contents in (("a", "12"), ("b", "12"), ("c", "21")):
        (tmp_path / folder).mkdir()
        for name, content in zip(("2.png", "10.png"), contents, strict=True):
            (tmp_path / folder / name).write_text(content)
    found = [file_sha256(tmp_path / name) for name in "abc"]
    assert found[0] == found[1] != found[2]
    assert file_sha256(tmp_path / "none.png") == ""
