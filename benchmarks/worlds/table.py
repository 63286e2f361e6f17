"""Makes the table of the results: how far each column comes, how fast, and whether it stays there."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from suite import SUITE, halves

PEERS = ("plain", "tuned")
WINDOW = 0.05
"""Of a training's steps: a score counts as a mean over that many."""
REACHED = 0.9
"""Of the way from random to the peer's best."""
NOTHING = 0.15
"""Up to here a best level may be luck: in vault a hundred random episodes are off by 0.1."""

Line = dict[str, Any]


def levels(line: Line) -> list[tuple[float, float, float, float]]:
    """(step, seconds, seconds of the processor, share) along a training: means of the window before."""
    world, points = SUITE[line["world"]], line["points"]
    window = WINDOW * line["steps"]
    found = []
    for step, seconds, worked, *_ in points:
        near = [score for at, _, _, score, _ in points if step - window < at <= step]
        found.append((step, seconds, worked, world.share(statistics.fmean(near))))
    return found


def first(line: Line, share: float) -> tuple[float, float, float] | None:
    """Steps, seconds and seconds of the processor until a training came so far."""
    return next((level[:3] for level in levels(line) if level[3] >= share), None)


def final(line: Line) -> float:
    """Where it ended."""
    return levels(line)[-1][3]


def best(line: Line) -> float:
    """The highest that it was."""
    return max(level[3] for level in levels(line))


def newest(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    """The lines of each world and column, of the version that was run last."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if not line["points"]:
            continue
        same = found.setdefault((line["world"], line["column"]), [])
        if same and (same[0]["version"], same[0]["steps"]) != (line["version"], line["steps"]):
            same.clear()
        same.append(line)
    return found


def markdown(lines: Sequence[Line]) -> str:
    """Scores on the way from random (0) to the script (1), means over seeds; times are medians."""
    found = newest(lines)
    titles = [
        "world",
        "half",
        "ours",
        "plain",
        "tuned",
        "seeds",
        "ours: steps, s, CPU s",
        "peer: the same",
    ]
    titles += ["ours: worst end below best", "peer: worst end"]
    rows = [titles, ["---"] * len(titles)]
    for half, names in zip(("working", "judging"), halves(), strict=True):
        rows += [_row(name, half, found) for name in names]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return table + "\n\n" + _where(lines)


def _row(name: str, half: str, found: dict[tuple[str, str], list[Line]]) -> list[str]:
    columns = {column: found.get((name, column), []) for column in ("ours", *PEERS)}
    ends = [_mean(final(line) for line in columns[column]) for column in columns]
    seeds = "/".join(str(len(columns[column])) for column in columns)
    bests = {column: _mean(best(line) for line in columns[column]) for column in PEERS}
    peers = [column for column in PEERS if bests[column] is not None]
    peer = max(peers, key=lambda column: bests[column] or 0.0, default=None)
    goal = REACHED * (bests[peer] or 0.0) if peer else None
    # Where the peer learned nothing there is no way to measure on.
    goal = goal if goal is not None and goal > NOTHING else None
    peer_lines = columns[peer] if peer else []
    return [
        *(name, half, *map(_figure, ends), seeds),
        *(_reached(columns["ours"], goal), _reached(peer_lines, goal)),
        *(_figure(_lost(columns["ours"])), _figure(_lost(peer_lines))),
    ]


def _reached(lines: Sequence[Line], goal: float | None) -> str:
    if goal is None or not lines:
        return ""
    when = [first(line, goal) for line in lines]
    done = [found for found in when if found]
    if 2 * len(done) <= len(when):
        return "never"
    steps, seconds, worked = (statistics.median(values) for values in zip(*done, strict=True))
    return f"{steps / 1000:.0f}k, {seconds:.0f}, {worked:.0f}"


def _lost(lines: Sequence[Line]) -> float | None:
    return max((best(line) - final(line) for line in lines), default=None)


def _mean(values: Iterable[float]) -> float | None:
    kept = list(values)
    return statistics.fmean(kept) if kept else None


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _where(lines: Sequence[Line]) -> str:
    places = sorted({f"{line['processor']}, {line['threads']} threads" for line in lines})
    versions = sorted({f"{line['column']} {line['version']}" for line in lines})
    loads = [line["load"] for line in lines]
    if not loads:
        return "Nothing has been run."
    return (
        f"On {'; '.join(places)}; {', '.join(versions)}. Load of the machine when a training began:"
        f" {min(loads):g} to {max(loads):g}."
    )
