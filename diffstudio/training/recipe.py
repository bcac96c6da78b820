"""A recipe: everything that a training run depends on, in one TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from diffstudio import options
from diffstudio.checkpoints.card import LongText, ShortText, check_argument
from diffstudio.data import DATASETS
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import NEEDS_SIGNAL, level
from diffstudio.errors import BadFile, BadInput
from diffstudio.specs import Finite, PathSpec, TextSpec, check_choice
from diffstudio.strangers import shown, written
from diffstudio.user_files import read_regular

MAX_BYTES = 1 << 20
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Schedule(BaseModel):
    """How long and how fast: a linear warm-up, then a cosine to zero.

    optimizer: "adamw", or "muon" for the matrices of the blocks (at the speed matrix_lr) and AdamW for the rest.

    start: a checkpoint of the same network whose weights the training begins with; "" for fresh ones.
    bound: weight of the variational bound beside the plain loss, where a range of variances is learned.
    smoothness: weight of the error's second difference over the frames of clips beside the plain loss.
    precision: of the network's products; some processors multiply "bfloat16" faster, others much slower.
    """

    model_config = _STRICT
    steps: Annotated[int, Field(ge=1, le=10**8)]
    batch: Annotated[int, Field(ge=1, le=65_536)] = 64
    lr: Annotated[float, Field(gt=0, le=1)] = 2e-3
    optimizer: Literal["adamw", "muon"] = "adamw"
    matrix_lr: Annotated[float, Field(gt=0, le=1)] = 0.02
    warmup: Annotated[int, Field(ge=0)] = 100
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    clip: Annotated[float, Field(gt=0)] = 1.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    bound: Annotated[float, Field(gt=0, le=1)] = 1e-3
    smoothness: Annotated[float, Field(ge=0, le=100)] = 0.0
    label_dropout: Annotated[float, Field(ge=0, le=1)] = 0.1
    times: Literal["uniform", "logit-normal"] = "uniform"
    start: ShortText = ""
    precision: Literal["float32", "bfloat16"] = "float32"
    save_at: tuple[Annotated[int, Field(ge=1)], ...] = ()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _reached(self) -> Schedule:
        late = [step for step in self.save_at if step > self.steps]
        if late:
            raise ValueError(f"save_at has {late[0]}, expected at most the {self.steps} steps of the training")
        return self


class TextProcess(BaseModel):
    """How the tokens of a text are lost; channels: of the vectors of process "embedding"."""

    model_config = _STRICT
    process: Literal["masked", "uniform", "embedding"] = "masked"
    channels: Annotated[int, Field(ge=2, le=256)] = 16

    def spec(self, vocabulary: tuple[str, ...], seed: int) -> TextSpec:
        """The process with a vocabulary. Its vectors are random ones of length √channels, which are never learned:
        learned ones must be kept from falling together (Li et al. 2022, Diffusion-LM)."""
        if self.process != "embedding":
            return TextSpec(vocabulary=vocabulary, process=self.process)
        rows = np.random.default_rng(seed).standard_normal((len(vocabulary), self.channels))
        rows *= self.channels**0.5 / np.linalg.norm(rows, axis=1, keepdims=True)
        embedding = tuple(tuple(row) for row in rows.round(4).tolist())
        return TextSpec(vocabulary=vocabulary, process=self.process, embedding=embedding)


class Recipe(BaseModel):
    """What is trained on what. `defaults` go into the card: request fields that give a good result.

    text: how tokens are lost, for prediction "tokens".  corpus: a text file of the user's own, read in the form of the
    dataset; "" the dataset itself.

    sigma_data: the spread of the data, for prediction "edm".  learned_range: the network learns its variance too.
    """

    model_config = _STRICT
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^@/\\]*$")]  # "digits@400" names a step
    title: ShortText = ""
    description: LongText = ""
    dataset: str
    network: str
    network_args: dict[str, Any] = {}
    prediction: Literal["eps", "x0", "v", "flow", "edm", "tokens"] = "flow"
    sigma_data: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.5
    learned_range: bool = False
    text: TextProcess | None = None
    corpus: Annotated[str, Field(max_length=4096)] = ""
    path: PathSpec = PathSpec()
    training: Schedule
    defaults: dict[str, Finite | int | str | dict[str, Finite]] = {}
    licence: ShortText = "Apache-2.0"

    @field_validator("network")
    @classmethod
    def _known(cls, network: str) -> str:
        check_choice(
            "network", network, {name: row for name, row in options.NETWORKS.items() if row.trained and not row.foreign}
        )
        return network

    @field_validator("network_args")
    @classmethod
    def _modest(cls, args: dict[str, Any]) -> dict[str, Any]:
        check_argument(args, "network_args")
        return args

    @model_validator(mode="after")
    def _possible(self) -> Recipe:
        if self.prediction in NEEDS_SIGNAL and level(make_path(self.path), 1.0).a == 0:
            raise ValueError(
                f"prediction '{self.prediction}' has no x̂0 where path '{self.path.name}' ends without signal: "
                "choose 'v', 'x0' or 'flow', or another path"
            )
        if (self.prediction == "tokens") != (self.text is not None):
            raise ValueError("prediction 'tokens' and the process in 'text' go together: give both or neither")
        if self.prediction != "edm" and self.sigma_data != 0.5:
            raise ValueError(f"sigma_data belongs to prediction 'edm', found '{self.prediction}': leave it out")
        if self.learned_range and self.path.training_steps is None:
            raise ValueError(
                f"learned_range needs a path with training steps, whose variances it learns; '{self.path.name}' has "
                "none: choose 'vp_linear' or another table"
            )
        return self


def checkpoint_at(out: Path, step: int) -> Path:
    """Where a checkpoint on the way is written, beside the last one: NAME@STEP."""
    return out.with_name(f"{out.stem}@{step}{out.suffix}")


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Raises:
        BadInput: no such file, or a dataset that does not exist.
        BadFile: not TOML, or a field out of its bounds; the message names it.
    """
    path = Path(path)
    try:
        found = tomllib.loads(read_regular(path, MAX_BYTES, "the recipe ").decode("utf-8"))
    except (ValueError, RecursionError) as error:  # tomllib's own are ValueErrors
        raise BadFile(f"{path}: not a TOML file: {shown(error, 200)}") from error
    try:
        recipe = Recipe.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(shown, first["loc"])) or "recipe"
        found = "" if isinstance(first["input"], dict) else f", found {written(first['input'])}"
        raise BadFile(f"{path}: {field}: {first['msg'].removeprefix('Value error, ')}{found}") from error
    if recipe.dataset not in DATASETS:
        raise BadInput(f"{path}: dataset is '{recipe.dataset}', expected one of {', '.join(DATASETS)}")
    modality = DATASETS[recipe.dataset].modality
    if recipe.training.smoothness and modality != "video":
        raise BadFile(f"{path}: training.smoothness is for clips, found a dataset of {modality}: leave it out")
    return recipe
