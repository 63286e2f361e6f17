"""`pufftui env check` finds the usual mistakes, however few steps it is given."""

from __future__ import annotations

from pathlib import Path

import mistakes_table
import pytest
from mistakes import MISTAKES, broken

from pufftui.envs.catalogue import find_env, load_env
from pufftui.envs.checking import check
from pufftui.envs.checking.check import check_env
from pufftui.envs.compiler import find_compiler
from pufftui.envs.errors import PuffError

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

ALSO = {"static variable": {"threads"}}
"""What else may follow from the mistake."""


def find(name: str, tmp_path: Path, steps: int) -> None:
    mistake = MISTAKES[name]
    report = check_env(find_env(str(broken(tmp_path, *mistake.changes))), steps=steps, patience=1)
    found = {finding.id: finding for finding in report.wrong}
    assert mistake.finding in found, report.findings
    assert found.keys() - {mistake.finding} <= ALSO.get(name, set()), report.findings
    finding = found[mistake.finding]
    assert mistake.says in finding.text
    assert finding.text.endswith(".")
    assert finding.fix or finding.id == "compile"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_few_steps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(check, "LONGEST_PLAY", 8.0)  # of which a slow step is given a quarter
    find(name, tmp_path, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [200_000, 1_000_000])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_many_steps(name: str, steps: int, tmp_path: Path):
    find(name, tmp_path, steps)


LOADING = [
    "wrong abi",
    "choice_count too high",
    "action_count too high",
    "fields longer than the observation",
    "does not compile",
]


@pytest.mark.parametrize("name", LOADING)
def test_what_cannot_work_is_refused_before_it_is_loaded(name: str, tmp_path: Path):
    """Also where reading on would end the process."""
    folder = broken(tmp_path, *MISTAKES[name].changes)
    with pytest.raises(PuffError) as refused:
        load_env(str(folder), named_here=True)
    assert MISTAKES[name].train in refused.value.message


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.train])
def test_training_names_a_mistake_that_it_meets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    _, _, said = mistakes_table.train(broken(tmp_path, *MISTAKES[name].changes))
    assert MISTAKES[name].train in said
