"""What a config of k-diffusion says of its "image_transformer_v2", with what is taken where it says nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.look import Look

Width = Annotated[int, Field(ge=1, le=16_384)]
Hidden = Annotated[int, Field(ge=1, le=65_536)]
Depth = Annotated[int, Field(ge=1, le=64)]
_LEVELS = Field(min_length=1, max_length=8)


class AttentionConfig(BaseModel):
    """An entry of "self_attns": a level's kind of attention."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["global", "neighborhood", "shifted-window", "none"]
    d_head: Annotated[int, Field(ge=8, le=1024)] = 64
    kernel_size: Annotated[int, Field(ge=1, le=32)] = 7
    window_size: Annotated[int, Field(ge=1, le=32)] | None = None

    @model_validator(mode="after")
    def _windows_have_a_size(self) -> AttentionConfig:
        if self.type == "shifted-window" and self.window_size is None:
            raise ValueError("a shifted-window has no window_size")
        return self

    @property
    def reach(self) -> int:
        """The side of what is looked at, 0 where it is all or nothing."""
        return {"neighborhood": self.kernel_size, "shifted-window": self.window_size or 0}.get(self.type, 0)


class HourglassConfig(BaseModel):
    """The part of the table "model" that says how the network is built. Others are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    widths: Annotated[tuple[Width, ...], _LEVELS]
    depths: Annotated[tuple[Depth, ...], _LEVELS]
    d_ffs: Annotated[tuple[Hidden, ...], Field(max_length=8)] | None = None
    self_attns: Annotated[tuple[AttentionConfig, ...], Field(max_length=8)] | None = None
    mapping_width: Width = 256
    mapping_depth: Depth = 2
    mapping_d_ff: Annotated[int, Field(ge=0, le=65_536)] | None = None

    @model_validator(mode="after")
    def _as_many_of_each(self) -> HourglassConfig:
        for name in ("depths", "d_ffs", "self_attns"):
            entries = getattr(self, name)
            if entries and len(entries) != len(self.widths):
                raise ValueError(f"{name} has {len(entries)} entries for {len(self.widths)} widths")
        return self


def hourglass(look: Look, model: Any, patch: tuple[int, int]) -> dict[str, Any]:
    """The entries of a card that name the network. Raises: BadFile."""
    try:
        config = HourglassConfig.model_validate(model)
    except ValidationError as error:
        raise invalid(look.path, error, "config of k-diffusion, model field") from error
    near, far = AttentionConfig(type="neighborhood"), AttentionConfig(type="global")
    attention = config.self_attns or (*(near for _ in config.widths[1:]), far)
    args = {
        "widths": list(config.widths),
        "depths": list(config.depths),
        "hidden": list(config.d_ffs or (3 * width for width in config.widths)),
        "attention": [level.type for level in attention],
        "head_width": [level.d_head for level in attention],
        "reach": [level.reach for level in attention],
        "patch": list(patch),
        "mapping": [config.mapping_width, config.mapping_depth, config.mapping_d_ff or 3 * config.mapping_width],
    }
    return {"network": "k_diffusion_hourglass", "network_args": args}
