"""Libraries that are missing, broken or of another interface give one clear sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pufftui.envs import library
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.vector import EPISODE

if TYPE_CHECKING:
    from conftest import Compiler


def test_bundled():
    assert {"breakout", "squared"} <= set(env_names())


def test_unknown_name():
    with pytest.raises(PuffError, match=r"no environment breakuot\. Did you mean breakout\?") as e:
        load_env("breakuot")
    assert e.value.exit_status == 2


def test_missing(tmp_path: Path):
    with pytest.raises(PuffError, match=r"nothing\.so is missing"):
        library.load_library(tmp_path / "nothing.so")


def test_not_a_library(tmp_path: Path):
    path = tmp_path / "text.so"
    path.write_text("not a library", encoding="utf-8")
    with pytest.raises(PuffError, match=r"text\.so is not a working environment library"):
        library.load_library(path)


def test_cut_short(tmp_path: Path, compiler: Compiler):
    path = tmp_path / "short.so"
    path.write_bytes(compiler.library("tests/c/crowd.c").read_bytes()[:3000])
    with pytest.raises(PuffError, match=r"short\.so is not a working environment library"):
        library.load_library(path)


def test_another_library(tmp_path: Path, compiler: Compiler):
    path = tmp_path / "other.so"
    (tmp_path / "other.c").write_text("int other(void) { return 1; }\n", encoding="utf-8")
    path = compiler.library(str(tmp_path / "other.c"), "-fvisibility=default")
    with pytest.raises(PuffError, match=r"is not a working environment library"):
        library.load_library(path)


def test_another_abi(compiler: Compiler):
    path = compiler.library("tests/c/crowd.c", "-DABI=99")
    with pytest.raises(
        PuffError, match=r"was built for interface 99, this pufftui speaks 1 to 6\."
    ):
        library.load_library(path)


def test_a_descriptor_that_makes_no_sense(compiler: Compiler):
    path = compiler.library("tests/c/crowd.c", "-DBROKEN_FIELD")
    with pytest.raises(PuffError, match=r"describes itself wrongly \(77 is not a valid DType\)"):
        library.load_library(path)


def test_python_and_c_agree_on_the_layout():
    ffi = library.interface()
    lib = load_env("squared").lib
    assert lib.PUFF_ABI == library.ABI
    assert lib.PUFF_MAX_STATISTICS == library.MAX_STATISTICS
    assert ffi.sizeof("puff_episode") == EPISODE.itemsize
    for name in EPISODE.names or ():
        assert ffi.offsetof("puff_episode", name) == np.dtype(EPISODE).fields[name][1]
