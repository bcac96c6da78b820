"""Networks that are classes of diffusers, made from a config that was checked: a fixed list, none named by a file."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from diffstudio.checkpoints.adapters.config import DECODERS, DiTConfig, KLConfig, UNetConfig, VQConfig
from diffstudio.checkpoints.adapters.library import library

MOST_CLASS_CHANNELS = 1024


class DiffusersUNet(nn.Module):
    """diffusers' UNet2DModel, with the autoencoder of a latent model beside it.

    kind: "plain" gives what the card's prediction says; "score_ve" is told σ and gives ε of data in [0, 1] (Song et al.
    2021); "consistency" is told σ and gives x̂0 through its boundary condition (Song et al. 2023, appendix C).
    class_channels: as many channels of the picture are an embedding of the class, as in the network of the Hugging Face
    course.  vae: the config of the autoencoder, without it the states are pictures.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        kind: str = "plain",
        sigma_data: float = 0.5,
        sigma_min: float = 0.002,
        outputs: int = 1,
        class_channels: int = 0,
        vae: dict[str, Any] | None = None,
        **config: Any,
    ) -> None:
        super().__init__()
        if kind not in ("plain", "score_ve", "consistency"):
            raise ValueError(f"kind is {kind!r}, expected plain, score_ve or consistency")
        checked = UNetConfig.model_validate(config)
        _check_shape(shape, checked, outputs)
        if labels != (checked.num_class_embeds or 0) and not (labels and class_channels):
            raise ValueError(f"{labels} classes on the card, {checked.num_class_embeds or 0} in the network")
        if not 0 <= class_channels <= MOST_CLASS_CHANNELS or (class_channels and checked.num_class_embeds):
            raise ValueError(
                f"class_channels is {class_channels}, expected 0 to {MOST_CLASS_CHANNELS}, or classes alone"
            )
        self.kind, self.sigma_data, self.sigma_min = kind, sigma_data, sigma_min
        entering = {"in_channels": checked.in_channels + class_channels}
        self.unet = library("models.unets.unet_2d").UNet2DModel(**checked.arguments() | entering)
        self.class_emb = nn.Embedding(labels, class_channels) if class_channels else None
        self.vae = None if vae is None else Autoencoder(vae)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,), labels: (B,) → (B, outputs·C, H, W)."""
        if self.class_emb is not None:
            told = self.class_emb(labels)[:, :, None, None].expand(-1, -1, *x.shape[2:])
            return self.unet(torch.cat([x, told], dim=1), t).sample
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
    """diffusers' DiTTransformer2DModel, with the autoencoder of its latents.

    freq_shift: how much less than half its width the frequencies of a time's embedding are spread over: 1 in diffusers,
    0 in the authors' own code (facebookresearch/DiT, models.py).
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        outputs: int = 1,
        freq_shift: int = 1,
        vae: dict[str, Any] | None = None,
        **config: Any,
    ) -> None:
        super().__init__()
        checked = DiTConfig.model_validate(config)
        _check_shape(shape, checked, outputs)
        if labels != checked.num_embeds_ada_norm:
            raise ValueError(f"{labels} classes on the card, {checked.num_embeds_ada_norm} in the network")
        module = library("models.transformers.dit_transformer_2d")
        self.transformer = module.DiTTransformer2DModel(**checked.arguments())
        if freq_shift not in (0, 1):
            raise ValueError(f"freq_shift is {freq_shift}, expected 0 or 1")
        for block in self.transformer.transformer_blocks:
            block.norm1.emb.time_proj.downscale_freq_shift = freq_shift
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
        self._norm = _norm(self.config)

    def decode(self, latents: Tensor) -> Tensor:
        """(B, C, h, w) as the diffusion model gives them → (B, 3, H, W) in about [−1, 1]."""
        mean, spread = (latents.new_tensor(values).view(-1, 1, 1) for values in self._norm)
        return self.model.decode(latents * spread + mean).sample

    def encode(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [−1, 1] → (B, C, h, w); of a variational one the mean."""
        found = self.model.encode(pictures)
        latents = found.latent_dist.mode() if isinstance(self.config, KLConfig) else found.latents
        mean, spread = (latents.new_tensor(values).view(-1, 1, 1) for values in self._norm)
        return (latents - mean) / spread


def _norm(config: KLConfig | VQConfig) -> tuple[list[float], list[float]]:
    """Mean and spread by which the diffusion model's latents are normed: z = (latents − mean)/spread, for each channel.

    Where the autoencoder has latents_mean and latents_std these count (Playground 2.5), else its shift_factor.
    """
    scale = config.scaling_factor
    if isinstance(config, KLConfig) and config.latents_mean is not None and config.latents_std is not None:
        return list(config.latents_mean), [std / scale for std in config.latents_std]
    shift = (config.shift_factor or 0.0) if isinstance(config, KLConfig) else 0.0
    return [shift], [1 / scale]


def _check_shape(shape: tuple[int, ...], config: UNetConfig | DiTConfig, outputs: int) -> None:
    if len(shape) != 3 or shape[0] != config.in_channels or outputs != config.outputs:
        raise ValueError(
            f"the card is of shape {shape} with {outputs} outputs, the network of {config.in_channels} channels "
            f"with {config.outputs}"
        )
