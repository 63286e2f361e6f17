"""The sheet beside a game: rows with the keys of what they name, in any room, and stories below them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.appearance.glyphs import ASCII
from pufftui.appearance.theme import load_themes
from pufftui.envs.catalogue import load_env
from pufftui.envs.words import RowKind, SheetRow, Story, Weight
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.sheet import SheetCard

THEMES = load_themes()
NMMO = load_env("nmmo").descriptor
LABELS = [choice.label for choice in NMMO.actions[0].choices]

CARRIED = [
    SheetRow(RowKind.FACT, f"sword {i}", "worn", choice=LABELS.index(f"key {i}"), colour=0xD5DAE2)
    for i in (1, 2)
]
EMPTY = [SheetRow(RowKind.FAINT, "-", choice=LABELS.index(f"key {i}")) for i in range(3, 13)]
SHEET = (
    SheetRow(RowKind.BAR, "health", "50/99", share=0.5, colour=0x5BD75B),
    SheetRow(RowKind.FACT, "buy", "3 offers", choice=LABELS.index("buy")),
    SheetRow(RowKind.TITLE, "carried"),
    *CARRIED,
    *EMPTY,
    SheetRow(RowKind.TITLE, "for sale"),
    SheetRow(RowKind.FACT, "bow 2", "6 gold"),
)
STORIES = tuple(
    Story(agent, weight, text)
    for agent, weight, text in (
        (8, Weight.TALK, "reaches level 4"),
        (310, Weight.NEWS, "equips a tier-4 sword"),
        (6, Weight.OWN, "needs a tool of tier 2 in the hand for that"),
    )
)


def card_of(
    sheet: tuple[SheetRow, ...] = SHEET,
    stories: tuple[Story, ...] = STORIES,
    *,
    theme: str = "midnight",
    human: bool = True,
) -> SheetCard:
    card = SheetCard(THEMES[theme], NMMO)
    card.frame = ArenaFrame(
        number=1,
        pixels=np.zeros((2, 2, 3), np.uint8),
        agent=6,
        agents=1024,
        human=human,
        paused=False,
        speed=1.0,
        waiting_for_key=False,
        policy_step=None,
        probabilities=(),
        action=(0,),
        value=None,
        episode_return=0.0,
        episode_length=0,
        last_score=None,
        last_score_human=False,
        best_human_score=None,
        sheet=sheet,
        stories=stories,
    )
    return card


def shown(card: SheetCard, width: int, height: int) -> list[str]:
    return ["".join(text for text, _ in line) for line in card.content(width, height)]


def test_rows_stand_with_their_keys_and_stories_below() -> None:
    lines = shown(card_of(), 40, 40)
    assert lines[0].startswith("health")
    assert lines[0].endswith("50/99")
    assert lines[1].split() == ["b", "buy", "3", "offers"]
    assert "carried" in lines[3]
    assert lines[4].split() == ["1", "■", "sword", "1", "worn"]
    assert "= -" in "\n".join(lines)
    assert lines[-3:] == [
        "agent 311 equips a tier-4 sword",
        "agent 7 needs a tool of tier 2 in the",
        "  hand for that",
    ]


def test_what_is_nothing_goes_first_where_there_is_little_room() -> None:
    text = "\n".join(shown(card_of(), 26, 12))
    for words in ("health", "buy", "carried", "sword 1", "sword 2", "for sale", "bow 2", "stories"):
        assert words in text
    assert "= -" not in text
    assert "agent 7 needs a tool" in text
    assert shown(card_of(stories=()), 26, 2)[-1].startswith("b buy")


def test_a_title_without_rows_below_it_is_left_out() -> None:
    assert "carried" not in "\n".join(shown(card_of(stories=()), 26, 3))


def test_keys_shine_for_who_plays_and_what_cannot_be_done_does_not() -> None:
    for human in (True, False):
        card = card_of(human=human)
        lines = card.content(40, 40)
        colour = card.look.colours["human" if human else "dim"]
        assert lines[1][0][1].color.name == colour
        assert lines[6][0][1].color.name == card.look.colours["dim"]


def test_a_story_of_the_watched_agent_stands_out() -> None:
    card = card_of()
    lines = card.content(60, 40)
    assert lines[-1][0][1].color.name == card.look.colours["human"]
    assert lines[-2][0][1].color.name == card.look.colours["text"]
    assert lines[-3][0][1].color.name == card.look.colours["dim"]


@pytest.mark.parametrize("theme", ["midnight", "paper"])
@pytest.mark.parametrize("colour", [0xFFFFFF, 0x000000, 0xD5DAE2, 0x10141B, 0x777777])
def test_a_game_s_own_colours_can_be_read_in_every_theme(theme: str, colour: int) -> None:
    look = THEMES[theme]
    own, ground = look.colours[look.own(colour)], look.colours["surface"]
    light = [sum(int(one[i : i + 2], 16) for i in (1, 3, 5)) for one in (own, ground)]
    assert abs(light[0] - light[1]) > 120


ROWS = st.builds(
    SheetRow,
    kind=st.sampled_from(RowKind),
    label=st.text(max_size=39),
    value=st.text(max_size=39),
    choice=st.integers(-5, 100),
    share=st.floats(0, 1),
    colour=st.integers(0, 0xFFFFFF),
)
TOLD = st.builds(
    Story, agent=st.integers(0, 2000), weight=st.sampled_from(Weight), text=st.text(max_size=79)
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(ROWS, max_size=64),
    st.lists(TOLD, max_size=20),
    st.integers(16, 60),
    st.integers(1, 60),
)
def test_whatever_a_game_says_stays_in_its_place(
    rows: list[SheetRow], stories: list[Story], width: int, height: int
) -> None:
    card = card_of(tuple(rows), tuple(stories))
    lines = card.content(width, height)
    assert len(lines) <= height
    for line in lines:
        strip = card.strip(line, width)
        assert strip.cell_length == width
        assert "\x1b" not in strip.text
        assert strip.text.isprintable()


@pytest.mark.parametrize(("width", "height"), [(26, 22), (26, 8), (20, 30)])
def test_a_story_ends_with_its_last_word_or_a_sign(width: int, height: int) -> None:
    """The newest is read whole: why something did not work."""
    text = "needs a tool of tier 2 in the hand for what it found there beside the water"
    for story in (
        text,
        f"{text}, and goes on to say a good deal more of it than anybody would read",
    ):
        card = card_of(stories=(Story(6, Weight.OWN, story),))
        told = " ".join(" ".join(shown(card, width, height)[-3:]).split())
        assert told.endswith(("beside the water", "…")), told
        card.look = replace(card.look, glyphs=ASCII)
        told = " ".join(" ".join(shown(card, width, height)[-3:]).split())
        assert told.endswith(("beside the water", "...")), told
