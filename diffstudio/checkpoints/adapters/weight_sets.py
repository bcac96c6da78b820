"""Sets of weights in a file: what wraps them, how their names begin, and which of several is taken.

A training saves its network under some key ("state_dict", "model"), behind some prefix ("module.", "_orig_mod."),
beside its optimiser, and often twice: as it is and averaged. No list of such words is complete. So a network is looked
for by the names that it surely has, its signs, wherever these names begin: what stands before them is the wrapping.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.adapters.parts import stored_weights
from diffstudio.checkpoints.adapters.sidecar import ENDING, sidecar
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["", "raw", "averaged"]
# A word of a prefix that says that the weights are averages; the trainer of ema-pytorch keeps the raw ones there too.
_AVERAGED = re.compile(r"(?:^|[^a-z])(?:ema|swa|avg|averaged?|shadow|polyak)(?:[^a-z]|$)")
_RAW = re.compile(r"(?:^|[^a-z])(?:online|raw|non_?ema)(?:[^a-z]|$)")
# What lies beside the weights of a network at the top of a file, and is none of them.
_APART = re.compile(
    r"(optimi[sz]er|opt(im)?(_|$)|(lr_)?sched(uler)?s?(_|$)|(grad_)?scaler|callbacks$|loops$|rng_|random_state)"
)
# Tables of a chain and counters, which wrappers keep beside the layers.
_WORDS = """
    betas alphas alphas_cumprod alphas_cumprod_prev alphas_cumprod_next sqrt_alphas_cumprod
    sqrt_one_minus_alphas_cumprod one_minus_alphas_cumprod log_one_minus_alphas_cumprod sqrt_recip_alphas_cumprod
    sqrt_recipm1_alphas_cumprod posterior_variance posterior_log_variance_clipped posterior_mean_coef1
    posterior_mean_coef2 posterior_var loss_weight p2_loss_weight lvlb_weights logvar snr sigmas timesteps coeff1
    coeff2 alphas_bar sqrt_alphas_bar sqrt_one_minus_alphas_bar alpha_bars alpha_bar sqrt_alpha_bar
    sqrt_one_minus_alpha_bar sqrt_alphas sqrt_betas sqrt_recip_alphas alpha_t oneover_sqrta sqrt_beta_t alphabar_t
    sqrtab sqrtmab mab_over_sqrtmab n_averaged num_updates decay initted step global_step
