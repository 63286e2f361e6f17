"""Recordings of a person's moves: read back as the documentation says, and replayed exactly."""

import errno
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.arena import demonstration
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.arena.demonstration import Recording, new_file
from pufftui.trainer.arena.game import Game
from pufftui.trainer.arena.tape import Tape
from pufftui.trainer.messages import command

ROOT = Path(__file__).parents[3]


def play(tape, recording, steps, person=None, choice=1):
    """So many steps; a person, if there is one, always chooses the same."""
    for _ in range(steps):
        actions = tape.decide()
        if person is not None:
            actions[person] = choice
        recording.before(tape.game)
        tape.play(actions, person)
        recording.after(tape.game, person)


def replayed(path, library):
    """What the environment gives when the file's actions are played again from its start."""
    file = np.load(path)
    told = json.loads(str(file["description"]))
    values = library.descriptor.parameter_values(told["parameters"])
    vector = VectorEnv(library, values, environments=1)
    buffers = vector.buffers()
    vector.state(0)[:] = file["environment_start"]
    persons = np.zeros(vector.agents, np.uint8)
    buffers.attend(persons, None)
    names = ("observations", "rewards", "terminals", "truncations", "alive")
    given = {name: [] for name in names}
    for actions, human in zip(file["environment_actions"], file["human"], strict=True):
        buffers.actions[:] = actions
        persons[told["agent"]] = human
        vector.step(0, buffers)
        for name in names:
            given[name].append(getattr(buffers, name)[told["agent"]].copy())
    return file, {name: np.array(values) for name, values in given.items()}


def check(path, library):
    """The file is whole, documented, and the same when it is replayed; returns it."""
    file, again = replayed(path, library)
    descriptor, steps = library.descriptor, len(file["rewards"])
    for name in ("rewards", "terminals", "truncations", "alive"):
        assert (file[name] == again[name]).all(), name
    for field in descriptor.fields:
        end = field.end
        dtype = np.uint8 if field.dtype == 0 else np.float32
        seen = np.ascontiguousarray(again["observations"][:, field.offset : end]).view(dtype)
        kept = file[f"observations/{field.name}"]
        last = file[f"last_observation/{field.name}"]
        assert kept.shape == (steps, field.count)
        assert kept.dtype == last.dtype == dtype
        # What follows an action is what is seen before the next.
        assert kept[1:].tobytes() == seen[:-1].tobytes()
        assert last.tobytes() == seen[-1].tobytes()
        finals = file[f"final_observations/{field.name}"]
        assert finals.shape == (file["truncations"].sum(), field.count)
    shapes = {name: (file[name].shape, file[name].dtype) for name in file.files}
    components = len(descriptor.actions)
    number = np.float32 if descriptor.action_kind == 2 else np.int32
    assert shapes["actions"] == ((steps, components), number)
    assert shapes["environment_actions"] == ((steps, descriptor.agents, components), number)
    assert shapes["rewards"] == ((steps,), np.float32)
    for name in ("terminals", "truncations", "alive", "episode_starts", "human"):
        assert shapes[name] == ((steps,), bool), name
    agent = json.loads(str(file["description"]))["agent"]
    assert (file["environment_actions"][:, agent] == file["actions"]).all()
    return file


@pytest.fixture
def taped(tmp_path):
    def begin(env, agent=0, weights=None, library=None):
        library = library or load_env(env)
        parameters = library.descriptor.parameter_values({})
        game = Game(library, parameters, seed=9)
        game.weights = weights
        path = new_file(tmp_path / "demonstrations", library.descriptor.name)
        about = {"source": "a run", "policy_step": None, "parameters": parameters}
        return Tape(game), lambda: Recording(game, agent, path, about), library

    return begin


