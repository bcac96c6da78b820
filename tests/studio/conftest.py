"""Traces with values that the test knows, and checkpoints of a network that knows its data exactly."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))  # for known_network

from known_network import Known, save_known

from diffstudio import networks, options
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import SCALARS, ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

CARD = {"name": "known", "title": "Known values", "modality": "image", "step": 7}


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """The catalog is free of the user's own files."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "home"))


@pytest.fixture
def make_trace(tmp_path):
    """make(forward, reverse, …): each (R, B, …) or None; the flow path, so that x̂0 = x_t − t·ε̂ with ε̂ = x_t/2."""
    opened = []

    def make(reverse=None, forward=None, *, dtype="float32", request=None, card=None, planned=0):
        chains = [(name, x) for name, x in (("forward", forward), ("reverse", reverse)) if x is not None]
        shape = chains[0][1].shape[1:]
        modality = "points" if len(shape) == 2 else "image"
        header = TraceHeader(
            created="2026-01-02T03:04:05+00:00",
            request=Request(model="known", samples=shape[0], steps=4).model_dump(mode="json") | (request or {}),
            card=CARD | {"modality": modality} | (card or {}),
            fields=(
                FieldSpec(name="xt", shape=shape, dtype=dtype),
                FieldSpec(name="x0_hat", shape=shape, dtype=dtype),
            ),
            scalars=SCALARS,
            chains=tuple(ChainSpec(name=name, records=max(len(x), planned)) for name, x in chains),
            versions={"diffstudio": "0.1.0", "torch": "2.13.0"},
            device="cpu",
            checkpoint_sha256="ab" * 32,
            labels=(None, 3) * (shape[0] // 2) + (None,) * (shape[0] % 2),
        )
        path = tmp_path / f"made-{len(opened)}.trace"
        with TraceWriter(path, header) as writer:
            for name, states in chains:
                times = np.linspace(0, 1, max(2, len(states)))[:: 1 if name == "forward" else -1]
                for k, (t, xt) in enumerate(zip(times, states, strict=False)):
                    scalars = {"chain": int(name == "reverse"), "step": k, "t": t, "a": 1 - t, "s": t, "log_snr": 0.0}
                    writer.append(scalars | {"seconds": 0.1 * k}, {"xt": xt, "x0_hat": xt * np.float32(0.5)})
        opened.append(Trace.open(path))
        return opened[-1]

    yield make
    for trace in opened:
        trace.close()


@pytest.fixture
def both(make_trace):
    """Five records of each chain, six images of 5×4, all different."""
    rng = np.random.default_rng(0)
    return make_trace(*rng.uniform(-1.2, 1.2, (2, 5, 6, 1, 5, 4)).astype(np.float32))


@pytest.fixture
def cloud(make_trace):
    """Four records of each chain, forty points."""
    return make_trace(*np.random.default_rng(1).normal(size=(2, 4, 40, 2)).astype(np.float32))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the checkpoint `known`; see known_network."""
    monkeypatch.setitem(networks.NETWORKS, "known", Known)
    monkeypatch.setitem(options.NETWORKS, "known", options.NETWORKS["mlp"])
    monkeypatch.setattr(Known, "calls", 0)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    save_known(folder)
    return folder


@pytest.fixture
def engine(folder):
    return Engine(Catalog([("test", folder)]))


@pytest.fixture
def request_of():
    """A request for `known`: small, on the CPU, without guidance."""

    def request_of(**fields):
        plain = {"model": "known", "samples": 3, "steps": 6, "guidance": 1.0, "seed": 7, "device": "cpu"}
        return Request.model_validate(plain | fields)

    return request_of


@pytest.fixture(scope="session")
def latent_folder(tmp_path_factory):
    """A tiny latent model of diffusers: latents of 3×4×4, pictures of 3×8×8."""
    diffusers = pytest.importorskip("diffusers")
    tqdm.monitor_interval = 0  # its progress bars would leave a thread
    out = tmp_path_factory.mktemp("models") / "faces"
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        sample_size=4, block_out_channels=(4,), norm_num_groups=2, layers_per_block=1, attention_head_dim=2,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
    )  # fmt: skip
    vqvae = diffusers.VQModel(
        block_out_channels=(4, 4), norm_num_groups=2, num_vq_embeddings=8,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    diffusers.LDMPipeline(vqvae, unet, diffusers.DDIMScheduler(clip_sample=False)).save_pretrained(out)
    return out


@pytest.fixture
def latent_engine(latent_folder, tmp_path):
    return Engine(Catalog([("user", latent_folder.parent)]), tmp_path / "colours")


@pytest.fixture
def record(engine, request_of, tmp_path):
    """Run a request with these fields to its end; the trace."""
    opened = []

    def record(**fields):
        path = tmp_path / f"run-{len(opened)}.trace"
        for _ in engine.run(request_of(**fields), path):
            pass
        opened.append(Trace.open(path))
        return opened[-1]

    yield record
    for trace in opened:
        trace.close()
