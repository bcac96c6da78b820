"""What a config.json of diffusers may say of a network, with bounds. Only these classes are ever built."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Channels = Annotated[int, Field(ge=1, le=8192)]
Sample = Annotated[int, Field(ge=1, le=4096)]
Blocks = Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
Widths = Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8)]
Layers = Annotated[int, Field(ge=1, le=16)]
Groups = Annotated[int, Field(ge=1, le=1024)]
Small = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Means = Annotated[tuple[Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)], ...], Field(max_length=64)]
Spreads = Annotated[tuple[Scale, ...], Field(max_length=64)]

_DOWN = {
    *("DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D"),
    *("KDownBlock2D",),
}
_UP = {
    *("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D"),
    *("KUpBlock2D",),
}
_DECODER_DOWN = {"DownEncoderBlock2D", "AttnDownEncoderBlock2D"}
_DECODER_UP = {"UpDecoderBlock2D", "AttnUpDecoderBlock2D"}
MAX_TOKENS, MAX_INNER = 4096, 8192
GREY_SIDE, COLOUR_SIDE = 28, 32  # of MNIST and CIFAR-10
LOWEST = 8  # the side of the lowest level of most networks of pixels
NONE = "none"  # how a card says null, which its arguments can't be


class Config(BaseModel):
    """Keys that are not listed have no influence on the network, and are left aside as diffusers does."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _from_card(cls, found: Any) -> Any:
        if not isinstance(found, dict):
            return found
        return {key: None if value == NONE else value for key, value in found.items()}

    def arguments(self) -> dict[str, Any]:
        """What the class is made with."""
        return self.model_dump()

    def for_card(self) -> dict[str, Any]:
        """The same, as arguments of a card's network."""
        return {
            key: NONE if value is None else list(value) if isinstance(value, tuple) else value
            for key, value in self.model_dump(exclude_unset=True).items()
        }


def check_levels(widths: tuple[int, ...], down: tuple[str, ...], up: tuple[str, ...]) -> None:
    """Each level has a width and a block either way. Raises: ValueError."""
    if not len(down) == len(up) == len(widths):
        raise ValueError("block_out_channels, down_block_types and up_block_types are not of one length")


def halved(size: int | tuple[int, int], levels: int) -> tuple[int, int]:
    """Height and width of states that each level but the last halves. Raises: ValueError, where it can't."""
    height, width = size if isinstance(size, tuple) else (size, size)
    factor = 2 ** (levels - 1)
    if height % factor or width % factor:
        raise ValueError(f"sample_size is {height}×{width}, expected sides divisible by {factor}")
    return height, width


def patched(size: tuple[int, int], patch: int) -> tuple[int, int]:
    """Height and width of states that are cut into patches. Raises: ValueError, where they can't be."""
    if size[0] % patch or size[1] % patch:
        raise ValueError(f"sample_size is {size[0]}×{size[1]}, expected sides divisible by {patch}")
    return size


def usual_side(channels: int, levels: int) -> int:
    """The side of pictures on which a U-Net of so many levels is mostly trained: MNIST's where it can be."""
    if channels == 1 and GREY_SIDE % 2 ** (levels - 1) == 0:
        return GREY_SIDE
    return min(256, max(COLOUR_SIDE, LOWEST * 2 ** (levels - 1)))


def check_blocks(what: str, blocks: tuple[str, ...], known: set[str]) -> None:
    for name in blocks:
        if name not in known:
            raise ValueError(f"{what} has '{name[:40]}', expected one of {', '.join(sorted(known))}")