@pytest.mark.parametrize(
    ("env", "agent"),
    [
        *(("breakout", 0), ("cartpole", 3), ("enduro", 1), ("pong", 7)),
        *(("nmmo", 100), ("school", 40), ("shared_pool", 5), ("snake", 200), ("squared", 2)),
    ],
)
def test_what_is_read_back_can_be_replayed(taped, made_policy, env, agent):
    tape, begin, library = taped(env, agent, made_policy(env))
    unrecorded = begin()
    play(tape, unrecorded, 30)
    recording = begin()
    play(tape, recording, 25)
    play(tape, recording, 50, person=agent)
    play(tape, recording, 5, person=(agent + 1) % tape.game.agents)
    kept = recording.write()
    assert (kept.trouble, kept.steps, kept.human_steps) == ("", 80, 50)
    file = check(kept.path, library)
    assert file["human"].tolist() == [False] * 25 + [True] * 50 + [False] * 5
    assert (file["actions"][25:75] == 1).all()
    told = json.loads(str(file["description"]))
    assert (told["format"], told["env"], told["source"]) == (1, env, "a run")
    assert told["agent"] == agent % library.descriptor.agents
    assert [choice for action in told["actions"] for choice in action["choices"]]


def test_episodes_are_marked(taped, made_policy):
    tape, begin, library = taped("squared", 1, made_policy("squared"))
    recording = begin()
    play(tape, recording, 300)
    file = check(recording.write().path, library)
    ends = file["terminals"] | file["truncations"]
    assert ends.sum() > 5
    assert file["episode_starts"][0]
    assert (file["episode_starts"][1:] == ends[:-1]).all()
    later = begin()
    play(tape, later, 3)
    assert later.rows[0].starts == bool(ends[-1])


def test_deaths_and_time_limits(taped, crowd):
    """Agents that have died wait; a time limit leaves a last observation of its own."""
    tape, begin, library = taped("", 4, library=crowd)
    recording = begin()
    play(tape, recording, 400)
    file = check(recording.write().path, library)
    alive = file["alive"]
    assert 0 < alive.sum() < 400
    assert not (file["episode_starts"] & ~alive).any()

    tape, begin, library = taped("", 4, library=crowd)
    recording = begin()
    play(tape, recording, 400, person=4, choice=0)  # who does nothing does not die
    file = check(recording.write().path, library)
    assert file["truncations"].any()
    ticks = file["final_observations/seen"][:, 0]
    assert (ticks > 0).all()
    seen = np.concatenate((file["observations/seen"], file["last_observation/seen"][None]))
    assert (seen[1:][file["truncations"], 0] == 0).all()


def test_what_is_taken_back_is_not_kept(taped, made_policy):
    tape, begin, library = taped("breakout", 0, made_policy("breakout"))
    play(tape, begin(), 40)
    recording = begin()
    play(tape, recording, 50, person=0, choice=1)
    tape.seek(tape.game.steps - 20)
    tape.seek(tape.game.steps + 5)
    play(tape, recording, 7, person=0, choice=2)
    assert len(recording.rows) == 50 - 15 + 7
    file = check(recording.write().path, library)
    assert file["actions"][:, 0].tolist() == [1] * 35 + [2] * 7


def test_going_back_before_the_recording_begins_it_anew(taped, made_policy):
    tape, begin, library = taped("breakout", 0, made_policy("breakout"))
    play(tape, begin(), 40)
    recording = begin()
    play(tape, recording, 10, person=0)
    tape.seek(20)
    play(tape, recording, 4, person=0, choice=2)
    file = check(recording.write().path, library)
    assert file["actions"][:, 0].tolist() == [2] * 4
    # A recording that begins in the past, too, is of what is played from there.
    tape.seek(10)
    recording = begin()
    tape.seek(15)
    play(tape, recording, 6)
    assert len(check(recording.write().path, library)["rewards"]) == 6


def test_an_empty_recording_leaves_nothing(taped):
    _, begin, _ = taped("squared")
    kept = begin().write()
    assert "nothing to keep" in kept.trouble
    assert not kept.path.exists()


def test_a_full_disk_is_told_and_leaves_nothing(taped, monkeypatch):
    tape, begin, _ = taped("squared")
    recording = begin()
    play(tape, recording, 3)

    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    kept = recording.write()
    assert "could not be written (No space left on device)" in kept.trouble
    assert list(kept.path.parent.iterdir()) == []


