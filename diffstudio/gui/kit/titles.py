"""What the fields of a request are called on the screen: one word for a thing in panel, restore list and refusals."""

from __future__ import annotations

from diffstudio.gui.kit.words import tr


def title(field: str) -> str:
    """The name of a request's field, in the user's language. Raises: KeyError: no such field."""
    return titles()[field]


def titles() -> dict[str, str]:
    """All of them, by field."""
    return {
        "kind": tr("Only the forward chain"),
        "model": tr("Model"),
        "source": tr("Start from"),
        "source_file": tr("File"),
        "source_step": tr("Recorded step"),
        "source_sample": tr("Sample of the source"),
        "source_fit": tr("Fit"),
        "source_range": tr("Range of the values"),
        "source_part": tr("Part of the file"),
        "source_invert": tr("Invert colours"),
        "strength": tr("Strength"),
        "prompt": tr("Prompt"),
        "negative_prompt": tr("Negative prompt"),
        "distilled_guidance": tr("Distilled guidance"),
        "mask": tr("Mask"),
        "mask_region": tr("Region"),
        "keep_pixels": tr("Keep the source's pixels"),
        "resample": tr("Repeat steps"),
        "label": tr("Class"),
        "solver": tr("Solver"),
        "solver_params": tr("Numbers of the solver"),
        "noise": tr("Noise"),
        "steps": tr("Steps"),
        "grid": tr("Spacing"),
        "grid_params": tr("Numbers of the spacing"),
        "times": tr("Times"),
        "path": tr("Path"),
        "clip": tr("Clip x̂0"),
        "clip_params": tr("Numbers of the clipping"),
        "forward": tr("Forward chain"),
        "seed": tr("Seed"),
        "interpolate": tr("Interpolate to seed"),
        "variation": tr("Variation"),
        "variation_seed": tr("Variation seed"),
        "samples": tr("Samples"),
        "guidance": tr("Guidance"),
        "guidance_interval": tr("Guidance interval"),
        "guidance_rescale": tr("Rescale φ"),
        "guidance_model": tr("Guide model"),
        "negative": tr("Negative class"),
        "record_split": tr("Record both halves"),
        "device": tr("Device"),
        "precision": tr("Weights"),
        "trace_every": tr("Record every"),
        "trace_dtype": tr("Half-precision trace"),
    }
