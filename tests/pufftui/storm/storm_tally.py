"""What a storm has done so far, and what it has broken."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What has been done so far, and what broke."""

    rounds: int = 0
    gusts: Counter[str] = field(default_factory=Counter)
    screens: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    def broke(self, error: BaseException, where: str) -> None:
        """Notes an exception; the same one from the same line is told only once."""
        frames = traceback.extract_tb(error.__traceback__)
        line = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
        self.tell(
            f"{type(error).__name__} at {line}", where, "".join(traceback.format_exception(error))
        )

    def tell(self, name: str, where: str, told: str) -> None:
        """Notes that something broke."""
        self.times[name] += 1
        if name not in self.broken:
            self.broken[name] = f"{where}\n{told}"
            print(f"BROKEN {name}: {where}\n{told}", file=sys.stderr, flush=True)


def report(tally: Tally, seconds: float) -> str:
    """What was done, in a few lines."""
    gusts = ", ".join(f"{count} of {kind}" for kind, count in sorted(tally.gusts.items()))
    screens = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.screens.items()))
    lines = [f"{tally.rounds} rounds in {seconds:.0f} s: {gusts}", f"screens: {screens}"]
    lines += [f"{tally.times[name]} times {name}" for name in tally.broken]
    return "\n".join([*lines, f"{sum(tally.times.values())} exceptions"])
