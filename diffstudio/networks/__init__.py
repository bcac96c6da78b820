"""Architectures by name. A card names one of these; nothing else can be built from a file."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

from pydantic import ValidationError
from torch import nn

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.findings import field_of
from diffstudio.findings import reason as reason_of
from diffstudio.networks.adm import ADM
from diffstudio.networks.exact import ExactData, ExactMixture
from diffstudio.networks.foreign.diffusers import DiffusersDiT, DiffusersUNet
from diffstudio.networks.foreign.k_diffusion import KDiffusionUNet
from diffstudio.networks.foreign.k_diffusion_hourglass import KDiffusionHourglass
from diffstudio.networks.foreign.k_diffusion_transformer import KDiffusionTransformer
from diffstudio.networks.foreign.lucidrains import LucidrainsUnet
from diffstudio.networks.foreign.prompted import SD3, Flux, PromptedUNet
from diffstudio.networks.foreign.smalldiffusion import SmallDiT, SmallMLP
from diffstudio.networks.foreign.smalldiffusion_unet import SmallUnet
from diffstudio.networks.mlp import MLP
from diffstudio.networks.transformer import Transformer
from diffstudio.networks.unet import UNet
from diffstudio.networks.video_transformer import VideoTransformer
from diffstudio.networks.video_unet import VideoUNet

NETWORKS: dict[str, type[nn.Module]] = {
    "mlp": MLP,
    "unet": UNet,
    "video_unet": VideoUNet,
    "video_transformer": VideoTransformer,
    "transformer": Transformer,
    "exact_mixture": ExactMixture,
    "exact_data": ExactData,
    "diffusers_unet": DiffusersUNet,
    "diffusers_dit": DiffusersDiT,
    "diffusers_prompted_unet": PromptedUNet,
    "diffusers_sd3": SD3,
    "diffusers_flux": Flux,
    "lucidrains_unet": LucidrainsUnet,
    "adm": ADM,
    "k_diffusion_unet": KDiffusionUNet,
    "k_diffusion_transformer": KDiffusionTransformer,
    "k_diffusion_hourglass": KDiffusionHourglass,
    "smalldiffusion_mlp": SmallMLP,
    "smalldiffusion_unet": SmallUnet,
    "smalldiffusion_dit": SmallDiT,
}
MAX_PARAMETERS = 2 * 10**10  # Flux with its T5 has 17; beyond that a card is a mistake or an attack


def build(card: Card, where: str = "card", device: str = "meta") -> nn.Module:
    """The untrained network that a card describes; on the "meta" device there is no memory behind its weights.

    Raises:
        BadFile: an unknown network, arguments it can't take, or an absurd size. `where` names the file.
    """
    import torch

    if card.network not in NETWORKS:
        raise BadFile(f"{where}: network is '{shown(card.network)}', expected one of {', '.join(NETWORKS)}")
    try:
        with torch.device(device), _not_drawn() if device == "meta" else contextlib.nullcontext():
            args = {key: tuple(v) if isinstance(v, list) else v for key, v in card.network_args.items()}
            for name, where_from in (("outputs", "learned_range"), ("vocabulary", "the card's text")):
                if name in args:
                    raise ValueError(f"the {name} follow from {where_from}")
            given = args | ({"outputs": 2} if card.learned_range else {})
            given |= {} if card.text is None else {"vocabulary": len(card.text.vocabulary)}
            network = NETWORKS[card.network](card.shape, len(card.labels), **given)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{field_of(first)} {reason_of(first)}" if first["type"] != "value_error" else reason_of(first)
        raise BadFile(f"{where}: network_args don't fit a '{card.network}': {shown(said, 200)}") from error
    except (TypeError, ValueError, RuntimeError, ArithmeticError, IndexError) as error:
        reason = shown(" ".join(str(error).split()), 200)
        raise BadFile(f"{where}: network_args don't fit a '{card.network}': {reason}") from error
    count = sum(weight.numel() for weight in network.state_dict().values())
    if count > MAX_PARAMETERS:
        raise BadFile(f"{where}: network_args ask for {count:,} parameters, expected at most {MAX_PARAMETERS:,}")
    if device == "meta" and options.NETWORKS[card.network].foreign:
        _try(network, card, where)
    return network


def _not_drawn() -> AbstractContextManager[object]:
    """Where there is no memory behind weights they are not initialised either.

    torch would first import its decompositions to do nothing to them: 0.6 s before the first batch.
    """
    from torch.nn import init
    from torch.overrides import TorchFunctionMode

    class NotDrawn(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if getattr(func, "__module__", "") == init.__name__:
                return args[0] if args else kwargs["tensor"]
            return func(*args, **kwargs)

    return NotDrawn()


def _try(network: nn.Module, card: Card, where: str) -> None:
    """One call without memory behind it: other tools' networks can be made with numbers that fit only each other."""
    import torch

    def nothing(*shape: int, **kind: Any) -> torch.Tensor:
        return torch.zeros(1, *shape, device="meta", **kind)

    channels, *sides = card.shape
    expected = (1, channels * (2 if card.learned_range else 1), *sides)
    try:
        with torch.no_grad():
            told = nothing(dtype=torch.long) if card.labels else None
            if card.prompts is not None:
                told = network.blank()  # pyright: ignore[reportCallIssue] - any network of prompts has it
            out = network(nothing(*card.shape), nothing(), told)
            decoder = getattr(network, "vae", None)
            picture = (1, *card.decoded) if decoder is None else tuple(decoder.decode(nothing(*card.shape)).shape)
    except Exception as error:  # whatever a library makes of numbers that don't fit
        reason = shown(" ".join(str(error).split()), 200)
        raise BadFile(f"{where}: network_args don't make a '{card.network}' that works: {reason}") from error
    if tuple(out.shape) != expected or picture != (1, *card.decoded):
        raise BadFile(
            f"{where}: the network gives {tuple(out.shape)} and pictures of {picture[1:]}, the card expects others"
        )
