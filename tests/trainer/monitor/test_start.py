"""What is said of a run's start."""

import re
import time

from pufftui.trainer.monitor.start import Start


def test_each_phase_has_its_own_time():
    start = Start(time.monotonic() - 2.0)
    start.ended("program")
    start.ended("torch")
    start.began -= 0.5
    start.ended("first epoch")
    found = re.fullmatch(
        r"The start took (\S+) s: program (\S+) s, torch (\S+) s, first epoch (\S+) s\.", str(start)
    )
    assert found is not None
    whole, *parts = (float(number) for number in found.groups())
    assert abs(whole - sum(parts)) < 0.02
    assert whole > 2.4
    assert parts[0] > 1.9
    assert parts[1] < 0.4
    assert parts[2] > 0.4
