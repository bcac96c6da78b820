"""The state_dict of diffusers' UNet2DModel alone, as courses and accelerate save it: its names and shapes say the rest.

Also within one class more, as the class-conditioned network of the Hugging Face course is: an embedding of the class
stands beside it, and goes into it as further channels of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, invalid, numbered
from diffstudio.checkpoints.adapters.config import UNetConfig
from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.adapters.parts import current_name
from diffstudio.checkpoints.adapters.schedule import SchedulerConfig, schedule_of
from diffstudio.checkpoints.adapters.sidecar import ENDING, asked_size, asked_where, completed, sidecar
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

SIGNS = (
    "time_embedding.linear_1.weight",
    "conv_in.weight",
    "down_blocks.0.resnets.0.conv1.weight",
    "up_blocks.0.resnets.0.conv1.weight",
    "conv_norm_out.weight",
)
ATTENDS = ".attn2.to_k.weight"  # to a prompt, which this one never does
CLASSES = "class_emb.weight"  # of the class around it, by our name
GROUPS = (32, 16, 8, 4, 2, 1)
OURS = "diffusers_unet"  # its name in a card
HEAD = 8  # numbers of a head, as the class has them where nothing else is said
COURSE = {"beta_schedule": "squaredcos_cap_v2"}  # on which the course trains


def recognises(look: Look) -> bool:
    """Its first and last layers, no attention to a prompt, and no card beside it that names another network."""
    found = weight_set(look, SIGNS)
    if found is None or any(name.endswith(ATTENDS) for name in found.names):
        return False
    network = sidecar(look.path).get("network")
    return network is None or (network == OURS and not found.prefix.endswith("unet."))


def card(look: Look) -> Card:
    """What the names and shapes say; the rest is taken as the class has it, and told. Raises: BadFile."""
    found, embedding = _weights(look)
    args = _architecture(look, found.tensors)
    told = len(look.tensors[embedding].shape) and look.tensors[embedding].shape[1] if embedding else 0
    labels = args.get("num_class_embeds", 0)
    if embedding:
        args |= {"in_channels": args["in_channels"] - told, "class_channels": told}
        labels = look.tensors[embedding].shape[0]
    try:
        config = UNetConfig.model_validate(args)
        height, width = config.size(asked_size(look.path))
    except ValidationError as error:
        raise invalid(look.path, error) from error
    except ValueError as error:
        raise BadFile(f"{shown(asked_where(look.path), 400)}: {error}") from error
    schedule = schedule_of(SchedulerConfig.model_validate(COURSE if embedding else {}))
    name, step = name_and_step(look.path)
    beside = f"a card beside the file ({shown(look.path.name)}{ENDING}) says another"
    sized = () if asked_size(look.path) else (f"its size is not said: {height}×{width} is taken; {beside}",)
    more = found.told(embedding)
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": f"{_what(embedding)}. Its weights do not say {_taken(args, schedule_name(embedding))} "
            "Data set and licence are not known.",
            "modality": "image",
            "shape": (config.in_channels, height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "learned_range": config.outputs == 2,
            "time": schedule.time,
            "any_label": not labels,
            "network": OURS,
            "network_args": args,
            "labels": numbered(labels),
            "data": {"dataset": ""},
            "step": step,
            "parameters": _named(look).parameters,
            "dtype": found.tensors["conv_in.weight"].dtype,
            "defaults": {**schedule.defaults, **({"label": "each"} if labels else {})},
            "format": "unet2d",
            **more,
            "notes": (*sized, *more.get("notes", ())),
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network, by the names of ours. Raises: NotFound, BadFile."""
    return floats(look.path, _named(look).load())


def _named(look: Look) -> WeightSet:
    """The weights by the names of ours."""
    found, embedding = _weights(look)
    named = {f"unet.{name}": at for name, at in found.names.items()}
    return replace(found, names=named | ({CLASSES: embedding} if embedding else {}))


UNET2D = Adapter(
    name="unet2d",
    label="diffusers' UNet2DModel alone, `.pt`, `.pth`, `.bin` or .safetensors",
    opens="its state_dict under any key and behind any prefix, also within the class-conditioned network of the Hugging"
    " Face course; with classes, learned variance, every kind of block but the Skip and K ones",
    recognised=", ".join(f"`{sign}`" for sign in SIGNS) + f", behind any prefix, and no `…{ATTENDS}`",
    asks="size, numbers of a head, groups of the norms, chain and prediction: those of the class, DDPM's linear table "
    "(the cosine one of the course with its classes) and ε are taken and told; a card beside the file replaces them",
    refuses="other blocks: beside a config.json as diffusion_pytorch_model.bin they open",
    recognises=recognises,
    card=card,
    weights=weights,
    assumes=True,
    tensors=lambda look: _named(look).tensors,
)


def schedule_name(embedding: str) -> str:
    """Of the table of betas that is taken."""
    return "the cosine table of the course" if embedding else "DDPM's linear table"


