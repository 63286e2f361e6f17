"""Who plays when the person does not: a trained policy, random moves, or nobody."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pufftui.appearance.format import steps
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.baseline import has_baseline
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import BASELINE, LATEST, RunFolder, run_names, runs_root
from pufftui.trainer.run.naming import NOBODY, RANDOM, NamedPolicy, find_policy
from pufftui.trainer.run.policies import POLICY, resting_policy, run_environment
from pufftui.trainer.settings.fields import Config


@dataclass(frozen=True, slots=True, eq=False)
class Opponent:
    """What plays beside the person.

    `weights` of None are random moves; `parameters` are those of the environment that it knows;
    `training_score` is its mean when its checkpoint was written, None if another world is played. Without a trained policy,
    `explanation` says in a sentence what plays instead and `remedy` is the command that mends it.
    `absent` means that nobody does.
    """

    name: str
    parameters: Mapping[str, float]
    weights: PolicyWeights | None
    training_score: float | None = None
    explanation: str = ""
    remedy: str = ""
    absent: bool = False


def choose_opponent(
    config: Config, source: str | None, flags: Mapping[str, str] | None = None
) -> Opponent:
    """The one that `--from` names; without it the newest run's policy that fits, else the baseline, else random moves.

    `config` says what is played, and `flags` which of its environment's settings are not those that a policy was
    trained with, by path. Raises `PuffError` as `find_policy`, and for a policy of another environment.
    """
    env, parameters = config.env, config.parameters
    if source == NOBODY:
        resting = resting_policy(load_env(env).descriptor)
        text = "Nobody: the other agents rest, and the game waits when you stop."
        return Opponent("you alone", parameters, resting, explanation=text, absent=True)
    if source == RANDOM:
        text = "Random moves, as you asked."
        return Opponent("random moves", parameters, None, explanation=text)
    if source is not None:
        found = find_policy(source, env=env)
        _refuse_another(found, env, source)
        return _trained(found, env, flags)
    changed = False
    for name in run_names():
        folder = RunFolder(runs_root() / name)
        newest = newest_checkpoint(folder.checkpoints, POLICY)[0] if _trains(folder, env) else None
        if newest is not None:
            try:
                return _trained(NamedPolicy(newest, folder), env, flags)
            except PuffError:  # people who write an environment train in it and change it again
                changed = True
    if has_baseline(env):
        try:
            return _trained(find_policy(BASELINE, env=env), env, flags)
        except PuffError:
            changed = True
    remedy = f"pufftui train {env}"
    since = "since the game was changed" if changed else "yet"
    name = f"no policy {since}: random moves; train one: {remedy}"
    text = f"No trained policy {since}: random moves. Train one:"
    return Opponent(name, parameters, None, explanation=text, remedy=remedy)


def _trains(folder: RunFolder, env: str) -> bool:
    return run_environment(folder) == env


def _refuse_another(found: NamedPolicy, env: str, source: str) -> None:
    """Raises `PuffError` for a policy that has learned something else."""
    if found.learned(env):
        return
    other, name = found.recorded, found.folder.id if found.folder else source
    if found.baseline_of:
        name = found.name
    which = f"The last run, {name}," if source == LATEST else name
    again = shlex.quote(source if source != LATEST else name)
    raise PuffError(
        f"{which} has learned {other}, not {env}.",
        f"Leave out --from for the newest run of {env}, or: pufftui play {other} --from {again}.",
        usage=True,
    )


def _trained(found: NamedPolicy, env: str, flags: Mapping[str, str] | None) -> Opponent:
    weights = found.weights(env)  # which looks whether it is a checkpoint of ours
    config = found.config(env, flags)
    where = found.folder.id if found.folder else found.saved.path.name
    name = f"the policy of {where.removeprefix(f'{config.env}-')}"
    if found.baseline_of:
        name = "the baseline"
    at_home = found.config(env).parameters == config.parameters
    score = found.saved.description.get("score") if at_home else None
    return Opponent(
        f"{name} after {steps(weights.step)} steps",
        config.parameters,
        weights,
        training_score=float(score) if isinstance(score, (int, float)) else None,
    )
