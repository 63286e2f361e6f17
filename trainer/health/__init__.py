"""Whether a run goes well: detectors of trouble, on live streams of metrics and on stored runs.

Needs neither torch nor a screen.
"""

from pufftui.trainer.health.finding import Finding, Level, Remedy, Rule
from pufftui.trainer.health.moment import Facts, Moment, Reading
from pufftui.trainer.health.speed import Stall
from pufftui.trainer.health.stored import (
    FACTS,
    Told,
    check_run,
    moments,
    stored_facts,
    write_changes,
)
from pufftui.trainer.health.suite import RULES, Change, HealthSuite

__all__ = [
    "FACTS",
    "RULES",
    "Change",
    "Facts",
    "Finding",
    "HealthSuite",
    "Level",
    "Moment",
    "Reading",
    "Remedy",
    "Rule",
    "Stall",
    "Told",
    "check_run",
    "moments",
    "stored_facts",
    "write_changes",
]
