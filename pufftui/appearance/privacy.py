"""Hides who and where: what others must not see while they look on is masked in every text.

`mask` is the one function for that. Text passes it where it is made ready for the screen, for a
notification of the desktop, or for the terminal after the end.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

from pufftui.envs.places import home as own_home

HIDDEN = "•••"
HOME, ELSEWHERE = "~", "…"
"""How paths begin of which only the end is shown."""

HOMES = {"home", "Users"}
"""Folders in which people have theirs."""

LEAST_NAME = 2
"""Letters below which a name would be found everywhere."""

NOT_TELLING = {"localhost", "localdomain", "local"}

# What ends a path in running text; known folders may have spaces in them, others are cut there.
PATH_PART = r"[^\s/'\"<>|;,()\[\]{}…•]+"

ADDRESS_WITH_COLONS = r"(?<![\w:.])(?=[0-9A-Fa-f.]{0,4}:)[0-9A-Fa-f:.]{2,45}(?:%\w+)?(?![\w:])"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be seen: names of people and machines, folders, and runs called after them.

    `places` are folders with what is shown in their stead, the longest first.
    """

    names: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    runs: tuple[str, ...] = ()


def own_secrets(
    runs: Iterable[str] = (),
    folders: Iterable[Path] = (),
    environment: Mapping[str, str] = os.environ,
) -> Secrets:
    """Those of the person at this machine.

    `runs` are names that may have theirs in them. `folders` are found also if there are spaces in
    them, as are the home folder and the current one.
    """
    names = [environment.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME")]
    with contextlib.suppress(KeyError, OSError):
        names.append(getpass.getuser())
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        account = pwd.getpwuid(os.getuid())
        names += [account.pw_name, account.pw_gecos.partition(",")[0]]
    host = socket.gethostname()
    names += [host, host.partition(".")[0], environment.get("HOSTNAME", "")]
    known = {name for name in names if len(name) >= LEAST_NAME and name not in NOT_TELLING}
    ordered = tuple(sorted(known, key=lambda name: (-len(name), name)))
    named = tuple(run for run in runs if any(_inside(name, run) for name in ordered))
    return Secrets(ordered, _places(folders), named)


def _places(folders: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    """The folders that are known to be somebody's, as they are written and as they are meant."""
    home, here = own_home(), Path.cwd()
    found: dict[str, str] = {}
    for place in (home, here, *folders):
        for path in (place, place.resolve()):
            inside = path != home and home in path.parents
            shown = HOME if place is home else f"{HOME}/{ELSEWHERE}" if inside else ELSEWHERE
            if path.is_absolute() and len(path.parts) > 1:
                found.setdefault(str(path), shown)
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))


def mask(text: str, secrets: Secrets) -> str:
    """The text without secrets. Masking what is masked changes nothing."""
    return _mask(text, secrets)


def _mask(text: str, secrets: Secrets, *, colons: bool = True) -> str:
    return _pattern(secrets, colons=colons).sub(lambda match: _shown(match, secrets), text)


def mask_parts(parts: Sequence[str], secrets: Secrets) -> list[str]:
    """The same for a line in several parts, each of which stays as long as it is.

    A secret may lie across several parts.
    """
    whole = "".join(parts)
    masked = _pattern(secrets).sub(
        lambda match: _shown(match, secrets)[: len(match[0])].ljust(len(match[0])), whole
    )
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return [masked[start:end] for start, end in pairwise(ends)]


@lru_cache(maxsize=16)
def _pattern(secrets: Secrets, *, colons: bool = True) -> re.Pattern[str]:
    """Everything that is to be masked, the most telling first; `colons` for addresses with them."""
    places = "|".join(re.escape(path) for path, _ in secrets.places)
    runs = "|".join(re.escape(run) for run in sorted(secrets.runs, key=len, reverse=True))
    names = "|".join(re.escape(name) for name in secrets.names)
    # A name inside a longer word is none, but `AliceRun` and `run_alice2` have one.
    edges = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))", r"(?![a-z])"
    parts = [
        r"(?P<address>[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>)\]]+)",
        r"(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)*)",
        rf"(?P<place>(?:{places})(?![\w-]|\.\w)(?:/{PATH_PART})*/?)" if places else "",
        rf"(?P<path>(?<![\w.~…/:*•-])/{PATH_PART}(?:/{PATH_PART})+/?)",
        rf"(?P<home>(?<![\w.~…/:*•-])~{PATH_PART}(?:/{PATH_PART})*/?)",
        r"(?P<holder>(?<=process )\d+ on [\w.-]*\w)",
        r"(?P<ip>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.]*\d))",
        rf"(?P<ip6>{ADDRESS_WITH_COLONS})" if colons else "",
        rf"(?P<run>{runs})" if runs else "",
        rf"(?P<name>{edges[0]}(?i:{names}){edges[1]})" if names else "",
    ]
    return re.compile("|".join(filter(None, parts)))


def _shown(match: re.Match[str], secrets: Secrets) -> str:
    """What stands for a secret."""
    text = match[0]
    match match.lastgroup:
        case "address":
            return f"{text.partition('://')[0]}://{HIDDEN}"
        case "place" | "path" | "home":
            return _path(text, secrets)
        case "holder":
            return f"{text.partition(' ')[0]} on {HIDDEN}"
        case "ip6":
            # What only looks like an address may be a name, or have one in it.
            return HIDDEN if _is_address(text) else _mask(text, secrets, colons=False)
        case "run":
            return _without_names(text, secrets)
    return HIDDEN


def _path(text: str, secrets: Secrets) -> str:
    """Where a path leads, not whence it comes: the end of it alone."""
    shown, rest = _split(text, secrets)
    if not rest:
        return shown
    folders, _, last = rest.rpartition("/")
    last = _without_names(last, secrets) if last in secrets.runs else mask(last, secrets)
    deeper = folders and not shown.endswith(ELSEWHERE)
    return f"{shown}/{ELSEWHERE}/{last}" if deeper else f"{shown}/{last}"


def _split(text: str, secrets: Secrets) -> tuple[str, str]:
    """What is shown for the beginning of a path, and the rest of it."""
    for place, shown in secrets.places:
        if text == place or text.startswith(f"{place}/"):
            return shown, text[len(place) :].strip("/")
    top, _, below = text.strip("/").partition("/")
    if text.startswith("~"):
        return HOME, below
    if top in HOMES:
        return HOME, below.partition("/")[2]
    return ELSEWHERE, text.strip("/")


def _without_names(run: str, secrets: Secrets) -> str:
    """A run's name; in it a name of a person counts also inside a word."""
    for name in secrets.names:
        run = re.sub(re.escape(name), HIDDEN, run, flags=re.IGNORECASE)
    return run


def _inside(name: str, run: str) -> bool:
    return name.lower() in run.lower()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