class UNetConfig(Config):
    """diffusers' UNet2DModel."""

    sample_size: Sample | tuple[Sample, Sample] | None = None
    in_channels: Annotated[int, Field(ge=1, le=64)] = 3
    out_channels: Annotated[int, Field(ge=1, le=128)] = 3
    center_input_sample: bool = False
    time_embedding_type: Literal["positional", "fourier", "learned"] = "positional"
    time_embedding_dim: Channels | None = None
    freq_shift: Annotated[int, Field(ge=-16, le=16)] = 0
    flip_sin_to_cos: bool = True
    down_block_types: Blocks = ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")
    mid_block_type: Literal["UNetMidBlock2D"] | None = "UNetMidBlock2D"
    up_block_types: Blocks = ("AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D")
    block_out_channels: Widths = (224, 448, 672, 896)
    layers_per_block: Layers = 2
    mid_block_scale_factor: Scale = 1.0
    downsample_padding: Annotated[int, Field(ge=0, le=4)] = 1
    downsample_type: Literal["conv", "resnet"] = "conv"
    upsample_type: Literal["conv", "resnet"] = "conv"
    dropout: Small = 0.0
    act_fn: Literal["silu", "swish", "mish", "gelu", "relu"] = "silu"
    attention_head_dim: Channels | None = 8
    norm_num_groups: Groups = 32
    attn_norm_num_groups: Groups | None = None
    norm_eps: Small = 1e-5
    resnet_time_scale_shift: Literal["default", "scale_shift"] = "default"
    add_attention: bool = True
    class_embed_type: None = None
    num_class_embeds: Annotated[int, Field(ge=1, le=10_001)] | None = None
    num_train_timesteps: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> UNetConfig:
        check_blocks("down_block_types", self.down_block_types, _DOWN)
        check_blocks("up_block_types", self.up_block_types, _UP)
        check_levels(self.block_out_channels, self.down_block_types, self.up_block_types)
        if self.out_channels not in (self.in_channels, 2 * self.in_channels):
            raise ValueError(f"out_channels is {self.out_channels}, expected {self.in_channels} or twice as many")
        kinds = zip(
            self.down_block_types, reversed(self.up_block_types), self.block_out_channels, strict=True
        )  # each level's
        attend = [width for down, up, width in kinds if "Attn" in down + up] + [self.block_out_channels[-1]]
        if self.attention_head_dim is not None and self.attention_head_dim > min(attend):
            raise ValueError(f"attention_head_dim is {self.attention_head_dim}, expected at most {min(attend)}")
        return self

    @property
    def sized(self) -> bool:
        """Whether the config says a size, which diffusers leaves open."""
        return self.sample_size is not None

    def size(self, asked: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width: those asked for, the config's own, or what is usual for so many levels.

        Raises:
            ValueError: its levels can't halve them.
        """
        levels = len(self.block_out_channels)
        return halved(asked or self.sample_size or usual_side(self.in_channels, levels), levels)

    @property
    def outputs(self) -> int:
        """Channels given for each of x."""
        return self.out_channels // self.in_channels


class DiTConfig(Config):
    """diffusers' DiTTransformer2DModel."""

    num_attention_heads: Annotated[int, Field(ge=1, le=128)] = 16
    attention_head_dim: Annotated[int, Field(ge=1, le=1024)] = 72
    in_channels: Annotated[int, Field(ge=1, le=64)] = 4
    out_channels: Annotated[int, Field(ge=1, le=128)] | None = None
    num_layers: Annotated[int, Field(ge=1, le=128)] = 28
    dropout: Small = 0.0
    norm_num_groups: Groups = 32
    attention_bias: bool = True
    sample_size: Sample = 32
    patch_size: Annotated[int, Field(ge=1, le=64)] = 2
    activation_fn: Literal["gelu", "gelu-approximate", "geglu", "geglu-approximate"] = "gelu-approximate"
    num_embeds_ada_norm: Annotated[int, Field(ge=1, le=10_000)] = 1000
    upcast_attention: bool = False
    norm_type: Literal["ada_norm_zero"] = "ada_norm_zero"
    norm_elementwise_affine: bool = False
    norm_eps: Small = 1e-5

    @model_validator(mode="after")
    def _possible(self) -> DiTConfig:
        if self.out_channels not in (None, self.in_channels, 2 * self.in_channels):
            raise ValueError(f"out_channels is {self.out_channels}, expected {self.in_channels} or twice as many")
        if self.sample_size % self.patch_size:
            raise ValueError(f"sample_size is {self.sample_size}, expected a multiple of patch_size {self.patch_size}")
        # Its table of positions is computed when it is made.
        tokens, inner = (self.sample_size // self.patch_size) ** 2, self.num_attention_heads * self.attention_head_dim
        if tokens > MAX_TOKENS or inner > MAX_INNER:
            raise ValueError(
                f"{tokens:,} tokens of {inner:,} numbers, expected at most {MAX_TOKENS:,} of {MAX_INNER:,}"
            )
        return self

    @property
    def sized(self) -> bool:
        """True: diffusers has a size for it where the config says none."""
        return True

    def size(self, asked: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width: those asked for, or its own. Raises: ValueError, of sides that no patches fill."""
        return patched(asked or (self.sample_size, self.sample_size), self.patch_size)

    @property
    def outputs(self) -> int:
        """Channels given for each of x."""
        return (self.out_channels or self.in_channels) // self.in_channels


class DecoderConfig(Config):
    """What both autoencoders have."""

    in_channels: Annotated[int, Field(ge=1, le=64)] = 3
    out_channels: Annotated[int, Field(ge=1, le=64)] = 3
    down_block_types: Blocks = ("DownEncoderBlock2D",)
    up_block_types: Blocks = ("UpDecoderBlock2D",)
    block_out_channels: Widths = (64,)
    layers_per_block: Layers = 1
    act_fn: Literal["silu", "swish", "mish", "gelu", "relu"] = "silu"
    norm_num_groups: Groups = 32
    sample_size: Sample | None = None
    scaling_factor: Scale = 0.18215
    mid_block_add_attention: bool = True
    force_upcast: bool = True

    @model_validator(mode="after")
    def _possible(self) -> DecoderConfig:
        check_blocks("down_block_types", self.down_block_types, _DECODER_DOWN)
        check_blocks("up_block_types", self.up_block_types, _DECODER_UP)
        check_levels(self.block_out_channels, self.down_block_types, self.up_block_types)
        return self

    @property
    def factor(self) -> int:
        """How many pixels a side one place of a latent becomes."""
        return 2 ** (len(self.block_out_channels) - 1)

    def arguments(self) -> dict[str, Any]:
        return {key: value for key, value in self.model_dump().items() if key not in ("sample_size", "kind")}


class KLConfig(DecoderConfig):
    """diffusers' AutoencoderKL."""

    kind: Literal["AutoencoderKL"] = "AutoencoderKL"
    latent_channels: Annotated[int, Field(ge=1, le=64)] = 4
    shift_factor: Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)] | None = None
    latents_mean: Means | None = None  # of each channel, as is latents_std
    latents_std: Spreads | None = None
    use_quant_conv: bool = True
    use_post_quant_conv: bool = True

    @model_validator(mode="after")
    def _normed(self) -> KLConfig:
        for name, values in (("latents_mean", self.latents_mean), ("latents_std", self.latents_std)):
            if values is not None and len(values) != self.latent_channels:
                raise ValueError(f"{name} has {len(values)} numbers, expected {self.latent_channels}, one a channel")
        if (self.latents_mean is None) != (self.latents_std is None):
            raise ValueError("latents_mean and latents_std go together: found one of them")
        return self

    @property
    def channels(self) -> int:
        """Of a latent."""
        return self.latent_channels


class VQConfig(DecoderConfig):
    """diffusers' VQModel."""

    kind: Literal["VQModel"] = "VQModel"
    latent_channels: Annotated[int, Field(ge=1, le=64)] = 3
    num_vq_embeddings: Annotated[int, Field(ge=1, le=65_536)] = 256
    vq_embed_dim: Annotated[int, Field(ge=1, le=1024)] | None = None
    norm_type: Literal["group"] = "group"
    lookup_from_codebook: bool = False
    force_upcast: bool = False

    @property
    def channels(self) -> int:
        """Of a latent."""
        return self.vq_embed_dim or self.latent_channels


DECODERS: dict[str, type[KLConfig] | type[VQConfig]] = {"AutoencoderKL": KLConfig, "VQModel": VQConfig}
