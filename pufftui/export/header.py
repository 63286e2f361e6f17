"""A policy as one C header: its weights, the code that runs them, and how to use it.

The code lies in `c/`, written for the prefix `policy`; a header gets the parts that its policy
needs under a prefix of its own.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import ActionKind, Descriptor, DType, Field
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import feature_count, with_places
from pufftui.export.maps import maps_of
from pufftui.trainer.messages.weights import PolicyWeights

PARTS = Path(__file__).parent / "c"
NUMBERS_A_LINE = 8
READERS = {
    DType.UINT8: "bytes",
    DType.FLOAT32: "floats",
    DType.INT16: "shorts",
    DType.BITS: "bits",
}
"""The functions in C that read an element."""
WIDE = {DType.FLOAT32: "float32", DType.INT16: "16-bit whole numbers"}
"""Elements of several bytes, in words."""
PARTS_OF_MEMORY = {"none": 0, "mingru": 1, "lstm": 2}

WORDS_OF_C = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while".split()
)


def c_header(weights: PolicyWeights, descriptor: Descriptor, name: str, origin: str) -> str:
    """The text of `NAME.h`; everything in it begins with `name`, `origin` says whose policy it is.

    Raises `PuffError` if the name cannot be one in C, or if a weight is not finite.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name) or name in WORDS_OF_C:
        raise PuffError(
            f"{name!r} cannot begin names in C.",
            "Use letters, digits and underscores, a letter first, as in --name my_policy.",
            usage=True,
        )
    code = "\n".join(
        [
            *_sizes(weights, descriptor),
            *_tables(weights, descriptor),
            *_program(weights, descriptor),
        ]
    )
    text = _prose(weights, descriptor, origin) + "\n" + _guarded(code)
    prefixes = {"policy_": f"{name}_", "POLICY_": f"{name.upper()}_"}
    return re.sub("policy_|POLICY_", lambda found: prefixes[found[0]], text)


def _guarded(code: str) -> str:
    return f"#ifndef POLICY_H\n#define POLICY_H\n\n#include <math.h>\n\n{code}\n#endif\n"


def _sizes(weights: PolicyWeights, descriptor: Descriptor) -> Iterator[str]:
    """The numbers that the code is compiled for."""
    continuous = descriptor.action_kind is ActionKind.CONTINUOUS
    actions = len(descriptor.actions)
    memory = weights.layers * PARTS_OF_MEMORY[weights.memory] * weights.hidden
    sizes = {
        "OBSERVATION_BYTES": descriptor.observation_bytes,
        "CHANNELS": weights.convolution,
        "EMBEDDING": weights.embedding,
        "HIDDEN": weights.hidden,
        "LAYERS": weights.layers if memory else 0,
        "MEMORY": max(memory, 1),
        "OUTPUTS": len(weights.arrays["heads.bias"]) - 1,
        "ACTIONS": actions,
        "RANDOMS": 2 * actions if continuous else actions,
    }
    for name, value in sizes.items():
        yield f"#define POLICY_{name} {value}"
    yield ""


def _tables(weights: PolicyWeights, descriptor: Descriptor) -> Iterator[str]:
    """The weights; matrices lie as (inputs, outputs), so that the inner loop adds up rows."""
    arrays = weights.arrays

    def layers(name: str) -> NDArray[np.float32]:
        each = [arrays[name.format(layer)] for layer in range(weights.layers)]
        return np.stack([array.T for array in each])

    maps = maps_of(weights, descriptor)
    tables = {f"{each.name}_{name}": table for each in maps for name, table in each.tables.items()}
    if places := _normalised_places(weights, descriptor):
        tables["shifts"] = arrays["normaliser.shifts"][places]
        tables["scales"] = arrays["normaliser.scales"][places]
    tables |= {"encoder_weight": _encoder(weights).T, "encoder_bias": arrays["encoder.bias"]}
    if weights.memory == "mingru":
        tables["gates_weight"] = layers("memory.gates.{}.weight")
        tables["gates_bias"] = layers("memory.gates.{}.bias")
    elif weights.memory == "lstm":
        tables["inputs_weight"] = layers("memory.inputs.{}.weight")
        tables["inputs_bias"] = layers("memory.inputs.{}.bias")
        tables["recurrent_weight"] = layers("memory.recurrent.{}.weight")
    tables |= {"heads_weight": arrays["heads.weight"].T, "heads_bias": arrays["heads.bias"]}
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        tables["log_std"] = arrays["log_std"]
    else:
        choices = ", ".join(str(len(action.choices)) for action in descriptor.actions)
        yield f"static const int policy_choices[POLICY_ACTIONS] = {{{choices}}};"
    offsets = {first: field.offset for first, field in with_places(descriptor.fields)}
    for each in maps:
        yield from each.declared(offsets)
    for name, array in tables.items():
        yield from _table(name, array)
    yield ""


