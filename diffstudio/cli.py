"""The command line: the window, and the same work without a screen.

Nothing heavy is imported before a command needs it: `--help` and `models` know neither torch nor Qt.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from diffstudio import __version__, options
from diffstudio.errors import BadInput, DiffStudioError

if TYPE_CHECKING:
    from diffstudio.checkpoints.catalog import Entry
    from diffstudio.headless import Outcome
    from diffstudio.studio.export import Chain, Kind

_FILES = """\b
What FILE becomes follows from its name:
  .gif .apng              an animation of the chain
  .npz                    arrays: x_t, x0_hat and t of every step
  .trace                  the recording, which opens again in the window
"""
_SAMPLE_FILES = f"""{_FILES}\
  .png .jpg .webp .tiff   the grid of the samples; with --chain an animation,
                          with --strip a film strip
  a folder                one file a sample; with --chain one picture a step"""
_FORWARD_FILES = f"""{_FILES}\
  .png .jpg .webp .tiff   a film strip of the chain
  a folder                one picture a step"""


class _Commands(click.Group):
    """Commands, or files to open in the window."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and (Path(args[0]).suffix or Path(args[0]).exists()):
            return "open", _open, args
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command the window opens, with FILEs (traces, checkpoints, pictures) in it: diffstudio run.trace",
)
@click.version_option(__version__, prog_name="diffstudio", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A desktop microscope for diffusion models: generate, and look at every step of both chains.

    \b
    Examples:
      diffstudio                                  the window
      diffstudio models                           what can be sampled
      diffstudio sample digits --out digits.png   sixteen digits
    """
    if ctx.invoked_subcommand is None:
        _window([])


@click.command("open", hidden=True)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def _open(files: tuple[Path, ...]) -> None:
    """Open files in the window."""
    _window(files)


def _window(files: Sequence[Path]) -> NoReturn:
    from diffstudio.gui.display import missing_display

    if reason := missing_display():
        raise BadInput(
            f"there is no display: {reason}; `diffstudio tour --out DIR` takes pictures of the window without one, "
            "the commands work without a screen"
        )
    gc.disable()  # nothing of a start is garbage; `run_app` enables it again
    try:
        from diffstudio.gui.startup import run_app
    except ImportError as error:
        raise BadInput(f"the window can't be opened here: {error}") from error
    sys.exit(run_app([str(path) for path in files]))


@cli.command(short_help="List every checkpoint that is found.")
@click.argument("folders", nargs=-1, metavar="[FOLDER]…", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def models(folders: tuple[Path, ...], as_json: bool) -> None:
    """List every checkpoint that is found, also in the FOLDERs given.

    \b
    Example:
      diffstudio models ~/my-checkpoints
    """
    from diffstudio.checkpoints.catalog import default_catalog

    catalog = default_catalog([folder.resolve() for folder in folders])
    usual = {model.default.path for model in catalog.models()}
    rows = [_row(entry, entry.path in usual) for entry in catalog.entries if entry.card]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else _table(rows))
    for entry in catalog.entries:
        if entry.problem:
            click.echo(f"diffstudio: {entry.problem}", err=True)


def _row(entry: Entry, usual: bool) -> dict[str, Any]:
    """usual: whether the bare name of the model means this checkpoint."""
    card = entry.card
    assert card is not None
    return {
        "name": card.name if usual else card.spec,
        "checkpoint": card.spec,
        "title": card.title,
        "modality": card.modality,
        "shape": list(card.shape),
        "parameters": card.parameters,
        "labels": list(card.labels),
        "path": str(entry.path),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    head = ("name", "modality", "shape", "parameters", "path")
    lines = [
        (r["name"], r["modality"], "×".join(map(str, r["shape"])), f"{r['parameters']:,}", r["path"]) for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    aligned = "<<<><"  # numbers to the right
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, aligned, widths, strict=True)).rstrip()
        for line in (head, *lines)
    )


def _run_options(command: Callable) -> Callable:
    """The options that `sample` and `forward` share."""
    shared = (
        click.argument("model"),
        click.option("--out", required=True, metavar="FILE", help="Where the result goes; its suffix says what it is."),
        click.option("--steps", type=int, help="Steps of a chain.  [the model's own default]"),
        click.option("--seed", type=int, help="Seed of the first sample; sample i has seed + i.  [0]"),
        click.option("--samples", type=int, help="How many samples.  [the model's own default]"),
        click.option("--label", metavar="CLASS", help="A class by name or number, 'any', or 'each' in turn."),
        click.option(
            "--source", metavar="noise|data|FILE", help="What the chain starts from: noise, the training data, a file."
        ),
        click.option("--fit", type=click.Choice(["crop", "pad", "stretch"]), help="Fit a picture of another size."),
        click.option("--invert", is_flag=True, help="Exchange black and white of the file."),
        click.option("--grid", type=click.Choice(list(options.GRIDS)), help="Which times the steps visit.  [uniform]"),
        click.option(
            "--path", metavar="NAME[:k=v,…]", help="Another path: vp_cosine, or vp_linear:n=100.  [the model's]"
        ),
        click.option("--tensor", default="xt", show_default=True, help="What pictures show: xt x0_hat eps_hat delta."),
        click.option("--scale", type=int, default=0, help="Screen pixels for a pixel.  [chosen to suit]"),
        click.option("--every", type=int, help="Record every k-th step.  [1]"),
        click.option("--half", is_flag=True, help="Record in half precision."),
        click.option("--budget", default="4GiB", show_default=True, help="The most that the recording may take."),
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda:0, mps …"),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON line: files, seconds, device, request."),
    )
    for option in reversed(shared):
        command = option(command)
    return command


@cli.command(epilog=_SAMPLE_FILES, short_help="Generate: run the reverse chain and write what came out.")
@_run_options
@click.option("--solver", type=click.Choice(list(options.SOLVERS)), help="How a step is made.  [the model's default]")
@click.option("--guidance", type=float, help="Classifier-free guidance; 1 is none.  [the model's own default]")
@click.option("--eta", type=float, help="Share of fresh noise in a DDIM step: short for --solver-param eta=…")
@click.option("--solver-param", "params", multiple=True, metavar="NAME=NUMBER", help="A parameter of the solver.")
@click.option("--forward", type=click.Choice(list(options.FORWARD_MODES)), help="The forward chain beside.  [fixed]")
@click.option("--chain", is_flag=True, help="An animation of both chains (.png .webp .gif .apng), or a folder of it.")
@click.option("--strip", is_flag=True, help="A film strip of both chains (.png .jpg .webp .tiff).")
def sample(eta: float | None, params: tuple[str, ...], chain: bool, strip: bool, **given: Any) -> int:
    """Run the reverse chain of MODEL, a name that `diffstudio models` lists or a path, and write FILE.

    \b
    Examples:
      diffstudio sample digits --out sevens.png --label 7 --seed 1
      diffstudio sample digits --out both.gif --chain --steps 50 --solver heun
      diffstudio sample digits --out mine.trace --source my-digit.png --fit pad
    """
    from diffstudio.studio.parse import parse_params

    if chain and strip:
        raise click.UsageError("--chain and --strip are two kinds of file: give one of them")
    words = [*params, *([] if eta is None else [f"eta={eta}"])]
    solver_params = parse_params(words, "--solver-param") if words else None
    kind = "animation" if chain else "strip" if strip else None
    return _run(given, {"kind": "sample", "solver_params": solver_params}, kind, "both" if kind else "reverse")


@cli.command(epilog=_FORWARD_FILES, short_help="Noise data or a file: run the forward chain.")
@_run_options
@click.option("--forward", type=click.Choice(["fixed", "markov"]), help="One ε a sample, or fresh noise.  [fixed]")
def forward(**given: Any) -> int:
    """Run the forward chain of MODEL alone, from its data or from a file, and write FILE.

    \b
    Examples:
      diffstudio forward digits --out noising.gif --label 3
      diffstudio forward digits --out mine.npz --source my-digit.png --fit pad
      diffstudio forward shapes-2d --out a.png --label spiral --forward markov
    """
    if given["source"] == "noise":
        raise click.UsageError("--source: the forward chain ends in noise, it starts from 'data' or a file")
    return _run({**given, "source": given["source"] or "data"}, {"kind": "forward"}, None, "forward")


def _run(given: dict[str, Any], fixed: dict[str, Any], kind: Kind | None, chain: Chain) -> int:
    """Everything that both commands do; `kind` None: what the suffix means."""
    from diffstudio.checkpoints.catalog import default_catalog
    from diffstudio.headless import run
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.export import ExportOptions, kind_of, suffix_of
    from diffstudio.studio.parse import parse_request, parse_size

    if not given["out"].strip():
        raise click.UsageError("--out: give a file or a folder")
    out = Path(given["out"])
    looks = ExportOptions(kind_of(suffix_of(out), kind, chain), given["tensor"], scale=given["scale"], chain=chain)
    engine = Engine(default_catalog())
    request = parse_request(engine.catalog.find(given["model"]), given | fixed)
    outcome = run(engine, request, out, looks, parse_size(given["budget"]))
    if given["as_json"]:
        click.echo(json.dumps(outcome.summary(), ensure_ascii=False))
    elif not outcome.exit_code:
        click.echo(f"{out}: {outcome.sentence}")
    return _end(outcome)


def _end(outcome: Outcome) -> int:
    if outcome.note:
        click.echo(f"diffstudio: {outcome.note}", err=True)
    return outcome.exit_code


@cli.command(short_help="Train a network from a recipe.")
@click.argument("recipe", metavar="RECIPE.toml")
@click.option("--out", required=True, metavar="FILE", help="The checkpoint, FILE.safetensors.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda:0, mps …")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads that may be used.  [torch decides]")
def train(recipe: str, out: str, device: str, threads: int | None) -> int:
    """Train a network as RECIPE.toml says and write its checkpoints.

    Those that the recipe saves on the way are written beside FILE as NAME@STEP. Ctrl+C keeps what is saved.

    \b
    Example:
      diffstudio train resources/recipes/digits.toml --out digits.safetensors
    """
    from diffstudio.headless import train as run

    outcome = run(Path(recipe), Path(out), device, threads or 0)
    for path in outcome.files:
        click.echo(path)
    return _end(outcome)


@cli.command(short_help="Drive the real window without a screen; write screenshots.")
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def tour(out: Path) -> int:
    """Drive the real window through its main job, without a screen; write screenshots and timings.json into DIR.

    \b
    Example:
      diffstudio tour --out tour
    """
    try:
        from diffstudio.gui.tour import run_tour  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise BadInput(f"the window can't be opened here: {error}") from error
    return run_tour(out) or 0


def run_cli(args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 with one sentence on stderr, or 130 when interrupted."""
    try:
        code = cli.main(args=None if args is None else list(args), prog_name="diffstudio", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", 130)
    except click.ClickException as error:
        return _say(error.format_message())
    except DiffStudioError as error:
        return _say(str(error))
    except MemoryError:
        return _say("there is not enough memory: use fewer samples or a smaller scale")
    return code if isinstance(code, int) else 0


def _say(sentence: str, code: int = 2) -> int:
    click.echo(f"diffstudio: {' '.join(sentence.split())}", err=True)
    return code


def main() -> NoReturn:
    """The console command."""
    sys.exit(run_cli())
