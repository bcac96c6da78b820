"""Text-to-image pipelines of diffusers in a folder: Stable Diffusion 1, 2, XL, 3 and Flux."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, invalid
from diffstudio.checkpoints.adapters.components import (
    CONFIG,
    INDEX,
    TEXT,
    NetworkAt,
    config_of,
    decoded,
    found_decoder,
    found_schedule,
    left_out,
    name_and_step,
    named,
    network_at,
    network_config,
    untold,
)
from diffstudio.checkpoints.adapters.config import KLConfig
from diffstudio.checkpoints.adapters.encoder_config import ENCODER_CLASSES, ENCODERS, CLIPConfig, T5Config
from diffstudio.checkpoints.adapters.families import family_of_class, odd_config, unknown_class
from diffstudio.checkpoints.adapters.few_steps import SCHNELL, FewSteps, by_scheduler, by_words
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.parts import Parts, load, parts
from diffstudio.checkpoints.adapters.prompted_config import PROMPTED, FluxConfig, PromptedUNetConfig, SD3Config
from diffstudio.checkpoints.adapters.quantised import quantised_by_config
from diffstudio.checkpoints.adapters.schedule import Schedule
from diffstudio.checkpoints.adapters.sidecar import asked_size, asked_where, completed
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary, prompt_length, read_vocabulary
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

_TOKENIZERS = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2", "text_encoder_3": "tokenizer_3"}
_LIBRARIES = ("diffusers", "transformers")
T5_LENGTH = {"diffusers_sd3": 256, "diffusers_flux": 512}  # tokens, as their pipelines take them
# The family of a network with these encoders, and the guidance that its pipeline takes.
_FAMILIES: dict[tuple[str, tuple[str, ...]], tuple[str, float]] = {
    ("diffusers_prompted_unet", ("clip",)): ("Stable Diffusion 1 or 2", 7.5),
    ("diffusers_prompted_unet", ("clip", "clip")): ("Stable Diffusion XL", 5.0),
    ("diffusers_sd3", ("clip", "clip")): ("Stable Diffusion 3 without its T5", 7.0),
    ("diffusers_sd3", ("clip", "clip", "t5")): ("Stable Diffusion 3", 7.0),
    ("diffusers_flux", ("clip", "t5")): ("Flux", 1.0),
}
DISTILLED = 3.5  # the guidance that a distilled network is told
Encoder = CLIPConfig | T5Config


@dataclass(frozen=True)
class _Found:
    """A pipeline in its parts, all checked; encoders: by the names of their components. notes: of what is left out."""

    network: PromptedUNetConfig | SD3Config | FluxConfig
    kind: str  # of our network
    class_name: str
    at: NetworkAt
    encoders: dict[str, Encoder]
    zero_empty: bool
    schedule: Schedule
    scheduler: str
    vae: KLConfig
    others: dict[str, Parts]  # the weights of the encoders and of the autoencoder
    notes: tuple[str, ...]

    @property
    def family(self) -> tuple[str, float]:
        """What it is called, and its guidance."""
        return _FAMILIES[self.kind, tuple(encoder.kind for encoder in self.encoders.values())]


def recognises(look: Look) -> bool:
    """A folder with the index of a pipeline that has a text encoder."""
    return look.kind == "folder" and INDEX in look.names and _has_text(read_json(look.path, INDEX))


def card(look: Look) -> Card:
    """What the folder says, from its JSON files and the headers of its weights. Raises: NotFound, BadFile."""
    found = _found(look)
    name, step = name_and_step(look.path)
    distilled = isinstance(found.network, FluxConfig) and found.network.guidance_embeds
    guided = {"guidance": found.family[1], **({"distilled_guidance": DISTILLED} if distilled else {})}
    schedule, asked, seen = untold(look, found.schedule, found.scheduler)
    few = _few(look, found, name)
    own = few.defaults(found.family[1]) if few else {}
    try:
        height, width = found.network.size(asked_size(look.path, found.vae.factor))
    except ValueError as error:
        raise BadFile(f"{shown(asked_where(look.path), 400)}: {error}") from error
    told = found.at.told()
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": _description(found, few, seen),
            "modality": "image",
            "shape": (found.network.channels, height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "untold": asked,
            "sigma_data": schedule.sigma_data,
            "time": schedule.time,
            "unit_noise": schedule.unit_noise,
            "decoded": decoded(found.vae, height, width),
            "prompts": {"tokens": max(each.length for each in found.encoders.values()), "distilled": distilled},
            "network": found.kind,
            "network_args": _arguments(found),
            "data": {"dataset": ""},
            "step": step,
            "parameters": found.at.weights.parameters + sum(part.parameters for part in found.others.values()),
            "decoder_parameters": found.others["vae"].parameters,
            "dtype": found.at.weights.dtype,
            "defaults": {**schedule.defaults, **guided, **own, "samples": 1},
            "format": "text_to_image",
            **told,
            "notes": (*found.notes, *told.get("notes", ())),
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network, of the text encoders and of the autoencoder. Raises: NotFound, BadFile."""
    found = _found(look)
    tensors = load(found.at.weights, "network.")
    for name, part in found.others.items():
        if name in found.encoders:
            stored = load(part, "")
            tensors |= {f"{name}.{key}": tensor for key, tensor in _named(stored, found.encoders[name]).items()}
        else:
            tensors |= load(part, "vae.model.")
    return floats(look.path, tensors)