def _encoder(weights: PolicyWeights) -> NDArray[np.float32]:
    """The weights (hidden, features) of all that no embedding is of; at least of one feature, for C has no empty tables."""
    if not weights.embedded:
        return weights.arrays["encoder.weight"]
    return weights.embedded.get("weight", np.zeros((weights.hidden, 1), np.float32))


def _table(name: str, array: NDArray[np.float32]) -> Iterator[str]:
    if not np.isfinite(array).all():
        raise PuffError(
            f"The policy holds weights that are not finite ({name}).",
            "Export an earlier checkpoint: RUN@STEP.",
        )
    shape = ", ".join(str(size) for size in array.shape)
    yield f"static const float policy_{name}[{array.size}] = {{ /* ({shape}) */"
    numbers = [_number(value) for value in array.ravel().tolist()]
    for start in range(0, len(numbers), NUMBERS_A_LINE):
        yield f"    {', '.join(numbers[start : start + NUMBERS_A_LINE])},"
    yield "};"


def _number(value: float) -> str:
    """A float32 in so many digits that reading it gives the same one."""
    digits = f"{value:.9g}"
    return f"{digits}f" if "." in digits or "e" in digits else f"{digits}.0f"


def _program(weights: PolicyWeights, descriptor: Descriptor) -> Iterator[str]:
    """The parts of the code that this policy needs, in the order in which C wants them."""
    parts = ["policy"]
    for first, field in with_places(descriptor.fields):
        parts += [_reader(field)]
        if not field.classes:
            parts += ["normalised" if _is_normalised(weights, first, field) else "numbers"]
    parts += [each.reader for each in maps_of(weights, descriptor)]
    parts.append(weights.memory)
    for part in dict.fromkeys(parts):
        yield _part(part)
    yield from _heads(weights, descriptor)
    continuous = descriptor.action_kind is ActionKind.CONTINUOUS
    yield _part("continuous" if continuous else "discrete")


def _part(name: str) -> str:
    return (PARTS / f"{name}.h").read_text(encoding="utf-8")


def _heads(weights: PolicyWeights, descriptor: Descriptor) -> Iterator[str]:
    """The function that goes from the bytes of an observation to the policy's last numbers."""
    yield "/* From an observation to the numbers of all actions and, last, the value. */"
    yield (
        "static inline void policy_heads(policy_state* state, const unsigned char* bytes,\n"
        "                                float* heads) {"
    )
    yield "    float hidden[POLICY_HIDDEN];"
    yield "    for (int i = 0; i < POLICY_HIDDEN; i++) hidden[i] = policy_encoder_bias[i];"
    yield from _readings(weights, descriptor)
    yield "    for (int i = 0; i < POLICY_HIDDEN; i++) hidden[i] = policy_gelu(hidden[i]);"
    yield "    policy_remember(state, hidden);"
    yield "    for (int i = 0; i <= POLICY_OUTPUTS; i++) heads[i] = policy_heads_bias[i];"
    yield (
        "    policy_multiply(policy_heads_weight, hidden, POLICY_HIDDEN, POLICY_OUTPUTS + 1, heads);"
    )
    yield "}\n"


def _readings(weights: PolicyWeights, descriptor: Descriptor) -> Iterator[str]:
    """A call for each field, which adds what it shows to the hidden layer."""
    maps = {first: each for each in maps_of(weights, descriptor) for first, _ in each.facts}
    feature = normalised = 0
    for first, field in with_places(descriptor.fields):
        if first in maps:
            if first == maps[first].facts[0][0]:
                yield from maps[first].call(feature)
                feature += maps[first].features
            continue
        end = f", hidden); /* {_comment(field.name)} */"
        place = f"bytes + {field.offset}, {field.count}"
        if field.classes:
            yield f"    policy_categories({place}, {field.classes}, {feature}{end}"
        elif _is_normalised(weights, first, field):
            yield f"    policy_normalised(policy_{_reader(field)}, {place}, {normalised}, {feature}{end}"
            normalised += field.count
        else:
            yield f"    policy_numbers(policy_{_reader(field)}, {place}, {feature}{end}"
        feature += feature_count(field)


