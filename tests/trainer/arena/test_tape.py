"""Going back in a game: the same bytes and pictures, other futures, and no more memory than allowed."""

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.trainer.arena.game import Game
from pufftui.trainer.arena.tape import MOST_BYTES, SECONDS, Tape


def tape_of(env, weights=None, **options):
    library = load_env(env)
    game = Game(library, library.descriptor.parameter_values({}), seed=5)
    game.weights = weights
    return Tape(game, **options)


def play(tape, steps, person=None, choice=0):
    """So many steps by the policy, in which a person may always choose the same."""
    for _ in range(steps):
        actions = tape.decide()
        if person is not None:
            actions[person] = choice
        tape.play(actions, person)


def seen(game):
    """All that there is of a game: its memory, its arrays, what it thinks, and its picture."""
    moment = game.save()
    return {
        "steps": moment.steps,
        "environments": moment.environments,
        "random": str(moment.random),
        "figures": moment.figures.tobytes(),
        "values": None if moment.values is None else moment.values.tobytes(),
        "parts": [part.tobytes() for part in moment.parts],
        "state": None if moment.state is None else moment.state.tobytes(),
        "picture": game.draw(0, 0.5, 60, 40).tobytes(),
        **{name: array.tobytes() for name, array in moment.arrays.items()},
    }


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
@pytest.mark.parametrize("env", ["breakout", "enduro", "school", "shared_pool", "snake", "squared"])
def test_going_back_and_forth_shows_the_same_bytes_and_pictures(made_policy, env, memory):
    if env != "breakout" and memory == "lstm":
        pytest.skip("one game shows it")
    tape = tape_of(env, made_policy(env, memory))
    story = [seen(tape.game)]
    for step in range(90):
        # A person plays some of it.
        play(tape, 1, person=3 if 20 <= step < 50 else None, choice=1)
        story.append(seen(tape.game))
    for step in (89, 30, 88, 0, 1, 2, 47, 46, 45, 90, 0, 90, 60):
        tape.seek(step)
        assert seen(tape.game) == story[step], step
    tape.game.close()


def test_episodes_that_end_are_counted_once_however_often_they_are_looked_at(made_policy):
    tape = tape_of("squared", made_policy("squared"))
    play(tape, 200)
    finished = tape.game.figures["finished"].sum()
    assert finished > 10
    for _ in range(3):
        tape.seek(20)
        assert tape.game.figures["finished"].sum() < finished
        tape.seek(200)
        assert tape.game.figures["finished"].sum() == finished


def test_the_same_policy_has_the_same_future_and_another_one_another(made_policy):
    first, second = (made_policy("breakout", seed=seed) for seed in (0, 1))
    tape = tape_of("breakout", first)
    play(tape, 60)
    tape.seek(15)
    play(tape, 45)
    again = tape.game.save().environments
    tape.seek(15)
    tape.game.weights = second
    play(tape, 45)
    other = tape.game.save().environments
    plain = tape_of("breakout", first)
    play(plain, 60)
    assert plain.game.save().environments == again != other


def test_going_on_drops_the_future_that_was_left():
    tape = tape_of("breakout")
    play(tape, 100)
    assert (tape.first, tape.last) == (0, 100)
    tape.seek(42)
    assert (tape.first, tape.last, tape.game.steps) == (0, 100, 42)
    before = tape.game.save().environments
    play(tape, 1)
    assert (tape.last, tape.game.steps) == (43, 43)
    tape.seek(99)
    assert tape.game.steps == 43
    play(tape, 10)
    story = tape.game.save().environments
    tape.seek(42)
    assert tape.game.save().environments == before
    tape.seek(53)
    assert tape.game.save().environments == story


@pytest.mark.parametrize("back", [1, 7, 15, 16, 30, 59, 60])
def test_branching_at_any_place_keeps_the_way_there(back):
    tape = tape_of("breakout")
    play(tape, 60)
    tape.seek(60 - back)
    play(tape, 5)
    end = seen(tape.game)
    for _ in range(2):
        tape.seek(0)
        assert tape.game.steps == 0
        tape.seek(tape.last)
        assert seen(tape.game) == end


