"""What stays on the terminal when the dashboard has gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from fakes import fake_session

from pufftui.apps import live
from pufftui.trainer.messages.snapshot import Phase


def test_rows_that_were_lost_are_said(tmp_path: Path) -> None:
    session = fake_session(tmp_path)
    why = "7 rows of the store were lost. The store cannot be written: database is locked."
    whole = replace(session.runner.latest, phase=Phase.FINISHED)
    for latest, said in ((whole, False), (replace(whole, lost_rows=7, warning=why), True)):
        ended = replace(session, runner=SimpleNamespace(latest=latest))
        assert (f"\n{why}\n" in live._report(ended)) == said
