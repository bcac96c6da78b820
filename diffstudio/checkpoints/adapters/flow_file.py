"""Stable Diffusion 3, 3.5 and Flux in one file, as Stability AI, ComfyUI and Black Forest Labs have them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.clip_words import COUNT, END, clip_vocabulary
from diffstudio.checkpoints.adapters.few_steps import SCHNELL, FewSteps, by_words
from diffstudio.checkpoints.adapters.flow_file_names import check_dtype, clip, flux, is_weight, t5, unscaled
from diffstudio.checkpoints.adapters.flow_file_parts import (
    FIRST,
    FlowArchitecture,
    Part,
    Place,
    family_of,
    flow_architecture,
)
from diffstudio.checkpoints.adapters.library import library
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.parts import stored_weights
from diffstudio.checkpoints.adapters.prompted_config import FLUX_FACTOR, FluxConfig
from diffstudio.checkpoints.adapters.schedule import Schedule, schedule_of
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.single_file_parts import pixels
from diffstudio.checkpoints.adapters.t5_words import ROWS, t5_vocabulary
from diffstudio.checkpoints.adapters.text_to_image import DISTILLED
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

_SCHEDULER = "FlowMatchEulerDiscreteScheduler"


def recognises(look: Look) -> bool:
    """The first attention of either transformer, under the name that it has in such a file."""
    return family_of(look) is not None


def card(look: Look) -> Card:
    """What the names, the shapes and the metadata say; the rest is taken from the published models. Raises: BadFile."""
    found = flow_architecture(look)
    sizes = {part: _sizes(place) for part, place in found.places.items()}
    height, width = _size(look, found)
    name, step = name_and_step(look.path)
    schedule, title, guided = _published(found)
    few = _few(look, found)
    own = few.defaults(guided["guidance"]) if few else {}
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": f"A text-to-image model ({title}) in one file{_beside(look, found)}; its chain is that of "
            f"the published model{f'; {few.told()}' if few else ''}. Data set, licence and training are not known.",
            "modality": "image",
            "shape": (found.network.channels, height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "time": schedule.time,
            "unit_noise": schedule.unit_noise,
            "decoded": (3, height * found.factor, width * found.factor),
            "prompts": {
                "tokens": max(encoder["length"] for encoder in found.encoders.values()),
                "distilled": "distilled_guidance" in guided,
            },
            "network": "diffusers_sd3" if found.family == "3" else "diffusers_flux",
            "network_args": {
                **found.network.for_card(),
                **found.encoders,
                "vae": {"kind": "AutoencoderKL", **found.vae},
            },
            "data": {"dataset": ""},
            "step": step,
            "parameters": sum(size.total() for size in sizes.values()),
            "decoder_parameters": sizes["vae"].total(),
            "dtype": sizes["network"].most_common(1)[0][0],
            "defaults": {**schedule.defaults, **guided, **own, "samples": 1},
            "format": "flow_file",
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network, of the text encoders and of the autoencoder. Raises: NotFound, BadFile, BadInput."""
    found = flow_architecture(look)
    files: dict[Look, dict[str, Tensor]] = {}
    out: dict[str, Tensor] = {}
    for part, place in found.places.items():
        if place.look not in files:
            files[place.look] = stored_weights(place.look)
        own = _under(files[place.look], place)
        out |= _renamed(look, found, part, unscaled(place.look.path, own))
    return floats(look.path, out)


def words(look: Look) -> dict[str, Vocabulary]:
    """CLIP's and T5's own words, for each of the text encoders; CLIP-G is padded otherwise. Raises: BadFile."""
    found = flow_architecture(look)
    out: dict[str, Vocabulary] = {}
    for name, part in found.parts.items():
        expected, what = (ROWS, "T5's") if part == "t5" else (COUNT, "CLIP's")
        size = found.encoders[name]["vocab_size"]
        if size != expected:
            raise BadFile(
                f"{shown(look.path, 400)}: {name} knows {size:,} words, expected {what} {expected:,}: open the folder "
                "of diffusers, which has its tokenizer"
            )
        out[name] = t5_vocabulary() if part == "t5" else clip_vocabulary("!" if part == "clip_g" else END)
    return out


FLOW_FILE = Adapter(
    name="flow_file",
    label="Stable Diffusion 3, 3.5, Flux in one file, `.safetensors`, `.sft` or a pickle",
    opens="text-to-image files as Stability AI and ComfyUI have them, also in fp8, and transformers alone with their "
    "parts beside them (`clip_l`, `clip_g`, `t5xxl_fp16` or `…fp8…`, `ae.safetensors`, in the same folder, in "
    "`text_encoders` or in ComfyUI's); Stable Diffusion 3 also without its T5; CLIP's and T5's words are brought",
    recognised=f"{' or '.join(f'`{first}`' for first in FIRST.values())}, alone or behind any prefix such as "
    "`model.diffusion_model.`",
    asks="size where the metadata (ModelSpec) do not say it: 1,024 is taken; a card beside the file replaces what is "
    "taken from the published models: shift 3 for Stable Diffusion 3, dynamic shifting for Flux that is told its "
    "guidance (dev), no shift and 4 steps for Flux that is not (schnell)",
    refuses="networks that are also given a picture or a mask, Flux 2 and other relatives, weights in less than 8 "
    "bits, transformers without text encoders or autoencoder, which are named with the files to put beside them",
    recognises=recognises,
    card=card,
    weights=weights,
    words=words,
)


