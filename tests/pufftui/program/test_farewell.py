"""What stays on the terminal when the dashboard has gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from fakes import fake_session

from pufftui.apps import live, watch
from pufftui.trainer.messages.snapshot import Phase


def test_rows_that_were_lost_are_said(tmp_path: Path) -> None:
    session = fake_session(tmp_path)
    why = "7 rows of the store were lost. The store cannot be written: database is locked."
    whole = replace(session.runner.latest, phase=Phase.FINISHED)
    for latest, said in ((whole, False), (replace(whole, lost_rows=7, warning=why), True)):
        ended = replace(session, runner=SimpleNamespace(latest=latest))
        assert (f"\n{why}\n" in live._report(ended)) == said


def test_how_to_go_on_stays_on_the_terminal(tmp_path: Path) -> None:
    session = fake_session(tmp_path / "squared-brisk-otter")
    for phase, logged, said in (
        (Phase.INTERRUPTED, False, True),
        (Phase.DIED, False, True),
        (Phase.INTERRUPTED, True, False),
        (Phase.FINISHED, False, False),
        (Phase.RUNNING, False, False),
    ):
        latest = replace(session.runner.latest, phase=phase)
        watched = SimpleNamespace(
            runner=SimpleNamespace(latest=latest), folder=session.folder, logged=logged
        )
        told = watch._onward(watched)
        assert told == ("To go on: pufftui resume squared-brisk-otter\n" if said else "")
