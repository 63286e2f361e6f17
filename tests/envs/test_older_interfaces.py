"""Libraries that were built with the headers of an older interface are read, stepped and checked as ever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pufftui.envs.catalogue import find_env, load_env
from pufftui.envs.checking.check import check_env
from pufftui.envs.errors import PuffError
from pufftui.envs.handed import hand_over, handed_over
from pufftui.envs.headers import ABI, declarations, older_declarations
from pufftui.envs.library import HERE, EnvLibrary, interface, load_library
from pufftui.envs.random_play import act_at_random
from pufftui.envs.scaffold import new_env
from pufftui.envs.vector import VectorEnv

if TYPE_CHECKING:
    from conftest import Compiler

OLDER = range(1, ABI)
HEADERS = Path(__file__).parent


def played(library: EnvLibrary) -> list[bytes]:
    """All that 300 random steps put out."""
    descriptor = library.descriptor
    parameters = {each.name: each.default for each in descriptor.parameters}
    random, said = np.random.default_rng(3), []
    with VectorEnv(library, parameters, environments=6, seed=4) as vector:
        buffers = vector.buffers()
        vector.reset(0, buffers)
        for _ in range(300):
            act_at_random(descriptor, random, buffers.actions)
            vector.step(0, buffers)
            outputs = buffers.observations, buffers.rewards, buffers.terminals, buffers.finals
            said += [array.tobytes() for array in outputs]
        pixels = np.zeros((40, 60, 3), np.uint8)
        vector.draw(0, 0, 0.5, pixels)
        if not descriptor.locates:
            assert vector.locate(0, 0, 0.5, (60, 40), 1, 1) is None
        return [*said, pixels.tobytes(), vector.save(), vector.drain().episodes.tobytes()]


@pytest.mark.parametrize("abi", OLDER)
@pytest.mark.parametrize("env", ["breakout", "cartpole", "enduro"])
def test_an_older_library_is_the_same_game(compiler: Compiler, env: str, abi: int) -> None:
    older = load_library(compiler.older_library(f"envs/{env}/{env}.c", abi))
    ours = load_env(env)
    assert older.lib.puff_env().abi == abi
    assert older.descriptor == ours.descriptor
    assert older.state_bytes({}) == ours.state_bytes({})
    assert played(older) == played(ours)


def test_an_older_library_says_who_is_where(compiler: Compiler) -> None:
    older, ours = (
        load_library(compiler.older_library("envs/snake/snake.c", 2)),
        load_env("snake"),
    )
    assert older.descriptor == ours.descriptor
    assert older.descriptor.locates
    assert played(older) == played(ours)


@pytest.mark.parametrize("abi", OLDER)
def test_the_layout_of_an_older_interface_is_that_of_its_header(
    compiler: Compiler, tmp_path: Path, abi: int
) -> None:
    ffi = interface()
    structs = {
        "puff_field": ("name", "offset", "count", "dtype", "classes"),
        "puff_descriptor": ("abi", "fields", "actions", "parameters", "statistics", "draw"),
    }
    lines = [
        f'_Static_assert(offsetof({name}, {member}) == {ffi.offsetof(f"{name}_{abi}", member)}, "");'
        for name, members in structs.items()
        for member in members
    ]
    lines += [
        f'_Static_assert(sizeof({name}) == {ffi.sizeof(f"{name}_{abi}")}, "");' for name in structs
    ]
    source = tmp_path / "layout.c"
    source.write_text("\n".join([f'#include "{HEADERS}/interface_{abi}/puff_env.h"', *lines]))
    compiler.build(str(source), "-c")


def test_what_did_not_change_is_as_it_was() -> None:
    """Members come at ends, and only those that are listed: else an older library would be read wrongly."""
    ours = declarations(HERE / "puff_env.h")
    older = older_declarations(ours)
    for abi in OLDER:
        theirs = declarations(HEADERS / f"interface_{abi}" / "puff_env.h")
        for text in theirs.split(";"):
            words = " ".join(text.split())
            changing = "PUFF_ABI" in words or "PUFF_MAX_STATISTICS" in words
            if not words or changing or words.startswith("typedef enum"):
                continue
            assert words in " ".join(ours.split()) or words in " ".join(older.split()), words


def test_an_interface_that_is_only_claimed_is_refused(tmp_path: Path) -> None:
    folder = new_env("claims", tmp_path)
    source = folder / "claims.c"
    for claimed in OLDER:
        text = source.read_text().replace(".abi = PUFF_ABI", f".abi = {claimed}")
        (folder / "claims.c").write_text(text)
        with pytest.raises(PuffError, match=f"interface {claimed}, and was built for another one"):
            load_env(str(folder), named_here=True)
        source.write_text(text.replace(f".abi = {claimed}", ".abi = PUFF_ABI"))


def test_a_table_without_names_compiles_without_a_warning(tmp_path: Path) -> None:
    """What was written for an older interface leaves out what is new at the end of its entries."""
    folder = new_env("terse", tmp_path)
    source = folder / "terse.c"
    text = source.read_text()
    begin = text.index("terse_fields[] = {") + len("terse_fields[] = {")
    fields = '{"paddle", 0, 1, PUFF_FLOAT32, 0}, {"ball", 4, 2, PUFF_FLOAT32, 0}'
    text = text[:begin] + fields + text[text.index("};", begin) :]
    source.write_text(text)
    report = check_env(find_env(str(folder)), steps=20_000)
    assert report.wrong == []


@pytest.mark.parametrize("abi", OLDER)
def test_a_folder_with_headers_of_its_own_is_checked_and_loaded(tmp_path: Path, abi: int) -> None:
    folder = new_env("keeps", tmp_path)
    for header in (HEADERS / f"interface_{abi}").glob("*.h"):
        (folder / header.name).write_text(header.read_text())
    source = folder / "keeps.c"
    text = source.read_text().replace(
        "#include <string.h>", '#include "puff_env.h"\n#include <string.h>'
    )
    source.write_text(text.replace(", .low = 0, .high = 1", ""))
    report = check_env(find_env(str(folder)), steps=20_000)
    assert report.wrong == []
    library = load_env(str(folder), named_here=True)
    assert library.lib.puff_env().abi == abi
    assert [field.name for field in library.descriptor.fields] == ["paddle", "ball"]


def test_an_older_library_is_handed_over(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer that began a run may be older than the one that goes on with it."""
    older = load_library(compiler.older_library("envs/breakout/breakout.c", 2))
    for name, text in hand_over("/somewhere/breakout", older).items():
        monkeypatch.setenv(name, text)
    handed_over.cache_clear()
    found = handed_over("/somewhere/breakout")
    assert found is not None
    assert (found.build, found.descriptor) == (older.build, older.descriptor)
