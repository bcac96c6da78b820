"""Folders of diffusers, sampled here and by diffusers itself: the final tensors agree to 1e-4."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.times import level, levels
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

STEPS, BATCH = 5, 2  # a divisor of 1000: else DDIM of diffusers does not go where its next step starts


def start(channels=3, side=8):
    """A generator and the first noise it gives, as a pipeline draws it."""
    generator = torch.Generator().manual_seed(5)
    return generator, torch.randn(BATCH, channels, side, side, generator=generator)


def ours(folder, x, noise=None, *, steps=STEPS, grid=None, solver=None, label=None, guidance=1.0):
    """The final state of the card's own defaults."""
    model = load_file(folder)
    card = model.card
    own = card.defaults
    at = grid or levels(model.path, steps, own["grid"], params=own.get("grid_params"))
    denoise = CLIPS[own.get("clip", "none")](model.guided(guidance), **own.get("clip_params", {}))
    cond = model.labels(label, BATCH)
    *_, last = reverse(denoise, model.path, at, x, noise, solver=solver or own["solver"], cond=cond)
    return model, last.xt


def theirs(scheduler, network, x, **step):
    """diffusers' scheduler on its own network."""
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:
        x = scheduler.step(network(scheduler.scale_model_input(x, t), t), t, x, **step).prev_sample
    return x


def pictures(x):
    """As a pipeline gives them: (B, H, W, C) in [0, 1]."""
    return (x / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)


def change(path, **changes):
    """Replace entries of a JSON file."""
    table = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**table, **changes}), "utf-8")


def close(one, other):
    return float((torch.as_tensor(one) - torch.as_tensor(other)).abs().max())


