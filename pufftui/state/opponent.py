"""Who plays when the person does not: a trained policy, random moves, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pufftui.appearance.format import steps
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.checkpoint import Saved, newest_checkpoint
from pufftui.trainer.run.folder import LATEST, RunFolder, run_names, runs_root
from pufftui.trainer.run.policies import resting_policy, run_environment, weights_from
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import restore_config

RANDOM, NOBODY = "random", "none"


@dataclass(frozen=True, slots=True, eq=False)
class Opponent:
    """What plays beside the person.

    `weights` of None are random moves; `parameters` are those of the environment that it knows;
    `training_score` is its mean when its checkpoint was written. Without a trained policy,
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


def choose_opponent(config: Config, source: str | None) -> Opponent:
    """The one that `--from` names; without it the newest run's policy that fits, else random moves.

    `config` says what is played. Raises `PuffError` for a run that is unknown, of another
    environment, or without a checkpoint.
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
        return _from_run(RunFolder.open(source), env, source)
    changed = False
    for name in run_names():
        folder = RunFolder(runs_root() / name)
        saved = newest_checkpoint(folder.checkpoints)[0] if _trains(folder, env) else None
        if saved is not None:
            try:
                return _trained(folder, saved)
            except PuffError:  # people who write an environment train in it and change it again
                changed = True
    remedy = f"pufftui train {env}"
    since = "since the game was changed" if changed else "yet"
    name = f"no policy {since}: random moves; train one: {remedy}"
    text = f"No trained policy {since}: random moves. Train one:"
    return Opponent(name, parameters, None, explanation=text, remedy=remedy)


def _trains(folder: RunFolder, env: str) -> bool:
    return run_environment(folder) == env


def _from_run(folder: RunFolder, env: str, source: str) -> Opponent:
    other = run_environment(folder)
    if other is not None and other != env:
        which = f"The last run, {folder.id}," if source == LATEST else folder.id
        raise PuffError(
            f"{which} has learned {other}, not {env}.",
            f"Leave out --from for the newest run of {env}, or: pufftui play {other} "
            f"--from {folder.id}.",
            usage=True,
        )
    saved, _ = newest_checkpoint(folder.checkpoints)
    if saved is None:
        raise PuffError(
            f"{folder.id} has no whole checkpoint.", f"Train a new policy: pufftui train {env}."
        )
    return _trained(folder, saved)


def _trained(folder: RunFolder, saved: Saved) -> Opponent:
    weights = weights_from(saved)  # which looks whether it is a checkpoint of ours
    config = restore_config(saved.description["config"], file=saved.path, flags={})
    name = folder.id.removeprefix(f"{config.env}-")
    score = saved.description.get("score")
    return Opponent(
        f"the policy of {name} after {steps(weights.step)} steps",
        config.parameters,
        weights,
        training_score=float(score) if isinstance(score, (int, float)) else None,
    )
