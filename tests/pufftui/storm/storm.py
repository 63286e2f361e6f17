"""A storm over every screen: sizes, keys and the mouse at random, until something breaks.

    python tests/pufftui/storm/storm.py --rounds 1000 --keys 100000 --seed 1

A round is another size and a hundred keys or so. The terminal is in memory, but the screens do not
know: they go the way that they go on a real one, past the compositor too. What happens between a
smaller window and the news of it is provoked, not awaited. With `--real` it is the program itself on a
terminal of the system. Prints what broke, with the seed; the status is 1 if anything did.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from storm_gusts import gust, size
from storm_screens import KINDS, Scene, Screens
from storm_tally import Tally, report
from storm_terminal import storm_programs
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message
from textual.pilot import Pilot

from pufftui.keys.kitty import KeyParser, ReleasesReported, _Flags
from pufftui.screens.arena import ArenaScreen

ROUNDS_OF_A_SCREEN = 10
PATIENCE = 60.0
"""Seconds after which a screen that answers nothing counts as hanging."""


class MemoryDriver(Driver):
    """A terminal of any size without a screen, which nobody can tell from a real one."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options | {"size": (120, 40)})
        self._parser = KeyParser()
        self.written = 0

    def write(self, data: str) -> None:
        self.written += len(data.encode())

    def start_application_mode(self) -> None:
        self.tell_size()

    def resize(self, width: int, height: int) -> None:
        """The window is another one; nobody is told yet."""
        self._size = (width, height)

    def tell_size(self) -> None:
        """What follows a resize, sooner or later."""
        assert self._size is not None
        now = Size(*self._size)
        self.send_message(events.Resize(now, now))  # type: ignore[arg-type]

    def type(self, sequence: str) -> None:
        """What a real terminal sends for a key or the mouse."""
        for message in self._parser.feed(sequence):
            self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, _Flags):
            message = ReleasesReported(reported=bool(message.flags))
        super().process_message(message)  # type: ignore[arg-type]

    def disable_input(self) -> None:
        """Nothing comes by itself."""

    def stop_application_mode(self) -> None:
        """There is nothing to give back."""


