"""`diffstudio likelihood`: how likely data are under a model. `diffstudio verify`: the proofs of the mathematics."""

from __future__ import annotations

from typing import Any

import click

from diffstudio.cli.ending import say
from diffstudio.cli.options import FIT
from diffstudio.cli.streams import echo_json


@click.command(short_help="Tell how likely data are under a model.")
@click.argument("model")
@click.option("--source", metavar="data|FILE", default="data", show_default=True, help="The data that are judged.")
@click.option("--split", type=click.Choice(["train", "held-out"]), default="held-out", show_default=True,
              help="Which part of the model's own data.")  # fmt: skip
@click.option("--fit", type=FIT, help="Fit a picture of another size, or points.")
@click.option("--invert", is_flag=True, help="Invert colours: exchange black and white of the file.")
@click.option("--range", metavar="LOW,HIGH", help="The file's values that are black and white.  [recognised]")
@click.option("--part", metavar="PART", help="Pages, frames, seconds, an array or rows of the file, as for `sample`.")
@click.option("--samples", type=int, default=16, show_default=True, help="How many are judged.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the data and of the probes.")
@click.option("--label", metavar="CLASS", help="The class that is asked about, 'any', or 'each' in turn.")
@click.option("--steps", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Steps of the ODE.")
@click.option("--probes", type=click.IntRange(2, 10_000), default=8, show_default=True,
              help="Random probes of the divergence, for pictures.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda:0, mps …")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def likelihood(model: str, split: str, steps: int, probes: int, as_json: bool, **given: Any) -> int:
    """log p of data under MODEL, through the probability-flow ODE.

    Points: in nats, the trace of the divergence computed exactly. Pictures: in bits per dimension of their 256 grey
    levels, with the standard error of the random probes.

    \b
    Examples:
      diffstudio likelihood shapes-2d --label spiral --samples 200
      diffstudio likelihood digits --label each --samples 20
    """
    from diffstudio.cli.finding import catalog, check_files
    from diffstudio.headless import NOT_FINITE, likelihoods, source_remark
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.request.parse import parse_request

    if given["source"] == "noise":
        raise click.UsageError("--source: noise has no likelihood under a model, give 'data' or a file")
    check_files(given | {"model": model})
    engine = Engine(catalog())
    entry = engine.catalog.find(model)
    request = parse_request(entry, {**given, "model": model, "kind": "sample", "guidance": 1.0})
    remark = source_remark(entry, request)
    found = likelihoods(engine, request, split, steps, probes)
    if remark:
        say(remark)
    if as_json:
        echo_json(found.summary())
    else:
        click.echo(f"{found.table()}\n{found.effort}")
    if found.problem:
        say(found.problem)
    return 130 if found.interrupted else NOT_FINITE if found.problem else 0


@click.command(short_help="Prove that the mathematics is right.")
@click.option("--table", "as_table", is_flag=True, help="Markdown tables (the default).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def verify(as_table: bool, as_json: bool) -> int:
    """Run the proofs and print them; exit code 1 if one does not hold.

    The order at which every solver converges, solvers that must agree, closed-form moments, inversion, likelihoods, and
    the largest difference to diffusers' schedulers (same network, same grid, same noise), where diffusers is installed.

    \b
    Example:
      diffstudio verify --json > proofs.json
    """
    from diffstudio.verification import report

    if as_table and as_json:
        raise click.UsageError("--table and --json are two forms: give one of them")
    proofs = []
    for proof in report.verify():
        proofs.append(proof)
        if not as_json:
            click.echo(report.table(proof))
    click.echo(report.as_json(proofs) if as_json else report.summary(proofs))
    return 0 if all(proof.ok for proof in proofs) else 1