def _weights(look: Look) -> tuple[WeightSet, str]:
    """The weights by their newest names, and the name in the file of the embedding of classes around them, "" without.

    Raises:
        BadFile: as `weight_set`.
    """
    found = weight_set(look, SIGNS)
    assert found is not None, "recognised before"
    found = replace(found, names={current_name(name): at for name, at in found.names.items()})
    tensors = found.tensors
    entering, leaving = (tensors[name].shape for name in ("conv_in.weight", "conv_out.weight"))
    more = (entering[1] if len(entering) > 1 else 0) - (leaving[0] if leaving else 0)
    outer = found.prefix.rpartition(".")[0].rpartition(".")[0]
    outer += "." if outer else ""
    if more <= 0 or not found.prefix:
        return found, ""
    beside = [
        name
        for name, tensor in look.tensors.items()
        if name.startswith(outer) and "." in name[len(outer) :] and not name.startswith(found.prefix)
        and len(tensor.shape) == 2 and tensor.shape[1] == more
    ]  # fmt: skip
    return found, beside[0] if len(beside) == 1 else ""


def _architecture(look: Look, tensors: Mapping[str, Stored]) -> dict[str, Any]:
    """The arguments of the class. Raises: BadFile."""
    where = shown(look.path, 400)

    def shape(name: str, axes: int) -> tuple[int, ...]:
        tensor = tensors.get(name)
        if tensor is None or len(tensor.shape) != axes or 0 in tensor.shape:
            raise BadFile(f"{where}: '{shown(name)}' is missing or of another shape: not a UNet2DModel known here")
        return tensor.shape

    def count(form: str) -> int:
        return next(i for i in range(len(tensors) + 1) if not any(n.startswith(form.format(i)) for n in tensors))

    if any(part in name for name in tensors for part in (".skip_conv.", ".resnet_down.", ".attentions.0.attn1.")):
        raise BadFile(
            f"{where} is a UNet2DModel with blocks that its weights do not tell apart: put it beside its config.json "
            "as diffusion_pytorch_model.bin or .safetensors, and open that folder"
        )
    levels, layers = count("down_blocks.{}."), count("down_blocks.0.resnets.{}.")
    first, channels = shape("conv_in.weight", 4)[:2]
    widths = [shape(f"down_blocks.{i}.resnets.0.conv1.weight", 4)[0] for i in range(levels)]
    down = [_kind(tensors, f"down_blocks.{i}", "Down") for i in range(levels)]
    up = [_kind(tensors, f"up_blocks.{i}", "Up") for i in range(levels)]
    embedded = shape("time_embedding.linear_1.weight", 2)
    shift = shape("down_blocks.0.resnets.0.time_emb_proj.weight", 2)[0] == 2 * widths[0]
    args: dict[str, Any] = {
        "in_channels": channels,
        "out_channels": shape("conv_out.weight", 4)[0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": down,
        "up_block_types": up,
        "downsample_type": _sampler(tensors, "down_blocks.0.downsamplers.0"),
        "upsample_type": _sampler(tensors, "up_blocks.0.upsamplers.0"),
        "add_attention": "mid_block.attentions.0.to_q.weight" in tensors,
        "resnet_time_scale_shift": "scale_shift" if shift else "default",
        "norm_num_groups": next(groups for groups in GROUPS if all(width % groups == 0 for width in widths)),
        "attention_head_dim": min([HEAD, *widths]),
        "sample_size": None,
    }
    if first != widths[0]:
        raise BadFile(f"{where}: its first layer has {first} channels, its first block {widths[0]}")
    if embedded[0] != 4 * widths[0]:
        args["time_embedding_dim"] = embedded[0]
    if "time_proj.weight" in tensors:
        positions = tensors["time_proj.weight"].shape
        args |= {"time_embedding_type": "fourier" if len(positions) == 1 else "learned"}
        args |= {"num_train_timesteps": positions[0]} if len(positions) == 2 else {"flip_sin_to_cos": False}
    if "class_embedding.weight" in tensors:
        args["num_class_embeds"] = shape("class_embedding.weight", 2)[0]
    return {key: value for key, value in args.items() if value is not None}


def _kind(tensors: Mapping[str, Stored], at: str, way: str) -> str:
    """The class of a block."""
    sampler = f"{at}.{'downsamplers' if way == 'Down' else 'upsamplers'}.0"
    if f"{at}.attentions.0.to_q.weight" in tensors:
        return f"Attn{way}Block2D"
    return f"Resnet{way}sampleBlock2D" if f"{sampler}.conv1.weight" in tensors else f"{way}Block2D"


def _sampler(tensors: Mapping[str, Stored], at: str) -> str:
    """How an attending block halves or doubles."""
    return "resnet" if f"{at}.conv1.weight" in tensors else "conv"


def _what(embedding: str) -> str:
    around = ", in the class-conditioned network of the Hugging Face course" if embedding else ""
    return f"The weights of a UNet2DModel of diffusers{around}"


def _taken(args: Mapping[str, Any], table: str) -> str:
    """What no tensor says, and what is taken for it."""
    return (
        f"its chain ({table} and ε are taken), the {args['attention_head_dim']} numbers of a head and the "
        f"{args['norm_num_groups']} groups of its norms."
    )
