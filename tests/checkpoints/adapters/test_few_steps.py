"""Models of a few steps start with a few steps and little guidance: by scheduler, config, metadata or name."""

from __future__ import annotations

import json

import pytest
import tiny_prompted as tiny
from spoilt_file import spoilt

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.few_steps import by_words
from diffstudio.studio.request.defaults import default_request

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("text", "word", "steps"),
    [
        ("sd_xl_turbo_1.0_fp16", "turbo", 4),
        ("dreamshaperXL_v21TurboDPMSDE", "turbo", 4),
        ("sdxl_lightning_8step", "lightning", 8),
        ("juggernautXL_v9Rdphoto2Lightning", "lightning", 4),
        ("Hyper-SDXL-1step", "hyper", 1),
        ("Hyper-SD15-8steps", "hyper", 8),
        ("LCM_Dreamshaper_v7", "lcm", 4),
        ("my-tcd-merge", "tcd", 4),
        ("sdxl-dmd2-4step", "dmd", 4),
        ("FLUX.1-schnell", "schnell", 4),
    ],
)
def test_a_name_says_it(text, word, steps):
    found = by_words(["plain", text])
    assert (found.word, found.steps) == (word, steps)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hyperrealism",
        "HyperRealistic v3",
        "turbocharged",
        "enlightning",
        "ultimate",
        "50 steps of training",
        "lcmx",
    ],
)
def test_a_name_that_says_something_else_is_not_taken_for_it(text):
    assert by_words([text]) is None


def folder_of(diffusers, tmp_path, made, scheduler=None, name="tiny"):
    args = {} if scheduler is None else {"scheduler": scheduler}
    _, folder = made(diffusers, tmp_path, **args)
    return folder if name == "tiny" else folder.rename(folder.with_name(name))


STABLE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def test_a_scheduler_says_it(tmp_path, diffusers):
    pytest.importorskip("transformers")
    turbo = diffusers.EulerAncestralDiscreteScheduler(**STABLE, timestep_spacing="trailing", steps_offset=1)
    own = card_at(folder_of(diffusers, tmp_path / "a", tiny.stable_diffusion_xl, turbo)).defaults
    assert (own["steps"], own["guidance"], own["solver"], own["grid"]) == (4, 1.0, "euler_ancestral", "trailing")
    lcm = card_at(folder_of(diffusers, tmp_path / "b", tiny.stable_diffusion, diffusers.LCMScheduler(steps_offset=1)))
    assert (lcm.defaults["steps"], lcm.defaults["guidance"], lcm.defaults["grid"]) == (4, 1.5, "lcm")
    assert "few-step model (lcm) and starts with 4 steps with a guidance of 1.5" in lcm.description
    tcd = card_at(
        folder_of(diffusers, tmp_path / "c", tiny.stable_diffusion, diffusers.TCDScheduler(steps_offset=1))
    ).defaults
    assert (tcd["steps"], tcd["guidance"], tcd["solver"]) == (4, 1.0, "tcd")
    slow = diffusers.EulerAncestralDiscreteScheduler(**STABLE, steps_offset=1)
    own = card_at(folder_of(diffusers, tmp_path / "d", tiny.stable_diffusion_xl, slow)).defaults
    assert (own["steps"], own["guidance"]) == (30, 5.0)


def test_the_name_of_a_folder_or_of_its_origin_says_it_and_its_scheduler_keeps_its_times(tmp_path, diffusers):
    pytest.importorskip("transformers")
    folder = folder_of(diffusers, tmp_path / "a", tiny.stable_diffusion_xl, name="sdxl-lightning-2step")
    card = card_at(folder)
    assert (card.defaults["steps"], card.defaults["guidance"], card.defaults["grid"]) == (2, 1.0, "leading")
    folder = folder_of(diffusers, tmp_path / "b", tiny.stable_diffusion)
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    (folder / "model_index.json").write_text(json.dumps({**index, "_name_or_path": "stabilityai/sd-turbo"}), "utf-8")
    assert (card_at(folder).defaults["steps"], card_at(folder).defaults["guidance"]) == (4, 1.0)


def test_flux_that_is_not_told_its_guidance_is_schnell(tmp_path, diffusers):
    pytest.importorskip("transformers")
    folder = folder_of(diffusers, tmp_path, tiny.flux)
    assert card_at(folder).defaults["steps"] == 30
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "guidance_embeds": False}), "utf-8")
    own = card_at(folder).defaults
    assert (own["steps"], own["guidance"], "distilled_guidance" in own) == (4, 1.0, False)


@pytest.mark.parametrize(
    ("name", "metadata", "expected"),
    [
        ("painter-turbo", None, ("euler_ancestral", "trailing", 4, 1.0)),
        ("sdxl_lightning_8step", None, ("euler", "trailing", 8, 1.0)),
        ("painter", {"modelspec.title": "Painter LCM"}, ("lcm", "lcm", 4, 1.5)),
        ("Hyper-SD15-1step", None, ("ddim", "trailing", 1, 1.0)),
        ("painter", None, ("ddim", "leading", 50, 7.5)),
    ],
)
def test_one_file_takes_the_solver_and_the_times_of_its_kind_too(tmp_path, name, metadata, expected):
    card = card_at(spoilt(tmp_path, {}, metadata, name=name))
    own = card.defaults
    assert (own["solver"], own["grid"], own["steps"], own["guidance"]) == expected
    assert ("few-step model" in card.description) == (own["steps"] < 10)
    request = default_request(card, "painter")
    assert (request.solver, request.grid, request.steps) == expected[:3]


def test_a_manager_of_downloads_says_it(tmp_path):
    path = spoilt(tmp_path, {}, name="painter")
    path.with_suffix(".civitai.info").write_text(json.dumps({"baseModel": "SD 1.5 LCM"}), "utf-8")
    assert card_at(path).defaults["solver"] == "lcm"
