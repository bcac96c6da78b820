"""What a config.json of transformers may say of a text encoder, with bounds. Only these classes are ever built."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from diffstudio.checkpoints.adapters.config import Config, Small

Words = Annotated[int, Field(ge=2, le=65_536)]
Token = Annotated[int, Field(ge=0, lt=65_536)]
Width = Annotated[int, Field(ge=1, le=16_384)]
Depth = Annotated[int, Field(ge=1, le=64)]
Heads = Annotated[int, Field(ge=1, le=256)]


class CLIPConfig(Config):
    """transformers' CLIPTextModel, and with projection_dim its CLIPTextModelWithProjection."""

    kind: Literal["clip"] = "clip"
    projected: bool = False  # the class with the projection
    length: Annotated[int, Field(ge=4, le=1024)] = 77  # the tokens of a prompt, with begin, end and padding
    vocab_size: Words = 49408
    hidden_size: Width = 512
    intermediate_size: Width = 2048
    projection_dim: Width = 512
    num_hidden_layers: Annotated[int, Field(ge=2, le=64)] = 12  # most networks read the last but one
    num_attention_heads: Heads = 8
    max_position_embeddings: Annotated[int, Field(ge=4, le=1024)] = 77
    hidden_act: Literal["quick_gelu", "gelu", "gelu_new", "silu", "relu"] = "quick_gelu"
    layer_norm_eps: Small = 1e-5
    bos_token_id: Token = 49406
    eos_token_id: Token = 49407  # 2 in old files: the place of the largest number is read then

    @model_validator(mode="after")
    def _possible(self) -> CLIPConfig:
        if self.hidden_size % self.num_attention_heads:
            heads = self.num_attention_heads
            raise ValueError(f"hidden_size is {self.hidden_size}, expected a multiple of its {heads} attention heads")
        if self.length > self.max_position_embeddings:
            raise ValueError(f"max_position_embeddings is {self.max_position_embeddings}, expected {self.length}")
        return self

    @property
    def width(self) -> int:
        """Of what it gives for a token."""
        return self.hidden_size

    @property
    def pooled(self) -> int:
        """Of what it gives for the whole prompt."""
        return self.projection_dim if self.projected else self.hidden_size

    def arguments(self) -> dict[str, Any]:
        return {key: value for key, value in self.model_dump().items() if key not in ("kind", "projected", "length")}


class T5Config(Config):
    """transformers' T5EncoderModel."""

    kind: Literal["t5"] = "t5"
    length: Annotated[int, Field(ge=4, le=1024)] = 512  # the tokens of a prompt, with end and padding
    vocab_size: Words = 32128
    d_model: Width = 512
    d_kv: Annotated[int, Field(ge=1, le=1024)] = 64
    d_ff: Width = 2048
    num_layers: Depth = 6
    num_heads: Heads = 8
    relative_attention_num_buckets: Annotated[int, Field(ge=4, le=1024)] = 32
    relative_attention_max_distance: Annotated[int, Field(ge=4, le=65_536)] = 128
    layer_norm_epsilon: Small = 1e-6
    feed_forward_proj: Literal["relu", "gelu", "silu", "gated-gelu", "gated-silu", "gated-relu"] = "relu"

    @model_validator(mode="after")
    def _possible(self) -> T5Config:
        if self.relative_attention_max_distance <= self.relative_attention_num_buckets // 4:
            raise ValueError("relative_attention_max_distance is too small for relative_attention_num_buckets")
        return self

    @property
    def width(self) -> int:
        """Of what it gives for a token."""
        return self.d_model

    def arguments(self) -> dict[str, Any]:
        return {key: value for key, value in self.model_dump().items() if key not in ("kind", "length")}


ENCODERS: dict[str, type[CLIPConfig] | type[T5Config]] = {"clip": CLIPConfig, "t5": T5Config}
# class of transformers → kind of ours, and what it says beside its numbers
ENCODER_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "CLIPTextModel": ("clip", {}),
    "CLIPTextModelWithProjection": ("clip", {"projected": True}),
    "T5EncoderModel": ("t5", {}),
}
