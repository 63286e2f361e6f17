"""What is played on the arena's thread: a game, beside it perhaps a rival's, and a recording of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.library import EnvLibrary
from pufftui.trainer.arena.demonstration import Recording, new_file, unwritable
from pufftui.trainer.arena.game import Game
from pufftui.trainer.arena.tape import MOST_BYTES, Tape
from pufftui.trainer.messages.kept import Kept
from pufftui.trainer.messages.weights import PolicyWeights


class Scene:
    """Games that go step by step together, back and forth.

    `game` is played by the newest policy that `weights` returns, or by a person; `rival` by
    another. `kept` is what became of the last recording.
    """

    def __init__(
        self,
        library: EnvLibrary,
        parameters: Mapping[str, float],
        weights: Callable[[], PolicyWeights | None],
        seed: int,
    ) -> None:
        self._library, self._parameters, self._seed = library, parameters, seed
        self._get_weights = weights
        self._tapes = [Tape(Game(library, parameters, seed))]
        self._recording: Recording | None = None
        self._writing: threading.Thread | None = None
        self.kept: Kept | None = None

    @property
    def game(self) -> Game:
        """The one that is watched and played."""
        return self._tapes[0].game

    @property
    def rival(self) -> Game | None:
        """The one beside it."""
        return self._tapes[1].game if len(self._tapes) > 1 else None

    # Time.

    @property
    def earliest(self) -> int:
        """The first step that can be gone back to."""
        return max(tape.first for tape in self._tapes)

    @property
    def latest(self) -> int:
        """The last step that can be gone forth to."""
        return self._tapes[0].last

    def step(self, person: int | None, decide: Callable[[], NDArray[np.float32]]) -> None:
        """Plays a step; for the agent `person`, if there is one, `decide` chooses the action."""
        game, recording = self.game, self._recording
        self._refresh_policy()
        actions = self._tapes[0].decide()
        if person is not None:
            actions[person] = decide().astype(actions.dtype)
        if recording is not None:
            recording.before(game)
        self._tapes[0].play(actions, person)
        if recording is not None:
            recording.after(game, person)
            if recording.full:
                self.stop_recording()
        for tape in self._tapes[1:]:
            tape.play(tape.decide())

    def seek(self, step: int) -> None:
        """Goes to a step that is remembered, or to the nearest."""
        self._refresh_policy()
        for tape in self._tapes:
            tape.seek(max(step, self.earliest))

    def _refresh_policy(self) -> None:
        self.game.weights = self._get_weights() or self.game.weights

    # The rival.

    def set_rival(self, rival: PolicyWeights | None) -> None:
        """Begins two games anew that are the same until the policies differ; None ends the second."""
        for tape in self._tapes[1:]:
            tape.game.close()
        del self._tapes[1:]
        if rival is None:
            return
        self.stop_recording()
        self._seed += 1
        before = self.game
        games = [Game(self._library, self._parameters, self._seed) for _ in range(2)]
        games[0].weights, games[1].weights = before.weights, rival
        games[0].best_human = before.best_human
        self._tapes = [Tape(game, MOST_BYTES // 2) for game in games]
        before.close()

    # The recording.

    @property
    def recorded(self) -> int | None:
        """How many steps are recorded so far; None if nothing is being recorded."""
        return None if self._recording is None else len(self._recording.rows)

    def record(self, agent: int, folder: Path, source: str) -> None:
        """Records an agent from now on, for a new file in a folder."""
        self.stop_recording()
        descriptor, weights = self.game.descriptor, self.game.weights
        try:
            path = new_file(folder, descriptor.name)
        except OSError as error:
            self.kept = unwritable(folder, error)
            return
        about = {
            "source": source,
            "policy_step": weights.step if weights else None,
            "parameters": dict(self._parameters),
        }
        self._recording = Recording(self.game, agent, path, about)

    def stop_recording(self) -> None:
        """Writes the file beside the game, which goes on; `kept` tells when it is there."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        self.finish_writing()

        def write() -> None:
            self.kept = recording.write()

        self._writing = threading.Thread(target=write, name="demonstration")
        self._writing.start()

    def finish_writing(self) -> None:
        """Waits for the file."""
        if self._writing is not None:
            self._writing.join()

    def close(self) -> None:
        """Frees the games."""
        for tape in self._tapes:
            tape.game.close()
