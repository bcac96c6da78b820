"""Networks of diffusers that draw what a prompt says. They are told its embedding, which is made once for a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffstudio.checkpoints.adapters import Vocabulary
from diffstudio.checkpoints.adapters.library import library
from diffstudio.checkpoints.adapters.prompted_config import FLUX_FACTOR, FluxConfig, PromptedUNetConfig, SD3Config
from diffstudio.networks.foreign.diffusers import Autoencoder
from diffstudio.networks.foreign.encoders import Read, encoder, read

# What a network is told of N prompts: "context" (N, L, D), an embedding of each token, and "pooled" (N, P), of the
# whole prompt; "guidance" (N,), the strength that a distilled network is told.
Embedding = Mapping[str, Tensor]
TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")


class Prompted(nn.Module):
    """What these networks share: their text encoders, their autoencoder, and the shape of what they are told.

    zero_empty: an empty negative prompt is an embedding of zeros, as Stable Diffusion XL was trained.
    """

    def __init__(self, shape: tuple[int, ...], labels: int, config: Any, given: dict[str, Any]) -> None:
        super().__init__()
        if labels or given.get("outputs", 1) != 1 or len(shape) != 3 or shape[0] != config.channels:
            raise ValueError(
                f"the card is of shape {shape} with {labels} classes, the network of {config.channels} channels with "
                "none"
            )
        self.shape, self.config = shape, config
        self.zero_empty = bool(given.get("zero_empty", False))
        for name in TEXT:
            self.add_module(name, encoder(given[name]) if name in given else None)
        self.vae = Autoencoder(given["vae"])

    def told(self, prompts: Sequence[str], words: Mapping[str, Vocabulary], guidance: float = 1.0) -> dict[str, Tensor]:
        """The embedding of prompts, each for itself; where nothing is to be drawn the last of them is empty.

        Raises:
            BadInput: a prompt that is too long.  BadFile: a tokenizer that can't be used.
        """
        encoders = {name: getattr(self, name) for name in TEXT if getattr(self, name) is not None}
        found = self._embedding(read(encoders, words, prompts))
        if self.zero_empty and prompts[-1] == "":
            for rows in found.values():
                rows[-1] = 0
        if self._distilled:
            found["guidance"] = torch.full((len(prompts),), guidance, device=found["context"].device)
        return found

    def blank(self, device: str = "meta") -> dict[str, Tensor]:
        """An embedding of zeros of one prompt, for a try."""
        length = max((getattr(self, name).config.length for name in TEXT if getattr(self, name) is not None), default=1)
        out = {"context": torch.zeros(1, length, self.config.context, device=device)}
        if self.config.pooled is not None:
            out["pooled"] = torch.zeros(1, self.config.pooled, device=device)
        if self._distilled:
            out["guidance"] = torch.zeros(1, device=device)
        return out

    @property
    def _distilled(self) -> bool:
        return bool(getattr(self.config, "guidance_embeds", False))

    def _embedding(self, found: Sequence[Read]) -> dict[str, Tensor]:
        raise NotImplementedError

    def _check(self, width: int, pooled: int | None) -> None:
        """The encoders must give what the network takes. Raises: ValueError."""
        if width != self.config.context or pooled != self.config.pooled:
            raise ValueError(
                f"its text encoders give {width} numbers a token and {pooled} a prompt, the network takes "
                f"{self.config.context} and {self.config.pooled}"
            )


class PromptedUNet(Prompted):
    """diffusers' UNet2DConditionModel: of Stable Diffusion 1 and 2, with one encoder, and of XL, with two.

    XL is also told the size of the picture, where it was cut, and the size that is wanted (Podell et al. 2023, 2.2):
    here that of the picture itself, uncut.
    """

    def __init__(self, shape: tuple[int, ...], labels: int, **given: Any) -> None:
        config = PromptedUNetConfig.model_validate(given)
        super().__init__(shape, labels, config, given)
        self.network = library("models.unets.unet_2d_condition").UNet2DConditionModel(**config.arguments())
        first, second = (getattr(self, name) for name in TEXT[:2])
        if second is None:
            self._check(first.config.width, None)
        else:
            self._check(first.config.width + second.config.width, second.config.pooled)

    def forward(self, x: Tensor, t: Tensor, told: Embedding) -> Tensor:
        """x: (B, C, H, W), t: (B,) training steps, told: of B prompts → (B, C, H, W)."""
        more = None
        if "pooled" in told:
            height, width = (side * self.vae.config.factor for side in x.shape[2:])
            ids = torch.tensor([height, width, 0, 0, height, width], dtype=x.dtype, device=x.device)
            more = {"text_embeds": told["pooled"], "time_ids": ids.expand(len(x), -1)}
        return self.network(x, t, encoder_hidden_states=told["context"], added_cond_kwargs=more).sample

    def _embedding(self, found: Sequence[Read]) -> dict[str, Tensor]:
        if len(found) == 1:
            return {"context": found[0].last}
        return {"context": torch.cat([each.before for each in found], -1), "pooled": found[1].pooled}


class SD3(Prompted):
    """diffusers' SD3Transformer2DModel: two CLIP encoders beside each other, then T5 or zeros in its place."""

    def __init__(self, shape: tuple[int, ...], labels: int, **given: Any) -> None:
        config = SD3Config.model_validate(given)
        super().__init__(shape, labels, config, given)
        self.network = library("models.transformers.transformer_sd3").SD3Transformer2DModel(**config.arguments())
        first, second, third = (getattr(self, name) for name in TEXT)
        if first.config.width + second.config.width > config.context:
            raise ValueError(f"its CLIP encoders give more numbers a token than the {config.context} of the network")
        width = config.context if third is None else third.config.width
        self._check(width, first.config.pooled + second.config.pooled)

    def forward(self, x: Tensor, t: Tensor, told: Embedding) -> Tensor:
        """x: (B, C, H, W), t: (B,) 1000·σ of the flow, told: of B prompts → (B, C, H, W)."""
        return self.network(x, told["context"], told["pooled"], t).sample

    def _embedding(self, found: Sequence[Read]) -> dict[str, Tensor]:
        clip = torch.cat([found[0].before, found[1].before], -1)
        clip = nn.functional.pad(clip, (0, self.config.context - clip.shape[-1]))
        zeros = torch.zeros(len(clip), NO_T5, self.config.context, dtype=clip.dtype, device=clip.device)
        t5 = found[2].last if len(found) == 3 else zeros
        return {"context": torch.cat([clip, t5], 1), "pooled": torch.cat([found[0].pooled, found[1].pooled], -1)}


