"""The card: what a checkpoint says of itself. Parsed with bounds, never trusted further than that."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from diffstudio import options
from diffstudio.modalities import MODALITIES, Meaning
from diffstudio.specs import AudioSpec, Finite, PathSpec, PromptSpec, TextSpec, check_choice

FORMAT_VERSION = 1
MAX_ARGUMENT = 65_536
MAX_LABELS = 10_000
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=4000)]


class TrainingData(BaseModel):
    """Where the training data came from, under which licence, and who is credited."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dataset: ShortText  # a name in diffstudio.data, so that "data sample" works; "" if unknown
    title: ShortText = ""
    licence: ShortText = ""
    credit: LongText = ""


class Card(BaseModel):
    """One checkpoint.

    shape: one sample without the batch: (2,) points, (C, H, W) images, (1, bands, frames) audio, (1, L) or (C, L)
    texts. decoded: that of the picture which a latent model's states are decoded to, () where they are the pictures.
    weights, notes: as `adapters.weight_sets` and the adapters say them; both "" and () in our own files.
    colours: what the values of a latent's place are in colour, about: for grey, or for red, green and blue, a number
    for each channel and one that is added; () where it is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format_version: Literal[1] = FORMAT_VERSION
    name: Annotated[str, Field(min_length=1, max_length=80)]
    title: ShortText = ""
    description: LongText = ""
    modality: ShortText
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=4)]
    path: PathSpec
    prediction: Literal["eps", "x0", "v", "flow", "edm", "tokens"]
    # What nothing says, and the published models have: the first loading finds it out.
    untold: tuple[Literal["prediction"], ...] = ()
    sigma_data: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.5  # of an "edm" network
    audio: AudioSpec | None = None  # how the states of an audio model become sound
    text: TextSpec | None = None  # what the states of a text model stand for
    prompts: PromptSpec | None = None  # what a model that draws what a prompt says can be told
    learned_range: bool = False  # the network has twice the channels, the second half a range of variances
    # How the network counts time: our t, the number of a training step, σ = s/a, ln(σ)/4, or 1000·s/(a + s) of a flow.
    time: Literal["t", "timestep", "sigma", "log_sigma", "flow"] = "t"
    unit_noise: bool = False  # a chain from noise starts with a variance of a² + s², that of data of variance 1 there
    any_label: bool = True  # it also knows "any class", which guidance needs; False: only its classes
    decoded: Annotated[tuple[Annotated[int, Field(ge=1, le=16_384)], ...], Field(max_length=4)] = ()
    colours: Annotated[tuple[tuple[Finite, ...], ...], Field(max_length=3)] = ()
    weights: Literal["", "averaged", "raw"] = ""  # which of a training's are taken, "" where the file says nothing
    # What a list of models says of it too: a part that is left out, a size that was assumed.
    notes: Annotated[tuple[Annotated[str, Field(max_length=400)], ...], Field(max_length=20)] = ()
    format: ShortText = ""  # whose file it is, a name in `checkpoints.adapters`; "" is our own
    dtype: ShortText = ""  # of the weights in the file, as safetensors names it; "" is not said
    network: ShortText
    network_args: dict[str, Any] = {}
    labels: Annotated[tuple[ShortText, ...], Field(max_length=MAX_LABELS, fail_fast=True)] = ()
    data: TrainingData
    step: Annotated[int, Field(ge=0, le=10**9)]
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    loss: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    seed: int = 0
    licence: ShortText = ""
    parameters: Annotated[int, Field(ge=0, le=10**11)] = 0
    decoder_parameters: Annotated[int, Field(ge=0, le=10**11)] = 0  # those of them that stay float32 in half precision
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    # The request fields that give a good result, e.g. steps, guidance.
    defaults: dict[str, Finite | int | str | dict[str, Finite]] = {}
    thumbnail: Annotated[str, Field(max_length=40_000)] = ""  # a small PNG, base64
    measures: dict[str, Finite] = {}  # judged quality, e.g. {"class_agreement": 0.985}

    @field_validator("network_args")
    @classmethod
    def _modest(cls, args: dict[str, Any]) -> dict[str, Any]:
        check_argument(args, "network_args")
        return args

    @field_validator("modality")
    @classmethod
    def _known(cls, modality: str) -> str:
        check_choice("modality", modality, MODALITIES)
        return modality

    @model_validator(mode="after")
    def _meaningful(self) -> Card:
        rank = MODALITIES[self.modality].rank
        if len(self.shape) != rank:
            raise ValueError(f"shape is {self.shape}, expected {rank} numbers for {self.modality}")
        if self.decoded and (self.modality != "image" or len(self.decoded) != 3 or self.decoded[0] not in (1, 3)):
            raise ValueError(f"decoded is {self.decoded}, expected the channels, height and width of a picture")
        wanted = (self.decoded[0], self.shape[0] + 1) if self.decoded else ()
        if self.colours and (len(self.colours), *{len(row) for row in self.colours}) != wanted:
            raise ValueError("colours do not fit shape and decoded: expected a row for each colour of the picture")
        if self.modality == "audio" and self.audio is None:
            raise ValueError("audio says how the states of an audio model become sound, and is missing")
        if self.prompts is not None and (self.labels or self.modality == "text"):
            raise ValueError("prompts are for a model without classes that makes no text, found one with either")
        self._check_text()
        return self

    def _check_text(self) -> None:
        text = self.text
        if (self.modality == "text") != (text is not None) or (text is not None) != (self.prediction == "tokens"):
            raise ValueError(
                "a text model predicts tokens and says in 'text' what they are: found one without the other"
            )
        if text is None:
            return
        if text.discrete and (self.path.name != "flow" or self.path.params):
            raise ValueError(f"path is '{self.path.name}', expected 'flow': its a is the share of tokens that are kept")
        channels = 1 if text.discrete else len(text.embedding[0])
        if self.shape[0] != channels:
            raise ValueError(f"shape is {self.shape}, expected {channels} first for process '{text.process}'")

    @property
    def discrete(self) -> bool:
        """Whether its states are the numbers of tokens, and its chain one over tokens."""
        return self.text is not None and self.text.discrete

    @property
    def noising(self) -> str:
        """What turns its data to noise, in a word or two: of tokens the process, else the path."""
        return self.text.process.capitalize() if self.text and self.discrete else options.PATHS[self.path.name].label

    @property
    def meaning(self) -> Meaning:
        """What a state of this model is."""
        return Meaning(self.modality, self.shape, self.model_dump(mode="json", exclude={"thumbnail"}))

    @property
    def seen(self) -> Meaning:
        """What a state becomes when it is drawn: the picture that a latent is decoded to, else the state itself."""
        return Meaning("image", self.decoded) if self.decoded else self.meaning

    @property
    def spec(self) -> str:
        """The name of this very checkpoint: "digits@400"."""
        return f"{self.name}@{self.step}"

    @property
    def group(self) -> str:
        """Where a list of models shows it: under its modality, or under "exact" when nothing was trained."""
        row = options.NETWORKS.get(self.network)
        return "exact" if row is not None and not row.trained else self.modality


def check_argument(value: Any, where: str, depth: int = 0) -> None:
    """Network arguments are small numbers, short words and lists of them: nothing that could build something huge."""
    if isinstance(value, bool | str) and len(str(value)) <= 200:
        return
    if isinstance(value, int | float):
        if not -MAX_ARGUMENT <= value <= MAX_ARGUMENT:
            raise ValueError(f"{where} is {value}, expected at most {MAX_ARGUMENT}")
        return
    if isinstance(value, dict | list | tuple) and depth < 3 and len(value) <= 64:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            check_argument(item, f"{where}.{key}", depth + 1)
        return
    raise ValueError(f"{where} is not a small number, a short text or a list of them")