def words(look: Look) -> dict[str, Vocabulary]:
    """The vocabularies of the text encoders, by the names of these. Raises: NotFound, BadFile."""
    return {
        name: read_vocabulary(_tokenizer(look, name), encoder.kind, encoder.vocab_size)
        for name, encoder in _found(look).encoders.items()
    }


TEXT_TO_IMAGE = Adapter(
    name="text_to_image",
    label="diffusers folder, text-to-image",
    opens="Stable Diffusion 1, 2, XL, 3, 3.5 and Flux, with prompt and negative prompt; AutoencoderKL, CLIP and T5 "
    "encoders with their tokenizers; Stable Diffusion 3 also without its T5; sharded, fp16, .safetensors or .bin",
    recognised=f"{INDEX} that names a text_encoder",
    asks="nothing; a prompt that is longer than the longest of its encoders can read is refused",
    refuses="networks that are also given a picture or a mask, other text encoders, custom code, tokenizers as a "
    "sentencepiece model alone, links and index files that lead out of the folder",
    recognises=recognises,
    card=card,
    weights=weights,
    words=words,
)


def _has_text(index: dict[str, Any]) -> bool:
    return any(named(index.get(name)) for name in (*TEXT, "tokenizer"))


def _found(look: Look) -> _Found:
    where = shown(look.path, 400)
    index = read_json(look.path, INDEX)
    title = index.get("_class_name")
    if not isinstance(title, str):
        raise BadFile(f"{where} brings code of its own for its pipeline, which is not run: '{shown(title, 60)}'")
    folder, table = network_config(look, index)
    table = {key: value for key, value in table.items() if value is not None}  # as good as none here
    class_name = str(table.get("_class_name"))
    if class_name not in PROMPTED:
        raise BadFile(f"{where} {unknown_class(class_name, title)}")
    model, kind = PROMPTED[class_name]
    try:
        config = model.model_validate(table)
    except ValidationError as error:
        odd = odd_config(table, title)
        if odd:
            raise BadFile(f"{where} {odd}") from error
        raise invalid(folder / CONFIG, error) from error
    if family_of_class(title) is not None:
        raise BadFile(f"{where} {unknown_class(class_name, title)}")
    encoders = _encoders(look, index, kind)
    kinds = tuple(encoder.kind for encoder in encoders.values())
    if tuple(encoders) == TEXT[1:2] and kind == "diffusers_prompted_unet":
        raise BadFile(
            f"{where} is the refiner of Stable Diffusion XL, which goes on from another model: open its base instead"
        )
    if (kind, kinds) not in _FAMILIES or tuple(encoders) != TEXT[: len(encoders)]:
        has = ", ".join(f"{name} ({encoder.kind})" for name, encoder in encoders.items()) or "none"
        known = "; ".join(
            f"{', '.join(each)} of {family}" for (of, each), (family, _) in _FAMILIES.items() if of == kind
        )
        raise BadFile(f"{where}: a {class_name} with the text encoders {has} is not known here, expected {known}")
    at = network_at(look, folder, table)
    schedule, scheduler = found_schedule(look, folder)
    vae, vae_folder = found_decoder(look)
    if not isinstance(vae, KLConfig):
        raise BadFile(f"{where}: its autoencoder is not an AutoencoderKL, which a text-to-image pipeline has")
    if vae.channels != config.channels:
        raise BadFile(
            f"{where}: the latents of its autoencoder have {vae.channels} channels, its network has {config.channels}"
        )
    others = {**{name: parts(look.path / name) for name in encoders}, "vae": parts(vae_folder)}
    zero = bool(index.get("force_zeros_for_empty_prompt", True)) and kinds == ("clip", "clip")
    return _Found(
        config, kind, class_name, at, encoders, zero and kind == "diffusers_prompted_unet", schedule, scheduler, vae,
        others, left_out(index),
    )  # fmt: skip


