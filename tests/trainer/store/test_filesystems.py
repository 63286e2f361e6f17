"""Where a file system has no shared memory or no locks, every row is kept, or the run is refused."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from pufftui.trainer.store import StoreReader

sys.path.insert(0, str(Path(__file__).parent))

import filesystems
from filesystems import LACKS, SMALL, FileSystem

if sys.platform != "linux":
    pytest.skip("calls are taken over as Linux has them", allow_module_level=True)

WRITE = """
import subprocess, sys, time
from pathlib import Path
from pufftui.trainer.store import StoreReader, StoreWriter

database, other = Path(sys.argv[1]), None
store, reader = StoreWriter(database), StoreReader(database)
seen = []
for step in range(400):
    store.metrics(step, step / 100, step, {"score": step})
    if step == 100:
        store.flush()
        other = subprocess.Popen([sys.executable, "-c", sys.argv[2], str(database)])
    if step % 7 == 0:
        rows = reader.metrics_after(0)
        steps = rows.steps.tolist()
        assert steps == list(range(len(steps))), steps
        assert steps[: len(seen)] == seen, "what was there is there"
        assert rows.values["score"].tolist() == steps if steps else True
        seen = steps
    time.sleep(0.004)
assert other.wait() == 0
store.close()
assert store.problem == "", store.problem
assert len(seen) > 100, "a reader sees rows while they are written"
"""

REMARK = """
import sys
from pathlib import Path
from pufftui.trainer.store import StoreReader, add_note

database = Path(sys.argv[1])
for number in range(20):
    add_note(database, number, f"note {number}")
    steps = StoreReader(database).metrics_after(0).steps.tolist()
    assert len(steps) > 90, steps
    assert steps == list(range(len(steps))), steps