NO_T5 = 256  # tokens of zeros where Stable Diffusion 3 has no T5, as its pipeline has them


class Flux(Prompted):
    """diffusers' FluxTransformer2DModel: T5 for the tokens, CLIP for the whole; squares of the latents as tokens."""

    def __init__(self, shape: tuple[int, ...], labels: int, **given: Any) -> None:
        config = FluxConfig.model_validate(given)
        super().__init__(shape, labels, config, given)
        self.network = library("models.transformers.transformer_flux").FluxTransformer2DModel(**config.arguments())
        clip, t5 = (getattr(self, name) for name in TEXT[:2])
        self._check(t5.config.width, clip.config.pooled)

    def forward(self, x: Tensor, t: Tensor, told: Embedding) -> Tensor:
        """x: (B, C, H, W), t: (B,) 1000·σ of the flow, told: of B prompts → (B, C, H, W)."""
        height, width = (side // FLUX_FACTOR for side in x.shape[2:])
        rows = torch.arange(height, device=x.device).repeat_interleave(width)
        columns = torch.arange(width, device=x.device).repeat(height)
        places = torch.stack([torch.zeros_like(rows), rows, columns], -1).to(x.dtype)
        out = self.network(
            hidden_states=nn.functional.pixel_unshuffle(x, FLUX_FACTOR).flatten(2).transpose(1, 2),
            timestep=t / 1000,
            guidance=told.get("guidance"),
            pooled_projections=told["pooled"],
            encoder_hidden_states=told["context"],
            txt_ids=torch.zeros(told["context"].shape[1], 3, dtype=x.dtype, device=x.device),
            img_ids=places,
        ).sample
        return nn.functional.pixel_shuffle(out.transpose(1, 2).unflatten(2, (height, width)), FLUX_FACTOR)

    def _embedding(self, found: Sequence[Read]) -> dict[str, Tensor]:
        return {"context": found[1].last, "pooled": found[0].pooled}
