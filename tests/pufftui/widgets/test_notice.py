"""Messages that stay a while: what they cover, and whether one can copy what they advise."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import fake_app, fake_session, screen_text, settle
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.format import cells
from pufftui.widgets.notice import message_lines

COMMAND = "pufftui resume breakout-noble-kestrel"


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (80, 24), (60, 18)])
async def test_a_message_covers_little_and_leaves_a_command_whole(tmp_path: Path, size) -> None:
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(app, pilot)
        before = screen_text(app).split("\n")
        app.notify(f"Stopped 3m 20s ago, at step 1.20M. To go on: {COMMAND}", title="squared-brisk")
        await pilot.pause()
        await pilot.pause()
        after = screen_text(app).split("\n")
        assert any(COMMAND in line for line in after), "\n".join(after)
        assert after[-1] == before[-1], "the keys stay in sight"
        changed = [
            row for row, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]
        ]
        assert len(changed) <= (1 if size[0] >= 120 else 2)
        assert changed[-1] == size[1] - 2


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_a_message_is_there_to_its_last_word(tmp_path: Path, width: int) -> None:
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    async with app.run_test(size=(width, 30), notifications=True) as pilot:
        for length in range(0, width, 3):
            app.clear_notifications()
            app.notify(f"{'x ' * (length // 2)}go on: {COMMAND}", title="squared-brisk")
            await pilot.pause()
            await pilot.pause()
            shown = screen_text(app)
            assert COMMAND in shown, shown


@given(
    st.lists(st.sampled_from(["a", "word", "日本", "x" * 30, f"{COMMAND}."]), max_size=12),
    st.sampled_from(["", "Kept", "A long title of several words"]),
    st.integers(1, 100),
)
def test_no_line_is_too_long_and_nothing_is_lost(words: list[str], title: str, width: int) -> None:
    lines = message_lines(title, " ".join(words), width)
    if width > 1:
        assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join("".join([title, *words]).split())
    if width > len(COMMAND):
        whole = sum(line.count(COMMAND) for line in lines)
        assert whole == sum(COMMAND in word for word in words)


SENTENCE = (
    "The folder of the run lies on a disk that is nearly full, and so nothing more is kept of it. "
)
LONG = {
    "words": (SENTENCE * 4)[:300].strip(),
    "one word": "/" + "x" * 299,
    "a long command": f"To go on: {COMMAND} " + "--train.total-steps 100M " * 11,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
@pytest.mark.parametrize("before", [None, (200, 60), (60, 20)])
async def test_a_long_message_lies_wholly_on_the_screen(tmp_path: Path, text, size, before) -> None:
    app = fake_app(fake_session(tmp_path / "squared-brisk-otter"))
    async with app.run_test(size=before or size, notifications=True) as pilot:
        await settle(app, pilot)
        app.notify(text, title="Nearly full")
        await pilot.pause()
        if before is not None:
            await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.pause()
        (toast,) = app.screen.query("Toast")
        assert app.screen.region.contains_region(toast.region)
        assert toast.region.bottom == size[1] - 1
        lines = screen_text(app).splitlines()
        covered = lines[toast.region.y : toast.region.bottom]
        shown = "".join(line[toast.region.x : toast.region.right] for line in covered)
        shown = shown.replace("▌", "")
        assert "".join(shown.split()) == "".join(f"Nearly full{text}".split())
