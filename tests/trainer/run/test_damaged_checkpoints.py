"""Checkpoints with damage anywhere: what is read is what was written, or it is refused in a sentence."""

import io
import random
import zipfile

import numpy as np
import pytest

from pufftui.envs.errors import PuffError
from pufftui.trainer.run.checkpoint import newest_checkpoint, read_checkpoint, write_checkpoint

TOLD = {"step": 7, "epoch": 1, "seconds": 2.0, "config": "", "written": 1.0}


def made(path, step=7):
    generator = np.random.default_rng(step)
    arrays = {f"policy/layer.{n}.weight": generator.normal(size=(3, 5)) for n in range(6)}
    arrays |= {f"optimizer/layer.{n}.weight": generator.normal(size=(3, 5)) for n in range(6)}
    arrays["progress"] = np.array([step, 1])
    write_checkpoint(path, arrays, TOLD | {"step": step})
    return arrays


def directory_of(data):
    """Where the list of what is in the file begins."""
    return zipfile.ZipFile(io.BytesIO(data)).start_dir


def expect_all_or_nothing(path, arrays):
    try:
        found, description = read_checkpoint(path)
    except PuffError:
        return False
    assert description["step"] == 7
    assert found.keys() == arrays.keys(), "arrays are missing"
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    return True


@pytest.mark.parametrize("where", ["its directory", "anywhere"])
def test_damage_is_never_read_as_something_else(tmp_path, where):
    path = tmp_path / "step-00000000000007.npz"
    arrays = made(path)
    data = path.read_bytes()
    begin = directory_of(data) if where == "its directory" else 0
    dice = random.Random(where)
    read = 0
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 8))):
            damaged[dice.randrange(begin, len(data))] = dice.randrange(256)
        path.write_bytes(damaged)
        read += expect_all_or_nothing(path, arrays)
    assert 0 < read < 2000


@pytest.mark.parametrize("form", [1, 2])
def test_a_list_that_lacks_arrays_is_recognised(tmp_path, form):
    path = tmp_path / "step-00000000000007.npz"
    arrays = made(path)
    data = path.read_bytes() if form == 2 else as_it_was_written_before(path, arrays)
    path.write_bytes(data)
    assert expect_all_or_nothing(path, arrays)
    begin = directory_of(data)
    members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    ends = [46 + len(member.filename) + len(member.extra) for member in members]
    at = begin
    for size in ends:
        shorter = data[:at] + data[at + size :]
        end = bytearray(shorter)
        place = shorter.rindex(b"PK\5\6")
        end[place + 8 : place + 12] = 2 * (len(members) - 1).to_bytes(2, "little")
        end[place + 12 : place + 16] = (sum(ends) - size).to_bytes(4, "little")
        path.write_bytes(end)
        assert len(zipfile.ZipFile(path).infolist()) == len(members) - 1
        assert not expect_all_or_nothing(path, arrays)
        at += size


def as_it_was_written_before(path, arrays):
    """Without a checksum of the list, as format 1 was."""
    text = '{"format": 1, "step": 7, "epoch": 1, "seconds": 2.0, "config": "", "written": 1.0}'
    np.savez(path, description=np.array(text), **arrays)
    return path.read_bytes()


def test_every_damage_leads_to_an_older_checkpoint(tmp_path):
    made(tmp_path / "step-00000000000005.npz", 5)
    path = tmp_path / "step-00000000000007.npz"
    made(path)
    data = path.read_bytes()
    begin = directory_of(data)
    for at in range(begin, len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        saved, passed_over = newest_checkpoint(tmp_path)
        assert saved is not None
        if saved.description["step"] == 5:
            assert path.name in passed_over[0]


def test_a_header_that_asks_for_the_moon_is_refused_at_once(tmp_path):
    path = tmp_path / "step-00000000000007.npz"
    arrays = made(path)
    bomb = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w") as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename == "progress.npy":
                data = data.replace(b"(2,), }" + b" " * 14, b"(999999999999999,), }")
            new.writestr(member.filename, data)
    path.write_bytes(bomb.getvalue())
    assert not expect_all_or_nothing(path, arrays)
