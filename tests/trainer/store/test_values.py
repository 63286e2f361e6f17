"""Whatever is given to a store from outside: what is good arrives, and what is bad is told once."""

import contextlib
import math
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.trainer.store import StoreReader, StoreWriter, add_note, tag

ODD = ["", "a\udcef", "\ud800", "a\0b", "\x1b[31m", "two\nlines", "x" * 300]
texts = st.sampled_from(ODD) | st.text(max_size=20)
"""Lone surrogates, zeros and all else that Python calls a text."""


class Broken:
    """Says nothing and is no number."""

    def __str__(self):
        raise ValueError("broken")

    def __float__(self):
        raise RuntimeError("\udcef")


BAD = [Broken(), "high", None, 1j, 10**400, object()]
numbers = st.floats(width=32) | st.integers(-(2**70), 2**70)
steps = st.integers(0, 2**63 - 1)
bad_steps = st.sampled_from([2**63, -(2**63) - 1, math.inf, math.nan, "many", Broken()])


def kept(text):
    return text.encode("utf-8", "backslashreplace").decode()


@contextlib.contextmanager
def a_store():
    with tempfile.TemporaryDirectory() as folder:
        store = StoreWriter(Path(folder) / "run.db")
        yield store, Path(folder) / "run.db"
        store.close()


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            steps | bad_steps, st.dictionaries(texts, numbers | st.sampled_from(BAD), max_size=4)
        ),
        max_size=8,
    )
)
def test_of_metrics_every_number_at_a_step_arrives(rows):
    with a_store() as (store, database):
        expected = []
        for number, (step, values) in enumerate(rows):
            store.metrics(step, 0.5, number, values)
            good = {kept(name): v for name, v in values.items() if type(v) in (int, float)}
            good = {name: v for name, v in good.items() if v != 10**400}
            if type(step) is int and 0 <= step < 2**63 and (good or not values):
                expected.append((number, step, good))
        store.event(7, 0.5, "stop", "finished")
        store.close()
        assert store.problem == ""
        reader = StoreReader(database)
        found = reader.metrics_after(0)
        events = reader.events_after(0)
        reader.close()
        assert found.epochs.tolist() == [number for number, _, _ in expected]
        assert found.steps.tolist() == [step for _, step, _ in expected]
        for row, (_, _, good) in enumerate(expected):
            there = {name: column[row] for name, column in found.values.items()}
            for name, value in good.items():
                finite = abs(value) <= float(np.finfo(np.float32).max)
                kept_as = np.float32(value if finite else math.nan)
                np.testing.assert_array_equal(np.float32(there.pop(name)), kept_as)
            assert all(math.isnan(value) for value in there.values())
        assert events[-1].text == "finished"
        assert len(events) <= 2, "what is bad is told once"
        odd = [v for _, values in rows for v in values.values() if any(v is bad for bad in BAD)]
        bad = bool(odd) or len(expected) < len(rows)
        assert (len(events) == 2) == bad


def give(store, kind, one, other, step):
    match kind:
        case 0:
            store.event(step, 0.5, one, other)
        case 1:
            store.checkpoint(step, 0.5, "step-1.npz", None, one)
        case 2:
            evidence = {one: [other, math.nan]}
            words = {"level": "warning", "rule": one, "title": other, "text": one}
            store.alert(step, 0.5, **words, evidence=evidence, advice=other)
        case 3:
            store.command(step, 0.5, one, {other: one, "at": math.inf})
        case 4:
            store.fact(one, {other: [one]})
        case 5:
            store.fact(one, {other: Broken()})
        case 6:
            store.system(step, 0.5, {"processor": Broken()}, [{one: other}])


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 6), texts, texts, bad_steps | steps), max_size=10))
def test_texts_arrive_whatever_letters_they_have(given_rows):
    with a_store() as (store, database):
        for row in given_rows:
            give(store, *row)
        store.metrics(2**62, 0.5, 0, {"score": 1.0})
        store.close()
        assert store.problem == ""
        good = [row for row in given_rows if type(row[3]) is int and 0 <= row[3] < 2**63]
        reader = StoreReader(database)
        noted = [(e.step, e.kind, e.text) for e in reader.events_after(0)]
        told = [text for _, _, text in noted if text.startswith("A row could not be stored")]
        noted = [event for event in noted if event[2] not in told]
        assert noted == [(r[3], kept(r[1]), kept(r[2])) for r in good if r[0] == 0]
        assert [c.reason for c in reader.checkpoints()] == [kept(r[1]) for r in good if r[0] == 1]
        alerts = [(a.rule, a.title, a.text, a.advice) for a in reader.alerts_after(0)]
        words = [(kept(r[1]), kept(r[2])) for r in good if r[0] == 2]
        assert alerts == [(one, other, one, other) for one, other in words]
        assert len(reader.commands_after(0)) == len([r for r in good if r[0] == 3])
        assert set(reader.facts()) == {kept(r[1]) for r in given_rows if r[0] == 4}
        assert reader.metrics_after(0).values["score"].tolist() == [1.0]
        refused = [r for r in given_rows if r[0] > 4 or (r[0] < 4 and r not in good)]
        assert len(told) == bool(refused), "what is bad is told once"
        # Everything that comes back can be printed and sent.
        for row in [*reader.alerts_after(0), *reader.commands_after(0), reader.facts()]:
            repr(row).encode()
        reader.close()


def test_a_remark_is_kept_whatever_letters_it_has():
    with a_store() as (store, database):
        store.event(1, 0.5, "start", "started")
        store.flush()
        add_note(database, 1, "left \udcff\0 and \ud800")
        tag(database, "caf\udce9")
        reader = StoreReader(database)
        (note,) = reader.notes_after(0)
        assert note.text == "left \\udcff\0 and \\ud800"
        assert reader.tags() == ["caf\\udce9"]
        reader.close()
