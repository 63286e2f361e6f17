"""What a kernel refuses to be given."""

import cffi
import pytest
import torch

from pufftui.envs.errors import PuffError
from pufftui.trainer import kernels
from pufftui.trainer.kernels import calls


def advantage_fields(**changes):
    """Fields of puff_advantage for two steps of three agents."""
    flags = torch.zeros(2, 3, dtype=torch.uint8)
    numbers = dict.fromkeys(("gamma", "gae_lambda", "rho_clip", "c_clip"), 1.0)
    return {
        "steps": 2,
        "rows": 3,
        "rewards": torch.zeros(2, 3),
        "values": torch.zeros(3, 3),
        "final_values": torch.zeros(2, 3),
        "terminals": flags,
        "truncations": flags,
        "alive": flags,
        "ratios": torch.ones(2, 3),
        "advantages": torch.empty(2, 3),
        "magnitudes": torch.empty(3),
    } | {**numbers, **changes}


def run(fields):
    kernels.run("puff_advantages", "puff_advantage", 1, **fields)


def test_what_is_right_runs_and_goes_on_running():
    for reward in (1.0, 2.0):
        fields = advantage_fields(rewards=torch.full((2, 3), reward), gae_lambda=1)
        run(fields)
        assert fields["advantages"].tolist() == [[2 * reward] * 3, [reward] * 3]


def test_a_missing_field_is_named():
    fields = advantage_fields()
    del fields["ratios"]
    with pytest.raises(TypeError, match="puff_advantages: the field ratios is missing"):
        run(fields)


def test_an_unknown_field_is_named():
    with pytest.raises(TypeError, match="puff_advantage has no field reward"):
        run(advantage_fields(reward=torch.zeros(2, 3)))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rewards", torch.zeros(2, 3, dtype=torch.float64), "is float64, not float32"),
        ("terminals", torch.zeros(2, 3, dtype=torch.bool), "is bool, not uint8"),
        ("rewards", torch.zeros(3, 2).t(), "is not contiguous"),
        ("values", torch.zeros(3, 6)[:, :3], "is not contiguous"),
        ("ratios", torch.zeros(2, 3, device="meta"), "is on meta"),
        ("ratios", None, "must not be None"),
        ("ratios", 1.0, "is 1.0, not a tensor"),
        ("gamma", torch.zeros(()), "not a number of the type float"),
        ("steps", 2.0, "is 2.0, not a number of the type int64_t"),
    ],
)
def test_a_field_that_is_not_of_its_type_is_named(field, value, words):
    run(advantage_fields())  # What was right before does not count.
    with pytest.raises(TypeError, match=f"the field {field} .*{words}"):
        run(advantage_fields(**{field: value}))


@pytest.mark.parametrize(("bf16", "other"), [(0, torch.bfloat16), (1, torch.float32)])
def test_numbers_are_of_the_format_that_is_said(bf16, other):
    right = torch.zeros(4, dtype=torch.bfloat16 if bf16 else torch.float32)
    numbers = {"count": 4, "bf16": bf16, "inputs": right}
    kernels.run("puff_gelu_forward", "puff_gelu", 1, **numbers, outputs=torch.empty_like(right))
    with pytest.raises(TypeError, match="the field outputs is"):
        kernels.run(
            "puff_gelu_forward", "puff_gelu", 1, **numbers, outputs=torch.empty(4, dtype=other)
        )


def test_the_exceptions_are_fields_that_there_are():
    ffi, lib = kernels.opened()
    for struct, field in calls.NULLABLE | calls.STRIDED | calls.ON_HOST:
        assert field in dict(ffi.typeof(struct).fields)
    for function, unread in calls.UNREAD.items():
        _, struct = ffi.typeof(getattr(lib, function)).args
        assert unread <= dict(struct.item.fields).keys()


@pytest.mark.parametrize("says", [b"0" * 128, None], ids=["other sources", "before it said so"])
def test_a_library_of_other_sources_is_refused(monkeypatch, says):
    """It would read fields at other places than those where they are written."""
    real = cffi.FFI.dlopen

    class Older:
        def __init__(self, library):
            self._library = library

        def __getattr__(self, name):
            if name == "puff_kernels_built_from" and says is None:
                raise AttributeError(name)
            if name == "puff_kernels_built_from":
                return lambda: cffi.FFI().new("char[]", says)
            return getattr(self._library, name)

    monkeypatch.setattr(cffi.FFI, "dlopen", lambda ffi, path: Older(real(ffi, path)))
    with pytest.raises(PuffError, match="built from other sources"):
        kernels.opened.__wrapped__()
