"""`diffstudio likelihood`: how likely data are under a model. `diffstudio verify`: the proofs of the mathematics."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command(short_help="Tell how likely data are under a model.")
@click.argument("model")
@click.option("--source", metavar="data|FILE", default="data", show_default=True, help="The data that are judged.")
@click.option("--split", type=click.Choice(["train", "held-out"]), default="held-out", show_default=True,
              help="Which part of the model's own data.")  # fmt: skip
@click.option("--fit", type=click.Choice(["crop", "pad", "stretch"]), help="Fit a picture of another size.")
@click.option("--invert", is_flag=True, help="Exchange black and white of the file.")
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
    from diffstudio.checkpoints.catalog import default_catalog
    from diffstudio.headless import likelihoods
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.request.parse import parse_request

    if given["source"] == "noise":
        raise click.UsageError("--source: noise has no likelihood under a model, give 'data' or a file")
    engine = Engine(default_catalog())
    request = parse_request(engine.catalog.find(model), {**given, "model": model, "kind": "sample", "guidance": 1.0})
    found = likelihoods(engine, request, split, steps, probes)
    click.echo(json.dumps(found.summary(), ensure_ascii=False) if as_json else f"{found.table()}\n{found.effort}")
    return 130 if found.interrupted else 0


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
