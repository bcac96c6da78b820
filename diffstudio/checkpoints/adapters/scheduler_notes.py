"""What of a scheduler is done otherwise here: a setting that is not honoured has its clause, never silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diffstudio import options
from diffstudio.checkpoints.adapters.scheduler_classes import CLASSES, Kind
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.adapters.scheduler_times import ends_at_table, wants_table_end
from diffstudio.checkpoints.names import shown

MAX_UNKNOWN = 12
FEW = 15  # steps, below which lower_order_final counts
MIXED = 1e-3  # the share of the state that a distilled network's x̂0 may leave out without a word
Note = Callable[[SchedulerConfig], str]


def notes(config: SchedulerConfig, kind: Kind, solver: str) -> tuple[str, ...]:
    """Clauses for the card, the most telling first. kind: of the chain that is taken.  solver: ours."""
    found = [_steps(config, options.SOLVERS[solver].label)]
    found += [note(config) for name, note in {**_ANY, **_OF_KIND.get(kind, {})}.items() if config.reads(name)]
    found += [_last(config), _unrounded(config)] if kind in ("table", "flow", "edm") else []
    if config.unknown:
        names = ", ".join(shown(name, 40) for name in config.unknown[:MAX_UNKNOWN])
        more = ", …" if len(config.unknown) > MAX_UNKNOWN else ""
        found.append(f"settings that are not known here are left aside: {names}{more}")
    return tuple(clause for clause in found if clause)


def _steps(config: SchedulerConfig, label: str) -> str:
    """Whose steps are taken, where they are not its own."""
    if CLASSES.get(config.class_name) is not config.row:
        name, said = shown(config.class_name, 60), config.flow or config.says("beta_") or config.says("trained_betas")
        chain = (
            "on the chain that its settings say" if said else "on a usual chain, since nothing says which is its own"
        )
        return f"the steps of '{name}' are not known here: {label} takes them, {chain}"
    if not config.row.replaced or (label == options.SOLVERS["ddim"].label and "Single" in config.class_name):
        return ""
    variance = ""
    if config.reads("variance_type") and config.row.replaced.startswith("ancestral"):
        own = {"fixed_large": "ddpm_large", "learned_range": "ddpm_learned"}.get(config.variance_type or "", "ddpm")
        variance = f", whose variance_type '{shown(config.variance_type, 40)}' is that of the solver '{own}',"
    return f"its {config.row.replaced}{variance} are replaced by {label}"


def _last(config: SchedulerConfig) -> str:
    """A last step that would stand still."""
    if not wants_table_end(config) or ends_at_table(config):
        return ""
    names = ("final_sigmas_type", "set_alpha_to_one")
    name = next((f"{name}: " for name in names if config.reads(name)), "")
    return f"{name}its last step would stand still at the first training step, here it goes to the data"


def _unrounded(config: SchedulerConfig) -> str:
    """Multistep schedulers of diffusers tell the network whole numbers, also where their levels lie between."""
    between = config.row.spacing == "spare" and (config.ramp or config.flow)
    return "the network is told the very times of its levels, not whole ones" if between else ""


def _lower_order(config: SchedulerConfig) -> str:
    """Lower orders at the end; a step to the data itself is of first order anyway."""
    if config.row.replaced:
        return ""
    unipc, order = config.class_name.startswith("UniPC"), config.solver_order
    if not config.lower_order_final:
        return "lower_order_final: the step to the data is of first order all the same" if unipc else ""
    if order < (2 if ends_at_table(config) else 3):
        return ""
    return f"lower_order_final: the last steps keep their order{'' if unipc else f', also below {FEW} steps'}"


def _euler_at_final(config: SchedulerConfig) -> str:
    late = config.euler_at_final and ends_at_table(config) and config.solver_order > 1
    return "euler_at_final: the last step keeps its order" if late else ""


def _algorithm(config: SchedulerConfig) -> str:
    algorithm = config.algorithm_type
    if algorithm in ("dpmsolver++", "sde-dpmsolver++") or config.row.replaced or config.row.kind == "flow":
        return ""
    return f"algorithm_type '{shown(algorithm, 40)}': its steps are taken on x̂0, as those of '{algorithm}++'"


def _order(config: SchedulerConfig) -> str:
    sde = config.algorithm_type.startswith("sde") or config.row.solver == "dpmpp_2m_sde"
    most = 2 if sde else 3
    if config.row.replaced:
        return ""
    return f"solver_order {config.solver_order}: its steps are of order {most}" if config.solver_order > most else ""


def _mixed(config: SchedulerConfig) -> str:
    """LCM mixes the state into x̂0 near the data, c_skip = σ_d²/((t·scaling)² + σ_d²), σ_d = ½ (Luo et al. 2023)."""
    first = config.num_train_timesteps // min(config.original_inference_steps, config.num_train_timesteps) - 1
    share = 0.25 / ((first * config.timestep_scaling) ** 2 + 0.25)
    return "timestep_scaling: the state is not mixed into x̂0 near the data" if share > MIXED else ""


def _missed(config: SchedulerConfig) -> str:
    if not config.class_name.startswith("DDIM") or config.spacing == "leading" or config.row.replaced:
        return ""
    return f"timestep_spacing '{config.spacing}': each step goes where the next one starts, which its own may miss"


def _end_of_snr(config: SchedulerConfig) -> str:
    exact = config.class_name.startswith(("DDIM", "DDPM", "LCM", "TCD"))
    if not (config.rescale_betas_zero_snr and exact and config.prediction_type == "epsilon"):
        return ""
    return "rescale_betas_zero_snr: the end of the table keeps ᾱ = 2⁻²⁴, since ε says nothing where the signal is gone"


def _when(name: str, otherwise: str, usual: object = False) -> Note:
    """The clause of a setting that has another value than usual."""
    return lambda config: f"{name}: {otherwise}" if getattr(config, name) not in (usual, None, []) else ""


_ANY: Mapping[str, Note] = {
    "solver_order": _order,
    "algorithm_type": _algorithm,
    "predict_x0": _when("predict_x0", "its steps are taken on x̂0", True),
    "disable_corrector": _when("disable_corrector", "every step is corrected", []),
    "solver_p": _when("solver_p", "its own predictor takes the steps", None),
    "lower_order_final": _lower_order,
    "euler_at_final": _euler_at_final,
    "timestep_scaling": _mixed,
    "invert_sigmas": _when("invert_sigmas", "the network is told the time from the data, 0, to the noise"),
    "scale_factors": _when("scale_factors", "the latents keep their size (upscale_mode)", None),
    "s_noise": _when("s_noise", "fresh noise has a standard deviation of 1", 1.0),
}
_SHIFTED = "the times stay those of its shift"
_OF_KIND: Mapping[Kind, Mapping[str, Note]] = {
    "table": {
        "timestep_spacing": _missed,
        "rescale_betas_zero_snr": _end_of_snr,
        "interpolation_type": _when("interpolation_type", "σ is that of the table at each time", "linear"),
    },
    "flow": {
        **{name: _when(name, _SHIFTED) for name in ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")},
        "use_lu_lambdas": _when("use_lu_lambdas", _SHIFTED),
        "num_train_timesteps": _when("num_train_timesteps", "the network is told 1000·t", 1000),
    },
    "cosine": {
        "trained_betas": _when("trained_betas", "its chain is the cosine of equal steps of t", None),
    },
}
