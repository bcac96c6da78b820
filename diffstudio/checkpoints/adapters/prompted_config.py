"""What a config.json of diffusers may say of a network that draws what a prompt says, with bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from diffstudio.checkpoints.adapters.config import (
    MAX_INNER,
    Channels,
    Config,
    Groups,
    Layers,
    Sample,
    Scale,
    Small,
    Widths,
    check_blocks,
    check_levels,
    halved,
    patched,
)

_DOWN = {"CrossAttnDownBlock2D", "DownBlock2D"}
_UP = {"CrossAttnUpBlock2D", "UpBlock2D"}
# Layers of attention of a level, or of each of its blocks, as pruned networks have them; 0 where it does not attend.
Attending = Annotated[int, Field(ge=0, le=16)]
Nested = Attending | Annotated[tuple[Attending, ...], Field(min_length=1, max_length=8)]
Wide = Annotated[int, Field(ge=1, le=65_536)]
Deep = Annotated[int, Field(ge=1, le=128)]
Heads = Annotated[int, Field(ge=1, le=128)]
Head = Annotated[int, Field(ge=1, le=1024)]
FLUX_SIZE = 128  # of its latents: its config does not say, its pipeline takes this
FLUX_FACTOR = 2  # a token of Flux is a square of so many places of a latent a side


class PromptedUNetConfig(Config):
    """diffusers' UNet2DConditionModel: Stable Diffusion 1, 2 and XL."""

    sample_size: Sample | tuple[Sample, Sample] = 64
    in_channels: Annotated[int, Field(ge=1, le=64)] = 4
    out_channels: Annotated[int, Field(ge=1, le=64)] = 4
    center_input_sample: bool = False
    flip_sin_to_cos: bool = True
    freq_shift: Annotated[int, Field(ge=-16, le=16)] = 0
    down_block_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)] = (
        *("CrossAttnDownBlock2D",) * 3,
        "DownBlock2D",
    )
    mid_block_type: Literal["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"] | None = "UNetMidBlock2DCrossAttn"
    up_block_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)] = (
        "UpBlock2D",
        *("CrossAttnUpBlock2D",) * 3,
    )
    only_cross_attention: Literal[False] = False
    block_out_channels: Widths = (320, 640, 1280, 1280)
    layers_per_block: Layers = 2
    downsample_padding: Annotated[int, Field(ge=0, le=4)] = 1
    mid_block_scale_factor: Scale = 1.0
    act_fn: Literal["silu", "swish", "mish", "gelu", "relu"] = "silu"
    norm_num_groups: Groups = 32
    norm_eps: Small = 1e-5
    cross_attention_dim: Channels = 1280
    transformer_layers_per_block: Layers | Annotated[tuple[Nested, ...], Field(max_length=8)] = 1
    reverse_transformer_layers_per_block: Annotated[tuple[Nested, ...], Field(max_length=8)] | None = None
    attention_head_dim: Channels | Annotated[tuple[Channels, ...], Field(max_length=8)] = 8
    dual_cross_attention: Literal[False] = False
    use_linear_projection: bool = False
    class_embed_type: None = None
    num_class_embeds: None = None
    encoder_hid_dim: None = None
    encoder_hid_dim_type: None = None
    addition_embed_type: Literal["text_time"] | None = None
    addition_time_embed_dim: Channels | None = None
    projection_class_embeddings_input_dim: Wide | None = None
    upcast_attention: bool = False
    resnet_time_scale_shift: Literal["default", "scale_shift"] = "default"
    time_embedding_type: Literal["positional"] = "positional"
    time_embedding_dim: Channels | None = None
    time_cond_proj_dim: None = None
    conv_in_kernel: Literal[1, 3] = 3
    conv_out_kernel: Literal[1, 3] = 3

    @model_validator(mode="after")
    def _possible(self) -> PromptedUNetConfig:
        check_blocks("down_block_types", self.down_block_types, _DOWN)
        check_blocks("up_block_types", self.up_block_types, _UP)
        check_levels(self.block_out_channels, self.down_block_types, self.up_block_types)
        if self.in_channels != self.out_channels:
            raise ValueError(
                f"in_channels is {self.in_channels}, expected {self.out_channels} as out_channels: a network that is "
                "also given a picture or a mask is not opened"
            )
        if self.addition_embed_type and not (
            self.addition_time_embed_dim and self.projection_class_embeddings_input_dim
        ):
            raise ValueError(
                "addition_embed_type needs addition_time_embed_dim and projection_class_embeddings_input_dim"
            )
        return self

    def size(self, asked: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width of the latents: those asked for, or its own.

        Raises:
            ValueError: its levels can't halve them.
        """
        return halved(asked or self.sample_size, len(self.block_out_channels))

    @property
    def channels(self) -> int:
        """Of the latents."""
        return self.in_channels

    @property
    def context(self) -> int:
        """The width of the embedding of a token."""
        return self.cross_attention_dim

    @property
    def pooled(self) -> int | None:
        """The width of the embedding of the whole prompt, None where it is told none."""
        if self.addition_embed_type is None:
            return None
        return (self.projection_class_embeddings_input_dim or 0) - 6 * (self.addition_time_embed_dim or 0)


class JointConfig(Config):
    """What both transformers have that attend to a prompt and a picture together."""

    joint_attention_dim: Wide = 4096
    pooled_projection_dim: Wide

    @property
    def context(self) -> int:
        """The width of the embedding of a token."""
        return self.joint_attention_dim

    @property
    def pooled(self) -> int:
        """The width of the embedding of the whole prompt."""
        return self.pooled_projection_dim


class SD3Config(JointConfig):
    """diffusers' SD3Transformer2DModel: Stable Diffusion 3 and 3.5."""

    sample_size: Sample = 128
    patch_size: Annotated[int, Field(ge=1, le=64)] = 2
    in_channels: Annotated[int, Field(ge=1, le=64)] = 16
    num_layers: Deep = 18
    attention_head_dim: Head = 64
    num_attention_heads: Heads = 18
    caption_projection_dim: Wide = 1152
    pooled_projection_dim: Wide = 2048
    out_channels: Annotated[int, Field(ge=1, le=64)] = 16
    pos_embed_max_size: Annotated[int, Field(ge=1, le=512)] = 96
    dual_attention_layers: Annotated[tuple[Annotated[int, Field(ge=0, le=127)], ...], Field(max_length=64)] = ()
    qk_norm: Literal["rms_norm"] | None = None

    @model_validator(mode="after")
    def _possible(self) -> SD3Config:
        inner = self.num_attention_heads * self.attention_head_dim
        if inner > MAX_INNER or self.caption_projection_dim != inner:
            raise ValueError(
                f"caption_projection_dim is {self.caption_projection_dim}, expected its heads' {inner}, "
                f"at most {MAX_INNER}"
            )
        if self.in_channels != self.out_channels:
            raise ValueError(f"out_channels is {self.out_channels}, expected {self.in_channels} as in_channels")
        side, patch = self.sample_size, self.patch_size
        if side % patch or side // patch > self.pos_embed_max_size:
            most = self.pos_embed_max_size * patch
            raise ValueError(f"sample_size is {side}, expected a multiple of {patch}, at most {most}")
        return self

    def size(self, asked: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width of the latents: those asked for, or its own. Raises: ValueError, where it has no such."""
        height, width = patched(asked or (self.sample_size, self.sample_size), self.patch_size)
        most = self.pos_embed_max_size * self.patch_size
        if max(height, width) > most:
            raise ValueError(f"sample_size is {height}×{width}, expected sides of at most {most}")
        return height, width

    @property
    def channels(self) -> int:
        """Of the latents."""
        return self.in_channels


class FluxConfig(JointConfig):
    """diffusers' FluxTransformer2DModel. latent_size is ours: the side of the latents that its pipeline takes."""

    latent_size: Annotated[int, Field(ge=2, le=256, multiple_of=FLUX_FACTOR)] = FLUX_SIZE
    patch_size: Literal[1] = 1
    in_channels: Annotated[int, Field(ge=4, le=256, multiple_of=FLUX_FACTOR**2)] = 64
    out_channels: Annotated[int, Field(ge=4, le=256)] | None = None
    num_layers: Deep = 19
    num_single_layers: Annotated[int, Field(ge=0, le=128)] = 38
    attention_head_dim: Head = 128
    num_attention_heads: Heads = 24
    pooled_projection_dim: Wide = 768
    guidance_embeds: bool = False
    axes_dims_rope: tuple[Head, Head, Head] = (16, 56, 56)

    @model_validator(mode="after")
    def _possible(self) -> FluxConfig:
        if self.out_channels not in (None, self.in_channels):
            raise ValueError(f"out_channels is {self.out_channels}, expected {self.in_channels} as in_channels")
        if sum(self.axes_dims_rope) != self.attention_head_dim or any(dim % 2 for dim in self.axes_dims_rope):
            raise ValueError(
                f"axes_dims_rope is {self.axes_dims_rope}, expected even numbers whose sum is {self.attention_head_dim}"
            )
        inner = self.num_attention_heads * self.attention_head_dim
        if inner > MAX_INNER:
            raise ValueError(f"{inner:,} numbers a token, expected at most {MAX_INNER:,}")
        return self

    def size(self, asked: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width of the latents: those asked for, or its own. Raises: ValueError, of odd sides."""
        return patched(asked or (self.latent_size, self.latent_size), FLUX_FACTOR)

    @property
    def channels(self) -> int:
        """Of the latents, of which a token has a square of places."""
        return self.in_channels // FLUX_FACTOR**2

    def arguments(self) -> dict[str, Any]:
        return {key: value for key, value in self.model_dump().items() if key != "latent_size"}


# class of diffusers → its config, and the name of our network in a card
PROMPTED: dict[str, tuple[type[PromptedUNetConfig] | type[SD3Config] | type[FluxConfig], str]] = {
    "UNet2DConditionModel": (PromptedUNetConfig, "diffusers_prompted_unet"),
    "SD3Transformer2DModel": (SD3Config, "diffusers_sd3"),
    "FluxTransformer2DModel": (FluxConfig, "diffusers_flux"),
}
