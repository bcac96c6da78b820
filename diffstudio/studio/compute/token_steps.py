"""The Steps of both chains of a text model whose states are tokens; `chains` asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from diffstudio.diffusion import token_chain
from diffstudio.diffusion.chain import Step
from diffstudio.diffusion.denoiser import Denoiser
from diffstudio.diffusion.token_chain import Fixed, Process
from diffstudio.modalities.text_file import read_prompt
from diffstudio.studio.compute.prepare import FORWARD_STREAM, Prepared
from diffstudio.studio.request.plan import Plan


def forward(plan: Plan, prepared: Prepared, x0: Tensor) -> Iterator[Step]:
    """The forward chain from the data."""
    process, upwards = _process(plan, FORWARD_STREAM), prepared.grid[::-1]
    chain = token_chain.forward_markov if plan.request.forward == "markov" else token_chain.forward_fixed
    return chain(x0, upwards, process)


def reverse(plan: Plan, denoise: Denoiser, prepared: Prepared, noised: Tensor | None) -> Iterator[Step]:
    """The reverse chain; noised: where the forward chain of the data ended."""
    process = _process(plan, 0)
    return token_chain.reverse(
        denoise,
        process,
        prepared.grid,
        _start(plan, prepared, process, noised),
        solver=plan.request.solver,
        params=plan.request.solver_params,
        fixed=_fixed(plan),
    )


def _process(plan: Plan, stream: int) -> Process:
    text, request = plan.card.text, plan.request
    assert text is not None
    return token_chain.process(text, request.seed, request.samples, plan.card.shape, stream)


def _fixed(plan: Plan) -> Fixed | None:
    """What the prompt fixes."""
    text = plan.card.text
    if not plan.request.prompt or text is None:
        return None
    tokens, where = read_prompt(plan.request.prompt, text, plan.card.shape[1])
    return Fixed(torch.from_numpy(tokens)[None, None].float(), torch.from_numpy(where)[None, None])


def _start(plan: Plan, prepared: Prepared, process: Process, noised: Tensor | None) -> Tensor:
    """x_T: of a recorded step, of a text that has lost tokens, or nothing but lost ones."""
    if prepared.x_start is not None:
        return prepared.x_start
    if plan.request.from_data and noised is not None:
        return noised
    return token_chain.prior(process, plan.request.samples, plan.card.shape[1])
