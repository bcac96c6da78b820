"""Networks that are classes of diffusers, made from a config that was checked: a fixed list, none named by a file."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from diffstudio.checkpoints.adapters.config import DECODERS, DiTConfig, KLConfig, UNetConfig, VQConfig
from diffstudio.checkpoints.adapters.library import library


class DiffusersUNet(nn.Module):
    """diffusers' UNet2DModel, with the autoencoder of a latent model beside it.

    kind: "plain" gives what the card's prediction says; "score_ve" is told σ and gives ε of data in [0, 1] (Song et al.
    2021); "consistency" is told σ and gives x̂0 through its boundary condition (Song et al. 2023, appendix C).
    vae: the config of the autoencoder, without it the states are pictures.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        kind: str = "plain",
        sigma_data: float = 0.5,
        sigma_min: float = 0.002,
        outputs: int = 1,
        vae: dict[str, Any] | None = None,
        **config: Any,
    ) -> None:
        super().__init__()
        if kind not in ("plain", "score_ve", "consistency"):
            raise ValueError(f"kind is {kind!r}, expected plain, score_ve or consistency")
        checked = UNetConfig.model_validate(config)
        _check_shape(shape, checked, outputs)
        if labels != (checked.num_class_embeds or 0):
            raise ValueError(f"{labels} classes on the card, {checked.num_class_embeds or 0} in the network")
        self.kind, self.sigma_data, self.sigma_min = kind, sigma_data, sigma_min
        self.unet = library("models.unets.unet_2d").UNet2DModel(**checked.arguments())
        self.vae = None if vae is None else Autoencoder(vae)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,), labels: (B,) → (B, outputs·C, H, W)."""
        if self.kind == "score_ve":
            return self._score_ve(x, t, labels)
        return self._consistency(x, t, labels) if self.kind == "consistency" else self.unet(x, t, labels).sample

    def _score_ve(self, x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        # The network gives ∇ log p = −ε/σ of (x + 1)/2, whose σ is half of ours.
        sigma = sigma / 2
        return -sigma.view(-1, 1, 1, 1) * self.unet((x + 1) / 2, sigma, labels).sample

    def _consistency(self, x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        # f(x, σ) = c_skip·x + c_out·F(x/√(σ² + σ_d²), 250·ln σ), with f(x, σ_min) = x
        spread = (sigma**2 + self.sigma_data**2).sqrt().view(-1, 1, 1, 1)
        away = (sigma - self.sigma_min).view(-1, 1, 1, 1)
        out = self.unet(x / spread, 250 * torch.log(sigma + 1e-44), labels).sample
        return self.sigma_data**2 / (away**2 + self.sigma_data**2) * x + away * self.sigma_data / spread * out


class DiffusersDiT(nn.Module):
    """diffusers' DiTTransformer2DModel, with the autoencoder of its latents."""

    def __init__(
        self, shape: tuple[int, ...], labels: int, outputs: int = 1, vae: dict[str, Any] | None = None, **config: Any
    ) -> None:
        super().__init__()
        checked = DiTConfig.model_validate(config)
        _check_shape(shape, checked, outputs)
        if labels != checked.num_embeds_ada_norm:
            raise ValueError(f"{labels} classes on the card, {checked.num_embeds_ada_norm} in the network")
        module = library("models.transformers.dit_transformer_2d")
        self.transformer = module.DiTTransformer2DModel(**checked.arguments())
        self.vae = None if vae is None else Autoencoder(vae)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,) training steps, labels: (B,), the last row of the table is "any"."""
        return self.transformer(x, timestep=t, class_labels=labels).sample


class Autoencoder(nn.Module):
    """diffusers' AutoencoderKL or VQModel between pictures and the latents that a diffusion model sees."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        kind = config.get("kind")
        if kind not in DECODERS:
            raise ValueError(f"vae.kind is {kind!r}, expected one of {', '.join(DECODERS)}")
        self.config: KLConfig | VQConfig = DECODERS[kind].model_validate(config)
        file = {"AutoencoderKL": "autoencoder_kl", "VQModel": "vq_model"}[kind]
        self.model = getattr(library(f"models.autoencoders.{file}"), kind)(**self.config.arguments())
        self.shift = getattr(self.config, "shift_factor", None) or 0.0

    def decode(self, latents: Tensor) -> Tensor:
        """(B, C, h, w) as the diffusion model gives them → (B, 3, H, W) in about [−1, 1]."""
        return self.model.decode(latents / self.config.scaling_factor + self.shift).sample

    def encode(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [−1, 1] → (B, C, h, w); of a variational one the mean."""
        found = self.model.encode(pictures)
        latents = found.latent_dist.mode() if isinstance(self.config, KLConfig) else found.latents
        return (latents - self.shift) * self.config.scaling_factor


def _check_shape(shape: tuple[int, ...], config: UNetConfig | DiTConfig, outputs: int) -> None:
    if len(shape) != 3 or shape[0] != config.in_channels or outputs != config.outputs:
        raise ValueError(
            f"the card is of shape {shape} with {outputs} outputs, the network of {config.in_channels} channels "
            f"with {config.outputs}"
        )