"""


@pytest.fixture
def place(request, compiler, tmp_path) -> FileSystem:
    library = compiler.build("tests/c/filesystem.c", "-shared", "-fPIC")
    (tmp_path / "mount").mkdir()
    return FileSystem(library, tmp_path / "mount", LACKS[request.param])


def lacking(*names):
    return pytest.mark.parametrize("place", names, indirect=True)


@lacking(*(name for name in LACKS if name != "locks that hang"))
def test_what_should_be_missing_is_missing(place):
    filesystems.expect_missing(place)


@lacking("no shared memory", "no record locks", "no locks", "neither", "locks that hang")
def test_every_row_arrives_while_others_read_and_remark(place):
    database = place.folder / "run.db"
    (place.folder / "config.toml").touch()
    status, _, errors = place.run("-c", WRITE, str(database), REMARK)
    assert status == 0, errors
    # This process misses nothing, and sees the same.
    reader = StoreReader(database)
    assert reader.metrics_after(0).steps.tolist() == list(range(400))
    assert [note.text for note in reader.notes_after(0)] == [f"note {n}" for n in range(20)]
    (event,) = reader.events_after(0)
    assert "rollback journal" in event.text
    reader.close()
    left = {path.name for path in place.folder.iterdir()}
    assert left == {"run.db", "config.toml"}


@lacking("no shared memory", "neither")
def test_a_run_that_was_killed_elsewhere_goes_on_where_something_is_missing(place):
    """Its log is beside it, and the index of the log cannot be used here."""
    database = place.folder / "run.db"
    (place.folder / "config.toml").touch()
    code = (
        "import os, sys; from pathlib import Path; from pufftui.trainer.store import StoreWriter\n"
        "store = StoreWriter(Path(sys.argv[1]))\n"
        "for step in range(50): store.metrics(step, 0.0, step, {'score': step})\n"
        "store.flush(); os._exit(0)"
    )
    whole = FileSystem(place.library, place.folder, "")
    assert whole.run("-c", code, str(database))[0] == 0
    assert database.with_name("run.db-wal").stat().st_size > 0
    read = (
        "import sys; from pathlib import Path; from pufftui.trainer.store import StoreReader\n"
        "print(len(StoreReader(Path(sys.argv[1])).metrics_after(0).steps))"
    )
    for expected in ("50\n", "100\n"):
        status, said, errors = place.run("-c", read, str(database))
        assert (status, said) == (0, expected), errors
        assert place.run("-c", code, str(database))[0] == 0
    assert whole.run("-c", read, str(database))[1] == "150\n"


@lacking("neither")
def test_what_a_killed_writer_leaves_keeps_nobody_out(place):
    """It is killed again and again in the middle of a transaction, which nobody ever sees."""
    database = place.folder / "run.db"
    (place.folder / "config.toml").touch()
    code = (
        "import os, sys; from pathlib import Path\n"
        "from pufftui.trainer.store.ledger import Ledger\n"
        "ledger, first = Ledger(Path(sys.argv[1]), 0), int(sys.argv[2])\n"
        "ledger.write([lambda l: l.metrics(first, 0.0, 0, {'score': 1.0}, {})])\n"
        "ledger._connection.execute('PRAGMA cache_size=1')\n"
        "def die(l):\n"
        "    for step in range(first, first + 3000):\n"
        "        l.metrics(step, 0.0, 0, {f'metric {i}': 1.0 for i in range(50)}, {})\n"
        "    os.kill(os.getpid(), 9)\n"
        "ledger.write([die])\n"
    )
    read = (
        "import sys; from pathlib import Path; from pufftui.trainer.store import StoreReader\n"
        "print(StoreReader(Path(sys.argv[1])).metrics_after(0).steps.tolist())"
    )
    for first in (1, 2):
        assert place.run("-c", code, str(database), str(first))[0] == -9
        assert database.with_name("run.db-journal").exists(), "there was something to undo"
        assert database.with_name("run.db-turn").exists()
        status, said, errors = place.run("-c", read, str(database))
        assert status == 0, errors
        assert json.loads(said) == list(range(1, first + 1))


@lacking("neither", "no record locks")
def test_a_remark_waits_for_a_write_that_is_under_way(place):
    """The journal of that write looks like what a killed process leaves, but is in use."""
    database = place.folder / "run.db"
    (place.folder / "config.toml").touch()
    code = (
        "import subprocess, sys, time; from pathlib import Path\n"
        "from pufftui.trainer.store.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]), 0)\n"
        "ledger.write([lambda l: l.metrics(0, 0.0, 0, {'score': 0.0}, {})])\n"
        "ledger._connection.execute('PRAGMA cache_size=1')\n"
        "def slowly(l):\n"
        "    for step in range(1, 3000):\n"
        "        l.metrics(step, 0.0, 0, {f'metric {i}': float(step) for i in range(50)}, {})\n"
        "    remark = 'import sys; from pathlib import Path; from pufftui.trainer.store import add_note;'"
        " 'print(1, flush=True); add_note(Path(sys.argv[1]), 1, \\'it\\'); print(2, flush=True)'\n"
        "    l.other = subprocess.Popen([sys.executable, '-c', remark, sys.argv[1]],"
        " stdout=subprocess.PIPE, text=True)\n"
        "    assert l.other.stdout.readline() == '1\\n'\n"
        "    time.sleep(0.5)\n"
        "ledger.write([slowly])\n"
        "assert ledger.other.wait() == 0\n"
        "assert ledger.other.stdout.read() == '2\\n'\n"
        "ledger.write([lambda l: l.metrics(3000, 0.0, 0, {'score': 0.0}, {})])\n"
    )
    status, _, errors = place.run("-c", code, str(database))
    assert status == 0, errors
    reader = StoreReader(database)
    assert reader.metrics_after(0).steps.tolist() == list(range(3001))
    assert [note.text for note in reader.notes_after(0)] == ["it"]
    reader.close()


@lacking("all but that")
def test_a_run_is_trained_and_read_where_nearly_all_is_missing(place):
    assert "rows" in filesystems.train(place)
    filesystems.read(place)
    filesystems.leftovers(place)


@pytest.mark.slow
@lacking(*LACKS)
def test_nothing_is_lost_or_the_run_is_refused(place, tmp_path):
    found = dict(filesystems.check(place.library, place.lacks))
    assert not [text for text in found.values() if text.startswith("WRONG")], found


@lacking("no second write")
def test_a_place_that_can_keep_no_store_is_refused_at_once(place):
    began = time.monotonic()
    status, said, errors = place.pufftui("train", "squared", "--headless", *SMALL)
    assert (status, said) == (1, "")
    assert "cannot keep a store" in errors
    assert "PUFFTUI_RUNS" in errors
    assert time.monotonic() - began < 30
    assert not list((place.folder / "runs").iterdir()), "it leaves nothing"
    code = "from pufftui import log\nwith log.start('it') as run: run.log(1, {'loss': 1.0})"
    status, said, errors = place.run("-c", code)
    assert status == 0
    assert errors.count("\n") == 1
    assert "PUFFTUI_RUNS" in errors
    assert not list((place.folder / "runs").iterdir())