"""
_TABLES = frozenset(_WORDS.split())
_SHADOW = re.compile(r"(.*(?:shadow|ema|average|avg)\w*)\.(\d{1,5})", re.IGNORECASE)
_DOTLESS = "model_ema."  # where latent-diffusion keeps averages, by names without their dots


@dataclass(frozen=True)
class WeightSet:
    """One set of the weights of a network in a file.

    names: in the file, by those of the network.  prefix: how those in the file begin.  kind: "averaged" or "raw", ""
    where nothing says.  other: whether the file has the set of the other kind too.  left: tensors beside all of its
    sets that are neither an optimiser's nor the tables of a chain.
    """

    look: Look
    prefix: str
    names: Mapping[str, str]
    kind: Kind = ""
    other: bool = False
    left: tuple[str, ...] = ()

    @functools.cached_property
    def tensors(self) -> dict[str, Stored]:
        """What the file says of each, by the names of the network."""
        stored = self.look.tensors
        return {name: stored[at] for name, at in self.names.items()}

    @property
    def parameters(self) -> int:
        """Numbers in all of them."""
        stored = self.look.tensors
        return sum(math.prod(stored[at].shape) for at in self.names.values())

    def told(self, *used: str) -> dict[str, Any]:
        """What a card says of the choice between raw and averaged weights, and of what is left out but for `used`."""
        found = told_of(self.kind) if self.other else {}
        left = [name for name in self.left if name not in used]
        if left:
            many = (
                f"{len(left):,} tensors beside its network are" if len(left) > 1 else "a tensor beside its network is"
            )
            found["notes"] = (*found.get("notes", ()), f"{many} not used (the first is '{shown(left[0])}')")
        return found

    def load(self) -> dict[str, Tensor]:
        """The tensors as they are stored, by the names of the network. Raises: NotFound, BadFile."""
        found = stored_weights(self.look, tuple(self.names.values()))
        return {name: found[at] for name, at in self.names.items()}


def told_of(kind: Kind) -> dict[str, Any]:
    """The entries of a card of raw or averaged weights, the others of which are there too."""
    other = "raw" if kind == "averaged" else "averaged"
    note = f"its {kind} weights are taken; --weights {other} of `diffstudio card` takes the {other} ones, there too"
    return {"weights": kind, "notes": (note,)}


def weight_sets(look: Look, signs: Sequence[str]) -> tuple[WeightSet, ...]:
    """Every set in a file that has tensors of all these names, those to be taken first in front.

    Averages stand before what they are the averages of, and what is wrapped less before what is wrapped more.

    Raises:
        BadFile: as `Look.tensors`.
    """
    if look.kind not in ("torch", "safetensors"):
        return ()
    key = tuple(signs)
    if key not in look.sets:
        look.sets[key] = tuple(_sets(look, signs))
    return look.sets[key]


def _sets(look: Look, signs: Sequence[str]) -> Iterator[WeightSet]:
    stored = look.tensors
    prefixes = [prefix for prefix in _prefixes(look, signs[0]) if all(f"{prefix}{sign}" in stored for sign in signs)]
    found = [WeightSet(look, prefix, _names(stored, prefix, prefixes), _kind(stored, prefix)) for prefix in prefixes]
    raw = [each for each in found if each.kind != "averaged"]
    if len(raw) == len(found):
        found += [listed for each in raw[:1] for listed in _listed(each)]
    averaged = [each for each in found if each.kind == "averaged"]
    both = bool(raw and averaged)
    ordered = sorted(averaged, key=lambda each: len(each.prefix)) + sorted(raw, key=lambda each: len(each.prefix))
    left = _left(stored, ordered) if ordered else ()
    for each in ordered:
        yield replace(each, other=both, kind="raw" if both and not each.kind else each.kind, left=left)


def weight_set(look: Look, signs: Sequence[str]) -> WeightSet | None:
    """The set that is taken: the averaged one, or the one that a card beside the file asks for; None without any.

    Raises:
        BadFile: as `Look.tensors`, and for a kind of weights that is asked for and not there.
    """
    found = weight_sets(look, signs)
    return chosen(look, found) if found else None


def chosen(look: Look, found: Sequence[WeightSet]) -> WeightSet:
    """Of several sets that which is taken. Raises: as `weight_set`."""
    wanted = sidecar(look.path).get("weights")
    if wanted in (None, ""):
        return found[0]
    for each in found:
        if each.kind == wanted or (wanted == "raw" and each.kind == "" and len(found) == 1):
            return each
    has_what = " and ".join(sorted({each.kind or "one set of" for each in found}))
    raise BadFile(
        f"{shown(look.path, 400)}: the card beside it ({shown(look.path.name)}{ENDING}) asks for weights "
        f"'{shown(wanted, 20)}', the file has {has_what} weights: correct the entry or take it away"
    )


def _prefixes(look: Look, sign: str) -> Iterator[str]:
    """What stands before a sign; no prefix has a number in it, which would be a place within a network."""
    for name in look.ends.of(sign):
        prefix = name[: len(name) - len(sign)]
        parts = prefix.split(".")
        if not any(part.isdecimal() for part in parts) and not (prefix and _APART.match(parts[0])):
            yield prefix


def _names(stored: Mapping[str, object], prefix: str, others: Sequence[str]) -> dict[str, str]:
    """The names that begin so, without those of sets that lie within, of an optimiser, and of tables of a chain."""
    within = tuple(other for other in others if other != prefix and other.startswith(prefix))
    out = {}
    for name in stored:
        if name.startswith(prefix) and not (within and name.startswith(within)):
            plain = name[len(prefix) :]
            if not (plain in _TABLES or (not prefix and "." in plain and _APART.match(plain))):
                out[plain] = name
    return out


def _left(stored: Mapping[str, object], found: Sequence[WeightSet]) -> tuple[str, ...]:
    """What lies in the file beside these sets, and may have belonged to what the network does."""
    used = {at for each in found for at in each.names.values()}
    return tuple(
        name
        for name in stored
        if name not in used
        and name.rpartition(".")[2] not in _TABLES
        and not any(_APART.match(word) for word in name.split(".")[:-1])
        and not _SHADOW.fullmatch(name)
    )


def _kind(stored: Mapping[str, object], prefix: str) -> Kind:
    """What the prefix says; torch's AveragedModel counts beside its `module` how many it is the average of."""
    words = prefix.lower()
    if _RAW.search(words):
        return "raw"
    if _AVERAGED.search(words):
        return "averaged"
    counted = prefix.endswith("module.") and f"{prefix.removesuffix('module.')}n_averaged" in stored
    return "averaged" if counted else ""


def _listed(raw: WeightSet) -> Iterator[WeightSet]:
    """Averages that lie in a list without names, in the order of the network's own, or under names without dots."""
    stored = raw.look.tensors
    lists: dict[str, int] = {}
    for name in stored:
        if (found := _SHADOW.fullmatch(name)) is not None and not name.startswith(raw.prefix or "\0"):
            lists[found[1]] = lists.get(found[1], 0) + 1
    for at, count in lists.items():
        shapes = [stored[f"{at}.{i}"].shape for i in range(count) if f"{at}.{i}" in stored]
        places = _placed([(name, stored[full].shape) for name, full in raw.names.items()], shapes)
        if len(shapes) == count and places is not None:
            names = {**raw.names, **{name: f"{at}.{i}" for i, name in enumerate(places)}}
            yield WeightSet(raw.look, f"{at}.", names, "averaged")
            return


def _placed(own: Sequence[tuple[str, tuple[int, ...]]], shapes: Sequence[tuple[int, ...]]) -> list[str] | None:
    """The names of a list of tensors: those of the network in their order, less its buffers; None where it is not sure.

    The first and the last way in which the shapes fit into the network's must be the same.
    """

    def fitted(named: Sequence[tuple[str, tuple[int, ...]]], wanted: Sequence[tuple[int, ...]]) -> list[str]:
        rest, out = iter(named), []
        for shape in wanted:
            out += next(([name] for name, its in rest if its == shape), [])
        return out

    first, last = fitted(own, shapes), fitted(own[::-1], shapes[::-1])[::-1]
    return first if first == last and len(first) == len(shapes) > 0 else None


def dotless(found: WeightSet, within: str) -> WeightSet:
    """The set with latent-diffusion's averages of the tensors whose names begin with `within`, where it has them all.

    They lie under `model_ema.`, by names without their dots.

    Raises:
        BadFile: as `weight_set`.
    """
    stored, at = found.look.tensors, f"{found.prefix}{_DOTLESS}"
    own = [name for name in found.names if name.startswith(within)]
    averaged = {name: at + name.removeprefix("model.").replace(".", "") for name in own}
    if not averaged or not all(name in stored for name in averaged.values()):
        return found
    raw = replace(found, kind="raw", other=True)
    return chosen(found.look, [replace(raw, kind="averaged", names={**found.names, **averaged}), raw])