@pytest.mark.parametrize(
    "schedule",
    [{}, {"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "linspace", "prediction_type": "sample"}],
)
def test_a_ddpm_pipeline_is_sampled_as_it_samples_itself(tmp_path, diffusers, make_unet, replayed, schedule):
    pipeline = diffusers.DDPMPipeline(make_unet(), diffusers.DDPMScheduler(**schedule))
    pipeline.save_pretrained(tmp_path / "tiny")
    generator, x = start()
    _, found = ours(tmp_path / "tiny", x, replayed(x.shape, generator), solver="ddpm")
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    images = pipeline(BATCH, generator, num_inference_steps=STEPS, output_type="np").images
    assert close(pictures(found), images) < 1e-4


@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample"},
        {"beta_schedule": "scaled_linear", "steps_offset": 1, "clip_sample": False, "beta_end": 0.012},
        {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
        {"trained_betas": [0.001 * k for k in range(1, 101)], "num_train_timesteps": 100, "clip_sample_range": 0.5},
        {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9},
    ],
)
def test_a_ddim_pipeline_brings_its_schedule_its_prediction_its_spacing_and_its_clipping(
    tmp_path, diffusers, make_unet, schedule
):
    pipeline = diffusers.DDIMPipeline(make_unet(), diffusers.DDIMScheduler(**schedule))
    pipeline.save_pretrained(tmp_path / "tiny")
    _, x = start()
    _, found = ours(tmp_path / "tiny", x)
    network = pipeline.unet
    # As its pipeline does it: ε̂ stays that of the x̂0 which is not clipped.
    expected = theirs(pipeline.scheduler, lambda x, t: network(x, t).sample, x)
    assert close(found, expected) < 1e-4


def test_classes_of_a_unet_are_the_cards_and_any_class_is_not_among_them(tmp_path, diffusers, make_unet):
    network = make_unet(num_class_embeds=3, in_channels=1, out_channels=1)
    network.save_pretrained(tmp_path / "out" / "unet")
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    scheduler.save_pretrained(tmp_path / "out" / "scheduler")
    card = card_at(tmp_path / "out")
    assert (card.labels, card.any_label, card.defaults["label"]) == (("0", "1", "2"), False, "each")
    _, x = start(1)
    _, found = ours(tmp_path / "out", x, label=2)
    label = torch.full((BATCH,), 2)
    assert close(found, theirs(scheduler, lambda x, t: network(x, t, label).sample, x)) < 1e-4


def test_a_network_that_learned_its_variance_says_so(tmp_path, diffusers, make_unet, replayed):
    network = make_unet(out_channels=6)
    scheduler = diffusers.DDPMScheduler(variance_type="learned_range", clip_sample=False)
    network.save_pretrained(tmp_path / "out" / "unet")
    scheduler.save_pretrained(tmp_path / "out" / "scheduler")
    assert card_at(tmp_path / "out").learned_range
    generator, x = start()
    _, found = ours(tmp_path / "out", x, replayed(x.shape, generator), solver="ddpm_learned")
    generator, x = start()
    assert close(found, theirs(scheduler, lambda x, t: network(x, t).sample, x, generator=generator)) < 1e-4


def test_an_edm_scheduler_makes_an_edm_network(tmp_path, diffusers, make_unet):
    network, scheduler = make_unet(), diffusers.EDMEulerScheduler(sigma_max=20.0)
    network.save_pretrained(tmp_path / "out" / "unet")
    scheduler.save_pretrained(tmp_path / "out" / "scheduler")
    scheduler.set_timesteps(STEPS)
    _, noise = start()
    x = 20.0 * noise
    _, found = ours(tmp_path / "out", x)
    assert close(found, theirs(scheduler, lambda x, t: network(x, t).sample, x)) < 1e-4


def test_a_score_network_is_told_sigma_and_gives_data_between_0_and_1(tmp_path, diffusers, make_unet, replayed):
    network = make_unet(time_embedding_type="fourier", flip_sin_to_cos=False)
    scheduler = diffusers.ScoreSdeVeScheduler(num_train_timesteps=50, sigma_max=30.0, correct_steps=0)
    pipeline = diffusers.ScoreSdeVePipeline(network, scheduler)
    pipeline.save_pretrained(tmp_path / "tiny")
    generator, noise = start()
    # x = 2·x₀₁ − 1 for data between 0 and 1, so that σ = 2·σ₀₁
    model, found = ours(tmp_path / "tiny", 2 * 30.0 * noise - 1, replayed(noise.shape, generator), solver="ddpm_large")
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    images = pipeline(BATCH, STEPS, generator, output_type="np").images
    assert close(pictures(found), images) < 1e-4
    assert (model.card.prediction, model.card.path.params) == ("eps", {"sigma_max": 60.0})


def test_a_consistency_model_jumps_to_the_data(tmp_path, diffusers, make_unet, replayed):
    network = make_unet(num_class_embeds=4)
    pipeline = diffusers.ConsistencyModelPipeline(network, diffusers.CMStochasticIterativeScheduler())
    pipeline.save_pretrained(tmp_path / "tiny")
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    images = pipeline(
        BATCH, class_labels=[1, 1], num_inference_steps=None, timesteps=[22, 0], generator=generator, output_type="np"
    ).images
    generator, noise = start()
    path = load_file(tmp_path / "tiny").path
    grid = [level(path, path.t_at_log_snr(-2 * float(s.log()))) for s in pipeline.scheduler.sigmas[:2]]
    _, found = ours(
        tmp_path / "tiny", 80.0 * noise, replayed(noise.shape, generator), grid=[*grid, level(path, 0.0)], label=1
    )
    assert close(pictures(found), images) < 1e-4


def test_a_dit_is_guided_on_latents_that_its_autoencoder_decodes(tmp_path, diffusers):
    torch.manual_seed(0)
    transformer = diffusers.DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=4
    ).eval()
    autoencoder = diffusers.AutoencoderKL(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=2,
        scaling_factor=0.3,
    ).eval()
    pipeline = diffusers.DiTPipeline(transformer, autoencoder, diffusers.DDIMScheduler(clip_sample=False))
    pipeline.save_pretrained(tmp_path / "tiny")
    change(tmp_path / "tiny" / "model_index.json", id2label={str(i): f"thing {i}" for i in range(1000)})
    pipeline.set_progress_bar_config(disable=True)
    card = card_at(tmp_path / "tiny")
    assert (card.shape, card.decoded, card.labels[7]) == ((4, 4, 4), (3, 8, 8), "thing 7")
    assert (card.any_label, card.learned_range) == (True, True)
    assert card.decoder_parameters == sum(weight.numel() for weight in autoencoder.parameters()) < card.parameters
    generator = torch.Generator().manual_seed(5)
    images = pipeline([7, 7], 1.5, generator, STEPS, output_type="np").images
    _, x = start(4, 4)
    model, found = ours(tmp_path / "tiny", x, label=7, guidance=1.5)
    assert close(pictures(model.decode(found)), images) < 1e-4


def test_a_latent_unet_is_decoded_by_its_codebook(tmp_path, diffusers, make_unet):
    network = make_unet()
    torch.manual_seed(1)
    codebook = diffusers.VQModel(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=2,
        num_vq_embeddings=16,
    ).eval()
    pipeline = diffusers.LDMPipeline(codebook, network, diffusers.DDIMScheduler(clip_sample=False))
    pipeline.save_pretrained(tmp_path / "tiny")
    pipeline.set_progress_bar_config(disable=True)
    assert card_at(tmp_path / "tiny").decoded == (3, 16, 16)
    _, x = start()
    images = pipeline(BATCH, torch.Generator().manual_seed(5), 0.0, STEPS, output_type="np").images
    model, found = ours(tmp_path / "tiny", x)
    assert close(pictures(model.decode(found)), images) < 1e-4


