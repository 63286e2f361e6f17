"""The arena: a few games of their own, played by a recent policy at natural speed, for people.

It shares nothing with training but a copy of the weights, so watching, pausing and playing never
slow or bias it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.command import (
    ArenaCommand,
    HandBack,
    PauseGame,
    PressKey,
    ReleaseAllKeys,
    ReleaseKey,
    SetPictureSize,
    SetSpeed,
    TakeOver,
    Watch,
)
from pufftui.trainer.forward import distribution, forward, initial_state, sample
from pufftui.trainer.frame import ArenaFrame
from pufftui.trainer.player import Player
from pufftui.trainer.weights import PolicyWeights

LEAST_AGENTS = 8
"""Environments with fewer agents are run several times, so that there is something to choose."""

FRAMES_PER_SECOND = 30
LATEST_CATCH_UP = 0.25
"""Seconds of game time that are made up for at most after the thread was kept waiting."""

IDLE_SECONDS = 0.1


class Arena:
    """Plays on a thread of its own; `latest` is replaced whole, about 30 times a second."""

    def __init__(
        self,
        library: EnvLibrary,
        parameters: Mapping[str, float],
        weights: Callable[[], PolicyWeights | None],
        seed: int = 0,
    ) -> None:
        self.latest: ArenaFrame | None = None
        self._descriptor = library.descriptor
        self._get_weights = weights
        copies = -(-LEAST_AGENTS // self._descriptor.agents)
        self._vector = VectorEnv(library, parameters, environments=copies, seed=seed)
        self._random = np.random.default_rng(seed)
        self._buffers = self._vector.buffers()
        self._vector.reset(0, self._buffers)
        self._player = Player(self._descriptor)
        self._weights: PolicyWeights | None = None
        self._state: NDArray[np.float32] | None = None
        self._parts: tuple[NDArray[np.float32], ...] = ()
        self._values: NDArray[np.float32] | None = None
        self._agent = 0
        self._human = False
        self._paused = False
        self._speed = 1.0
        self._size = (0, 0)
        self._phase = 1.0
        self._returns = np.zeros(self._vector.agents)
        self._lengths = np.zeros(self._vector.agents, np.int64)
        self._human_steps = np.zeros(self._vector.agents, np.int64)
        self._last_scores: dict[int, tuple[float, bool]] = {}
        self._best_human: float | None = None
        self._number = 0
        self._commands: deque[ArenaCommand] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="arena", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def send(self, command: ArenaCommand) -> None:
        """Asks for something; from any thread, done before the next frame."""
        self._commands.append(command)
        self._wake.set()

    def stop(self) -> None:
        """Ends the thread and frees the games."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._vector.close()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stopping:
            while self._commands:
                self._obey(self._commands.popleft())
            now = time.monotonic()
            self._advance(now - last)
            last = now
            self._publish()
            showing = self._size != (0, 0)
            rest = 1 / FRAMES_PER_SECOND - (time.monotonic() - now) if showing else IDLE_SECONDS
            # A command is answered at once: a key must not wait for the next frame.
            if rest > 0:
                self._wake.wait(rest)
            self._wake.clear()

    def _obey(self, command: ArenaCommand) -> None:
        match command:
            case Watch(agent):
                self._hand_over(human=False)
                self._agent = agent % self._vector.agents
            case TakeOver():
                self._hand_over(human=True)
            case HandBack():
                self._hand_over(human=False)
            case PressKey(key):
                self._player.press(key)
            case ReleaseKey(key):
                self._player.release(key)
            case ReleaseAllKeys():
                self._player.release_all()
            case SetSpeed(factor):
                self._speed = factor
            case PauseGame(paused):
                self._paused = paused
            case SetPictureSize(width, height):
                self._size = (width, height)

    def _hand_over(self, *, human: bool) -> None:
        self._human = human
        self._player.forget()

    @property
    def _waits(self) -> bool:
        return self._human and self._descriptor.turn_based and self._player.waiting

    def _advance(self, seconds: float) -> None:
        """Moves game time on: whole steps, and the phase between two of them."""
        if self._paused:
            return
        if self._human and self._descriptor.turn_based:
            self._phase = min(1.0, self._phase + seconds * self._descriptor.steps_per_second)
            while not self._player.waiting:
                self._step()
                self._phase = 0.0
            return
        rate = self._descriptor.steps_per_second * self._speed
        self._phase += min(seconds, LATEST_CATCH_UP) * rate
        while self._phase >= 1.0:
            self._phase -= 1.0
            self._step()

    def _step(self) -> None:
        actions = self._decide()
        self._buffers.actions[:] = actions
        self._vector.step(0, self._buffers)
        alive = self._buffers.alive.astype(bool)
        self._returns[alive] += self._buffers.rewards[alive]
        self._lengths[alive] += 1
        if self._human:
            self._human_steps[self._agent] += 1
        ended = (self._buffers.terminals | self._buffers.truncations).astype(bool) & alive
        if ended.any():
            self._finish(ended)

    def _decide(self) -> NDArray[np.int32] | NDArray[np.float32]:
        self._refresh_weights()
        weights, descriptor, rows = self._weights, self._descriptor, self._vector.agents
        if weights is None or self._state is None:
            actions = self._random_actions(rows)
        else:
            outputs, self._values, self._state = forward(
                weights, descriptor, self._buffers.observations, self._state
            )
            self._parts = distribution(weights, descriptor, outputs)
            actions = sample(descriptor, self._parts, self._random)
        if self._human:
            decide = self._player.decide_turn if descriptor.turn_based else self._player.decide
            actions[self._agent] = decide().astype(actions.dtype)
        return actions

    def _random_actions(self, rows: int) -> NDArray[np.int32] | NDArray[np.float32]:
        if self._vector.action_dtype is np.float32:
            shape = (rows, len(self._descriptor.actions))
            return self._random.uniform(-1, 1, shape).astype(np.float32)
        sizes = [len(action.choices) for action in self._descriptor.actions]
        return self._random.integers(0, sizes, (rows, len(sizes)), dtype=np.int32)

    def _refresh_weights(self) -> None:
        newest = self._get_weights()
        if newest is None or newest is self._weights:
            return
        if self._state is None:
            self._state = initial_state(newest, self._vector.agents)
        self._weights = newest

    def _finish(self, ended: NDArray[np.bool_]) -> None:
        if self._state is not None:
            self._state[:, :, ended] = 0
        for episode in self._vector.drain().episodes:
            agent, score = int(episode["agent"]), float(episode["score"])
            # Most of it played by the person: then it is the person's score.
            human = self._human_steps[agent] * 2 > self._lengths[agent]
            self._last_scores[agent] = (score, bool(human))
            if human and (self._best_human is None or score > self._best_human):
                self._best_human = score
        self._returns[ended] = 0
        self._lengths[ended] = 0
        self._human_steps[ended] = 0

    def _publish(self) -> None:
        width, height = self._size
        pixels = np.zeros((height, width, 3), np.uint8)
        environment, agent = divmod(self._agent, self._descriptor.agents)
        if pixels.size:
            # At 1 the last step is complete; `draw` wants a phase below that.
            phase = min(self._phase, np.nextafter(np.float32(1), np.float32(0)))
            self._vector.draw(environment, agent, float(phase), pixels)
        pixels.flags.writeable = False
        self._number += 1
        score, human_score = self._last_scores.get(self._agent, (None, False))
        self.latest = ArenaFrame(
            number=self._number,
            pixels=pixels,
            agent=self._agent,
            agents=self._vector.agents,
            human=self._human,
            paused=self._paused,
            speed=self._speed,
            waiting_for_key=self._waits,
            policy_step=self._weights.step if self._weights else None,
            probabilities=tuple(part[self._agent] for part in self._parts),
            action=tuple(float(number) for number in self._buffers.actions[self._agent]),
            value=float(self._values[self._agent]) if self._values is not None else None,
            episode_return=float(self._returns[self._agent]),
            episode_length=int(self._lengths[self._agent]),
            last_score=score,
            last_score_human=human_score,
            best_human_score=self._best_human,
        )
