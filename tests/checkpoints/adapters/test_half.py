"""Networks of other tools in half precision say about what they say in float32."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_prompted as tiny
import torch
from safetensors.torch import save_file

from diffstudio.diffusion.denoiser import estimate
from diffstudio.diffusion.times import level
from diffstudio.networks.adm import ADM
from diffstudio.networks.model import load_file

HERE = Path(__file__).parent
SMALL, KARRAS, LUCID = (
    json.loads((HERE / f"{name}.json").read_text("utf-8")) for name in ("smalldiffusion", "k_diffusion", "lucidrains")
)


def drawn(shapes):
    """Weights small enough that a tiny network is tame."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.full(shape, 1 / 16)
        if name.endswith(("kernel", "attn.scale"))
        else torch.randn(shape, generator=generator) * (0.05 if len(shape) > 1 else 0.3)
        for name, shape in shapes.items()
    }


def compare(path):
    """Both at three levels; returns the one in half precision."""
    whole, half = (load_file(path, precision=precision) for precision in ("float32", "half"))
    x = torch.randn(2, *whole.card.shape, generator=torch.Generator().manual_seed(2))
    labels = whole.labels(0, 2)
    for t in (0.9, 0.5, 0.1):
        at = level(whole.path, t)
        expected, found = (estimate(model.denoiser(x * at.s, at, labels)).x0_hat for model in (whole, half))
        assert found.dtype == torch.float32
        assert (found - expected).norm() < 0.05 * (expected.norm() + at.s)
    names = [name for name, weight in half.network.named_parameters() if weight.dtype == torch.float32]
    assert all(name.startswith("vae.") for name in names)
    return half


@pytest.mark.parametrize("name", SMALL)
def test_of_smalldiffusion(tmp_path, name):
    save_file(drawn(SMALL[name]["weights"]), tmp_path / "one.safetensors")
    (tmp_path / "one.safetensors.card.json").write_text(json.dumps(SMALL[name]["beside"]), "utf-8")
    compare(tmp_path / "one.safetensors")


@pytest.mark.parametrize("name", KARRAS)
def test_of_k_diffusion(tmp_path, name):
    case = KARRAS[name]
    save_file(drawn(case["weights"]), tmp_path / "one.safetensors", {"config": json.dumps(case["config"])})
    compare(tmp_path / "one.safetensors")


def test_of_denoising_diffusion_pytorch(tmp_path):
    case, path = LUCID["plain"], tmp_path / "model-1.pt"
    tables = {name: torch.tensor(values) for name, values in case["tables"].items()}
    torch.save({"step": 1, "model": drawn(case["weights"]) | tables}, path)
    path.with_name(f"{path.name}.card.json").write_text(json.dumps({"shape": case["shape"][1:]}), "utf-8")
    compare(path)


@pytest.mark.parametrize("resample", [True, False])
def test_of_guided_diffusion_with_classes_and_a_learned_variance(tmp_path, resample):
    made = ADM(
        (3, 16, 16), 4, 32, (32, 64), 1, (False, True), (True, True, False, False),
        head_width=32, scale_shift=resample, resample=resample, outputs=2,
    )  # fmt: skip
    save_file(drawn({name: w.shape for name, w in made.state_dict().items()}), tmp_path / "adm.safetensors")
    half = compare(tmp_path / "adm.safetensors")
    assert half.card.format == "guided-diffusion" and half.card.learned_range and len(half.card.labels) == 4


def test_of_a_dit_with_classes_and_a_learned_variance(tmp_path, diffusers):
    torch.manual_seed(0)
    transformer = diffusers.DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, sample_size=8
    )
    weights = transformer.state_dict()
    random = drawn({name: w.shape for name, w in weights.items()})
    transformer.load_state_dict({name: weights[name] + random[name] for name in weights})  # it starts with zeros
    autoencoder = diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, latent_channels=4)
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    diffusers.DiTPipeline(transformer, autoencoder, scheduler).save_pretrained(tmp_path / "things")
    half = compare(tmp_path / "things")
    assert half.card.network == "diffusers_dit" and half.card.learned_range
    assert half.decode(torch.randn(1, 4, 8, 8)).dtype == torch.float32


def test_of_diffusers_with_its_autoencoder_as_it_was(tmp_path, diffusers, make_unet):
    torch.manual_seed(0)
    autoencoder = diffusers.AutoencoderKL(
        block_out_channels=(4, 4), norm_num_groups=2, latent_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    diffusers.LDMPipeline(autoencoder, make_unet(), scheduler).save_pretrained(tmp_path / "faces")
    half = compare(tmp_path / "faces")
    pictures = half.decode(torch.randn(1, 3, 8, 8))
    assert pictures.dtype == torch.float32 and torch.isfinite(pictures).all()


@pytest.mark.parametrize("family", ["stable_diffusion", "stable_diffusion_xl", "stable_diffusion_3", "flux"])
def test_of_text_to_image_with_its_text_encoders(tmp_path, diffusers, family):
    pytest.importorskip("transformers")
    _, folder = getattr(tiny, family)(diffusers, tmp_path)
    whole, half = (
        load_file(folder, precision=precision).prompted("a cat", "a dog", 2.5) for precision in ("float32", "half")
    )
    side = 8
    x = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(2))
    at = level(whole.path, 0.5)
    expected, found = (estimate(model.guided(3.0)(x, at, model.labels(None, 1))).x0_hat for model in (whole, half))
    assert found.dtype == torch.float32
    assert (found - expected).norm() < 0.1 * (expected.norm() + at.s)