def test_names_never_collide(tmp_path):
    found = set()
    for _ in range(3):
        path = new_file(tmp_path, "pong")
        path.touch()
        found.add(path.name)
    assert len(found) == 3
    assert all(re.fullmatch(r"pong-demonstration-\d{8}-\d{6}(-\d)?\.npz", name) for name in found)


# In the arena.


@pytest.fixture
def arena(made_policy):
    library, weights = load_env("breakout"), made_policy("breakout")
    arena = Arena(library, library.descriptor.parameter_values({}), lambda: weights, seed=1)
    arena.start()
    yield arena
    arena.stop()


def until(arena, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if arena.latest is not None and condition(arena.latest):
            return arena.latest
        time.sleep(0.005)
    raise AssertionError(arena.latest)


def test_a_person_records_and_stops(arena, tmp_path):
    until(arena, lambda frame: frame.episode_length > 2)
    folder = tmp_path / "new" / "demonstrations"
    arena.send(command.Record(folder, "brisk-otter"))
    until(arena, lambda frame: frame.recording and frame.recording > 5)
    arena.send(command.TakeOver())
    arena.send(command.PressKey("right"))
    until(arena, lambda frame: frame.human and frame.recording > 20)
    arena.send(command.HandBack())
    arena.send(command.StopRecording())
    frame = until(arena, lambda frame: frame.kept is not None)
    assert frame.recording is None
    file = check(frame.kept.path, load_env("breakout"))
    assert file["human"].sum() == frame.kept.human_steps > 5
    assert (file["actions"][file["human"]] == 2).any()
    told = json.loads(str(file["description"]))
    assert (told["source"], told["policy_step"]) == ("brisk-otter", 1000)
    assert list(folder.iterdir()) == [frame.kept.path]


def test_watching_another_agent_keeps_what_there_is(arena, tmp_path):
    arena.send(command.Record(tmp_path))
    until(arena, lambda frame: frame.recording)
    arena.send(command.Watch(3))
    frame = until(arena, lambda frame: frame.kept is not None)
    assert (frame.agent, frame.recording, frame.kept.trouble) == (3, None, "")


def test_leaving_keeps_what_there_is(arena, tmp_path):
    arena.send(command.Record(tmp_path))
    until(arena, lambda frame: frame.recording)
    arena.stop()
    check(arena.latest.kept.path, load_env("breakout"))


def test_a_folder_that_cannot_be_written_is_told_at_once(arena, tmp_path):
    (tmp_path / "file").touch()
    arena.send(command.Record(tmp_path / "file" / "demonstrations"))
    frame = until(arena, lambda frame: frame.kept is not None)
    assert frame.recording is None
    assert "could not be written (Not a directory)" in frame.kept.trouble


def test_a_recording_that_grows_too_large_ends_by_itself(arena, tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "MOST_BYTES", 10_000)
    arena.send(command.Record(tmp_path))
    frame = until(arena, lambda frame: frame.kept is not None)
    assert frame.recording is None
    assert 5 < len(check(frame.kept.path, load_env("breakout"))["rewards"]) < 20


# The documentation.


def test_the_example_of_the_documentation_works(taped, made_policy, monkeypatch):
    tape, begin, _ = taped("breakout", 0, made_policy("breakout"))
    recording = begin()
    play(tape, recording, 60, person=0)
    path = recording.write().path
    text = (ROOT / "docs" / "demonstrations.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == 2
    monkeypatch.chdir(path.parent)
    names: dict[str, object] = {}
    for example in examples:
        exec(example.replace("breakout-demonstration-20260101-120000.npz", path.name), names)
    assert names["seen"].shape == (60, 10)
    assert names["chosen"].shape == (60, 1)
    # Every array of the file is explained, and nothing else.
    table = set(re.findall(r"^\| `([a-z_]+)(?:/FIELD)?`", text, flags=re.MULTILINE))
    assert table == {name.partition("/")[0] for name in np.load(path).files}
