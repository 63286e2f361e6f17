"""Checks what a kernel is given before it runs: C would read any memory as if it were what it expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cffi

if TYPE_CHECKING:
    import torch

    Value = torch.Tensor | float | None

LOOKED_BACK = frozenset(
    {"result_gradients", "table_gradients", "links", "weight_gradients", "bias_gradients"}
)

UNREAD: Mapping[str, frozenset[str]] = {
    "puff_mingru_forward": frozenset({"output_gradients", "gate_gradients", "input_gradients"}),
    "puff_mingru_backward": frozenset({"outputs"}),
    "puff_gelu_forward": frozenset({"output_gradients", "input_gradients"}),
    "puff_gelu_backward": frozenset({"outputs"}),
    "puff_heads_forward": frozenset(
        {"result_gradients", "input_gradients", "weight_gradients", "bias_gradients"}
    ),
    "puff_heads_backward": frozenset({"biases", "results"}),
    "puff_lookup_prepare": frozenset({"results"}) | LOOKED_BACK,
    "puff_lookup_forward": frozenset({"weights", "biases", "rows"}) | LOOKED_BACK,
    "puff_lookup_backward": frozenset({"weights", "biases", "rows", "table", "sums", "results"}),
    "puff_lookup_put_together": frozenset(
        {"weights", "biases", "rows", "table", "sums", "results", "result_gradients", "links"}
    ),
}
"""Fields that a kernel leaves alone, and that its callers leave out: where two share a struct."""

NULLABLE = frozenset(
    {
        ("puff_mingru", "resets"),
        *(("puff_lookup", field) for field in ("weights", "weight_gradients")),
        *(("puff_features", field) for field in ("indices", "shifts", "scales")),
        *(("puff_gradient", field) for field in ("lookup", "half", "half_sums")),
        *(("puff_ppo", field) for field in ("actions", "controls", "log_std")),
        ("puff_ppo", "log_std_gradients"),
        *(("puff_decision", field) for field in ("lookup", "resets", "sizes", "log_std", "noise")),
        *(("puff_decision", field) for field in ("actions", "controls", "log_probabilities")),
    }
)
"""Pointers that may be NULL."""

STRIDED = frozenset({("puff_sampling", "logits")})
"""Arrays whose rows may lie apart, as their struct says; all others are contiguous."""

ON_HOST = frozenset({("puff_sampling", "sizes")})
"""Arrays that are read on the host, also where the kernel runs on a GPU."""

DTYPES = {
    "uint8_t": "uint8",
    "int32_t": "int32",
    "int64_t": "int64",
    "float": "float32",
    "double": "float64",
    "puff_feature_field": "int32",
}
"""What a pointer's type is called in torch; one to void is to float32, or bfloat16 where `bf16` is 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A kind of call that was found right: the function in C, its struct, and which fields are what.

    Where it is meant for a GPU (`on_gpu`) only that is of use.
    """

    on_gpu: bool
    function: Any
    ffi: cffi.FFI
    struct: Any
    pointer: Any
    tensors: tuple[str, ...]
    nulls: tuple[str, ...]

    def job(self, fields: Mapping[str, Any]) -> Any:
        """The struct with these fields, in C; it does not keep the tensors alive."""
        values = dict(fields)
        cast, pointer = self.ffi.cast, self.pointer
        for name in self.tensors:
            values[name] = cast(pointer, values[name].data_ptr())
        for name in self.nulls:
            del values[name]
        return self.ffi.new(self.struct, values)


def kinds(values: Iterable[Any]) -> list[object]:
    """All that is checked of values: two calls that agree in it are both right or both wrong."""
    return [
        (value.dtype, value.is_contiguous(), value.is_cpu)
        if hasattr(value, "data_ptr")
        else type(value)
        for value in values
    ]


def checked(
    ffi: cffi.FFI, lib: Any, function: str, struct: str, fields: Mapping[str, Value]
) -> Call:
    """How the kernel `function` of a library is called with these fields of its struct.

    Raises `TypeError`, which names the field, if one is missing, unknown, or not of its type.
    """
    declared = dict(ffi.typeof(struct).fields)
    if unknown := sorted(fields.keys() - declared.keys()):
        raise TypeError(f"{function}: {struct} has no field {unknown[0]}.")
    if missing := sorted(declared.keys() - fields.keys() - UNREAD.get(function, frozenset())):
        raise TypeError(f"{function}: the field {missing[0]} is missing.")
    on_gpu = any(getattr(value, "is_cuda", False) for value in fields.values())
    number = "bfloat16" if fields.get("bf16") else "float32"
    for name, value in fields.items():
        kind = declared[name].type
        if kind.kind == "primitive":
            wrong = _wrong_number(kind.cname, value)
        elif value is None:
            wrong = "" if (struct, name) in NULLABLE else "must not be None"
        elif isinstance(value, (int, float)):
            wrong = f"is {value!r}, not a tensor"
        elif kind.item.kind == "struct" and not hasattr(value, "data_ptr"):
            wrong = "" if ffi.typeof(value).item is kind.item else "is another struct"
        else:
            there = on_gpu and (struct, name) not in ON_HOST
            wanted = DTYPES.get(kind.item.cname, number)
            wrong = _wrong_tensor(value, wanted, there, strided=(struct, name) in STRIDED)
        if wrong:
            raise TypeError(f"{function}: the field {name} {wrong}.")
    return Call(
        on_gpu=on_gpu,
        function=getattr(lib, function),
        ffi=ffi,
        struct=ffi.typeof(f"{struct} *"),
        pointer=ffi.typeof("void *"),
        tensors=tuple(name for name, value in fields.items() if hasattr(value, "data_ptr")),
        nulls=tuple(name for name, value in fields.items() if value is None),
    )


def _wrong_number(cname: str, value: Value) -> str:
    if isinstance(value, (int, float) if cname in ("float", "double") else int):
        return ""
    return f"is {value!r}, not a number of the type {cname}"


def _wrong_tensor(tensor: torch.Tensor, dtype: str, on_gpu: bool, *, strided: bool) -> str:
    own = str(tensor.dtype).removeprefix("torch.")
    if own != dtype:
        return f"is {own}, not {dtype}"
    if not strided and not tensor.is_contiguous():
        return "is not contiguous"
    if not (tensor.is_cuda if on_gpu else tensor.is_cpu):
        return f"is on {tensor.device}, not on the {'GPU' if on_gpu else 'CPU'}"
    return ""
