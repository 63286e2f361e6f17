"""What one epoch of training asks of an NVIDIA GPU, counted on a machine that needs none.

The classes are the real ones: a `TrainingSession` collects and learns on torch's device `meta`, whose tensors have
shapes and no numbers, and takes it for a GPU. Whatever would go to the card is counted on its way there and left
undone, be it an operation of torch, a kernel in Triton or a CUDA graph. The environments step for real.

    python benchmarks/launches.py
    python benchmarks/launches.py --env pong --memory mingru --agents 16384 --set policy.layers=2

A graph counts as one, however much it holds; an operation of torch counts as one, though a few are several
kernels on the card; what the steps' loop in C starts through the driver is listed apart. Bytes are those of copies,
also within graphs, and of the host's pinned memory that a kernel reads or writes by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Line = dict[str, Any]

GOALS = {"launches": 300, "to_device": 160.0, "to_host": 8.0}
"""The most that an epoch of breakout shall take: launches outside the loop in C, bytes per agent step."""

WARM_UP = 2
"""Epochs before those that are counted: the first looks at more, and both record an update."""

TO_DEVICE, TO_HOST = "copy to the device", "copy to the host"

NO_LAUNCH = set(
    "_reshape_alias _unsafe_view empty empty_like empty_strided is_same_size lift_fresh new_empty "
    "new_empty_strided record_stream resize_ set_".split()
)
"""Operations that only touch the host's account of a tensor; views are known by their schema."""

PINNED = {
    "observations": TO_DEVICE,
    "resets": TO_DEVICE,
    "selected": TO_DEVICE,
    "step": TO_DEVICE,
    "sent": TO_HOST,
}
"""Which way bytes go where a kernel has this argument in the host's memory."""

COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001 - it has no other name

NOT_READY = 600
"""cudaErrorNotReady."""


@dataclass
class Tally:
    """What has been asked of the card: how often by name, and bytes by direction."""

    operations: Counter[str] = field(default_factory=Counter)
    copied: Counter[str] = field(default_factory=Counter)
    pinned: list[tuple[str, Callable[[], int]]] = field(default_factory=list)
    """Each access of a kernel to the host's memory: the direction, and how many bytes it is by now."""

    def copy(self, direction: str, size: int) -> None:
        """Notes a copy of so many bytes."""
        if size:
            self.operations[direction] += 1
            self.copied[direction] += size


