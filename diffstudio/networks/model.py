"""A loaded model: the network of a checkpoint, normalised at the edge into a denoiser of its path."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import torch
from torch import Tensor, nn

from diffstudio.checkpoints.adapters import Vocabulary, card_and_weights, vocabularies
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.checkpoints.names import shown
from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate, on_path
from diffstudio.diffusion.guidance import guided
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadFile, BadInput
from diffstudio.networks import build
from diffstudio.networks.exact import as_denoiser
from diffstudio.networks.found_out import with_prediction
from diffstudio.networks.precision import convert, half_dtype, let_in_float32

log = logging.getLogger("diffstudio")
CONFIGURED = ("diffusers", "text_to_image")  # formats whose network is described apart from its weights
CHUNK_ELEMENTS = 1 << 18  # a call on more numbers than this is made in parts, so that memory stays bounded


@dataclass(frozen=True)
class Model:
    """`denoiser(x, level, labels)` gives x̂0 on `path`; labels (B,) with `any_label` for "any", or None.

    A model that draws what a prompt says is told one by `prompted`; then label 0 is the prompt, and "any" the negative
    prompt. words: what its text encoders can read.
    """

    card: Card
    path: Path
    network: nn.Module
    denoiser: Denoiser
    device: torch.device
    words: Mapping[str, Vocabulary] = field(default_factory=dict)

    @property
    def any_label(self) -> int:
        """The label that stands for "any"."""
        return len(self.card.labels) if self.card.prompts is None else 1

    def prompted(self, prompt: str, negative: str = "", guidance: float = 1.0) -> Model:
        """The model with a prompt and with what guidance leads away from, both read once; itself, if it takes none.

        guidance: the strength that a distilled network is told.

        Raises:
            BadInput: a prompt that is too long for it.  BadFile: its tokenizer can't be used.
        """
        if self.card.prompts is None:
            return self
        network: Any = self.network
        told = network.told((prompt, negative), self.words, guidance)

        def call(x: Tensor, t: Tensor, labels: Condition) -> Tensor:
            rows = torch.zeros(len(x), dtype=torch.long, device=x.device) if labels is None else labels
            return network(x, t, {name: table[rows].to(x.dtype) for name, table in told.items()})

        return replace(self, denoiser=_in_parts(as_denoiser(call, self.card, self.device)))

    def decode(self, states: Tensor) -> Tensor:
        """The pictures of the states of a latent model, (B, C, h, w) → (B, 3, H, W); states that are pictures stay."""
        decoder = getattr(self.network, "vae", None)
        if decoder is None:
            return states
        with torch.no_grad():
            return torch.cat([decoder.decode(one) for one in states.to(self.device).split(1)])

    def encode(self, pictures: Tensor) -> Tensor:
        """The latents of pictures in [−1, 1], (B, C, H, W) → (B, c, h, w) on the CPU; `decode` backwards, about."""
        encoder = getattr(self.network, "vae", None)
        if encoder is None:
            return pictures
        with torch.no_grad():
            return torch.cat([encoder.encode(one).cpu() for one in pictures.to(self.device).split(1)])

    def labels(self, label: int | Sequence[int] | None, samples: int) -> Condition:
        """A batch of one label, or of one label each; None where the model takes none."""
        if self.card.prompts is not None:
            return torch.zeros(samples, dtype=torch.long, device=self.device)
        if not self.card.labels:
            return None
        if isinstance(label, Sequence):
            return torch.tensor(label, device=self.device)
        return torch.full((samples,), self.any_label if label is None else label, device=self.device)

    def guided(
        self,
        guidance_scale: float,
        *,
        negative: int | None = None,
        weak: Model | None = None,
        interval: tuple[float, float] | None = None,
        rescale: float = 0.0,
        split: bool = False,
    ) -> Denoiser:
        """The denoiser with guidance; see `diffusion.guidance.guided`. `weak` may have been trained on another path.

        Raises:
            BadInput: options that exclude each other, or a weak model of other data.
        """
        return guided(
            self.denoiser,
            scale=guidance_scale,
            null=self.any_label,
            negative=negative,
            weak=None if weak is None else self._beside(weak),
            interval=interval,
            rescale=rescale,
            prediction=self.card.prediction,
            sigma_data=self.card.sigma_data,
            split=split,
        )

    def _beside(self, weak: Model) -> Denoiser:
        """The denoiser of a weaker model, on this model's path."""
        for what, own, other in (
            ("shape", self.card.shape, weak.card.shape),
            ("classes", self.card.labels, weak.card.labels),
            ("prompts", self.card.prompts is None, weak.card.prompts is None),
        ):
            if own != other:
                raise BadInput(
                    f"'{weak.card.spec}' can't guide '{self.card.spec}': its {what} differ: {other} and {own}"
                )
        return weak.denoiser if weak.card.path == self.card.path else on_path(weak.denoiser, weak.path)