# ── the files ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path, diffusers, make_unet):
    """A pipeline as a training leaves it, with two of its steps."""
    out = tmp_path / "cats"
    diffusers.DDPMPipeline(make_unet(), diffusers.DDPMScheduler()).save_pretrained(out)
    for step in (500, 1000):
        shutil.copytree(out / "unet", out / f"checkpoint-{step}" / "unet")
    return out


def test_a_card_needs_neither_torch_nor_diffusers(folder):
    code = (
        "import sys; from pathlib import Path; from diffstudio.checkpoints.adapters import card_at;"
        "card = card_at(Path(sys.argv[1])); print(card.parameters, card.dtype, card.format);"
        "sys.exit(bool({'torch', 'diffusers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, [str(card_at(folder).parameters), "F32", "diffusers"])


def test_shards_and_half_precision_are_what_the_headers_say(tmp_path, make_unet, folder):
    network = make_unet()
    whole = load_file(folder).network.state_dict()
    network.save_pretrained(tmp_path / "shards", max_shard_size="40KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    found = load_file(tmp_path / "shards").network.state_dict()
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[name], whole[name]) for name in whole)
    network.half().save_pretrained(tmp_path / "half", variant="fp16")
    card = card_at(tmp_path / "half")
    assert (card.dtype, card.parameters) == ("F16", card_at(folder).parameters)
    assert "nothing says of which chain" in card.description
    assert load_file(tmp_path / "half").network.state_dict()["unet.conv_in.weight"].dtype == torch.float32


def test_attention_under_its_old_names_is_found(tmp_path, make_unet):
    from safetensors.torch import load_file as library_load
    from safetensors.torch import save_file

    make_unet().save_pretrained(tmp_path / "old")
    path = tmp_path / "old" / "diffusion_pytorch_model.safetensors"
    before = library_load(path)
    renamed = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    old = {}
    for name, tensor in before.items():
        for new, name_then in renamed.items():
            name = name.replace(f".{new}.", f".{name_then}.")
        old[name] = tensor
    assert old.keys() != before.keys()
    save_file(old, path)
    found = load_file(tmp_path / "old").network.state_dict()
    assert all(torch.equal(found[f"unet.{name}"], before[name]) for name in before)


@pytest.mark.parametrize(
    ("file", "changes", "says"),
    [
        (
            "unet/config.json",
            {"_class_name": "os.system"},
            "with a network of the class 'os.system', which is not known here",
        ),
        ("unet/config.json", {"in_channels": 10**9}, "in_channels"),
        ("unet/config.json", {"block_out_channels": [8, 10**9]}, "block_out_channels.1"),
        ("unet/config.json", {"down_block_types": ["DownBlock2D", "Evil"]}, "has 'Evil', expected one of"),
        ("unet/config.json", {"num_class_embeds": -1}, "num_class_embeds"),
        ("scheduler/scheduler_config.json", {"beta_end": 5.0}, "beta_end"),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 1e12}, "num_train_timesteps"),
        ("scheduler/scheduler_config.json", {"trained_betas": [0.5, 2.0]}, "beta 2 of the table is 2, expected"),
        ("scheduler/scheduler_config.json", {"beta_schedule": "cubic"}, "beta_schedule"),
        (
            "unet/config.json",
            {"_class_name": "UNet2DConditionModel"},
            "is a 'DDPMPipeline' whose network (UNet2DConditionModel) is told a prompt or a picture",
        ),
    ],
)
def test_a_config_out_of_its_bounds_is_refused_by_the_name_of_its_field(folder, file, changes, says):
    change(folder / file, **changes)
    with pytest.raises(BadFile) as caught:
        card_at(folder)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "changes", "says"),
    [
        ("unet/config.json", {"sample_size": 9}, "sample_size is 9×9, expected sides divisible by 2"),
        ("unet/config.json", {"norm_num_groups": 3}, "network_args don't fit a 'diffusers_unet'"),
        ("unet/config.json", {"attention_head_dim": 64}, "attention_head_dim is 64, expected at most 16"),
        ("unet/config.json", {"layers_per_block": 2}, "tensor 'unet."),
    ],
)
def test_numbers_that_make_no_network_are_refused_before_the_first_step(folder, file, changes, says):
    change(folder / file, **changes)
    with pytest.raises(BadFile) as caught:
        load_file(folder)
    assert says in str(caught.value)
