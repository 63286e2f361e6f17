"""Of all that is told of a crowded world, what somebody reads who watches one agent of it."""

from pufftui.envs.words import Story, Weight
from pufftui.trainer.arena.chronicle import MOST_NEWS, MOST_SHOWN, Chronicle

AGENTS = 100


def told(chronicle, step, watched=7):
    return [story.text for story in chronicle.told(step, watched)]


def test_all_of_the_watched_agent_and_of_others_what_matters_most():
    chronicle = Chronicle()
    chronicle.take_in(
        1,
        7,
        [
            Story(7, Weight.OWN, "eats"),
            Story(8, Weight.TALK, "chats"),
            *(Story(50, Weight.NEWS, f"wins {i}") for i in range(5)),
            Story(107, Weight.NEWS, "lives elsewhere"),
            Story(7, Weight.NEWS, "falls"),
        ],
        AGENTS,
    )
    assert told(chronicle, 1) == ["eats", *(f"wins {i}" for i in range(MOST_NEWS)), "falls"]
    chronicle.take_in(2, 7, [Story(8, Weight.TALK, f"chats {i}") for i in range(3)], AGENTS)
    assert told(chronicle, 2)[-1] == "chats 0"
    assert "eats" not in told(chronicle, 2, watched=8)


def test_who_goes_back_reads_what_was_told_then_and_leaves_another_future_behind():
    chronicle = Chronicle()
    for step in range(1, 6):
        chronicle.take_in(step, 7, [Story(7, Weight.OWN, str(step))], AGENTS)
    assert told(chronicle, 3) == ["1", "2", "3"]
    assert told(chronicle, 5)[-1] == "5"
    chronicle.take_in(4, 7, [Story(7, Weight.OWN, "other")], AGENTS)
    assert told(chronicle, 9) == ["1", "2", "3", "other"]
    chronicle.forget()
    assert told(chronicle, 9) == []


def test_it_never_grows_without_end():
    chronicle = Chronicle()
    for step in range(5000):
        chronicle.take_in(step, 7, [Story(7, Weight.NEWS, str(step))], AGENTS)
    assert told(chronicle, 5000) == [str(step) for step in range(5000 - MOST_SHOWN, 5000)]