def load_model(spec: str | FilePath, device: str = "cpu") -> Model:
    """Load "digits", "digits@400" or the path of a checkpoint.

    Raises:
        NotFound: no such model.
        BadFile: the file can't be read or trusted, or its weights don't fit its card.
    """
    file = default_catalog().find(str(spec)).path
    return load_file(file, device)


def load_file(file: FilePath, device: str = "cpu", precision: str = "float32") -> Model:
    """Load the checkpoint in that file or folder, in "float32" or "half" precision; errors as `load_model`.

    What its card leaves untold is found out by a call of the network.
    """
    look = Look(file)
    card, weights = card_and_weights(look)
    where = shown(file, 400)
    words = vocabularies(look) if card.prompts is not None else {}
    network = build(card, where)
    if card.format in CONFIGURED:
        weights = without_left_over(network, weights, where)
    check_fit(network, weights, where)
    if _has_hidden_buffers(network):
        network = build(card, where, "cpu")
    place = torch.device(device)
    convert(network, weights, half_dtype(place) if precision == "half" else torch.float32)
    fit_weights(network, weights, where)
    if precision == "half":
        let_in_float32(network)
    network = network.to(place).eval().requires_grad_(False)
    if len(card.shape) >= 3 and place.type == "cpu":
        network = network.to(memory_format=torch.channels_last)  # +15 % on CPU  # pyright: ignore
    model = _model(card, network, place, words, where)
    if not card.untold:
        return model
    output = _model(card.model_copy(update={"prediction": "x0"}), network, place, words, where).prompted("")
    own = output.labels(None, 1)
    found = with_prediction(card, file, lambda x, at, _: output.denoiser(x.to(place), at, own))
    return _model(found, network, place, words, where)


def _model(card: Card, network: nn.Module, place: torch.device, words: Mapping[str, Vocabulary], where: str) -> Model:
    """Raises: BadFile, where what stands behind the card is no denoiser."""
    try:
        denoiser = as_denoiser(network, card, place)
    except ValueError as error:
        raise BadFile(f"{where}: {error}") from error
    return Model(card, make_path(card.path), network, _in_parts(denoiser), place, words)


def _has_hidden_buffers(network: nn.Module) -> bool:
    """Whether it lacks numbers that no file holds, such as tables of positions: these must be computed for real."""
    stored = network.state_dict(keep_vars=True).values()
    known = {id(tensor) for tensor in stored}
    return any(buffer.is_meta and id(buffer) not in known for buffer in network.buffers())


def without_left_over(network: nn.Module, weights: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """The weights without whole layers that the network does not have, as diffusers leaves them out too.

    Only where it has all of its own. A tensor that lies within a layer of the network stays, and is refused: it would
    change what the layer does.
    """
    own = network.state_dict().keys()
    if not own <= weights.keys():
        return weights
    layers = {name[:place] for name in own for place, sign in enumerate(name) if sign == "."}
    left = [name for name in weights if name not in own and name.rpartition(".")[0] not in layers]
    if left:
        log.warning("%s: %d tensors of layers that its network does not have are left out, as '%s'", where, len(left),
                    shown(left[0]))  # fmt: skip
    return {name: tensor for name, tensor in weights.items() if name not in left}


def fit_weights(network: nn.Module, weights: dict[str, Tensor], where: str) -> None:
    """Put the weights into a network built on the meta device; every name and shape must agree."""
    check_fit(network, weights, where)
    network.load_state_dict(weights, assign=True)


def check_fit(network: nn.Module, weights: dict[str, Tensor], where: str) -> None:
    """Every name and shape must agree. Raises: BadFile."""
    expected = network.state_dict()
    missing, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or extra:
        what = f"tensor '{shown(missing[0])}' is missing" if missing else ""
        what += " and " if missing and extra else ""
        what += f"tensor '{shown(extra[0])}' does not belong" if extra else ""
        raise BadFile(f"{where}: {what}: the weights are not those of the network that the card names")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            found, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            raise BadFile(f"{where}: tensor '{name}' has shape {found}, expected {wanted}")


def _in_parts(denoise: Denoiser) -> Denoiser:
    def parted(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        size = max(1, CHUNK_ELEMENTS // max(1, x.shape[1:].numel()))
        if x.shape[0] <= size:
            return denoise(x, at, cond)
        conds = cond.split(size) if cond is not None else [None] * -(-x.shape[0] // size)
        found = [estimate(denoise(part, at, c)) for part, c in zip(x.split(size), conds, strict=True)]
        extras = {name: torch.cat([f.extras[name] for f in found]) for name in found[0].extras}
        return Estimate(torch.cat([f.x0_hat for f in found]), extras)

    return parted
