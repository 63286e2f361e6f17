"""What the home screen tells of a game's rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from pufftui.envs.catalogue import env_names
from pufftui.state.rules import Rule, rules


@pytest.mark.parametrize("env", env_names())
def test_every_bundled_game_tells_its_rules_plainly(env: str) -> None:
    found = rules(env)
    assert found
    for rule in found:
        assert rule.text
        told = f"{rule.lead} {rule.text}"
        assert not any(mark in told for mark in ("**", "`", "](", "|-")), told


def own(folder: Path, readme: str | None) -> str:
    env = folder / "mine"
    env.mkdir()
    (env / "mine.c").write_text("")
    (env / "mine.toml").write_text("")
    if readme is not None:
        (env / "README.md").write_text(readme)
    return str(env)


def test_paragraphs_and_points(tmp_path: Path) -> None:
    text = "# mine\n\nNot this.\n\n## Rules\n\nOne\nsentence.\n\n* **Ball.** It `rolls`,\n  see [here](x.md).\n1. Plain, 2 * 3.\n\n"
    text += "| a | b |\n|---|---|\n\n```\ncode\n```\n\n## Actions\n\nNor this.\n"
    assert rules(own(tmp_path, text)) == (
        Rule("", "One sentence."),
        Rule("Ball.", "It rolls, see here."),
        Rule("", "Plain, 2 * 3."),
    )


@pytest.mark.parametrize(
    "readme", [None, "", "# mine\n", "## Rules", "\n## Rules\n", "\n## Rules\n\n## End\n"]
)
def test_without_rules_there_are_none(tmp_path: Path, readme: str | None) -> None:
    assert rules(own(tmp_path, readme)) == ()
