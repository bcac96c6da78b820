"""Solvers: one step from a level (t, a, s) to the next, t′ < t. Each is a function in the one formula

    ε̂ = (x − a·x̂0)/s;   x′ = a′·x̂0 + √(s′² − η²)·ε̂ + η·z

or adds its terms to it in λ = log(a/s). One family a file; the rows of `diffstudio.options.SOLVERS` name them.
"""

from diffstudio.diffusion.solvers.adaptive import rk45
from diffstudio.diffusion.solvers.consistency import lcm, tcd
from diffstudio.diffusion.solvers.context import (
    Past,
    Solver,
    StepContext,
    blend,
    eps_hat,
    forward_std,
    kept,
    posterior_std,
)
from diffstudio.diffusion.solvers.dpm import dpmpp_2m, dpmpp_2m_sde, dpmpp_2s, dpmpp_3m, dpmpp_3m_true
from diffstudio.diffusion.solvers.first_order import ddim, ddpm, ddpm_large, ddpm_learned, euler, euler_ancestral
from diffstudio.diffusion.solvers.heun import heun
from diffstudio.diffusion.solvers.multistep import deis
from diffstudio.diffusion.solvers.unipc import unipc

SOLVERS: dict[str, Solver] = {
    "dpmpp_2m": dpmpp_2m,
    "unipc": unipc,
    "dpmpp_3m": dpmpp_3m,
    "dpmpp_3m_true": dpmpp_3m_true,
    "deis": deis,
    "dpmpp_2s": dpmpp_2s,
    "heun": heun,
    "ddim": ddim,
    "euler": euler,
    "euler_ancestral": euler_ancestral,
    "dpmpp_2m_sde": dpmpp_2m_sde,
    "ddpm": ddpm,
    "ddpm_large": ddpm_large,
    "ddpm_learned": ddpm_learned,
    "lcm": lcm,
    "tcd": tcd,
    "rk45": rk45,
}

__all__ = [
    "SOLVERS",
    "Past",
    "Solver",
    "StepContext",
    "blend",
    "ddim",
    "ddpm",
    "ddpm_large",
    "ddpm_learned",
    "deis",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_2s",
    "dpmpp_3m",
    "dpmpp_3m_true",
    "eps_hat",
    "euler",
    "euler_ancestral",
    "forward_std",
    "heun",
    "kept",
    "lcm",
    "posterior_std",
    "rk45",
    "tcd",
    "unipc",
]
