"""`diffstudio sample` and `diffstudio forward`: a run without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffstudio import options
from diffstudio.cli.ending import end, say
from diffstudio.cli.options import run_options, sample_options
from diffstudio.cli.streams import echo_json

if TYPE_CHECKING:
    from diffstudio.studio.export.write import Chain, Kind
    from diffstudio.studio.library.library import Library

_FILES = """\b
What FILE becomes follows from its name:
  .gif .apng              an animation of the chain
  .npz                    arrays: x_t, x0_hat and t of every step
  .trace                  the recording, which opens again in the window
  .csv                    the last points of a model of points, as a table
  .wav                    the sounds of a model of sounds, one after the other
  .mp4                    the chain of a model of sounds, with its last sound
"""
_CODES = """
\b
Exit code:
  0  done
  2  refused, with one sentence on standard error
  3  done and written, but some values are not finite (NaN or ∞)
  130  interrupted; what is finished is kept
"""
_SAMPLE_FILES = f"""{_FILES}\
  .png .jpg .webp .tiff   the grid of the samples; with --chain an animation,
                          with --strip a film strip
  .mp4 .gif .webp .apng   of clips: they play; with --chain an animation
                          of the chain (not .mp4)
  a folder                one file a sample; with --chain one picture a step
{_CODES}"""
_FORWARD_FILES = f"""{_FILES}\
  .png .jpg .webp .tiff   a film strip of the chain
  a folder                one picture a step
{_CODES}"""


@click.command(epilog=_SAMPLE_FILES, short_help="Generate: run the reverse chain and write what came out.")
@run_options
@sample_options
@click.option("--forward", type=click.Choice(list(options.FORWARD_MODES)), help="The forward chain beside.  [fixed]")
@click.option("--chain", is_flag=True, help="An animation of both chains (.png .webp .gif .apng), or a folder of it.")
@click.option("--strip", is_flag=True, help="A film strip of both chains (.png .jpg .webp .tiff).")
def sample(chain: bool, strip: bool, **given: Any) -> int:
    """Run the reverse chain of MODEL and write FILE.

    MODEL is a name that `diffstudio models` lists, or the path of a file or folder; of a training the last
    checkpoint, or the one of a step: digits@400, ./cats@500, cats@10000:ema_0.9999.

    \b
    Examples:
      diffstudio sample digits --out sevens.png --label 7 --seed 1
      diffstudio sample digits --out both.gif --chain --steps 50 --solver heun
      diffstudio sample bouncing-digits --label 7 --out clip.mp4
      diffstudio sample digits --out mine.trace --source my-digit.png --fit pad
      diffstudio sample digits --out nearby.png --source data --strength 0.5
      diffstudio sample digits --out between.png --label 3 --interpolate 7
      diffstudio sample digits --out new.png --source mine.png --mask hole.png
      diffstudio sample spoken-digits --out three.wav --label 3
    """
    if chain and strip:
        raise click.UsageError("--chain and --strip are two kinds of file: give one of them")
    kind = "animation" if chain else "strip" if strip else None
    return _run({**given, "kind": "sample"}, kind, "both" if kind else "reverse")


@click.command(epilog=_FORWARD_FILES, short_help="Noise data or a file: run the forward chain.")
@run_options
@click.option(
    "--forward", type=click.Choice(["fixed", "markov", "invert", "invert_heun"]),
    help="One ε a sample, fresh noise, or the solver run backwards.  [fixed]",
)  # fmt: skip
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
    return _run({**given, "source": given["source"] or "data", "kind": "forward"}, None, "forward")


@contextmanager
def _library(wanted: bool) -> Iterator[Library | None]:
    """The user's library, where the run is to be kept."""
    if not wanted:
        yield None
        return
    from diffstudio.studio.library.home import library_folder
    from diffstudio.studio.library.library import Library

    library = Library(library_folder())
    try:
        if library.notice:
            say(library.notice)
        yield library
    finally:
        library.close()


def _run(given: dict[str, Any], kind: Kind | None, chain: Chain) -> int:
    """Everything that both commands do; `kind` None: what the suffix means."""
    from diffstudio.cli.finding import catalog, check_files
    from diffstudio.headless import run
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.export.naming import others_in
    from diffstudio.studio.export.write import ExportOptions, kind_of, suffix_of
    from diffstudio.studio.request.parse import parse_request, parse_size

    if not given["out"].strip():
        raise click.UsageError("--out: give a file or a folder")
    out = Path(given["out"])
    check_files(given)
    engine = Engine(catalog())
    entry = engine.catalog.find(given["model"])
    made = kind_of(suffix_of(out), kind, chain, entry.card.modality if entry.card else "image")
    looks = ExportOptions(made, given["tensor"], scale=given["scale"], chain=chain)
    request = parse_request(entry, given)
    with _library(given["keep"]) as library:
        outcome = run(engine, request, out, looks, parse_size(given["budget"]), say, library)
    if stayed := others_in(out, [path.name for path in outcome.files]) if out.is_dir() else []:
        say(f"{out} also holds {len(stayed)} files of an earlier export ({stayed[0]} …): they stay beside the new ones")
    if outcome.remark:
        say(f"{Path(request.source_file or '').name}: {outcome.remark}")
    if given["as_json"]:
        echo_json(outcome.summary())
    elif not outcome.interrupted:
        kept = f", kept as run {outcome.kept}" if outcome.kept else ""
        click.echo(f"{out}: {outcome.sentence}{kept}")
    return end(outcome)
