"""The schedulers of the installed diffusers as they are set, and what they do with a network that is known."""

from __future__ import annotations

import inspect
import json
import math

import torch

from diffstudio.checkpoints.adapters.schedule import schedule_of
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig

STABLE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SHAPE, TOKENS = (4, 64, 64), 1024  # of one sample, and of Flux in it


def made(diffusers, name, **settings):
    return getattr(diffusers, name)(**settings)


def read(scheduler):
    """What is made here of the file that it would write."""
    return schedule_of(SchedulerConfig.model_validate(json.loads(scheduler.to_json_string())))


def network(x, t):
    """Something between noise and data that depends on the state and on the time."""
    return 0.8 * torch.tanh(x) + 0.15 * math.cos(float(t) / 100)


def set_steps(scheduler, steps):
    config, more = scheduler.config, {}
    if config.get("use_dynamic_shifting"):
        few, many = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        more["mu"] = low + (high - low) / (many - few) * (TOKENS - few)
    scheduler.set_timesteps(steps, **more)
    return scheduler


def sampled(scheduler, x, generator):
    """Its own chain from x."""
    drawn = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
    for t in scheduler.timesteps:
        given = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(network(given, t), t, x, **drawn).prev_sample
    return x
