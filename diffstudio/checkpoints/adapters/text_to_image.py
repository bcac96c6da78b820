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
    NETWORK_FOLDERS,
    decoded,
    found_decoder,
    found_schedule,
    name_and_step,
    untold,
)
from diffstudio.checkpoints.adapters.config import KLConfig
from diffstudio.checkpoints.adapters.encoder_config import ENCODER_CLASSES, ENCODERS, CLIPConfig, T5Config
from diffstudio.checkpoints.adapters.few_steps import SCHNELL, FewSteps, by_scheduler, by_words
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.parts import Parts, load, parts
from diffstudio.checkpoints.adapters.prompted_config import PROMPTED, FluxConfig, PromptedUNetConfig, SD3Config
from diffstudio.checkpoints.adapters.schedule import Schedule
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary, prompt_length, read_vocabulary
from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.specs import PromptSpec

if TYPE_CHECKING:
    from torch import Tensor

TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")
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
    """A pipeline in its parts, all checked; encoders: by the names of their components."""

    network: PromptedUNetConfig | SD3Config | FluxConfig
    kind: str  # of our network
    class_name: str
    folder: Path  # of the network
    encoders: dict[str, Encoder]
    zero_empty: bool
    schedule: Schedule
    scheduler: str
    vae: KLConfig
    vae_folder: Path

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
    weights, others = _parts(look, found)
    name, step = name_and_step(look.path)
    distilled = isinstance(found.network, FluxConfig) and found.network.guidance_embeds
    guided = {"guidance": found.family[1], **({"distilled_guidance": DISTILLED} if distilled else {})}
    schedule, asked, seen = untold(look, found.schedule, found.scheduler)
    few = _few(look, found, name)
    own = few.defaults(found.family[1]) if few else {}
    try:
        height, width = found.network.size
        return Card(
            name=name,
            title=name,
            description=_description(found, few, seen),
            modality="image",
            shape=(found.network.channels, height, width),
            path=found.schedule.path,
            prediction=schedule.prediction,
            untold=asked,
            sigma_data=found.schedule.sigma_data,
            time=found.schedule.time,
            unit_noise=found.schedule.unit_noise,
            decoded=decoded(found.vae, height, width),
            prompts=PromptSpec(tokens=max(encoder.length for encoder in found.encoders.values()), distilled=distilled),
            network=found.kind,
            network_args=_arguments(found),
            data=TrainingData(dataset=""),
            step=step,
            parameters=weights.parameters + sum(part.parameters for part in others.values()),
            decoder_parameters=others["vae"].parameters,
            dtype=weights.dtype,
            defaults={**found.schedule.defaults, **guided, **own, "samples": 1},
            format="text_to_image",
        )
    except ValidationError as error:
        raise invalid(look.path, error) from error
    except ValueError as error:
        raise BadFile(f"{shown(look.path, 400)}: {error}") from error


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network, of the text encoders and of the autoencoder. Raises: NotFound, BadFile."""
    found = _found(look)
    network, others = _parts(look, found)
    tensors = load(network.files, "network.")
    for name, part in others.items():
        if name in found.encoders:
            stored = load(part.files, "")
            tensors |= {f"{name}.{key}": tensor for key, tensor in _named(stored, found.encoders[name]).items()}
        else:
            tensors |= load(part.files, "vae.model.")
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
    return any(_named_component(index.get(name)) for name in (*TEXT, "tokenizer"))


def _named_component(entry: Any) -> bool:
    """Whether an entry of an index names something: a component that is left out is [null, null]."""
    return bool(entry) and entry != [None, None]


def _found(look: Look) -> _Found:
    folder, where = look.path, shown(look.path, 400)
    index = read_json(folder, INDEX)
    title = index.get("_class_name")
    if not isinstance(title, str):
        raise BadFile(f"{where} brings code of its own for its pipeline, which is not run: '{shown(title, 60)}'")
    names = [name for name in NETWORK_FOLDERS if name in look.names]
    if not names:
        raise BadFile(f"{where} is a pipeline of the class '{shown(title)}', which has no network that is known here")
    network = folder / names[0]
    table = _config(network)
    class_name = str(table.get("_class_name"))
    if class_name not in PROMPTED:
        raise BadFile(f"{where}: its network is a '{shown(class_name)}', expected one of {', '.join(PROMPTED)}")
    model, kind = PROMPTED[class_name]
    try:
        config = model.model_validate(table)
    except ValidationError as error:
        raise invalid(network / CONFIG, error) from error
    encoders = _encoders(look, index, kind)
    kinds = tuple(encoder.kind for encoder in encoders.values())
    if (kind, kinds) not in _FAMILIES or tuple(encoders) != TEXT[: len(encoders)]:
        has = ", ".join(f"{name} ({encoder.kind})" for name, encoder in encoders.items()) or "none"
        raise BadFile(f"{where}: a {class_name} with the text encoders {has} is not known here")
    schedule, scheduler = found_schedule(look, network)
    vae, vae_folder = found_decoder(look)
    if not isinstance(vae, KLConfig):
        raise BadFile(f"{where}: its autoencoder is not an AutoencoderKL, which a text-to-image pipeline has")
    if vae.channels != config.channels:
        raise BadFile(
            f"{where}: the latents of its autoencoder have {vae.channels} channels, its network has {config.channels}"
        )
    zero = bool(index.get("force_zeros_for_empty_prompt", True)) and kinds == ("clip", "clip")
    return _Found(
        config, kind, class_name, network, encoders, zero and kind == "diffusers_prompted_unet", schedule, scheduler,
        vae, vae_folder,
    )  # fmt: skip


def _encoders(look: Look, index: dict[str, Any], kind: str) -> dict[str, Encoder]:
    """The text encoders that the index names. Raises: BadFile."""
    where, found = shown(look.path, 400), {}
    for name in TEXT:
        entry = index.get(name)
        if not _named_component(entry):
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
    table = _config(folder)
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


def _config(folder: Path) -> dict[str, Any]:
    """A component's config; null is as good as none."""
    return {key: value for key, value in read_json(folder, CONFIG).items() if value is not None}


def _arguments(found: _Found) -> dict[str, Any]:
    encoders = {name: {"kind": encoder.kind, **encoder.for_card()} for name, encoder in found.encoders.items()}
    zero = {"zero_empty": True} if found.zero_empty else {}
    return {**found.network.for_card(), **encoders, **zero, "vae": {"kind": found.vae.kind, **found.vae.for_card()}}


def _parts(look: Look, found: _Found) -> tuple[Parts, dict[str, Parts]]:
    """The files of the network, and those of the other components."""
    others = {name: parts(look.path / name) for name in found.encoders}
    return parts(found.folder), {**others, "vae": parts(found.vae_folder)}


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
