"""All proofs, one after the other, and how they are printed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from diffstudio import __version__
from diffstudio.verification import densities, identities, inversion, moments, orders
from diffstudio.verification.row import Row

TIMED = "speed"  # the group whose rows tell of the machine too: printed, not judged


@dataclass(frozen=True)
class Proof:
    """A part of the verification. skipped: why it was not run, or ""."""

    title: str
    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Whether every row that is judged holds."""
        return all(row.ok for row in self.rows if row.group != TIMED)


def _against_diffusers() -> list[Row]:
    from diffstudio.verification.against_diffusers import agreement

    return agreement()


def _step_times() -> list[Row]:
    from diffstudio.verification.speed import step_times

    return step_times()


# Title, what makes the rows, and the package that it needs beside our own.
PROOFS: tuple[tuple[str, Callable[[], list[Row]], str], ...] = (
    ("Order of convergence", orders.convergence, ""),
    ("Strong order along one Brownian path", orders.strong_convergence, ""),
    ("Solvers that must be identical", identities.identities, ""),
    ("Moments of forward chains", moments.forward_moments, ""),
    ("Moments of ancestral sampling", moments.ancestral_moments, ""),
    ("Inversion and back", inversion.inversion, ""),
    ("Likelihood", densities.densities, ""),
    ("Agreement with diffusers", _against_diffusers, "diffusers"),
    ("Time of a solver step against diffusers", _step_times, "diffusers"),
)


def verify() -> Iterator[Proof]:
    """Run the proofs; yields each when it is done."""
    for title, make, package in PROOFS:
        if package and find_spec(package) is None:
            yield Proof(title, skipped=f"{package} is not installed here: pip install {package}")
            continue
        begun = time.monotonic()
        rows = tuple(make())
        yield Proof(title, rows, time.monotonic() - begun)


def table(proof: Proof) -> str:
    """A proof as a Markdown table."""
    head = f"### {proof.title}\n"
    if proof.skipped:
        return f"{head}\n{proof.skipped}\n"
    lines = ["| | measured | must be | |  |", "|---|---:|---:|---|---|"]
    for row in proof.rows:
        verdict = ("" if row.ok else "slower") if row.group == TIMED else ("✓" if row.ok else "✗")
        lines.append(f"| {row.name} | {row.measured:.4g} | {bound(row)} | {verdict} | {row.note} |")
    return "\n".join([head, *lines, ""])


def bound(row: Row) -> str:
    """What the measured number must be, in words."""
    return f"≤ {row.expected:.4g}" if row.within is None else f"{row.expected:.4g} ± {row.within:.2g}"


def summary(proofs: Sequence[Proof]) -> str:
    """One sentence on all of them."""
    judged = [row for proof in proofs for row in proof.rows if row.group != TIMED]
    held = sum(row.ok for row in judged)
    skipped = [proof.title for proof in proofs if proof.skipped]
    without = f"; not run: {', '.join(skipped)}" if skipped else ""
    return f"{held} of {len(judged)} hold, in {sum(p.seconds for p in proofs):.0f} s{without}"


def as_json(proofs: Sequence[Proof]) -> str:
    """Everything as JSON, with the date and the versions that it holds for; `stored.Stored` reads it."""
    found = {"date": date.today().isoformat(), "versions": _versions(), "proofs": [plain(proof) for proof in proofs]}
    return json.dumps(found, indent=1, ensure_ascii=False)


def _versions() -> dict[str, str]:
    """Of DiffStudio and of what its proofs stand on; a package that is not here is left out."""
    found = {"diffstudio": __version__}
    for package in ("torch", "diffusers"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def plain(proof: Proof) -> dict[str, Any]:
    """A proof as JSON values."""
    rows = [
        dataclasses.asdict(row)
        | {"measured": row.measured if math.isfinite(row.measured) else None}  # JSON has no NaN and no ∞
        | {"ok": row.ok, "judged": row.group != TIMED}
        for row in proof.rows
    ]
    return {"title": proof.title, "seconds": round(proof.seconds, 2), "skipped": proof.skipped, "rows": rows}
