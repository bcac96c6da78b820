"""Weights of smalldiffusion: a bare state_dict of its Unet, its DiT or its TimeInputMLP, whose names say which."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, numbered
from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

Tensors = Mapping[str, Stored]
NOISE, CLASSES = "sig_embed.mlp.0.weight", "cond_embed.embeddings.weight"
UNET = ("downs.0.blocks.0.0.layer1.0.weight", "conv_in.weight", NOISE, "out_layer.2.weight")
DIT = ("x_embed.proj.weight", "pos_embed", NOISE, "final_linear.weight")
MLP = ("net.0.weight", "net.0.bias", "net.2.weight")
# What the file does not say is taken from the package's own examples: the largest and the smallest σ.
SIGMAS = {"smalldiffusion_mlp": (0.005, 10.0), "smalldiffusion_unet": (0.01, 20.0), "smalldiffusion_dit": (0.01, 157.0)}
HEADS = 6
GREY_SIDE, COLOUR_SIDE = 28, 32


def recognises(look: Look) -> bool:
    """The first names of one of its networks."""
    return _weights(look) is not None


def _weights(look: Look) -> WeightSet | None:
    """The weights of one of its networks, None in other files."""
    found = weight_set(look, UNET) or weight_set(look, DIT)
    if found is not None:
        return found
    found = weight_set(look, MLP)
    return found if found is not None and _points(found.tensors) else None


def _points(tensors: Tensors) -> bool:
    """Linear layers at every second place; the first takes two numbers more than the last gives, and a class's."""
    classes = {f"cond_embed.{name}" for name in ("embeddings.weight", "mlp.1.weight", "mlp.1.bias")}
    names = tensors.keys() - classes
    count = len(names) // 2
    if count < 2 or names != {f"net.{2 * i}.{part}" for i in range(count) for part in ("weight", "bias")}:
        return False
    shapes = [tensors[name].shape for name in (f"net.{2 * count - 2}.weight", "net.0.weight")]
    shapes += [tensors[CLASSES].shape] if CLASSES in tensors else []
    if any(len(shape) != 2 for shape in shapes):
        return False
    return shapes[1][1] == shapes[0][0] + 2 + (shapes[2][1] if len(shapes) == 3 else 0)


def card(look: Look) -> Card:
    """What the names and shapes say; the rest is taken from the package's examples. Raises: BadFile."""
    weights = _weights(look)
    assert weights is not None, "recognised before"
    tensors = weights.tensors
    shapes = _Shapes(look, tensors)
    found = _mlp(shapes) if "net.0.weight" in tensors else _dit(shapes) if "pos_embed" in tensors else _unet(shapes)
    network = found["network"]
    labels = tensors[CLASSES].shape[0] - 1 if CLASSES in tensors and tensors[CLASSES].shape else 0
    flow = found["network_args"].get("embedding") == "timestep"
    low, high = SIGMAS[network]
    name, step = name_and_step(look.path)
    taken = "the straight flow" if flow else f"σ from {low:g} to {high:g} and ε are"
    found |= {
        "name": name,
        "title": name,
        "description": f"{found['description']} The file does not say its chain: {taken} taken. "
        "Data set and licence are not known.",
        "path": {"name": "flow"} if flow else {"name": "ve", "params": {"sigma_max": high}},
        "prediction": "flow" if flow else "eps",
        "time": "flow" if flow else "sigma",
        "labels": numbered(labels),
        "data": {"dataset": ""},
        "step": step,
        "parameters": weights.parameters,
        **weights.told(),
        "dtype": next(iter(tensors.values())).dtype,
        "defaults": ({"solver": "euler", "steps": 30, "grid": "uniform"} if flow else _ramp(low, high))
        | ({"label": "each"} if labels else {}),
        "format": "smalldiffusion",
    }
    card = completed(look.path, found)
    if card.prediction == "v" and card.path.name == "ve":  # the package has that of a state of variance 1
        return card.model_copy(update={"network_args": {**card.network_args, "unit_v": True}})
    return card


