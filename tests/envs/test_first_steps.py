"""Whoever writes past what it was given is found out before training begins, and so is whoever prints."""

import os
from pathlib import Path

import pytest

from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.first_steps import watch_first_steps
from pufftui.envs.library import EnvLibrary, load_library


@pytest.mark.parametrize("name", env_names())
def test_a_sound_environment_is_let_pass(name: str, tmp_path: Path) -> None:
    library = load_env(name)
    parameters = library.descriptor.parameter_values({})
    assert watch_first_steps(library, parameters, name, tmp_path / "log.txt") == ""


@pytest.fixture
def careless(compiler):
    """Makes an environment of two agents of which one line is wrong."""

    def make(line: str) -> EnvLibrary:
        return load_library(compiler.library("tests/c/careless.c", f"-DCARELESS={line}"))

    return make


@pytest.mark.parametrize(
    ("line", "past"),
    [
        ("((float*)io->observations)[4]=1", "observation"),
        ("((float*)io->observations)[-1]=1", "observation"),
        ("io->rewards[2]=1", "reward"),
        ("io->terminals[2]=1", "terminal flag"),
        ("io->truncations[2]=0", "truncation flag"),
    ],
)
def test_writing_past_an_array_is_named(careless, line: str, past: str, tmp_path: Path) -> None:
    library = careless(line)
    with pytest.raises(PuffError) as refused:
        watch_first_steps(library, {}, "/a folder/careless", tmp_path / "log.txt")
    assert refused.value.message == f"careless writes past the end of its {past} in step 3."
    assert refused.value.hint == "pufftui env check '/a folder/careless' names the line."


def test_what_it_prints_is_seen_where_the_log_takes_it(careless, tmp_path: Path) -> None:
    library = careless('printf("  %d steps\\n",game->age)')
    log = tmp_path / "log.txt"
    log.write_text("what was there before\n", encoding="utf-8")
    kept = os.dup(1)
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            found = watch_first_steps(library, {}, "careless", log)
            elsewhere = watch_first_steps(library, {}, "careless", tmp_path / "another.txt")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert found == "3 steps"
    assert elsewhere == ""