def _under(tensors: dict[str, Tensor], place: Place) -> dict[str, Tensor]:
    """The tensors of a part without its prefix."""
    return {name.removeprefix(place.prefix): t for name, t in tensors.items() if name.startswith(place.prefix)}


def _sizes(place: Place) -> Counter[str]:
    """How many numbers a part has of each dtype, by its header. Raises: BadFile, of one that is not opened."""
    out: Counter[str] = Counter()
    for name, info in place.look.tensors.items():
        plain = name.removeprefix(place.prefix)
        if name.startswith(place.prefix) and is_weight(plain):
            check_dtype(place.look.path, plain, info.dtype)
            out[info.dtype] += math.prod(info.shape)
    return out


def _beside(look: Look, found: FlowArchitecture) -> str:
    """Which parts lie in files of their own."""
    names = sorted({place.look.path.name for place in found.places.values() if place.look is not look})
    return f" with {shown(', '.join(names), 200)} beside it" if names else ""


def _renamed(look: Look, found: FlowArchitecture, part: Part, own: dict[str, Tensor]) -> dict[str, Tensor]:
    """A part's tensors by the names that our network has. Raises: BadFile, BadInput."""
    if part not in ("network", "vae"):
        name = next(name for name, its in found.parts.items() if its == part)
        named = t5(own) if part == "t5" else clip(own, bool(found.encoders[name].get("projected")))
        return {f"{name}.{key}": tensor for key, tensor in named.items()}
    convert = library("loaders.single_file_utils")
    try:
        if part == "vae":
            vae = convert.convert_ldm_vae_checkpoint({f"vae.{key}": tensor for key, tensor in own.items()}, found.vae)
            return {f"vae.model.{key}": tensor for key, tensor in vae.items()}
        if isinstance(found.network, FluxConfig):
            named = flux(own, found.network.num_attention_heads * found.network.attention_head_dim)
        else:
            named = convert.convert_sd3_transformer_checkpoint_to_diffusers(own)
    except KeyError as error:
        raise BadFile(f"{shown(look.path, 400)}: tensor '{shown(error.args[0])}' is missing") from error
    except (ValueError, RuntimeError, IndexError) as error:
        raise BadFile(f"{shown(look.path, 400)}: its tensors can't be renamed: {shown(error, 200)}") from error
    return {f"network.{key}": tensor for key, tensor in named.items()}


def _few(look: Look, found: FlowArchitecture) -> FewSteps | None:
    """How it is sampled if it was distilled: by what it is told, or by what it is called."""
    if isinstance(found.network, FluxConfig) and not found.network.guidance_embeds:
        return SCHNELL
    return by_words((look.path.stem, look.header.metadata.get("modelspec.title", "")))


def _published(found: FlowArchitecture) -> tuple[Schedule, str, dict[str, float]]:
    """The chain of the published model, what it is called, and how it is guided."""
    table: dict[str, object] = {"_class_name": _SCHEDULER, "shift": 3.0, "network": "SD3Transformer2DModel"}
    if isinstance(found.network, FluxConfig):
        distilled = found.network.guidance_embeds
        table = {"_class_name": _SCHEDULER, "use_dynamic_shifting": distilled, "network": "FluxTransformer2DModel"}
        schedule = schedule_of(SchedulerConfig.model_validate(table))
        if distilled:
            return schedule, "Flux, told its guidance as dev is", {"guidance": 1.0, "distilled_guidance": DISTILLED}
        return schedule, "Flux, not told its guidance as schnell is not", {"guidance": 1.0}
    schedule = schedule_of(SchedulerConfig.model_validate(table))
    title = "Stable Diffusion 3" if "t5" in found.places else "Stable Diffusion 3 without its T5"
    return schedule, title, {"guidance": 7.0}


def _size(look: Look, found: FlowArchitecture) -> tuple[int, int]:
    """Height and width of the latents: what the metadata say, where they can be, or those of the published model."""
    side = found.network.size()[0] * found.factor
    if isinstance(found.network, FluxConfig):
        height, width = pixels(look, side, found.factor * FLUX_FACTOR)
    else:
        step = found.factor * found.network.patch_size
        height, width = pixels(look, side, step, min(4096, step * found.network.pos_embed_max_size))
    return height // found.factor, width // found.factor
