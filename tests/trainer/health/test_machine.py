"""Memory that leaks, disks that fill up, heat, a costly dashboard, training that slows down or stands."""

import math
from dataclasses import replace

import numpy as np
import pytest
from streams import changes, noisy, rows, told

from pufftui.trainer.health import Facts, HealthSuite, Level, Moment, Reading, Stall
from pufftui.trainer.health.machine import (
    COSTLY,
    COSTLY_SECONDS,
    MEGABYTE,
    QUICK_GROWTH,
    QUICK_READINGS,
    SETTLING_SECONDS,
    SLOW_BLOCKS,
    SLOW_GROWTH,
    THROTTLED_SECONDS,
)
from pufftui.trainer.health.speed import FIRST_EPOCH, SLOW, STALL_LEAST, STARVED, STARVED_SECONDS

GIGABYTE = 1 << 30


def memory(sizes, every: float = 5.0, total: float = 16 * GIGABYTE) -> list[Reading]:
    """Readings of a process that grows as the sizes say."""
    return [
        Reading(
            int(second * 1000),
            second,
            process_memory=float(size),
            memory_used=4 * GIGABYTE + size,
            memory_total=total,
        )
        for second, size in zip(np.arange(len(sizes)) * every, sizes, strict=True)
    ]


def leaking(a_second: float, seconds: float, first: float = GIGABYTE) -> list[float]:
    settled = [first] * int(SETTLING_SECONDS / 5 + 2)
    return [*settled, *(first + a_second * 5 * n for n in range(1, int(seconds / 5)))]


def test_a_quick_leak_is_found_within_a_minute_or_so() -> None:
    rate = 1.3 * QUICK_GROWTH / (5 * QUICK_READINGS)
    found = changes(memory(leaking(rate, 120)))
    assert [c.finding.rule.id for c in found] == ["machine.leak"]
    assert found[0].finding.level is Level.WARNING
    assert "MB an hour" in found[0].finding.text
    assert told(memory(leaking(0.8 * QUICK_GROWTH / (5 * QUICK_READINGS), 120))) == []


def test_a_leak_that_fills_the_machine_soon_is_critical() -> None:
    rate = 10 * MEGABYTE
    full = changes(memory(leaking(rate, 120), total=6 * GIGABYTE))
    assert full[0].finding.level is Level.CRITICAL


def test_a_slow_leak_is_found_within_two_hours() -> None:
    hours = 2 * 3600 // 5
    slope = 1.5 * SLOW_GROWTH / (SLOW_BLOCKS * 300) * 5
    noise = noisy([GIGABYTE] * hours, MEGABYTE, 0.9)
    assert told(memory(noise + slope * np.arange(hours))) == ["machine.leak"]
    assert told(memory(noise + slope / 4 * np.arange(hours))) == []


@pytest.mark.parametrize("seed", range(4))
def test_memory_that_fills_and_wobbles_is_no_leak(seed) -> None:
    count = 4 * 3600 // 5
    filled = 300 * MEGABYTE * (1 - np.exp(-np.arange(count) * 5 / 300))
    assert told(memory(noisy(GIGABYTE + filled, 20 * MEGABYTE, 0.95, seed))) == []


def test_the_first_seconds_are_no_leak() -> None:
    assert told(memory([n * 0.5 * GIGABYTE for n in range(int(SETTLING_SECONDS / 5))])) == []


@pytest.mark.parametrize(
    ("room", "level"), [(0, None), (1, Level.WARNING), (2, Level.WARNING), (3, Level.CRITICAL)]
)
def test_a_disk_that_fills_up(room, level) -> None:
    found = changes([Reading(0, 0.0, disk="3 MB left", disk_level=room)])
    assert [c.finding.level for c in found] == ([] if level is None else [level])


def heat(seconds: float, throttle=("heat",)) -> list[Reading]:
    gpus = ({"index": 0, "throttle": throttle}, {"index": 1})
    return [Reading(0, float(s), gpus=gpus) for s in range(0, int(seconds), 5)]


def test_a_gpu_that_is_throttled() -> None:
    found = changes(heat(THROTTLED_SECONDS + 10))
    assert [c.finding.text for c in found] == ["GPU 0: heat."]
    assert told(heat(THROTTLED_SECONDS)) == []
    assert told(heat(100, ())) == []


def screen(cores: float, seconds: float, machine: int = 2) -> list[str]:
    readings = [
        Reading(0, float(s), screen_cores=cores, cores=machine) for s in range(0, int(seconds), 5)
    ]
    return told(readings, least=Level.INFO)


def test_a_dashboard_that_costs_too_much() -> None:
    long = COSTLY_SECONDS + 20
    assert screen(COSTLY + 0.01, long) == ["machine.screen"]
    assert screen(COSTLY, long) == []
    assert screen(COSTLY + 0.01, COSTLY_SECONDS - 10) == []
    assert screen(COSTLY + 0.01, long, machine=16) == []


def speeds(after: float, seconds: int) -> list[str]:
    usual = noisy([1000.0] * 200, 50.0, 0.5)
    return told(rows(sps=[*usual, *[after] * seconds]))


def test_training_that_becomes_slow() -> None:
    assert speeds(1000 * SLOW * 0.9, 30) == ["speed.drop"]
    assert speeds(1000 * SLOW * 1.1, 300) == []
    assert speeds(1000 * SLOW * 0.9, 3) == []


def test_slow_all_along_is_not_slower() -> None:
    assert told(rows(sps=[10.0] * 500)) == []


def test_environments_that_hold_up_training() -> None:
    def shares(env: float, seconds: float) -> list[str]:
        count = int(seconds)
        return told(rows(time_env=[env - 0.05] * count, time_copy=[0.05] * count), least=Level.INFO)

    assert shares(STARVED + 0.01, STARVED_SECONDS + 5) == ["speed.starved"]
    assert shares(STARVED, STARVED_SECONDS + 5) == []
    assert shares(STARVED + 0.01, STARVED_SECONDS - 5) == []


def test_silence_counts_against_the_usual_time_between_rows() -> None:
    stall = Stall()
    assert stall.silent(1e9) is None, "nothing has begun yet"
    for second in range(50):
        stall.see(Moment(second, float(second), {}))
    assert stall.silent(STALL_LEAST - 1) is None
    assert stall.silent(STALL_LEAST + 1).rule.id == "speed.stall"
    start = Moment(0, 1.0, {})
    assert Stall().never(FIRST_EPOCH - 1, start) is None
    found = Stall().never(FIRST_EPOCH + 1, start)
    assert found.rule.id == "speed.stall"
    assert "The first epoch has not ended in 31 s" in found.text
    slow = Stall()
    for row in range(100):
        slow.see(Moment(row, row * 20.0, {}))
    assert slow.silent(100) is None, "epochs of twenty seconds are no stall"
    assert slow.silent(200) is not None
    slow.forget()
    assert slow.silent(1e9) is None


def test_readings_of_an_older_store_lack_figures() -> None:
    old = Reading(0, 0.0, gpus=({"index": 0, "name": "old"},))
    assert changes([old, replace(old, seconds=math.inf)]) == []


def test_an_environment_that_prints_is_named() -> None:
    facts = Facts(printed="row 3")
    (change,) = HealthSuite(facts).see(Moment(1000, 1.0, {}))
    assert change.finding.rule.id == "speed.prints"
    assert change.finding.text == "It says, for instance: row 3"
    assert not HealthSuite(Facts()).see(Moment(1000, 1.0, {}))
