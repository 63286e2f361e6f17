"""The rules of a game, as the README of its environment tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pufftui.envs.catalogue import find_env
from pufftui.envs.reading import read_small_text

SECTION = "## Rules"
MARKS = re.compile(r"\*\*|`|\[([^\]]*)\]\([^)]*\)")
POINT = r"(?:\* |\d+\. )"
"""How a point of a list begins."""

LEAD = re.compile(r"\*\*(.+?)\*\*\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """A paragraph: the words that it begins with in bold, if any, and the others."""

    lead: str
    text: str


def rules(env: str) -> tuple[Rule, ...]:
    """The paragraphs of the section about the rules, without marks; none if there is none."""
    try:
        readme = read_small_text(find_env(env).path / "README.md", errors="replace")
    except OSError:
        return ()
    _, found, after = readme.partition(f"\n{SECTION}\n")
    section = after.partition("\n## ")[0] if found else ""
    # A paragraph ends at an empty line, or where the next point of a list begins.
    blocks = (" ".join(block.split()) for block in re.split(rf"\n\s*\n|\n(?={POINT})", section))
    return tuple(_rule(re.sub(f"^{POINT}", "", block)) for block in blocks if _is_prose(block))


def _is_prose(block: str) -> bool:
    """Not a table, nor code."""
    return bool(block) and not block.startswith(("|", "```", "#"))


def _rule(block: str) -> Rule:
    split = LEAD.fullmatch(block)
    lead, text = split.groups() if split else ("", block)
    return Rule(_plain(lead), _plain(text))


def _plain(text: str) -> str:
    return MARKS.sub(lambda mark: mark[1] or "", text)