class Storm:
    """Opens one screen after the other and storms it."""

    def __init__(self, screens: Screens, tally: Tally, seed: int, keys: int, rounds: int) -> None:
        self.tally, self._screens = tally, screens
        self._seed, self._keys, self._rounds = seed, keys, rounds
        self._where = ""

    def blow(self, kinds: tuple[str, ...] = KINDS) -> None:
        """All of it."""
        said = threading.excepthook
        threading.excepthook = lambda told: self.tally.broke(
            told.exc_value or told.exc_type(), f"thread {told.thread}, {self._where}"
        )
        try:
            number = 0
            while not self._done:
                chance = random.Random(f"{self._seed} {number}")
                kind = kinds[number % len(kinds)]
                self._where = f"seed {self._seed}, screen {number} ({kind})"
                self.tally.screens[kind] += 1
                with self._screens.open(kind, chance) as scene:
                    asyncio.run(self._over(scene, chance))
                number += 1
        finally:
            threading.excepthook = said

    @property
    def _done(self) -> bool:
        return self.tally.rounds >= self._rounds and self.tally.gusts["key"] >= self._keys

    async def _over(self, scene: Scene, chance: random.Random) -> None:
        """One screen, until it is left or has seen enough."""
        app = scene.app
        app.driver_class = MemoryDriver
        asyncio.get_running_loop().set_exception_handler(self._complain)
        try:
            await app.run_async(auto_pilot=partial(self._storm, scene, chance))
        except Exception as error:  # noqa: BLE001 - that is what it is for
            self.tally.broke(error, self._where)
        broke = app._exception
        if broke is not None:
            self.tally.broke(getattr(broke, "error", broke), self._where)

    def _complain(self, _loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.tally.broke(error, f"loop, {self._where}")

    async def _storm(self, scene: Scene, chance: random.Random, _pilot: Pilot[Any]) -> None:
        await self._storm_rounds(scene, chance)
        if scene.app.is_running:
            scene.app.exit()

    async def _storm_rounds(self, scene: Scene, chance: random.Random) -> None:
        driver, before = scene.app._driver, (120, 40)
        assert isinstance(driver, MemoryDriver)
        for _ in range(max(1, min(ROUNDS_OF_A_SCREEN, self._rounds // len(KINDS)))):
            now = size(chance)
            self._where = f"{self._where.partition(';')[0]}; {before} to {now}"
            await self._change_size(scene, driver, now, chance)
            self.tally.rounds += 1
            for number in range(max(1, self._keys // self._rounds)):
                if not scene.app.is_running:
                    return
                # Who is late still points at places of the window of before.
                kind, sequence = gust(chance, chance.choice([before, now]))
                self.tally.gusts[kind] += 1
                driver.type(sequence)
                if number % 5 == 0:
                    await self._breathe(scene, chance)
                if number % 25 == 0:
                    await self._settle(scene.app)
            before = now
            if self._done:
                return

    async def _change_size(
        self, scene: Scene, driver: MemoryDriver, now: tuple[int, int], chance: random.Random
    ) -> None:
        """Another window, with ticks before it is told, and at every step of the layout."""
        driver.resize(*now)
        for _ in range(chance.randrange(3)):
            await self._breathe(scene, chance)
        driver.tell_size()
        end = time.monotonic() + 0.1
        told = 0
        while told < 5 and scene.app.is_running and time.monotonic() < end:
            await self._breathe(scene, chance)
            told += scene.app.main.size == Size(*now)

    async def _breathe(self, scene: Scene, chance: random.Random) -> None:
        """Lets everybody take one step, then the time of a tick has come."""
        await asyncio.sleep(0)
        if not scene.app.is_running or not scene.app.main.is_mounted:
            return
        scene.clock.now += chance.choice([0.01, 0.05, 0.3, 1.0])
        if chance.random() < 0.05:
            scene.happen(chance)
        if isinstance(scene.app.main, ArenaScreen):
            scene.app.tick()
        else:
            scene.app.main.tick()

    async def _settle(self, app: App[Any]) -> None:
        """Until all keys so far have been heard."""
        heard = asyncio.Event()
        app.call_later(heard.set)
        end = time.monotonic() + PATIENCE
        while app.is_running and not heard.is_set():
            if time.monotonic() > end:
                raise TimeoutError(f"it hangs: {self._where}")
            await asyncio.sleep(0)


def prepare(root: Path) -> None:
    """A place of its own for runs and preferences, and a terminal of all colours."""
    os.environ |= {
        "PUFFTUI_RUNS": str(root / "runs"),
        "XDG_CONFIG_HOME": str(root / "config"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    (root / "runs").mkdir()
    os.chdir(root)  # where recordings go


def main() -> int:
    """The command line; see above."""
    parser = argparse.ArgumentParser(description="Storms every screen.")
    add = parser.add_argument
    add("--rounds", type=int, default=100, help="sizes of the window")
    add("--keys", type=int, default=10_000, help="keys; about half as many events of the mouse")
    add("--seed", type=int, default=1)
    add("--screen", choices=sorted(set(KINDS)), help="only this one")
    add("--real", action="store_true", help="the program itself, on a real terminal")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        prepare(Path(folder))
        screens = Screens()
        began, tally = time.monotonic(), Tally()
        with suppress(KeyboardInterrupt):
            if options.real:
                storm_programs(tally, options.seed, options.keys, options.rounds)
            else:
                storm = Storm(screens, tally, options.seed, options.keys, options.rounds)
                storm.blow((options.screen,) if options.screen else KINDS)
        screens.close()
        print(report(tally, time.monotonic() - began))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
