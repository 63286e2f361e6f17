"""The language in which runs are searched: `env=breakout score>300 not tag:old | name:test`.

Terms that stand beside each other must all hold; `|` or `or` means either, `not` or `!` the
opposite, and brackets group. A term is a comparison of a field, or a word that the name, the
environment, a tag or a note contains. Capital letters do not matter.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pufftui.envs.errors import PuffError, nearest
from pufftui.trainer.settings.sources import parse_number

Value = float | str | tuple[str, ...] | None
"""What a field of a run holds: a number, a text, several texts, or nothing."""

Fields = Mapping[str, Value]

ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

SEARCHED = ("name", "env", "tag", "note")
"""The fields in which a word without a field is looked for."""

TIMES = {"age": "how long ago it began", "duration": "how long it trained"}
TIME_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>[()|!&]|(?:not|or|and)(?=[\s()|!"']|$))
      | (?P<field>[\w./\-]+)(?P<operator>!=|>=|<=|=|>|<|:)(?P<value>"[^"]*"|'[^']*'|[^\s()|"']*)
      | (?P<word>"[^"]*"|'[^']*'|[^\s()|!&"'=<>:]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)

MOST_DEPTH = 100
"""Brackets and nots inside each other; nobody types so many."""

QUOTES = ('"', "'")
SIGNS = {"not": "!", "or": "|", "and": "&"}


@dataclass(frozen=True, slots=True)
class Word:
    """The text is somewhere in what a run is called and in what was said about it."""

    text: str

    def matches(self, run: Fields) -> bool:
        return any(_contains(run.get(field), self.text) for field in SEARCHED)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field of the run compared with a value, which stands here as it was written.

    `:` looks for the value inside a text, and is `=` for tags and numbers. What a run does not have is
    neither more nor less than anything, and equals nothing.
    """

    field: str
    operator: str
    value: str

    def matches(self, run: Fields) -> bool:
        found = run.get(self.field)
        if self.operator in ORDERS:
            wanted = self.number()
            return isinstance(found, float) and ORDERS[self.operator](found, wanted)
        if self.operator == ":" and self.field != "tag" and not isinstance(found, float):
            return _contains(found, self.value)
        return self._equals(found) is (self.operator != "!=")

    def number(self) -> float:
        """The value as a number or as a time in seconds; `PuffError` if it is neither."""
        if self.field in TIMES:
            match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", self.value)
            if match is None:
                raise PuffError(
                    f"{self.value!r} is not a time.",
                    "Write it like 90s, 10m, 2h or 3d.",
                    usage=True,
                )
            return float(match[1]) * TIME_UNITS[match[2] or "s"]
        return parse_number(self.value)

    def _equals(self, found: Value) -> bool:
        if isinstance(found, float):
            try:
                return found == self.number()
            except PuffError:
                return False  # the same setting may be a word in one run, a number in another
        return _alike(found, self.value)


@dataclass(frozen=True, slots=True)
class Not:
    """What it holds does not match."""

    part: Query

    def matches(self, run: Fields) -> bool:
        return not self.part.matches(run)


@dataclass(frozen=True, slots=True)
class All:
    """All parts match; so does having none."""

    parts: tuple[Query, ...]

    def matches(self, run: Fields) -> bool:
        return all(part.matches(run) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part matches."""

    parts: tuple[Query, ...]

    def matches(self, run: Fields) -> bool:
        return any(part.matches(run) for part in self.parts)


Query = Word | Comparison | Not | All | Either


def parse_query(text: str) -> Query:
    """The query in a text, an empty one matches every run; raises `PuffError` if it is broken."""
    return _Parser(text).whole()


def fields_of(query: Query) -> set[str]:
    """The fields that a query compares, in small letters."""
    match query:
        case Comparison():
            return {query.field}
        case Not(part):
            return fields_of(part)
        case All(parts) | Either(parts):
            return {field for part in parts for field in fields_of(part)}
        case Word():
            return set()


def check_fields(query: Query, known: Collection[str]) -> None:
    """Raises `PuffError` for a field that is not known, or a value that cannot be compared."""
    match query:
        case Comparison():
            if query.field not in known:
                short = [name for name in known if name.endswith(f".{query.field}")]
                more = "See pufftui runs list --help."
                hint = f"Did you mean {short[0]}?" if short else nearest(query.field, known, more)
                raise PuffError(f"There is no field {query.field}.", hint, usage=True)
            if query.operator in ORDERS:
                query.number()
        case Not(part):
            check_fields(part, known)
        case All(parts) | Either(parts):
            for part in parts:
                check_fields(part, known)
        case Word():
            pass


class _Parser:
    """Recursive descent, one method per level of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = self._depth = 0

    def whole(self) -> Query:
        if not self._tokens:
            return All(())
        query = self._either()
        if self._at < len(self._tokens):
            raise _broken("A bracket is closed that was not opened.")
        return query

    def _either(self) -> Query:
        parts = [self._all()]
        while self._sees("|"):
            self._at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Query:
        parts = [self._one()]
        while self._at < len(self._tokens) and not self._sees("|") and not self._sees(")"):
            if self._sees("&"):
                self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Query:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise _broken(f"More than {MOST_DEPTH} brackets or nots lie inside each other.")
        query = self._inner()
        self._depth -= 1
        return query

    def _inner(self) -> Query:
        if self._at >= len(self._tokens):
            raise _broken("The search ends in the middle.")
        found = self._tokens[self._at]
        self._at += 1
        if not isinstance(found, str):
            return found
        if found == "!":
            return Not(self._one())
        if found == "(":
            inner = self._either()
            if not self._sees(")"):
                raise _broken("A bracket is not closed.")
            self._at += 1
            return inner
        raise _broken(f"Something is missing before {found!r}.")

    def _sees(self, sign: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == sign


def _tokens(text: str) -> Iterator[str | Word | Comparison]:
    """Signs as texts, terms as what they stand for."""
    at, text = 0, text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        after = text[at if match is None else match.end() :].lstrip()[:1]
        if after in QUOTES and (match is None or match["value"] == ""):
            raise _broken("A quote is not closed.")
        if match is None:
            raise _broken(f"This cannot be read: {text[at:].strip()[:40]!r}.")
        at = match.end()
        if match["sign"]:
            sign = match["sign"].lower()
            yield SIGNS.get(sign, sign)
        elif match["field"]:
            value = _unquoted(match["value"])
            if not match["value"]:
                raise _broken(f"{match['field']}{match['operator']} lacks a value.")
            yield Comparison(match["field"].lower(), match["operator"], value)
        else:
            yield Word(_unquoted(match["word"]))


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in QUOTES else text


def _contains(found: Value, text: str) -> bool:
    """Whether a text, or one of several, holds another."""
    if isinstance(found, tuple):
        return any(text.lower() in one.lower() for one in found)
    return isinstance(found, str) and text.lower() in found.lower()


def _alike(found: Value, pattern: str) -> bool:
    """Whether a text, or one of several, is the pattern, in which `*` and `?` stand for others."""
    texts = found if isinstance(found, tuple) else (found,) if isinstance(found, str) else ()
    return any(fnmatchcase(text.lower(), pattern.lower()) for text in texts)


def _broken(what: str) -> PuffError:
    return PuffError(what, "For example: env=breakout score>300 not tag:old", usage=True)
