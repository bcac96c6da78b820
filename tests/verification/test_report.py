"""The report of the proofs: what fails, what is skipped, and how it is printed."""

from __future__ import annotations

import json

import pytest

from diffstudio.cli import run_cli
from diffstudio.verification import densities, report, truths
from diffstudio.verification.row import Row

GOOD, BAD = Row("g", "good", 2.05, 2.0, 0.15, "as it must be"), Row("g", "bad", 3e-5, 1e-5)
SLOW = Row("speed", "slow", 0.7, 0.5)


@pytest.fixture
def proofs(monkeypatch):
    """proofs(*rows_of_each): the proofs are these, each with its own rows."""

    def proofs(*groups, package=""):
        made = tuple((f"Proof {k}", lambda rows=rows: list(rows), package) for k, rows in enumerate(groups))
        monkeypatch.setattr(report, "PROOFS", made)

    return proofs


def test_every_proof_that_there_is_is_run():
    makers = [make for _, make, _ in report.PROOFS]
    assert densities.densities in makers
    assert len({title for title, _, _ in report.PROOFS}) == len(report.PROOFS) == 9


def test_a_row_that_fails_makes_its_proof_fail_and_a_slow_one_does_not(proofs):
    proofs([GOOD], [GOOD, BAD], [SLOW])
    assert [proof.ok for proof in report.verify()] == [True, False, True]


def test_the_exit_code_tells_whether_all_hold(proofs, capsys):
    proofs([GOOD], [SLOW])
    assert run_cli(["verify"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 hold, in 0 s"
    proofs([GOOD], [GOOD, BAD])
    assert run_cli(["verify"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 3 hold, in 0 s"


def test_the_table_shows_what_was_measured_and_what_it_must_be(proofs, capsys):
    proofs([GOOD, BAD, SLOW])
    run_cli(["verify", "--table"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "### Proof 0"
    assert lines[4:7] == [
        "| good | 2.05 | 2 ± 0.15 | ✓ | as it must be |",
        "| bad | 3e-05 | ≤ 1e-05 | ✗ |  |",
        "| slow | 0.7 | ≤ 0.5 | slower |  |",
    ]
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|")


def test_json_holds_every_row(proofs, capsys):
    proofs([GOOD, SLOW], [BAD])
    assert run_cli(["verify", "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)["proofs"]
    assert (first["title"], first["skipped"]) == ("Proof 0", "")
    assert [(row["name"], row["ok"], row["judged"]) for row in first["rows"]] == [
        ("good", True, True),
        ("slow", False, False),
    ]
    assert second["rows"][0]["measured"] == 3e-5


def test_numbers_that_are_none_are_still_json(proofs, capsys):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    proofs([Row("g", "broken", float("nan"), 1.0), Row("g", "far", float("inf"), 1.0)])
    assert run_cli(["verify", "--json"]) == 1
    [proof] = json.loads(capsys.readouterr().out, parse_constant=refuse)["proofs"]
    assert [row["measured"] for row in proof["rows"]] == [None, None]


def test_without_its_package_a_proof_is_skipped_and_that_is_said(proofs, capsys):
    proofs([BAD], package="no_such_package")
    assert run_cli(["verify"]) == 0
    out = capsys.readouterr().out
    assert "no_such_package is not installed here: pip install no_such_package" in out
    assert out.splitlines()[-1] == "0 of 0 hold, in 0 s; not run: Proof 0"
    assert run_cli(["verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proofs"][0]["skipped"].startswith("no_such_package is not installed")


def test_only_the_comparisons_need_diffusers():
    assert {title for title, _, package in report.PROOFS if package == "diffusers"} == {
        "Agreement with diffusers",
        "Time of a solver step against diffusers",
    }


def test_two_forms_at_once_are_refused(capsys):
    assert run_cli(["verify", "--json", "--table"]) == 2
    assert "--table and --json are two forms" in capsys.readouterr().err


def test_a_likelihood_with_a_wrong_score_is_found(monkeypatch):
    """A denoiser that is a hundredth off."""
    denoise = truths.Gaussian.denoise
    monkeypatch.setattr(densities, "PATHS", ("flow",))
    monkeypatch.setattr(truths.Gaussian, "denoise", lambda self, x, at, cond=None: 1.01 * denoise(self, x, at))
    rows = {row.name: row for row in densities.densities()}
    assert not rows["Gaussian, flow"].ok
    assert rows["mixture, flow"].ok
