"""Text encoders of transformers, made from a config that was checked: what a prompt's tokens become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from diffstudio.checkpoints.adapters import Vocabulary
from diffstudio.checkpoints.adapters.encoder_config import CLIPConfig, T5Config
from diffstudio.checkpoints.adapters.library import transformers_library
from diffstudio.errors import BadInput
from diffstudio.networks.foreign.words import Words


@dataclass(frozen=True)
class Read:
    """What an encoder makes of N prompts of L tokens.

    last, before: (N, L, width), after its last layer and before it.  pooled: (N, P), of the whole prompt.
    """

    last: Tensor
    before: Tensor
    pooled: Tensor


class CLIPEncoder(nn.Module):
    """transformers' CLIPTextModel, with the projection of its pooled output where it has one."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.config = config
        made = transformers_library("models.clip.configuration_clip").CLIPTextConfig(**config.arguments())
        found = transformers_library("models.clip.modeling_clip").CLIPTextModel(made)
        self.model: Any = getattr(found, "text_model", found)  # transformers before 5 has it in another
        # No file has these, and they are there also while the weights are not.
        numbers = torch.arange(config.max_position_embeddings, device="cpu").expand((1, -1))
        self.model.embeddings.register_buffer("position_ids", numbers, persistent=False)
        width = config.projection_dim
        self.projection = nn.Linear(config.hidden_size, width, bias=False) if config.projected else None

    def forward(self, numbers: Tensor) -> Read:
        """numbers: (N, L) of tokens."""
        found = self.model(input_ids=numbers, output_hidden_states=True)
        pooled = found.pooler_output if self.projection is None else self.projection(found.pooler_output)
        return Read(found.last_hidden_state, found.hidden_states[-2], pooled)


class T5Encoder(nn.Module):
    """transformers' T5EncoderModel. Its pooled output is empty."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.config = config
        made = transformers_library("models.t5.configuration_t5").T5Config(**config.arguments())
        found = transformers_library("models.t5.modeling_t5").T5EncoderModel(made)
        found.encoder.set_input_embeddings(nn.Embedding(config.vocab_size, config.d_model))
        self.model: Any = found.encoder

    def forward(self, numbers: Tensor) -> Read:
        """numbers: (N, L) of tokens."""
        last = self.model(input_ids=numbers).last_hidden_state
        return Read(last, last, last[:, 0, :0])


def encoder(config: dict[str, Any]) -> CLIPEncoder | T5Encoder:
    """The encoder that a card describes. Raises: ValueError, of numbers out of their bounds. BadInput: no library."""
    if config.get("kind") == "t5":
        return T5Encoder(T5Config.model_validate(config))
    return CLIPEncoder(CLIPConfig.model_validate(config))


def read(
    encoders: Mapping[str, CLIPEncoder | T5Encoder], words: Mapping[str, Vocabulary], prompts: Sequence[str]
) -> list[Read]:
    """What each of the encoders makes of the prompts, each read once.

    An encoder that can't read as much as another is given the beginning, as the pipelines do.

    Raises:
        BadInput: a prompt that none of them reads to its end.  BadFile: a tokenizer that can't be used.
    """
    out, needed = [], {prompt: [] for prompt in prompts}
    for name, network in encoders.items():
        tokens, length = Words(words[name]), network.config.length
        rows = []
        for prompt in prompts:
            numbers, needs = tokens.numbers(prompt, length)
            rows.append(numbers)
            needed[prompt].append((needs - length, needs, length))
        place = next(network.parameters()).device
        out.append((network, torch.tensor(rows, device=place)))
    for prompt, found in needed.items():
        beyond, needs, length = min(found, default=(0, 0, 0))
        if beyond > 0:
            raise BadInput(
                f"the prompt '{prompt[:40]}…' has {needs:,} tokens with its begin and end, and the model reads at most "
                f"{length:,}: shorten it"
            )
    with torch.no_grad():
        return [network(rows) for network, rows in out]
