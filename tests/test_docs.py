"""The documentation is current, and what it links to is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pufftui.trainer.health import RULES
from pufftui.trainer.settings.fields import setting_fields

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def generator() -> ModuleType:
    """docs/generate.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "keys.md", "themes.md", "baselines.md"])
def test_tables_are_current(page: str) -> None:
    path = ROOT / "docs" / page
    made = generator().pages()[path]
    assert path.read_text(encoding="utf-8") == made, "write them anew: python docs/generate.py"


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        place, _, anchor = link.partition("#")
        if "://" in place:
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= listed


def test_every_alert_has_its_branch_in_the_tree() -> None:
    text = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}
    assert {rule.branch for rule in RULES.values()} == {
        f"docs/learning.md#{name}" for name in headings
    }
    named = set(re.findall(r"`--([a-z]+\.[a-z-]+)", text))
    assert {f"--{name}" for name in named} <= {field.flag for field in setting_fields().values()}