class Graph:
    """A CUDA graph: what is done while it is recorded, and how often it is started."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.kind = "other"
        self.holds = Tally()
        self.handle = len(card.graphs) + 1
        card.graphs.append(self)

    def capture_begin(self, pool: object = None, capture_error_mode: str = "") -> None:
        """From here on all goes into the graph."""
        del pool, capture_error_mode
        self._card.recording = self

    def capture_end(self) -> None:
        """And from here on to the card again."""
        self._card.recording = None

    def replay(self) -> None:
        """Starts it from Python."""
        self._card.operation(f"graph: {self.kind}")
        self._card.start(self)

    def raw_cuda_graph_exec(self) -> int:
        """By which the driver knows it."""
        return self.handle


class Stream:
    """A stream of the card; all that is started is done at once."""

    numbers = itertools.count(1)

    def __init__(self, *_: object) -> None:
        self.cuda_stream = next(self.numbers)

    def wait_stream(self, _: Stream) -> None:
        """Orders two streams, which costs the card nothing."""

    def synchronize(self) -> None:
        """Waits for it."""

    wait, record = synchronize, synchronize


class Chance(torch.Generator):
    """A generator that says it is the card's; nothing is drawn from it."""

    def __new__(cls, _: object = "cpu") -> Self:
        return super().__new__(cls, "cpu")

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where it would be."""
        return self._device


class Card(TorchDispatchMode):
    """An NVIDIA GPU that counts; while it is entered, torch's operations on `meta` go to it."""

    def __init__(self) -> None:
        super().__init__()
        self.graphs: list[Graph] = []
        self.recording: Graph | None = None
        self.started: Counter[int] = Counter()
        self.tally = Tally()
        self.driver_calls: Counter[str] = Counter()
        self._busy: set[int] = set()
        self._callbacks: list[object] = []

    def forget(self) -> None:
        """Counts from nothing; the graphs stay."""
        self.tally, self.started, self.driver_calls = Tally(), Counter(), Counter()

    @property
    def _into(self) -> Tally:
        return self.recording.holds if self.recording else self.tally

    def operation(self, name: str) -> None:
        """Something is started."""
        self._into.operations[name] += 1

    def start(self, graph: Graph) -> None:
        """A graph runs, and with it what it holds."""
        self.started[graph.handle] += 1
        self.tally.copied.update(graph.holds.copied)
        for direction, size in graph.holds.pinned:
            self.tally.copied[f"{direction}, by a kernel (pinned)"] += size()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Line | None = None
    ) -> Any:
        del types
        kwargs = dict(kwargs or {})
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        target = kwargs.get("device")
        there = target is not None and torch.device(target).type == "meta"
        if not there and not any(tensor.is_meta for tensor in tensors):
            return func(*args, **kwargs)
        # In inference mode operations arrive that are made of others.
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), COMPOSITE):  # noqa: SLF001
            with self:
                return func.decompose(*args, **kwargs)
        name = func.overloadpacket.__name__
        if (size := _bytes_to_host(name, args, to_card=target is None or there)) is not None:
            self._into.copy(TO_HOST, size)
            return _on_host(name, args, kwargs)
        if "generator" in kwargs:
            kwargs["generator"] = None
        result = func(*args, **kwargs)
        if name in {"_to_copy", "copy_"} and not args[name == "copy_"].is_meta:
            self._into.copy(TO_DEVICE, args[name == "copy_"].nbytes)
        elif not func.is_view and name not in NO_LAUNCH:
            made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)] or tensors
            if any(tensor.numel() for tensor in made):
                self.operation(name)
        return result

    def kernel(self, function: Any, args: tuple[Any, ...], kwargs: Line) -> None:
        """A kernel in Triton is started with these arguments."""
        self.operation(function.__name__)
        given = dict(zip(function.arg_names, args, strict=False)) | kwargs
        for name, tensor in given.items():
            if isinstance(tensor, Tensor) and not tensor.is_meta:
                if name not in PINNED:
                    raise AssertionError(f"{function.__name__} reaches {name} on the host.")
                # Of those that are not selected no observation is read.
                chosen = given.get("selected") if name == "observations" else None
                access = PINNED[name], _size_of(tensor, chosen)
                self._into.pinned.append(access)
                if not self.recording:
                    self.tally.copied[f"{access[0]}, by a kernel (pinned)"] += access[1]()

    def open_driver(self) -> Any:
        """The functions of the driver that the loop in C calls, which finds a stream busy until it waits for it."""
        from pufftui.trainer import kernels

        ffi, _ = kernels.opened()

        @ffi.callback("int32_t (void *, void *)", error=999)
        def launch(graph: Any, stream: Any) -> int:
            self.driver_calls["launch"] += 1
            self._busy.add(int(ffi.cast("uintptr_t", stream)))
            self.start(self.graphs[int(ffi.cast("uintptr_t", graph)) - 1])
            return 0

        @ffi.callback("int32_t (void *)", error=999)
        def query(stream: Any) -> int:
            self.driver_calls["query"] += 1
            return NOT_READY if int(ffi.cast("uintptr_t", stream)) in self._busy else 0

        @ffi.callback("int32_t (void *)", error=999)
        def wait(stream: Any) -> int:
            self.driver_calls["wait"] += 1
            self._busy.discard(int(ffi.cast("uintptr_t", stream)))
            return 0

        parts = {"launch": launch, "query": query, "wait": wait}
        self._callbacks += parts.values()
        return ffi.new("puff_driver *", parts)

    def named(self, kind: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The method, which gives the graph that it is recorded in its kind."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.recording and self.recording.kind == "other":
                self.recording.kind = kind
            return work(*args, **kwargs)

        return call


def _bytes_to_host(name: str, args: tuple[Any, ...], *, to_card: bool) -> int | None:
    """How many bytes an operation brings to the host; None if it is no such operation."""
    if name == "_local_scalar_dense":
        return int(args[0].itemsize)
    leaves = (name == "_to_copy" and not to_card) or (name == "copy_" and not args[0].is_meta)
    return int(args[0].nbytes) if leaves else None


def _on_host(name: str, args: tuple[Any, ...], kwargs: Line) -> Any:
    """What it gives there: ones, as of an update whose gradients were all finite, or what was there before."""
    if name == "copy_":
        return args[0]
    ones = torch.ones(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
    return ones if name == "_to_copy" else ones.item()


def _size_of(tensor: Tensor, chosen: Tensor | None) -> Callable[[], int]:
    """The bytes of a tensor, or of those of its rows that are chosen when it is asked."""
    if chosen is None:
        return lambda: tensor.nbytes
    return lambda: int(torch.count_nonzero(chosen)) * tensor[0].nbytes


@contextlib.contextmanager
def pretended() -> Iterator[Card]:
    """A card that is not there, for as long as the block; for machines on which torch finds none."""
    from triton.runtime.jit import KernelInterface

    from pufftui.trainer import kernels
    from pufftui.trainer.collecting import collector
    from pufftui.trainer.kernels import gpu_trial
    from pufftui.trainer.ppo import gathered, optimizer
    from pufftui.trainer.training import epoch, session

    card = Card()

    def started(function: Any, _: object) -> Callable[..., None]:
        return lambda *args, **kwargs: card.kernel(function, args, kwargs)

    changes: list[tuple[Any, str, Any]] = [
        (torch, "Generator", Chance),
        (Tensor, "is_cuda", property(lambda tensor: tensor.is_meta)),
        (torch.cuda, "set_device", lambda _: None),
        (torch.cuda, "is_bf16_supported", lambda: True),
        (torch.cuda, "get_device_capability", lambda *_: (9, 0)),
        (torch.cuda, "graph_pool_handle", lambda: None),
        (torch.cuda, "current_stream", lambda *_: Stream()),
        (torch.cuda, "stream", lambda _: contextlib.nullcontext()),
        (torch.cuda, "Stream", Stream),
        (torch.cuda, "Event", Stream),
        (torch.cuda, "CUDAGraph", lambda: Graph(card)),
        (KernelInterface, "__getitem__", started),
        (gpu_trial, "try_out", lambda _: None),
        (kernels, "GPUS", ("meta",)),
        (session, "choose_device", lambda *_: torch.device("meta")),
        (collector, "open_driver", card.open_driver),
    ]
    kinds = {
        "decision": (collector.Collector, "_decided"),
        "final values": (collector.Collector, "_finals"),
        "update": (epoch, "learn"),
        "gradient": (gathered.GatheredGradient, "_gradient"),
        "step": (optimizer.PolicyOptimizer, "_step"),
    }
    with contextlib.ExitStack() as stack:
        for place, name, value in changes:
            stack.enter_context(mock.patch.object(place, name, value))
        for kind, (place, name) in kinds.items():
            method = card.named(kind, getattr(place, name))
            # A function, so that it becomes a method.
            stack.enter_context(mock.patch.object(place, name, method))
        stack.callback(kernels.missing.cache_clear)
        kernels.missing.cache_clear()
        stack.enter_context(card)
        yield card


def count(env: str, flags: dict[str, str], epochs: int = 1) -> Line:
    """What an epoch asks of the card, on the mean of so many; `flags` as for `pufftui train`."""
    from pufftui.envs.catalogue import load_env
    from pufftui.trainer.settings.sources import load_config
    from pufftui.trainer.training.epoch import run_epoch
    from pufftui.trainer.training.session import TrainingSession

    config = load_config(env, device="cuda", files=[], flags={"train.total_steps": "1T"} | flags)
    with pretended() as card:
        session = TrainingSession(config, load_env(env))
        try:
            for _ in range(WARM_UP):
                run_epoch(session, lambda: False)
            card.forget()
            for _ in range(epochs):
                run_epoch(session, lambda: False)
            steps = session.vector.agents * config.train.horizon
            shortfalls = session.shortfalls
        finally:
            session.close()
    return {
        "env": env,
        "memory": config.policy.memory,
        "agents": config.vec.agents,
        "horizon": config.train.horizon,
        "minibatch": config.train.minibatch_size,
        "epochs": epochs,
    } | figures(card, epochs, steps, shortfalls)


def figures(card: Card, epochs: int, steps: int, shortfalls: list[str]) -> Line:
    """What the card has counted, for an epoch of so many agent steps."""

    def each(counted: Counter[str]) -> Line:
        return {name: _round(number / epochs) for name, number in counted.most_common()}

    def per_step(direction: str) -> float:
        sizes = [size for name, size in card.tally.copied.items() if name.startswith(direction)]
        return _round(sum(sizes) / epochs / steps)

    return {
        "launches": _round(card.tally.operations.total() / epochs),
        "loop": each(card.driver_calls),
        "to_device": per_step(TO_DEVICE),
        "to_host": per_step(TO_HOST),
        "copied": {
            name: _round(size / epochs / steps) for name, size in sorted(card.tally.copied.items())
        },
        "launched": each(card.tally.operations),
        "graphs": {
            kind: _graphs_of([graph for graph in card.graphs if graph.kind == kind], card, epochs)
            for kind in dict.fromkeys(graph.kind for graph in card.graphs)
        },
        "shortfalls": shortfalls,
    }


def _graphs_of(graphs: list[Graph], card: Card, epochs: int) -> Line:
    """Those of one kind that were started; all of them if none was."""
    started = [graph for graph in graphs if card.started[graph.handle]] or graphs
    sizes = [graph.holds.operations.total() for graph in started]
    largest = started[sizes.index(max(sizes))]
    return {
        "graphs": len(started),
        "starts": _round(sum(card.started[graph.handle] for graph in started) / epochs),
        "operations": [min(sizes), max(sizes)],
        "largest": dict(largest.holds.operations.most_common()),
    }


def _round(number: float) -> float:
    return int(number) if number == int(number) else round(number, 3)


def table(line: Line) -> str:
    """The figures for people."""
    size = f"{line['agents']} agents x {line['horizon']}, minibatches of {line['minibatch']}"
    rows: list[tuple[str, object, str]] = [
        (f"{line['env']}, {line['memory']}", "an epoch", size),
        ("launches outside the loop", line["launches"], f"goal {GOALS['launches']}"),
        ("bytes to the device", line["to_device"], f"per agent step, goal {GOALS['to_device']:g}"),
        ("bytes to the host", line["to_host"], f"per agent step, goal {GOALS['to_host']:g}"),
    ]
    rows += [(f"  {name}", n, "per agent step") for name, n in line["copied"].items()]
    rows += [(f"the loop's {name}", n, "through the driver") for name, n in line["loop"].items()]
    for kind, about in line["graphs"].items():
        least, most = about["operations"]
        held = f"{least}" if least == most else f"{least} to {most}"
        rows.append((f"graph: {kind}", about["starts"], f"starts; it holds {held} operations"))
    rows += [("more slowly", "", text) for text in line["shortfalls"]]
    return "\n".join(f"{name:42} {number!s:>9}  {about}".rstrip() for name, number, about in rows)


def main() -> None:
    """Prints a JSON line and a table for each memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="breakout")
    parser.add_argument("--memory", nargs="+", default=["none", "mingru"])
    parser.add_argument("--agents", type=int, default=8192)
    parser.add_argument("--horizon", type=int, default=64)
    parser.add_argument("--minibatch", type=int, default=32768)
    parser.add_argument(
        "--epochs", type=int, default=1, help="counted; every 16th looks at more than the others"
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="other settings, such as policy.layers=2",
    )
    options = parser.parse_args()
    settings = {
        "vec.agents": str(options.agents),
        "train.horizon": str(options.horizon),
        "train.minibatch_size": str(options.minibatch),
    }
    settings |= dict(setting.split("=", 1) for setting in options.set)
    for memory in options.memory:
        line = count(options.env, settings | {"policy.memory": memory}, options.epochs)
        print(json.dumps(line), table(line), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
