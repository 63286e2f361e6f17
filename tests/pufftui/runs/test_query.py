"""The search language against a plain evaluation of random queries, and random text."""

from __future__ import annotations

import contextlib
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.envs.errors import PuffError
from pufftui.runs.query import check_fields, parse_query

RUN = {
    "name": "breakout-brisk-otter",
    "env": "breakout",
    "state": "finished",
    "tag": ("good", "two words"),
    "note": ("Look at the paddle.",),
    "score": 412.5,
    "step": 50e6,
    "age": 7200.0,
    "train.learning_rate": 0.015,
    "policy.memory": "mingru",
    "best": None,
}


def matches(text: str) -> bool:
    query = parse_query(text)
    check_fields(query, RUN)
    return query.matches(RUN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "otter",
        "BREAKOUT",
        "paddle",
        '"two words"',
        "env=breakout score>300",
        "env=break* state=finished",
        "env:out",
        "train.learning_rate<0.1",
        "step>=50M step<=5e7",
        "score>1 | score<0",
        "not score<300",
        "!snake",
        "not (snake or pong)",
        "tag:good",
        "tag='two words'",
        "note:look",
        "age<3h age>90m",
        "age=2h",
        "best!=3",
        "not best>0",
        "not best<=0",
        "policy.memory!=lstm",
        "otter and breakout",
        "not not otter",
    ],
)
def test_it_matches(text: str) -> None:
    assert matches(text)
    assert not matches(f"not ({text})") if text else True


@pytest.mark.parametrize(
    "text",
    [
        "snake",
        "env=break",
        "tag:goo",
        "score>500",
        "best>0",
        "otter snake",
        "not-a-name",
        "name=otter",
    ],
)
def test_it_does_not_match(text: str) -> None:
    assert not matches(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scroe>300", "Did you mean score?"),
        ("learning_rate>1", "Did you mean train.learning_rate?"),
        ("score>high", "'high' is not a number"),
        ("age>soon", "'soon' is not a time"),
        ("score>", "score> lacks a value"),
        ("(otter", "not closed"),
        ("otter)", "not opened"),
        ("otter |", "ends in the middle"),
        ("| otter", "missing before '|'"),
        ("not", "ends in the middle"),
        ("=3", "cannot be read"),
        ('name="otter', "quote is not closed"),
        ("'otter", "quote is not closed"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(PuffError) as caught:
        matches(text)
    assert words in str(caught.value)
    assert caught.value.exit_status == 2


ORDERS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
ORDERS |= {"=": operator.eq, "!=": operator.ne}
NUMBERS = st.integers(-3, 3)
TERMS = st.one_of(
    st.tuples(st.just("word"), st.sampled_from(["ab", "b", "c", "xyz"])),
    st.tuples(st.sampled_from(["one", "two", "none"]), st.sampled_from(sorted(ORDERS)), NUMBERS),
)
QUERIES = st.recursive(
    TERMS,
    lambda part: st.one_of(
        st.tuples(st.just("not"), part),
        st.tuples(st.just("all"), st.lists(part, min_size=2, max_size=3)),
        st.tuples(st.just("either"), st.lists(part, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


def written(query) -> str:
    match query:
        case ("word", text):
            return text
        case ("not", part):
            return f"not ({written(part)})"
        case ("all", parts):
            return " ".join(f"({written(part)})" for part in parts)
        case ("either", parts):
            return "(" + " | ".join(written(part) for part in parts) + ")"
        case (field, sign, number):
            return f"{field}{sign}{number}"


def evaluated(query, run) -> bool:
    match query:
        case ("word", text):
            return text in run["name"]
        case ("not", part):
            return not evaluated(part, run)
        case ("all", parts):
            return all(evaluated(part, run) for part in parts)
        case ("either", parts):
            return any(evaluated(part, run) for part in parts)
        case (field, sign, number):
            value = run[field]
            return sign == "!=" if value is None else ORDERS[sign](value, number)


@settings(deadline=None)
@given(QUERIES, NUMBERS, NUMBERS, st.text("abc", max_size=3))
def test_random_queries_mean_what_they_say(query, one, two, name) -> None:
    run = {"name": name, "one": float(one), "two": float(two), "none": None}
    parsed = parse_query(written(query))
    check_fields(parsed, run)
    assert parsed.matches(run) == evaluated(query, run)


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("ab()|!&=<>:\"' not or and.1")))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    with contextlib.suppress(PuffError):
        matches(text)


def test_a_setting_may_be_a_word_in_one_run_and_a_number_in_another() -> None:
    query = parse_query("train.learning_rate=auto")
    assert not query.matches(RUN)
    assert query.matches({**RUN, "train.learning_rate": "auto"})


@pytest.mark.parametrize("sign", ["(", "not ", "!"])
def test_thousands_inside_each_other_are_refused(sign: str) -> None:
    with pytest.raises(PuffError, match="inside each other"):
        parse_query(5000 * sign + "name:a")
    assert matches(20 * "(" + "name:brisk" + 20 * ")") == matches("name:brisk")