def _encoders(look: Look, index: dict[str, Any], kind: str) -> dict[str, Encoder]:
    """The text encoders that the index names. Raises: BadFile."""
    where, found = shown(look.path, 400), {}
    for name in TEXT:
        entry = index.get(name)
        if not named(entry):
            continue
        library = entry[0] if isinstance(entry, list) and len(entry) == 2 else entry
        if library not in _LIBRARIES:
            raise BadFile(f"{where}: its {name} is code of its own, which is not run: '{shown(library, 60)}'")
        if name not in look.names:
            raise BadFile(f"{where}: the folder {name} is missing, which its index names; copy the folder again")
        found[name] = _encoder(look, name, kind)
    return found


def _encoder(look: Look, name: str, kind: str) -> Encoder:
    folder = look.path / name
    table = config_of(folder)
    how = quantised_by_config(table)
    if how:
        raise BadFile(f"{shown(folder, 400)}: {how}")
    classes = table.get("architectures")
    class_name = str(classes[0]) if isinstance(classes, list) and classes else "unknown"
    if "auto_map" in table:
        raise BadFile(f"{shown(folder, 400)} brings code of its own (auto_map), which is not run")
    if class_name not in ENCODER_CLASSES:
        known = ", ".join(ENCODER_CLASSES)
        raise BadFile(f"{shown(folder, 400)}: it is a '{shown(class_name)}', expected one of {known}")
    which, says = ENCODER_CLASSES[class_name]
    if which == "clip":
        most = table.get("max_position_embeddings", 77)
        says = says | {"length": prompt_length(_tokenizer(look, name), most if isinstance(most, int) else 77)}
    else:
        says = says | {"length": T5_LENGTH.get(kind, 512)}
    try:
        return ENCODERS[which].model_validate({**table, **says, "kind": which})
    except ValidationError as error:
        raise invalid(folder / CONFIG, error) from error


def _tokenizer(look: Look, encoder: str) -> Path:
    """The folder of an encoder's tokenizer. Raises: BadFile."""
    name = _TOKENIZERS[encoder]
    if name not in look.names:
        raise BadFile(f"{shown(look.path, 400)}: the folder {name} is missing, without which no prompt can be read")
    return look.path / name


def _arguments(found: _Found) -> dict[str, Any]:
    encoders = {name: {"kind": encoder.kind, **encoder.for_card()} for name, encoder in found.encoders.items()}
    zero = {"zero_empty": True} if found.zero_empty else {}
    return {**found.network.for_card(), **encoders, **zero, "vae": {"kind": found.vae.kind, **found.vae.for_card()}}


def _named(stored: dict[str, Tensor], encoder: Encoder) -> dict[str, Tensor]:
    """An encoder's tensors by the names of ours, which no version of transformers changes."""
    out = {}
    for name, tensor in stored.items():
        if encoder.kind == "t5":
            plain = "embed_tokens.weight" if name == "shared.weight" else name.removeprefix("encoder.")
            out[f"model.{plain}"] = tensor
            continue
        plain = name.removeprefix("text_model.")
        if plain == "embeddings.position_ids":
            continue  # old files have them; they are 0, 1, 2, …
        if plain == "text_projection.weight":
            if isinstance(encoder, CLIPConfig) and encoder.projected:
                out["projection.weight"] = tensor
            continue
        out[f"model.{plain}"] = tensor
    return out


def _few(look: Look, found: _Found, name: str) -> FewSteps | None:
    """How it is sampled if it was distilled: by its config, its scheduler, or what it or its index is called."""
    if isinstance(found.network, FluxConfig) and not found.network.guidance_embeds:
        return SCHNELL
    origin = read_json(look.path, INDEX).get("_name_or_path")
    texts = (name, origin.rsplit("/", 1)[-1] if isinstance(origin, str) else "")
    table = isinstance(found.network, PromptedUNetConfig) and found.schedule.prediction == "eps"
    return by_words(texts) or (by_scheduler(found.scheduler, found.schedule.defaults) if table else None)


def _description(found: _Found, few: FewSteps | None, seen: str) -> str:
    chain = f"nothing says of which chain it is: that of the published models is taken{seen}"
    chain = f"its chain is that of its {found.scheduler}" if found.scheduler else chain
    told = found.schedule.told if found.scheduler else ""
    chain += f"; {few.told()}" if few else ""
    return (
        f"A text-to-image model ({found.family[0]}): a {found.class_name} of diffusers on the latents of an "
        f"{found.vae.kind}; {chain}.{told} Data set, licence and training are not known."
    )
