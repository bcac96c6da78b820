"""`diffstudio card`: a card for weights that have none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffstudio import options

if TYPE_CHECKING:
    from diffstudio.checkpoints.proposal import Proposal

TIMES = ("t", "timestep", "sigma", "flow")


@click.command(short_help="Write a card for bare weights.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--shape", metavar="1x28x28", help="Of one sample; needed where the weights don't tell it.")
@click.option("--prediction", type=click.Choice([name for name in options.PREDICTIONS if name != "tokens"]),
              help="What the network predicts.")  # fmt: skip
@click.option("--path", "path_name", type=click.Choice([n for n, row in options.PATHS.items() if row.needs != "betas"]),
              metavar="NAME", help="The path that it was trained on, e.g. vp_linear, edm, flow.")  # fmt: skip
@click.option("--time", type=click.Choice(TIMES), help="How it counts time: t from 0 to 1, training steps, σ, 1000·t.")
@click.option("--labels", metavar="A,B,…", help="The names of the classes; their numbers are taken without.")
@click.option("--preset", metavar="NAME", help="A published model, whose size and path are taken, e.g. 'ImageNet 64'.")
@click.option("--args", "network_args", metavar="JSON", default="{}",
              help="Arguments of the network that replace what is proposed, e.g. '{\"heads\": 8}'.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a card that is there.")
@click.option("--print", "only_print", is_flag=True, help="Print what the weights tell, write nothing.")
def card(file: Path, network_args: str, overwrite: bool, only_print: bool, **given: str | None) -> None:
    """Write FILE.card.json beside the weights of a network of ours, so that they open, or of guided-diffusion, so that
    their size and path are known.

    Network, arguments, sizes and number of classes are told by the names and shapes of the tensors where they can be;
    what is not told is asked, or given as options. The weights are held against the network before anything is written.

    \b
    Example:
      diffstudio card unet.pt --shape 1x28x28 --prediction eps --time timestep
    """
    from diffstudio.checkpoints.proposal import entries, propose, write_card

    found = propose(file, overwrite)
    click.echo(f"{file.name}: {options.NETWORKS[found.network].label}, {json.dumps(found.network_args)}", err=True)
    if found.assumed:
        click.echo(f"not told by the weights, and taken: {', '.join(found.assumed)}", err=True)
    if only_print:
        click.echo(json.dumps(entries(found), indent=2))
        return
    found = _as_published(found, given["preset"])
    told: dict[str, Any] = {"network_args": found.network_args | _table(network_args)}
    told["shape"] = _shape(given["shape"], found.shape)
    told["prediction"] = given["prediction"] or _ask("prediction", options.PREDICTIONS, found)
    told["path"] = {"name": given["path_name"] or _ask("path", options.PATHS, found)}
    told["time"] = given["time"] or _ask("time", TIMES, found)
    if given["labels"]:
        told["labels"] = [name.strip() for name in given["labels"].split(",")]
    if len(told.get("labels", ())) not in (0, found.labels):
        raise click.UsageError(f"--labels: {len(told['labels'])} names, the weights have {found.labels} classes")
    from diffstudio.studio.compute.new_card import check_fits

    card_of = entries(found, **told)
    check_fits(file, card_of)
    click.echo(str(write_card(file, card_of, overwrite)))


def _as_published(found: Proposal, preset: str | None) -> Proposal:
    """With the size and the path of a published model, where one is named."""
    if preset is None:
        return found
    names = [name for name in found.presets if name.lower().startswith(preset.lower())]
    if len(names) != 1:
        known = ", ".join(f"'{name}'" for name in found.presets) or "none for this file"
        raise click.UsageError(f"--preset is '{preset}', expected the beginning of one of: {known}")
    return found.published(names[0])


def _ask(entry: str, known: Any, found: Proposal) -> str:
    if sys.stdin.isatty():
        return click.prompt(entry, type=click.Choice(list(known)), default=found.usual[entry], err=True)
    if found.presets:
        return found.usual[entry]  # what the file is taken for without a card too
    raise click.UsageError(f"--{entry} is not told by the weights: give it, one of {', '.join(known)}")


def _shape(given: str | None, told: tuple[int, ...]) -> list[int]:
    """The sides; those that the weights tell may not be others."""
    if given is None and all(told):
        return list(told)
    words = "x".join(str(side) if side else "?" for side in told)
    if given is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"--shape is not told by the weights: give it, as {words}")
        given = click.prompt(f"shape, as {words}", err=True)
    try:
        sides = [int(side) for side in str(given).lower().replace("×", "x").split("x")]
    except ValueError as error:
        raise click.UsageError(f"--shape is '{given}', expected numbers as in {words}") from error
    if len(sides) != len(told):
        raise click.UsageError(f"--shape is '{given}', expected {len(told)} numbers as in {words}")
    return sides


def _table(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--args is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.UsageError("--args is not a table, as in '{\"heads\": 8}'")
    return found