def test_a_score_after_going_back_is_no_record(made_policy):
    """Whoever tries until it works has not played a better game."""

    def best(*, back):
        tape = tape_of("cartpole", made_policy("cartpole"))
        play(tape, 3, person=0)
        if back:
            tape.seek(1)
        while not tape.game.figures["finished"][0]:
            play(tape, 1, person=0)
        human = tape.game.figures["last_human"][0]
        # Looking at it again makes it no record, either.
        tape.seek(0)
        tape.seek(tape.last)
        return tape.game.best_human, human, tape.game.last_score(0)

    score, human, last = best(back=False)
    assert human
    assert score == last
    score, human, last = best(back=True)
    assert human
    assert score is None
    assert last is not None


def test_half_a_minute_is_remembered_and_never_more_than_allowed(made_policy):
    tape = tape_of("pong", made_policy("pong"))
    rate = tape.game.descriptor.steps_per_second
    play(tape, round(80 * rate))
    held = (tape.game.steps - tape.first) / rate
    assert SECONDS <= held <= SECONDS + 2
    assert sum(stretch.size for stretch in tape._stretches) < MOST_BYTES


def bytes_held(tape):
    return sum(
        len(s.start.environments)
        + sum(a.nbytes for a in s.start.arrays.values())
        + sum(m.actions.nbytes for m in s.moves)
        for s in tape._stretches
    )


def test_a_large_game_is_held_less_often_so_that_half_a_minute_fits(made_policy):
    wide = made_policy("snake", hidden=16)
    size = tape_of("snake", wide).game.save().size
    limit = 5 * size + size // 2
    tape = tape_of("snake", wide, most_bytes=limit)
    rate = round(tape.game.descriptor.steps_per_second)
    story = []
    for _ in range(70 * rate):
        play(tape, 1)
        story.append(tape.game.save().environments)
        assert bytes_held(tape) <= limit
    assert tape.game.steps - tape.first >= SECONDS * rate
    for step in (tape.first + 1, 65 * rate, 50 * rate, 70 * rate):
        tape.seek(step)
        assert tape.game.save().environments == story[step - 1]


def test_what_fits_only_once_or_twice_is_remembered_for_less_time(made_policy):
    wide = made_policy("snake", hidden=16)
    size = tape_of("snake", wide).game.save().size
    limit = size + size // 2
    tape = tape_of("snake", wide, most_bytes=limit)
    rate = round(tape.game.descriptor.steps_per_second)
    play(tape, 12 * rate)
    assert bytes_held(tape) <= limit
    assert tape.game.steps - tape.first <= rate
    tape.seek(0)
    assert tape.game.steps == tape.first > 0


def test_half_a_minute_of_a_thousand_players_fits():
    library = load_env("nmmo")
    tape = Tape(Game(library, library.descriptor.parameter_values({"preset": 1}), seed=5))
    rate = tape.game.descriptor.steps_per_second
    play(tape, round(40 * rate))
    assert (tape.game.steps - tape.first) / rate >= SECONDS
    assert bytes_held(tape) <= MOST_BYTES


def test_a_game_too_large_to_remember_is_played_all_the_same():
    tape = tape_of("snake", most_bytes=1000)
    play(tape, 20)
    assert tape.first == tape.last == tape.game.steps == 20
    tape.seek(3)
    assert tape.game.steps == 20
    plain = tape_of("snake")
    play(plain, 20)
    assert plain.game.save().environments == tape.game.save().environments


def test_a_policy_that_comes_later_does_not_change_the_past(made_policy):
    """Training publishes new weights all the time; what happened stays what happened."""
    tape = tape_of("breakout")
    story = []
    for step in range(60):
        if step in (20, 40):
            tape.game.weights = made_policy("breakout", seed=step)
        play(tape, 1)
        story.append(tape.game.save().environments)
    newest = tape.game.weights
    for step in (5, 25, 45, 10, 60):
        tape.seek(step)
        assert tape.game.save().environments == story[step - 1]
        assert tape.game.weights is newest
    assert np.isfinite(tape.game.values).all()
