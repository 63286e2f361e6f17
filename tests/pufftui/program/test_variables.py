"""Every variable of the environment that pufftui reads, with odd values: a sentence or a default, never a crash."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pufftui.envs.scaffold import new_env

ROOT = Path(__file__).parents[3]

LOOK = [["runs"], ["doctor"], ["train", "--help"], ["runs", "export", "latest", "csv"]]
BUILD = [["train", "./own", "--help"], ["doctor"]]
KEEP = [["train", "squared", "--headless"]]
"""Ends before training: the run's name is none."""

TABLE: dict[str, list[list[str]]] = {
    "PUFFTUI_RUNS": [*LOOK, *KEEP],
    "PUFFTUI_WEBHOOK": KEEP,
    "HOSTNAME": [["home", "--privacy"]],
    "PUFFTUI_LOCK": LOOK,
    "PUFFTUI_LIBRARY": [*LOOK, *BUILD],
    "XDG_CONFIG_HOME": [*LOOK, *BUILD],
    "XDG_CACHE_HOME": BUILD,
    "HOME": [*LOOK, *BUILD, ["runs", "--privacy"], ["train", "~/x"]],
    "CC": BUILD,
    "PATH": BUILD,
    "TMPDIR": BUILD,
    "TERM": [*LOOK, ["watch"], []],
    "COLORTERM": LOOK[:2],
    "NO_COLOR": LOOK[:1],
    "COLUMNS": LOOK,
    "LINES": LOOK[:2],
    "LC_ALL": LOOK[:2],
    "LC_CTYPE": LOOK[:2],
    "LANG": LOOK[:2],
    "CUDA_VISIBLE_DEVICES": LOOK[1:3],
    "RANK": KEEP,
    "WORLD_SIZE": KEEP,
    "LOCAL_RANK": KEEP,
    "LOCAL_WORLD_SIZE": KEEP,
    "MASTER_ADDR": KEEP,
    "MASTER_PORT": KEEP,
}
"""Variables, and the commands that read them."""

ELSEWHERE = {
    "OMP_WAIT_POLICY": "given to torch, which takes what it knows",
    "OPENBLAS_NUM_THREADS": "given to numpy, which takes what it knows",
    "TERM_PROGRAM": "compared with one name",
    "TMUX": "whether it is set",
    "VTE_VERSION": "whether it is set",
}
"""Variables whose values are not looked into."""

VALUES = [
    *(b"", b" ", b"garbage", b"-1", b"../rel", b"./file", b"/dev/null", b"/nonexistent/x"),
    *(b"\xff\xfe", "ü☃".encode(), b"~nobody_such/x", b"/" + b"x" * 5000, b'gcc "', b"\x1b[31m"),
]

DRIVER = """
import contextlib, io, json, os, signal, sys
from pufftui.__main__ import main

before = dict(os.environb)
for line in sys.stdin:
    name, value, words = json.loads(line)
    os.environ.clear()
    os.environb.update(before)
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environb[name.encode()] = bytes(value)
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    signal.alarm(100)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        try:
            status = main(words)
        except SystemExit as error:
            status = error.code
        said.flush()
        errors.flush()
    text = (said.buffer.getvalue() + errors.buffer.getvalue()).decode(errors="replace")
    print(json.dumps([name, value, words, status, text]), flush=True)
"""


def variables_of_the_sources() -> set[str]:
    """Names with which `environ` is asked, written out or as constants of their module."""
    found: set[str] = set()
    for room in ("envs", "trainer", "pufftui"):
        for file in (ROOT / room).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            constants = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for asked in filter(None, map(_asked, ast.walk(tree))):
                word = constants.get(asked.id) if isinstance(asked, ast.Name) else None
                word = asked.value if isinstance(asked, ast.Constant) else word
                found |= {word} if isinstance(word, str) else set()
    return found


def _asked(node: ast.AST) -> ast.expr | None:
    """What a piece of source asks the environment for."""
    match node:
        case ast.Call(func=ast.Attribute(value=place, attr="get" | "pop" | "setdefault")):
            return node.args[0] if _is_environment(place) else None
        case ast.Call(func=ast.Name(id="own_folder")):
            return node.args[0]
        case ast.Subscript(value=place):
            return node.slice if _is_environment(place) else None
        case ast.Compare(comparators=[place]):
            return node.left if _is_environment(place) else None
    return None


def _is_environment(place: ast.expr) -> bool:
    return ast.unparse(place) in {"os.environ", "environ", "environment"}


def test_every_variable_is_tried():
    found = variables_of_the_sources()
    assert {"PUFFTUI_RUNS", "XDG_CACHE_HOME", "TERM", "PUFFTUI_LOCK"} <= found
    assert found - set(TABLE) - set(ELSEWHERE) == set()


@pytest.mark.parametrize("name", TABLE)
def test_odd_values_are_a_sentence_or_a_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    for variable in ("RANK", "WORLD_SIZE", "PUFFTUI_RUNS", "PUFFTUI_WEBHOOK"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if name == "HOME":
        monkeypatch.delenv("XDG_CONFIG_HOME")
        monkeypatch.delenv("XDG_CACHE_HOME")
    (tmp_path / "file").touch()
    new_env("own", tmp_path)
    cases = [
        [name, None if value is None else list(value), words]
        for value in (None, *VALUES)
        for words in TABLE[name]
    ]
    for case in cases:
        case[2] = [*case[2], "--run-name", "?"] if case[2] in KEEP else case[2]
    ended = subprocess.run(
        [sys.executable, "-P", "-c", DRIVER],
        input="".join(json.dumps(case) + "\n" for case in cases),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    for line in lines:
        assert "Something broke" not in line[4], line
        assert "Traceback" not in line[4], line
        assert line[3] in {0, 1, 2}, line
        assert line[3] == 0 or line[4].strip(), line
    assert len(lines) == len(cases), (cases[len(lines)], ended.stderr[-2000:])


@pytest.mark.parametrize(
    "address",
    [
        b"ftp://x",
        b"http://",
        b"http://[",
        b"http://a b/c",
        b"http://x:port/",
        b"http://\xff/",
        b"http://x/\x1b[31m",
    ],
)
def test_a_webhook_that_is_none_is_a_sentence_and_leaves_no_run(tmp_path: Path, address: bytes):
    words = ("train", "squared", "--headless", "--run-name", "r", "--train.total-steps", "64")
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "pufftui", *words],
        env=os.environb | {b"PUFFTUI_WEBHOOK": address, b"PUFFTUI_RUNS": os.fsencode(tmp_path)},
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 2, ended.stderr
    assert b"PUFFTUI_WEBHOOK is not a web address" in ended.stderr
    assert list(tmp_path.iterdir()) == []
