"""The table of formats for the docs, from the adapters themselves.

python -m diffstudio.checkpoints.adapters.table > resources/docs/formats.md
"""

from __future__ import annotations

import sys

from diffstudio.checkpoints.adapters import ADAPTERS, REFUSED

_HEAD = """# Formats of checkpoints

What a file is, its content says, never its suffix. No file can run code: pickles are read without being run, and their
weights loaded with `weights_only=True`, both in a process of its own with a limit of memory and time. Nothing asks the
network. There is no "load anyway".

| format | opens | how it is recognised | what is asked | what is refused |
|---|---|---|---|---|
"""
_REFUSED = """
## Recognised, and not opened

| format | how it is recognised | what is said: the file … |
|---|---|---|
"""
_SIDECAR = """
## A card beside a file

Where a file does not say everything, `NAME.card.json` beside it does: for `model-12.pt` it is `model-12.pt.card.json`.
Its entries are those of a card, and replace what was found or assumed, for example

```json
{"shape": [3, 32, 32], "labels": ["cat", "dog"], "licence": "MIT", "defaults": {"steps": 100, "solver": "ddim"}}
```

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
step, `sigma`, or `flow` (1000·t).
"""


def markdown() -> str:
    """The page."""
    rows = [(a.label, a.opens, a.recognised, a.asks, a.refuses) for a in ADAPTERS]
    refused = [(r.label, r.recognised, r.why) for r in REFUSED]
    return f"{_HEAD}{_rows(rows)}{_REFUSED}{_rows(refused)}{_SIDECAR}"


def _rows(rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(markdown())