def _is_normalised(weights: PolicyWeights, first: int, field: Field) -> bool:
    """Whether the policy sees other numbers than those of the field, which begins at the feature `first`."""
    if field.classes or "normaliser.scales" not in weights.arrays:
        return False
    own = slice(first, first + field.count)
    shifts, scales = (weights.arrays[f"normaliser.{name}"][own] for name in ("shifts", "scales"))
    return bool((shifts != 0).any() or (scales != 1).any())


def _normalised_places(weights: PolicyWeights, descriptor: Descriptor) -> list[int]:
    """The features of all fields that are normalised."""
    return [
        place
        for first, field in with_places(descriptor.fields)
        if _is_normalised(weights, first, field)
        for place in range(first, first + field.count)
    ]


def _reader(field: Field) -> str:
    """The function in C that reads a field."""
    if field.classes:
        return "categories"
    return READERS[field.dtype]


def _prose(weights: PolicyWeights, descriptor: Descriptor, origin: str) -> str:
    """The comment on top: where it comes from, what goes in, what comes out, how to call it."""
    continuous = descriptor.action_kind is ActionKind.CONTINUOUS
    memory = "no memory"
    if weights.memory != "none":
        many = "s" if weights.layers > 1 else ""
        memory = f"{weights.layers} layer{many} of {weights.memory}"
    if weights.convolution:
        memory += f" and a convolution of {weights.convolution} channels"
    if weights.embedding:
        memory += f" and an embedding of cells in {weights.embedding} numbers"
    kind = "float" if continuous else "int"
    lines = [
        f"policy_ is a policy that plays {descriptor.name}: {origin}.",
        f"It is {weights.hidden} wide with {memory}.",
        "",
        (
            "This file is all there is to it. It needs C99 and the C library's mathematics (-lm), "
            "allocates nothing and has no variables of its own. Include it in one C file."
        ),
        "",
        "    policy_state state;",
        "    policy_output output;",
        f"    {kind} actions[POLICY_ACTIONS];",
        "",
        "    policy_reset(&state);                          at the start of every episode",
        "    policy_step(&state, observation, &output);     at every step",
        "    policy_act(&output, NULL, actions);            the best actions, or",
        "    policy_act(&output, random, actions);          drawn with your random numbers",
        "",
        f"An observation is {descriptor.observation_bytes} bytes, as the environment writes them:",
        "",
        *[f"    {_describe(weights, *each)}" for each in with_places(descriptor.fields)],
        "",
        *_describe_actions(descriptor),
        "",
        (
            "The greedy policy is not always the better one: it was trained drawing its actions. "
            "One thread may use a state at a time; different states are independent."
        ),
    ]
    return "\n".join(["/*", *_wrapped(lines), " */"])


def _describe(weights: PolicyWeights, first: int, field: Field) -> str:
    normalised = _is_normalised(weights, first, field)
    name = _comment(field.name)
    place = f"bytes {field.offset} to {field.end - 1}"
    if field.dtype in WIDE:
        how = "the policy normalises them" if normalised else "as they are"
        what = f"{WIDE[field.dtype]} of this machine, {how}"
    elif field.dtype is DType.BITS:
        what = "a bit each, from the lowest of every byte on"
    elif field.classes:
        what = f"a byte each, a category from 0 to {field.classes - 1} (the policy sees it one-hot)"
    else:
        how = "normalises them" if normalised else "sees 0 to 1"
        what = f"a byte each, 0 to 255 (the policy {how})"
    many = "s" if field.count > 1 else ""
    return f"{name}: {place}, {field.count} number{many}, {what}"


def _describe_actions(descriptor: Descriptor) -> Iterator[str]:
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        yield "The actions are floats, meant to be between -1 and 1:"
        yield ""
        for place, action in enumerate(descriptor.actions):
            ends = " to ".join(_comment(choice.label) for choice in action.choices)
            yield f"    actions[{place}] {_comment(action.name)}: {ends}"
        return
    yield "The actions are whole numbers:"
    yield ""
    for place, action in enumerate(descriptor.actions):
        choices = ", ".join(f"{i} {_comment(c.label)}" for i, c in enumerate(action.choices))
        yield f"    actions[{place}] {_comment(action.name)}: {choices}"


def _comment(text: Any) -> str:
    """Words that cannot end a comment, in ASCII."""
    plain = str(text).encode("ascii", "replace").decode()
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("\n", " ")


def _wrapped(lines: list[str]) -> Iterator[str]:
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        # An indented list keeps its columns; what is too long goes on deeper.
        aligned = indent and len(line) <= 94
        pieces = [line] if aligned else textwrap.wrap(line, 94, subsequent_indent=indent * 2)
        yield from (f" * {piece}".rstrip() for piece in pieces or [""])
