"""`pufftui envs`: lists the environments."""

from __future__ import annotations

import json
from typing import Any

from pufftui.cli.parser import CommandParser
from pufftui.envs.catalogue import env_names, installed_names, load_env
from pufftui.envs.descriptor import Descriptor


def run(arguments: list[str]) -> int:
    """Prints every environment, as a table or as one JSON array."""
    parser = CommandParser("envs", "Lists the environments that agents can be trained on.")
    parser.add_argument("--json", action="store_true", help="everything they declare, as JSON")
    options = parser.parse(arguments)
    descriptors = [load_env(name).descriptor for name in [*env_names(), *installed_names()]]
    if options.json:
        print(json.dumps([_as_json(descriptor) for descriptor in descriptors], indent=2))
        return 0
    width = max(len(descriptor.name) for descriptor in descriptors)
    for descriptor in descriptors:
        print(f"{descriptor.name:{width}}  {descriptor.summary}")
    return 0


def _as_json(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "name": descriptor.name,
        "summary": descriptor.summary,
        "agents": descriptor.agents,
        "observation": [
            {"name": field.name, "count": field.count, "type": field.dtype.name.lower()}
            | ({"classes": field.classes} if field.classes else {})
            | ({"range": [field.low, field.high]} if field.is_bounded else {})
            for field in descriptor.fields
        ],
        "action_kind": descriptor.action_kind.name.lower(),
        "actions": [
            {"name": action.name, "choices": [choice.label for choice in action.choices]}
            for action in descriptor.actions
        ],
        "steps_per_second": descriptor.steps_per_second,
        "turn_based": descriptor.turn_based,
        "score_range": [descriptor.score_low, descriptor.score_high],
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type.name.lower(),
                "default": parameter.default,
                "range": [parameter.low, parameter.high],
                "help": parameter.help,
            }
            for parameter in descriptor.parameters
        ],
        "statistics": list(descriptor.statistics),
    }
