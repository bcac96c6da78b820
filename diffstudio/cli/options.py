"""The options of a run: a row here becomes a field of the request in `studio.parse`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from diffstudio import options


def _named(table: Mapping[str, object], sentence: str) -> dict[str, Any]:
    """One of a long table: the names stand in the help, not in the usage."""
    return {"type": click.Choice(list(table)), "metavar": "NAME", "help": sentence.format(", ".join(table))}


FIT = click.Choice(["crop", "pad", "stretch", "keep"])
_PARAM = {"multiple": True, "metavar": "NAME=NUMBER"}

RUN = (
    click.argument("model"),
    click.option("--out", required=True, metavar="FILE", help="Where the result goes; its suffix says what it is."),
    click.option("--steps", type=int, help="Steps of a chain.  [the model's own default]"),
    click.option("--seed", type=int, help="Seed of the first sample; sample i has seed + i.  [0]"),
    click.option("--samples", type=int, help="How many samples.  [the model's own default]"),
    click.option("--label", metavar="CLASS", help="A class by name or number, 'any', or 'each' in turn."),
    click.option("--source", metavar="noise|data|FILE", help="What the chain starts from: noise, data, a file."),
    click.option(
        "--source-sample", type=int, metavar="N", help="Start all from the source's sample N, counted from 0."
    ),
    click.option("--fit", type=FIT, help="Fit a picture of another size, or points: pad, stretch, or keep them."),
    click.option("--invert", is_flag=True, help="Invert colours: exchange black and white of the file."),
    click.option("--range", metavar="LOW,HIGH", help="The file's values that are black and white.  [recognised]"),
    click.option(
        "--part",
        metavar="PART",
        help="Pages 2 or 2..5 or all; frames 10..40; seconds 1.5 or 1.5..2; an array or rows by name.",
    ),
    click.option("--grid", **_named(options.GRIDS, "Which times the steps visit: {}.  [uniform]")),
    click.option("--grid-param", "grid_params", help="A parameter of the grid.", **_PARAM),
    click.option("--times", metavar="T,T,…", help="Your own list of times, falling from at most 1: grid 'custom'."),
    click.option(
        "--path",
        metavar="NAME[:k=v,…]",
        help="Another path: vp_cosine, vp_linear:n=100, vp_table:FILE of betas.  [the model's]",
    ),
    click.option("--tensor", default="xt", show_default=True, help="What pictures show: xt x0_hat eps_hat delta."),
    click.option("--scale", type=int, default=0, help="Screen pixels for a pixel.  [chosen to suit]"),
    click.option("--every", type=int, help="Record every k-th step.  [1]"),
    click.option("--half", is_flag=True, help="Half-precision trace: record it with 16 bits."),
    click.option("--budget", default="4GiB", show_default=True, help="The most that the recording may take."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda:0, mps …"),
    click.option("--precision", type=click.Choice(["float32", "half"]), help="Of the weights.  [float32]"),
    click.option("--keep", is_flag=True, help="Put the run into the library, which `diffstudio runs` lists."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON line: files, seconds, device, request."),
)

SAMPLE = (
    click.option("--solver", **_named(options.SOLVERS, "How a step is made: {}.  [the model's]")),
    click.option("--eta", type=float, help="Share of fresh noise in a step: short for --solver-param eta=…"),
    click.option("--solver-param", "solver_params", help="A parameter of the solver.", **_PARAM),
    click.option("--noise", type=click.Choice(list(options.NOISES)), help="How a solver draws.  [its own way]"),
    click.option("--clip", type=click.Choice(list(options.CLIPS)), help="Keep x̂0 in its range.  [none]"),
    click.option("--clip-param", "clip_params", help="A parameter of the clipping.", **_PARAM),
    click.option("--guidance", type=float, help="Classifier-free guidance; 1 is none.  [the model's own default]"),
    click.option("--guidance-rescale", type=float, help="φ: keep the contrast of the unguided pictures.  [0]"),
    click.option("--guidance-interval", metavar="LOW,HIGH", help="Guide at σ = s/a between these alone."),
    click.option("--guidance-model", metavar="MODEL", help="Guide model, a weaker one to lead away from: digits@400."),
    click.option("--negative", metavar="CLASS", help="Negative class: lead away from it instead of from none."),
    click.option("--split", "record_split", is_flag=True, help="Record both halves of guidance, too."),
    click.option("--strength", type=float, help="The level t to which data or a file are noised; 1 is noise.  [1]"),
    click.option("--prompt", metavar="TEXT", help="What to draw; of a text the letters that stay: 'the ____ of'."),
    click.option("--negative-prompt", metavar="TEXT", help="What guidance leads away from.  [nothing]"),
    click.option("--distilled-guidance", type=float, help="The guidance that a distilled network is told.  [3.5]"),
    click.option("--mask", metavar="FILE", help="Draw anew where it is white, keep the rest of the source."),
    click.option(
        "--mask-region",
        metavar="REGION",
        help="The same in words: 'x 0..13, y 4..9', '0.1..0.25 s', 'frame 3..7', 'letter 2..9', of points 'y'.",
    ),
    click.option(
        "--keep-pixels/--no-keep-pixels",
        default=None,
        help="Latent models: pictures have the source's own pixels where the mask keeps them.  [keep]",
    ),
    click.option("--resample", type=int, help="Repeat each step so often with a mask (RePaint).  [1]"),
    click.option(
        "--interpolate", type=int, metavar="SEED", help="Interpolate: from the noise of --seed to that of SEED."
    ),
    click.option("--variation", type=float, help="How far the noise goes towards that of other seeds, 0 to 1."),
    click.option("--variation-seed", type=int, help="The seed of the first noise that it goes towards.  [0]"),
)


def run_options(command: Callable) -> Callable:
    """What `sample` and `forward` share."""
    return _with(command, RUN)


def sample_options(command: Callable) -> Callable:
    """What only a reverse chain has."""
    return _with(command, SAMPLE)


def sweep_options(command: Callable) -> Callable:
    """What a cell of a sweep has: all of `sample` but where the result goes."""
    return _with(command, (RUN[0], *RUN[2:], *SAMPLE))


def _with(command: Callable, rows: tuple[Callable, ...]) -> Callable:
    for row in reversed(rows):
        command = row(command)
    return command
