"""`pufftui runs export`: a run for other programs, as tables, event files or C."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pufftui.cli.parser import CommandParser
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError, nearest
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import POLICIES, find_policy
from pufftui.trainer.run.policies import run_environment
from pufftui.trainer.store import StoreReader

STDOUT = "-"

HELP = """\
formats:
  csv           one line per row of metrics, for pandas, numpy and spreadsheets: RUN.csv
  tensorboard   an event file in a folder that TensorBoard reads: RUN-tensorboard/
  c             a policy as one C header with its weights: ENV_policy.h; RUN is the newest of
                a run, RUN@STEP that of a step, or name a checkpoint file

A run that was resumed from an earlier step left rows behind. They are not exported unless --all
asks for them: csv then gets a column lineage, tensorboard a folder for each lineage.
Nothing is overwritten without --force. A live run can be exported, too."""

FLAGS = {
    "csv": ("all", "episodes"),
    "tensorboard": ("all",),
    "c": ("name",),
}
"""Which flags belong to which format."""


def run(arguments: list[str]) -> int:
    """Writes the file and says on stderr what is in it."""
    parser = CommandParser("runs export", "Writes a run for other programs.")
    parser.usage = "pufftui runs export RUN csv|tensorboard|c [--output PATH] [--force] [...]"
    parser.epilog = HELP
    add = parser.add_argument
    add("run", metavar="RUN", help=f"its name, or latest; c: {POLICIES}")
    add("format", metavar="FORMAT", help="csv, tensorboard or c")
    add("--output", metavar="PATH", help="a file or a folder; - prints csv and c")
    add("--force", action="store_true", help="overwrite what is there")
    add("--all", action="store_true", help="csv, tensorboard: also what a resume left behind")
    add("--episodes", metavar="PATH", help="csv: the sampled episodes, as a second table")
    add(
        "--name",
        metavar="NAME",
        help="c: what all names begin with, and the file's name (ENV_policy)",
    )
    options = parser.parse(arguments)
    if options.format not in FLAGS:
        hint = nearest(options.format, FLAGS, "Use csv, tensorboard or c.")
        raise PuffError(f"There is no format {options.format}.", hint, usage=True)
    for flag in {name for names in FLAGS.values() for name in names} - {*FLAGS[options.format]}:
        if getattr(options, flag):
            fits = " and ".join(name for name, flags in FLAGS.items() if flag in flags)
            raise PuffError(f"--{flag} works only with {fits}.", parser.more, usage=True)
    writers: dict[str, Callable[[argparse.Namespace], None]] = {
        "csv": _csv,
        "tensorboard": _tensorboard,
        "c": _c,
    }
    try:
        writers[options.format](options)
    except BrokenPipeError:  # as of `... --output - | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    return 0


def _csv(options: argparse.Namespace) -> None:
    from pufftui.export.table import write_episodes, write_metrics

    folder = RunFolder.open(options.run)
    with _reading(folder) as reader:
        target = _target(options.output, f"{folder.id}.csv")
        episodes_target = _target(options.episodes, f"{folder.id}-episodes.csv")
        if options.episodes and options.episodes != STDOUT:
            _check_free(Path(episodes_target), force=options.force)
        with _writing(target, force=options.force) as file:
            rows = write_metrics(reader, file, everything=options.all)
        _say(f"{rows:,} rows of metrics", target)
        if options.episodes:
            with _writing(episodes_target, force=options.force) as file:
                names = _statistics(folder)
                episodes = write_episodes(reader, file, names, everything=options.all)
            _say(f"{episodes:,} sampled episodes", episodes_target)


def _tensorboard(options: argparse.Namespace) -> None:
    from pufftui.export.tensorboard import write_events

    folder = RunFolder.open(options.run)
    if options.output == STDOUT:
        raise PuffError(
            "TensorBoard reads a folder, so it cannot be printed.",
            "Name a folder with --output.",
            usage=True,
        )
    target = Path(options.output or f"{folder.id}-tensorboard")
    if any(target.rglob("events.out.tfevents.*")):
        _check_free(target, force=options.force)
    with _reading(folder) as reader, _telling_what_failed(target):
        rows = write_events(reader, target, everything=options.all)
    _say(f"{rows:,} rows of metrics", str(target))
    sys.stderr.write(f"Look at them with: tensorboard --logdir {target}\n")


def _c(options: argparse.Namespace) -> None:
    from pufftui.export.header import c_header

    policy = find_policy(options.run)
    weights = policy.weights()
    descriptor = load_env(policy.env()).descriptor
    name = options.name or f"{descriptor.name}_policy"
    step = weights.step
    whose = f"the run {policy.folder.id}" if policy.folder else policy.saved.path.name
    if policy.baseline_of:
        whose = f"the baseline of {descriptor.name}"
    text = c_header(weights, descriptor, name, f"step {step:,} of {whose}")
    target = _target(options.output, f"{name}.h")
    with _writing(target, force=options.force) as file:
        file.write(text)
    _say(f"The policy at step {step:,}", target)


def _statistics(folder: RunFolder) -> tuple[str, ...]:
    """Names of an episode's statistics; none if the environment is not there to tell."""
    env = run_environment(folder)
    try:
        return load_env(env).descriptor.statistics if env else ()
    except PuffError as error:
        sys.stderr.write(f"Statistics of episodes are left out: {error}\n")
        return ()


def _target(output: str | None, name: str) -> str:
    """Where to write: the path given, the usual name in a folder given, else in this one."""
    return str(Path(output) / name) if output and Path(output).is_dir() else output or name


@contextlib.contextmanager
def _reading(folder: RunFolder) -> Iterator[StoreReader]:
    reader = StoreReader(folder.database, at_once=True)
    try:
        yield reader
    finally:
        reader.close()


@contextlib.contextmanager
def _writing(target: str, *, force: bool) -> Iterator[TextIO]:
    """A file that appears under its name when it is whole, or stdout."""
    if target == STDOUT:
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(target)
    _check_free(path, force=force)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    with _telling_what_failed(path):
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _check_free(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise PuffError(
            f"{path} already exists.", "Add --force, or choose another --output.", usage=True
        )


@contextlib.contextmanager
def _telling_what_failed(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PuffError(
            f"{path} cannot be written ({error.strerror or error}).",
            "Choose another place with --output.",
        ) from None


def _say(what: str, target: str) -> None:
    if target != STDOUT:
        sys.stderr.write(f"{what} in {target}\n")
