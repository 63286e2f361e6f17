"""The policy whose weights a new run begins with: found by its name, and refused where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import encoder_width, open_places
from pufftui.trainer.messages.weights import is_of_map
from pufftui.trainer.run.naming import NamedPolicy, find_policy
from pufftui.trainer.run.policies import POLICY, output_count
from pufftui.trainer.settings.fields import REWARD_SCALE, Config, PolicyConfig, setting_fields
from pufftui.trainer.settings.sources import restore_settings

LEARNED = (POLICY, "observed/", "reward_scale")
"""Begin the names of a checkpoint's arrays that hold what a policy has learned, and how it sees and is paid."""

NETWORK_FOLLOWS = ("normalise", "embedding")
FOLLOWED = frozenset({*(f"policy.{name}" for name in NETWORK_FOLLOWS), REWARD_SCALE})
"""What a run that nobody gave a value takes from the policy that it begins with."""

SHAPE = ("memory", "hidden", "layers", "convolution", "embedding", "normalise")
"""The settings that make two networks alike."""


def find_beginning(config: Config, descriptor: Descriptor) -> tuple[Config, NamedPolicy | None]:
    """The policy that `policy.start_from` names, None for none, and the settings of a run that begins with it.

    There it has the name that finds the same checkpoint ever after; whether observations are normalised and cells
    embedded is as for that policy, unless somebody has said so. Raises `PuffError` as `find_policy`, and if observations,
    actions or networks differ.
    """
    if not config.policy.start_from:
        return config, None
    found = find_policy(config.policy.start_from, LEARNED, config.env)
    arrays = found.saved.arrays
    theirs = restore_settings(found.saved.description["config"], file=found.saved.path).policy
    # Fields that declare low and high have a normaliser, too, but one that follows nothing.
    follows = bool(open_places(descriptor))
    bounded = any(field.is_bounded for field in descriptor.fields)
    theirs = replace(theirs, normalise=_on("observed/count" in arrays and (follows or not bounded)))
    followed = [name for name in NETWORK_FOLLOWS if f"policy.{name}" in config.open]
    ours = replace(config.policy, **{name: getattr(theirs, name) for name in followed})
    # Where nothing is to be normalised, the setting means nothing.
    seen = replace(ours, normalise=_on(ours.normalise == "on" and follows))
    _refuse_another_network(found, seen, theirs)
    _refuse_other_shapes(found, arrays, descriptor, theirs)
    paths = frozenset(f"policy.{name}" for name in followed)
    config = replace(
        config,
        policy=replace(ours, start_from=found.name),
        open=config.open - paths,
        chosen=config.chosen | paths,
    )
    return config, found


def _on(value: bool) -> str:
    return "on" if value else "off"


def _refuse_another_network(found: NamedPolicy, ours: PolicyConfig, theirs: PolicyConfig) -> None:
    differ = [name for name in SHAPE if getattr(ours, name) != getattr(theirs, name)]
    if ours.memory == theirs.memory == "none" and "layers" in differ:
        differ.remove("layers")
    if not differ:
        return
    fields = setting_fields()
    said = [f"{name} {getattr(theirs, name)}, not {getattr(ours, name)}" for name in differ]
    flags = [f"{fields[f'policy.{name}'].flag} {getattr(theirs, name)}" for name in differ]
    raise PuffError(
        f"The policy {found.name} is another network: {'; '.join(said)}.",
        f"Begin with it by: {' '.join(flags)}.",
        usage=True,
    )


def _refuse_other_shapes(
    found: NamedPolicy, arrays: Mapping[str, Any], descriptor: Descriptor, theirs: PolicyConfig
) -> None:
    hint = "Begin with one that sees and does the same, or leave out --policy.start-from."
    named = {name.removeprefix(POLICY): array for name, array in arrays.items()}
    try:
        looks = {"embedding": theirs.embedding, "convolution": theirs.convolution}
        if not is_of_map(named, descriptor, **looks):
            text = f"The policy {found.name} does not fit {descriptor.name}: it knows the cells of another map."
            raise PuffError(text, hint, usage=True)
        # The inputs of an embedding have just been compared.
        width = 0 if theirs.embedding else encoder_width(descriptor, theirs.convolution)
        inputs = arrays[f"{POLICY}encoder.weight"].shape[1] if width else 0
        outputs = arrays[f"{POLICY}heads.weight"].shape[0] - 1
    except (LookupError, AttributeError):
        message = f"{found.saved.path.name} holds no policy of pufftui."
        raise PuffError(message, "Use another one.", usage=True) from None
    wanted = width, output_count(descriptor)
    if (inputs, outputs) == wanted:
        return
    differ = [
        f"{there} {what}, and {descriptor.name} has {here}"
        for what, there, here in (
            ("inputs", inputs, wanted[0]),
            ("numbers for its actions", outputs, wanted[1]),
        )
        if there != here
    ]
    raise PuffError(
        f"The policy {found.name} does not fit {descriptor.name}: it has {'; '.join(differ)}.",
        hint,
        usage=True,
    )