def _ramp(low: float, high: float) -> dict[str, Any]:
    ends = {"sigma_min": low, "sigma_max": high}
    return {"solver": "dpmpp_2m", "steps": 25, "grid": "exponential", "grid_params": ends}


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of its network. Raises: NotFound, BadFile."""
    found = _weights(look)
    assert found is not None, "recognised before"
    return floats(look.path, found.load())


SMALLDIFFUSION = Adapter(
    name="smalldiffusion",
    label="smalldiffusion `state_dict()`, `.pth` or .safetensors",
    opens="Unet, DiT and TimeInputMLP, with classes, and those of flow matching",
    recognised="`conv_in.weight`, `sig_embed.mlp.0.weight` and `downs.0.blocks.0.0.layer1.0.weight`; `pos_embed`, "
    "`x_embed.proj.weight` and `final_linear.weight`; or `net.0`, `net.2`, … alone, the first with two inputs more "
    "than the last has outputs",
    asks=f"the range of σ, the size of a Unet's pictures ({GREY_SIDE} in grey, {COLOUR_SIDE} in colour), whether its "
    f"input is scaled (it is), the heads of a DiT ({HEADS}): those of the package's examples are taken, a card beside "
    "the file replaces them; networks of x0 and of v say so there",
    refuses="points of other than two coordinates, files from before version 0.4",
    recognises=recognises,
    card=card,
    weights=weights,
)


class _Shapes:
    """The shapes of a network's tensors, each checked when it is asked for."""

    def __init__(self, look: Look, tensors: Tensors) -> None:
        self.where, self.tensors = shown(look.path, 400), tensors

    def of(self, name: str, axes: int) -> tuple[int, ...]:
        """Raises: BadFile, where it is missing or has another number of axes."""
        tensor = self.tensors.get(name)
        if tensor is None or len(tensor.shape) != axes or 0 in tensor.shape:
            raise BadFile(
                f"{self.where}: '{shown(name)}' is missing or of another shape: not a network of smalldiffusion known "
                "here"
            )
        return tensor.shape

    def count(self, pattern: str) -> int:
        """One more than the largest number in names of that pattern."""
        return 1 + max((int(m[1]) for name in self.tensors if (m := re.match(pattern, name))), default=-1)


def _embedding(shapes: _Shapes) -> str:
    return "sigma" if shapes.of(NOISE, 2)[1] == 2 else "timestep"


def _mlp(shapes: _Shapes) -> dict[str, Any]:
    count = len([name for name in shapes.tensors if re.fullmatch(r"net\.\d+\.weight", name)])
    widths = [shapes.of(f"net.{2 * i}.weight", 2)[0] for i in range(count)]
    if widths[-1] != 2:
        raise BadFile(
            f"{shapes.where} is a TimeInputMLP of smalldiffusion for points of {widths[-1]} coordinates, "
            "expected 2: other points can't be shown"
        )
    args: dict[str, Any] = {"hidden": widths[:-1]}
    if CLASSES in shapes.tensors:
        args["classes"] = shapes.of(CLASSES, 2)[1]
    return {
        "description": "A TimeInputMLP of smalldiffusion.",
        "modality": "points",
        "shape": (2,),
        "network": "smalldiffusion_mlp",
        "network_args": args,
    }


def _dit(shapes: _Shapes) -> dict[str, Any]:
    _, tokens, width = shapes.of("pos_embed", 3)
    _, channels, patch, _ = shapes.of("x_embed.proj.weight", 4)
    side = patch * math.isqrt(tokens)
    return {
        "description": f"A DiT of smalldiffusion. Its heads are not in the file: {HEADS} are taken.",
        "modality": "image",
        "shape": (channels, side, side),
        "network": "smalldiffusion_dit",
        "network_args": {
            "width": width,
            "depth": shapes.count(r"blocks\.(\d{1,3})\."),
            "hidden": shapes.of("blocks.0.mlp.0.weight", 2)[0],
            "patch": patch,
            "heads": HEADS,
            "embedding": _embedding(shapes),
        },
    }


def _unet(shapes: _Shapes) -> dict[str, Any]:
    width, channels = shapes.of("conv_in.weight", 4)[:2]
    levels = shapes.count(r"downs\.(\d{1,2})\.")
    first = [f"downs.{k}.blocks.0" for k in range(levels)]
    side = GREY_SIDE if channels == 1 and GREY_SIDE % 2 ** (levels - 1) == 0 else COLOUR_SIDE
    embedding = _embedding(shapes)
    return {
        "description": f"A Unet of smalldiffusion. The size of its pictures is not in the file: {side}×{side} is "
        "taken" + ("." if embedding == "timestep" else ", and that its input is scaled."),
        "modality": "image",
        "shape": (channels, side, side),
        "network": "smalldiffusion_unet",
        "network_args": {
            "width": width,
            "widths": [shapes.of(f"{at}.0.layer1.2.weight", 4)[0] for at in first],
            "attention": [f"{at}.1.attn.qkv.weight" in shapes.tensors for at in first],
            "embed": shapes.of(f"{first[0]}.0.temb_proj.1.weight", 2)[1],
            "blocks": shapes.count(r"downs\.0\.blocks\.(\d{1,2})\."),
            "embedding": embedding,
            "scaled": embedding == "sigma",
        },
    }
