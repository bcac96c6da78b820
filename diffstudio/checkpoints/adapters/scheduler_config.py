"""A scheduler_config.json of diffusers, with bounds: what its class reads, and the names that nobody knows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from diffstudio.checkpoints.adapters.scheduler_classes import CLASSES, SchedulerClass, class_of

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=1e-8, le=0.999)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Order = Annotated[int, Field(ge=1, le=4)]
Shift = Annotated[float, Field(ge=-4, le=4)]
Word = Annotated[str, Field(max_length=60)]


class SchedulerConfig(BaseModel):
    """What a scheduler says of the chain. A setting that its class does not read has its default here.

    network: the class of the network that it belongs to, "" where that is not known.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    class_name: str = Field("DDPMScheduler", alias="_class_name")
    network: str = ""
    num_train_timesteps: Annotated[int, Field(ge=2, le=100_000)] = 1000
    beta_start: Beta = 1e-4
    beta_end: Beta = 0.02
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"] = "linear"
    trained_betas: Annotated[tuple[float, ...], Field(max_length=100_000)] | None = None
    prediction_type: Literal["epsilon", "sample", "v_prediction", "flow_prediction"] = "epsilon"
    rescale_betas_zero_snr: bool = False
    # the times
    timestep_spacing: Literal["linspace", "leading", "trailing"] | None = None
    steps_offset: Annotated[int, Field(ge=0, le=1000)] = 0
    timestep_type: Literal["discrete", "continuous"] = "discrete"
    interpolation_type: Word = "linear"
    use_karras_sigmas: bool = False
    use_exponential_sigmas: bool = False
    use_beta_sigmas: bool = False
    use_lu_lambdas: bool = False
    sigma_schedule: Literal["karras", "exponential"] = "karras"
    sigma_min: Positive | None = None
    sigma_max: Positive | None = None
    sigma_data: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.5
    rho: Annotated[float, Field(ge=1, le=20)] = 7.0
    final_sigmas_type: Literal["zero", "sigma_min"] = "zero"
    set_alpha_to_one: bool = True
    lambda_min_clipped: Annotated[float, Field(le=100)] = -float("inf")
    original_inference_steps: Count = 50
    timestep_scaling: Annotated[float, Field(ge=0, le=1e6)] = 10.0
    # a flow
    use_flow_sigmas: bool = False
    flow_shift: Positive = 1.0
    shift: Positive = 1.0
    use_dynamic_shifting: bool = False
    time_shift_type: Literal["exponential", "linear"] = "exponential"
    base_shift: Shift = 0.5
    max_shift: Shift = 1.15
    base_image_seq_len: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    max_image_seq_len: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    shift_terminal: Annotated[float, Field(ge=0, le=0.9)] | None = None
    invert_sigmas: bool = False
    stochastic_sampling: bool = False
    scale_factors: list[float] | None = None
    upscale_mode: Word = "bicubic"
    # the steps
    clip_sample: bool = True
    clip_sample_range: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    thresholding: bool = False
    dynamic_thresholding_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.995
    sample_max_value: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    clip_denoised: bool = True
    variance_type: Word | None = None
    solver_order: Order = 2
    algorithm_type: Word = "dpmsolver++"
    solver_type: Word = "midpoint"
    lower_order_final: bool = True
    euler_at_final: bool = False
    predict_x0: bool = True
    disable_corrector: list[int] = []
    solver_p: Any = None
    skip_prk_steps: bool = False
    predictor_order: Order = 2
    corrector_order: Order = 2
    tau_func: Any = None
    noise_sampler_seed: int | None = None
    eta: Annotated[float, Field(ge=0, le=1)] = 0.0
    snr: Positive = 0.15
    sampling_eps: Positive = 1e-5
    correct_steps: Annotated[int, Field(ge=0, le=1000)] = 1
    s_noise: Annotated[float, Field(ge=0, le=10)] = 1.0
    _unknown: tuple[str, ...] = PrivateAttr(())
    _said: frozenset[str] = PrivateAttr(frozenset())
    _row: SchedulerClass = PrivateAttr(CLASSES["DDPMScheduler"])

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, found: Any, build: Any) -> SchedulerConfig:
        """Only what the class reads, null as good as none, and the class's own defaults."""
        if not isinstance(found, dict):
            return build(found)
        said = {key: value for key, value in found.items() if value is not None}
        name, network = said.pop("_class_name", "DDPMScheduler"), said.pop("network", "")
        row = class_of(str(name), said, str(network))
        read = {key: value for key, value in said.items() if key in row.settings}
        config: SchedulerConfig = build({"_class_name": name, "network": network, **row.settings, **read})
        known = {key for other in CLASSES.values() for key in other.settings}
        config._row, config._said = row, frozenset(read)
        config._unknown = tuple(key for key in said if key not in known and not key.startswith("_"))
        return config

    @property
    def row(self) -> SchedulerClass:
        """What is known of its class."""
        return self._row

    @property
    def unknown(self) -> tuple[str, ...]:
        """The settings in the file that no class is known to have."""
        return self._unknown

    def reads(self, *settings: str) -> bool:
        """Whether its class reads one of these settings."""
        return any(name in self._row.settings and name not in self._row.idle for name in settings)

    def says(self, start: str) -> bool:
        """Whether the file has a setting whose name starts so."""
        return any(name.startswith(start) for name in self._said)

    @property
    def flow(self) -> bool:
        """Whether its chain is a straight flow."""
        asked = self.use_flow_sigmas or self.prediction_type == "flow_prediction"
        return self._row.kind == "flow" or (self._row.kind == "table" and asked)

    @property
    def spacing(self) -> str:
        """How its training steps are counted."""
        return self.timestep_spacing or self._row.default_spacing

    @property
    def ramp(self) -> str:
        """The grid of its σ, "" where it counts training steps or shifts a flow; the first that is asked for counts."""
        asked = {
            "karras": self.use_karras_sigmas,
            "exponential": self.use_lu_lambdas or self.use_exponential_sigmas,
            "beta": self.use_beta_sigmas,
        }
        return next((grid for grid, wanted in asked.items() if wanted), "")
