"""Judges whether an episode begins where the last one has ended, from what anew.h and play.h saw.

Random beginnings differ from each other, so distributions are compared: what is seen after an end with
what is seen after `reset`, how long episodes take and what they score after one and after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pufftui.envs.checking.findings import Facts, Finding, element_name, listed
from pufftui.envs.descriptor import Descriptor

CHANCE = 1e-6
"""How seldom an environment without fault may seem to have one."""
FAR = 0.35
"""How far apart two distributions have to be, of 1, to be called different at all."""
ENOUGH_ENDS = 24
"""With fewer ends than this distributions tell little, and ranges have to do."""
FIX = (
    "Call the reset in the step that sets the flag, let it begin all that a game consists of, and write "
    'the new observation. Accept it with no_reset_ok = "why" in [check] of the TOML.'
)
OUTCOMES = ("takes {:g} steps", "scores {:g}")


def beginning_findings(facts: Facts, descriptor: Descriptor) -> Iterator[Finding]:
    """A reset that was forgotten, or forgets something."""
    if facts.one("steps") is None or facts.rows.get("left"):
        return  # what nobody wrote is strange everywhere
    text = _strange(facts, descriptor) or _other_episodes(facts)
    if text:
        yield Finding("no_reset", text, FIX)


def _strange(facts: Facts, descriptor: Descriptor) -> str:
    """What is seen after an end and never, or far more seldom, after a reset."""
    episodes, repeats, long_first, strangers, _ = facts.one("episodes") or (0, 0, 0, 0, 0)
    ends = (facts.one("ends") or (0,))[0]
    rows = facts.rows.get("begins", [])

    def named(column: int) -> list[tuple[str, list[float]]]:
        """The elements whose distance in a column is too far, with their rows."""
        return [
            (element_name(descriptor.fields[int(row[0])], int(row[1])), row)
            for row in rows
            if _differ(row[column], ends, ends, 2 * len(rows))
        ]

    if strange := named(2):
        name, (*_, after_end, after_reset) = strange[0]
        return (
            f"When an episode ends, {listed([name for name, _ in strange])} of the observation is not as "
            f"after `reset`: {name} is for instance {after_end:.4g} then, and {after_reset:.4g} after a reset."
        )
    if kept := named(3):
        names = listed([name for name, _ in kept])
        return (
            f"When an episode ends, {names} of the observation goes on instead of beginning anew."
        )
    if ends >= ENOUGH_ENDS:
        strangers = 0  # the comparison above knows better
    if episodes and (2 * strangers > episodes or (long_first and 2 * repeats > episodes)):
        return (
            "When an episode ends, the next one does not begin: what is seen then is not how episodes "
            "begin after `reset`."
        )
    return ""


def _other_episodes(facts: Facts) -> str:
    """Whether the episode after an end is of another kind than one after a reset."""
    rows = facts.rows.get("follows", [])
    for what, count, distance, after_end, after_reset in rows:
        if _differ(distance, count, count, len(rows)):
            says = OUTCOMES[int(what)]
            return (
                f"When an episode ends, the next one {says.format(after_end)} where one after `reset` "
                f"{says.format(after_reset)}: the reset is missing, or something is not reset."
            )
    return ""


def _differ(distance: float, first: float, second: float, tests: int) -> bool:
    """Whether two samples of these sizes cannot be of one kind, as one of so many tests."""
    if not first or distance < FAR:
        return False
    size = first * second / (first + second)
    return 2 * math.exp(-2 * distance * distance * size) * tests < CHANCE
