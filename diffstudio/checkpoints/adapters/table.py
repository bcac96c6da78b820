"""The table of formats for the docs, from the adapters themselves.

python -m diffstudio.checkpoints.adapters.table > resources/docs/formats.md
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from diffstudio import options
from diffstudio.checkpoints.adapters import ADAPTERS
from diffstudio.checkpoints.adapters.refused import rows as refused_rows
from diffstudio.checkpoints.adapters.scheduler_classes import CLASSES

_HEAD = """# Formats of checkpoints

What a file is, its content says, never its suffix. No file can run code: pickles are read without being run, and their
weights loaded with `weights_only=True`, both in a process of its own with a limit of memory and time. Nothing asks the
network. There is no "load anyway".

What wraps the weights of a network means nothing: a key (`state_dict`, `model`, `ema`, any other), a prefix (`module.`,
`_orig_mod.`, `model.`, several of them), a training's optimiser or the tables of its chain beside them. Where a file or
folder has averaged weights and raw ones, also as an average without names whose order is sure, the averaged ones are
taken, the card and the list say so, and `diffstudio card FILE --weights raw` takes the others.

| format | opens | how it is recognised | what is asked | what is refused |
|---|---|---|---|---|
"""
_REFUSED = """
## Recognised, and not opened

| format | how it is recognised | what is said: the file … |
|---|---|---|
"""
_SIDECAR = """
## A card beside a file or a folder

Where a file or a folder does not say everything, `NAME.card.json` beside it does: for `model-12.pt` it is
`model-12.pt.card.json`, for the folder `cats` it is `cats.card.json` in the folder that holds `cats`. Its entries are
those of a card, and replace what was found or assumed, for example

```json
{"shape": [3, 32, 32], "labels": ["cat", "dog"], "licence": "MIT", "defaults": {"steps": 100, "solver": "ddim"}}
```

`shape` is also how a model that opens runs at another size than its own: of a latent model the picture (`decoded`)
follows from it, or it from the picture. `weights` is `averaged` or `raw`, where both are there. `diffstudio card NAME`
with `--shape`, `--weights`, `--labels`, `--prediction`, `--path` or `--args` writes what is given and keeps the rest.

With a `network` and its `network_args` it makes weights alone a model of any network in the registry. For the networks
trained here `diffstudio card weights.pt`, or in the window File → Write a card for weights…, writes it: network,
arguments and classes are told by the names and shapes of the tensors, the rest is asked, and the weights are held
against the network before anything is written. Weights never tell `heads`, and those of a U-Net not the size of the
pictures either.

## Our own format, from any network in the registry

The public way to write it is `checkpoints.store.save`: one `.safetensors` file, weights and card, written whole or not
at all.

```python
from pathlib import Path
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.store import save


def export(module, file, **entries):
    # entries: those of a card, at least modality, shape, network, network_args, path and prediction
    card = Card.model_validate({"name": Path(file).stem, "data": {"dataset": ""}, "step": 0, **entries})
    weights = {name: w.detach().cpu().float().numpy() for name, w in module.state_dict().items()}
    return save(Path(file), card, weights, "float32")
```

For example, with `net` a `UNet` of `channels=(64, 128)` that predicts ε at the number of a training step:
`export(net, "cats.safetensors", modality="image", shape=(3, 32, 32), network="unet", prediction="eps",
network_args={"channels": [64, 128]}, path={"name": "vp_linear"}, time="timestep", labels=("tabby", "siamese"))`.

`time` is how the network counts: `t` from 0 to 1 as the networks trained here, `timestep` the number of a training
step, `sigma`, `log_sigma` (ln σ/4), or `flow` (1000·t).
"""
_SCHEDULERS = """
## Schedulers of diffusers

A scheduler's file says of which chain the network is (betas, shift, σ), what it predicts, which times a run visits, how
x̂0 is bounded and whose steps are taken. Each class reads its own settings with its own defaults; what a former
scheduler left in the file has no influence, as there. With its defaults a folder visits the levels of its pipeline:
spacings with their offset, ramps of σ between the table's own ends (Karras, exponential, beta, log-SNR), the times of
a distillation, shifts, the last σ, orders and SDEs. What is done otherwise stands on the card, setting by setting:
steps that nobody takes here, a last step that would stand still, lower orders at the end. A setting that is not known
is named there, and a class that is not known opens by its betas with a solver of ours. Multistep schedulers tell a
network whole training steps also between two of them; here it is told where it is.

| class | solver here | its own steps, where they are not here |
|---|---|---|
"""


def markdown() -> str:
    """The page."""
    rows = [(a.label, a.opens, a.recognised, a.asks, a.refuses) for a in ADAPTERS]
    classes = [(name, options.SOLVERS[row.solver].label, row.replaced) for name, row in CLASSES.items()]
    return f"{_HEAD}{_rows(rows)}{_REFUSED}{_rows(refused_rows())}{_SCHEDULERS}{_rows(classes)}{_SIDECAR}"


def _rows(rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(markdown())
