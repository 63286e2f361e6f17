"""The arena: a few games of their own, played by a recent policy at natural speed, for people.

It shares nothing with training but a copy of the weights, so watching, pausing and playing never
slow or bias it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from pufftui.envs.library import EnvLibrary
from pufftui.envs.words import SheetRow, Story
from pufftui.trainer.arena.chronicle import Chronicle
from pufftui.trainer.arena.player import Player
from pufftui.trainer.arena.scene import Scene
from pufftui.trainer.messages.command import (
    ArenaCommand,
    Begin,
    FollowAgent,
    HandBack,
    NextView,
    PauseGame,
    PressKey,
    Record,
    ReleaseAllKeys,
    ReleaseKey,
    Rewind,
    SetFrameRate,
    SetPictureSize,
    SetRival,
    SetSpeed,
    StepGame,
    StopRecording,
    TakeOver,
    Watch,
    WatchAt,
)
from pufftui.trainer.messages.follow import Follow, followed
from pufftui.trainer.messages.frame import ArenaFrame, RivalFrame
from pufftui.trainer.messages.weights import PolicyWeights

FRAMES_PER_SECOND = 30.0
"""Until somebody asks for fewer."""

LATEST_CATCH_UP = 0.25
"""Seconds of game time that are made up for at most after the thread was kept waiting."""

IDLE_SECONDS = 0.1

FOLLOW_SECONDS = 1.0
"""Time of the game between two looks at who is best or worst, so that the camera is not restless."""


class Arena:
    """Plays on a thread of its own; `latest` is replaced whole, about 30 times a second.

    `spent` is the processor time that its thread has taken so far, in seconds.
    """

    def __init__(
        self,
        library: EnvLibrary,
        parameters: Mapping[str, float],
        weights: Callable[[], PolicyWeights | None],
        seed: int = 0,
    ) -> None:
        self.latest: ArenaFrame | None = None
        self.spent = 0.0
        self._descriptor = library.descriptor
        self._scene = Scene(library, parameters, weights, seed)
        self._player = Player(self._descriptor)
        self._agent = 0
        self._follow = Follow.CHOSEN
        self._human = False
        self._patient = False  # whether the game waits for the person to begin
        self._expecting = False  # whether the person has taken over, and pressed no key yet
        self._paused = False
        self._speed = 1.0
        self._size = (0, 0)
        self._frame_rate = FRAMES_PER_SECOND
        self._phase = 1.0
        self._rival_name = ""
        self._view = 0
        self._chronicle = Chronicle()
        self._words: tuple[tuple[int, int], tuple[SheetRow, ...], tuple[Story, ...]] | None = None
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
        """Ends the thread, writes what was being recorded, and frees the games.

        Afterwards `latest` says what became of the recording. Safe to call twice.
        """
        if self._stopping:
            return
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._scene.stop_recording()
        self._scene.finish_writing()
        if self.latest is not None:
            self._publish()
        self._scene.close()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stopping:
            while self._commands:
                self._obey(self._commands.popleft())
            now = time.monotonic()
            self._advance(now - last)
            last = now
            self._publish()
            self.spent = time.thread_time()
            # A command is answered at once: a key must not wait for the next frame.
            rest = self._rest() - (time.monotonic() - now)
            if rest > 0:
                self._wake.wait(rest)
            self._wake.clear()

    def _rest(self) -> float:
        """Seconds until something is due: a frame, or the decision that a person's key waits for."""
        if self._size == (0, 0):
            return IDLE_SECONDS
        frame = 1 / self._frame_rate
        stands = self._paused or self._stands or self._descriptor.turn_based
        if self._human and not stands:
            frame = min(frame, (1 - self._phase) / self._rate)
        return frame

    def _obey(self, command: ArenaCommand) -> None:
        match command:
            case PressKey() | ReleaseKey() | ReleaseAllKeys() | Begin():
                self._hear(command)
            case Watch() | WatchAt() | FollowAgent():
                self._choose_agent(command)
            case TakeOver() | HandBack():
                self._hand_over(command)
            case SetSpeed() | PauseGame() | StepGame() | Rewind():
                self._change_time(command)
            case SetRival(rival, name):
                self._scene.set_rival(rival)
                self._rival_name = name
                self._phase = 1.0
                self._chronicle.forget()
                self._words = None
            case Record(folder, source):
                self._follow = Follow.CHOSEN
                self._scene.record(self._agent, folder, source)
            case StopRecording():
                self._scene.stop_recording()
            case SetPictureSize() | NextView() | SetFrameRate():
                self._change_picture(command)

    def _change_picture(self, command: SetPictureSize | NextView | SetFrameRate) -> None:
        match command:
            case SetPictureSize(width, height):
                self._size = (width, height)
            case NextView():
                self._view = (self._view + 1) % max(1, len(self._descriptor.views))
            case SetFrameRate(frames_per_second):
                self._frame_rate = frames_per_second

    # Who is watched, and who plays.

    def _choose_agent(self, command: Watch | WatchAt | FollowAgent) -> None:
        match command:
            case Watch(agent):
                self._watch(agent % self._scene.game.agents)
            case WatchAt(x, y):
                found = self._agent_at(x, y)
                if found is not None:
                    self._watch(found)
            case FollowAgent(follow):
                self._follow = follow
                self._scene.stop_recording()
                self._follow_one()

    def _watch(self, agent: int) -> None:
        self._follow = Follow.CHOSEN
        self._hand_over(HandBack())
        if agent != self._agent:
            self._scene.stop_recording()
            self._agent = agent

    def _agent_at(self, x: float, y: float) -> int | None:
        """Who is drawn at a place of the picture; where nobody can tell, the next one."""
        game = self._scene.game
        if not self._descriptor.locates:
            return (self._agent + 1) % game.agents
        return game.locate(self._agent, self._phase, self._size, x, y, self._view)

    def _follow_one(self) -> None:
        """Moves the camera if another agent is the best or the worst by now."""
        if not self._human:
            game = self._scene.game
            returns = game.figures["episode_return"]
            self._agent = followed(self._follow, returns, game.alive, self._agent)

    def _hand_over(self, command: TakeOver | HandBack) -> None:
        self._human = isinstance(command, TakeOver)
        self._expecting = self._human and not self._descriptor.turn_based
        self._patient = self._expecting and isinstance(command, TakeOver) and command.waits
        self._player.forget()

    def _hear(self, command: PressKey | ReleaseKey | ReleaseAllKeys | Begin) -> None:
        """Takes in a person's key; the first of them begins."""
        if isinstance(command, PressKey | Begin):
            self._expecting = False
        if not isinstance(command, Begin):
            self._player.obey(command)

    # Time.

    def _change_time(self, command: SetSpeed | PauseGame | StepGame | Rewind) -> None:
        match command:
            case SetSpeed(factor):
                self._speed = factor
            case PauseGame(paused):
                self._paused = paused
            case StepGame(decisions):
                self._step_through(decisions)
            case Rewind(seconds):
                back = round(seconds * self._descriptor.steps_per_second)
                self._go_to(self._scene.game.steps - max(1, back))

    @property
    def _rate(self) -> float:
        """Decisions a second, as fast as the game goes now."""
        return self._descriptor.steps_per_second * self._speed

    @property
    def _stands(self) -> bool:
        """Whether a game in real time stands still until the person begins."""
        return self._expecting and self._patient

    @property
    def _waits(self) -> bool:
        turn = self._human and self._descriptor.turn_based and self._player.waiting
        return turn or self._stands

    def _advance(self, seconds: float) -> None:
        """Moves game time on: whole steps, and the phase between two of them."""
        if self._paused or self._stands:
            # The step in hand is shown to its end, then all stands still.
            self._phase = min(1.0, self._phase + seconds * self._rate)
            return
        if self._human and self._descriptor.turn_based:
            self._phase = min(1.0, self._phase + seconds * self._descriptor.steps_per_second)
            while not self._player.waiting:
                self._step()
                self._phase = 0.0
            return
        self._phase += min(seconds, LATEST_CATCH_UP) * self._rate
        while self._phase >= 1.0 and not self._stands:
            self._phase -= 1.0
            self._step()

    def _step(self) -> None:
        player, turn_based = self._player, self._descriptor.turn_based
        person = self._agent if self._human and not self._expecting else None
        finished = self._scene.game.figures["finished"][self._agent]
        game = self._scene.game
        game.watched = self._agent
        self._scene.step(person, player.decide_turn if turn_based else player.decide)
        self._chronicle.take_in(game.steps, self._agent, game.told, game.descriptor.agents)
        self._words = None
        over = self._scene.game.figures["finished"][self._agent] > finished
        if over and person is not None and self._patient:
            self._expecting = player.idle
        looks = max(1, round(FOLLOW_SECONDS * self._descriptor.steps_per_second))
        if self._scene.game.steps % looks == 0:
            self._follow_one()

    def _step_through(self, decisions: int) -> None:
        """Goes back or forth by decisions; where nothing is remembered, forth by new ones."""
        wanted = self._scene.game.steps + decisions
        self._go_to(wanted)
        for _ in range(wanted - self._scene.game.steps if decisions > 0 else 0):
            self._step()
        if decisions > 0:
            self._phase = 0.0

    def _go_to(self, step: int) -> None:
        """Goes to a step that is remembered, or to the nearest; time stands still there."""
        self._paused = True
        self._phase = 1.0
        before = self._scene.game.steps
        self._scene.seek(step)
        if self._scene.game.steps != before:
            self._player.forget()

    # What the screen sees.

    def _publish(self) -> None:
        scene, agent = self._scene, self._agent
        game, weights, figures = scene.game, scene.game.weights, scene.game.figures[agent]
        sheet, stories = self._read()
        rate = self._descriptor.steps_per_second
        self._number += 1
        self.latest = ArenaFrame(
            number=self._number,
            pixels=game.draw(agent, self._phase, *self._size, self._view),
            agent=agent,
            agents=game.agents,
            human=self._human,
            paused=self._paused,
            speed=self._speed,
            waiting_for_key=self._waits,
            expecting=self._expecting,
            policy_step=weights.step if weights else None,
            probabilities=tuple(part[agent] for part in game.parts),
            action=tuple(float(number) for number in game.buffers.actions[agent]),
            value=float(game.values[agent]) if game.values is not None else None,
            episode_return=float(figures["episode_return"]),
            episode_length=int(figures["length"]),
            last_score=game.last_score(agent),
            last_score_human=bool(figures["last_human"]),
            best_human_score=game.best_human,
            finished=int(figures["finished"]),
            mean_score=game.mean_score,
            scored=game.scored,
            follow=self._follow,
            behind=(scene.latest - game.steps) / rate,
            reach=(game.steps - scene.earliest) / rate,
            recording=scene.recorded,
            kept=scene.kept,
            rival=self._rival_frame(),
            view=self._view,
            sheet=sheet,
            stories=stories,
        )

    def _read(self) -> tuple[tuple[SheetRow, ...], tuple[Story, ...]]:
        """What is to be read beside the picture, put together once a step, and only if there is one."""
        if self._size == (0, 0):
            return (), ()
        game, seen = self._scene.game, (self._scene.game.steps, self._agent)
        if self._words is None or self._words[0] != seen:
            told = self._chronicle.told(*seen)
            self._words = seen, game.describe(self._agent), told
        return self._words[1:]

    def _rival_frame(self) -> RivalFrame | None:
        game = self._scene.rival
        if game is None:
            return None
        return RivalFrame(
            name=self._rival_name,
            pixels=game.draw(self._agent, self._phase, *self._size, self._view),
            policy_step=game.weights.step if game.weights else 0,
            episode_return=float(game.figures["episode_return"][self._agent]),
            last_score=game.last_score(self._agent),
            mean_score=game.mean_score,
            scored=game.scored,
        )
