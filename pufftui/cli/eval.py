"""`pufftui eval`: plays a policy without training, and says how well it plays, with intervals."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from pufftui.appearance.format import duration, figure, steps
from pufftui.apps.ending import INTERRUPTED
from pufftui.apps.evaluating import ProgressLine, interruptible, to_itself
from pufftui.charts.histogram import histogram
from pufftui.cli.parser import CommandParser
from pufftui.cli.settings import WORLD_HELP, split_settings, world_flags
from pufftui.control.report import finite, json_line
from pufftui.doctor.hardware import device_kind
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.runs.evaluated import interval_words
from pufftui.trainer.evaluation.evaluate import Played, evaluate, player_of
from pufftui.trainer.evaluation.plan import CAP, Plan, make_plan
from pufftui.trainer.evaluation.result import Evaluation, against_as_dict, conclude
from pufftui.trainer.run.naming import POLICIES, RANDOM, NamedPolicy, find_policy
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import parse_number
from pufftui.trainer.store import add_evaluation

FIGURES = ("score", "return", "length", "perf")

MOST_EPISODES, MOST_SEEDS = 10_000_000, 1000


def run(arguments: list[str]) -> int:
    """Plays and prints; returns 0, or 130 if somebody stopped it."""
    others, settings = split_settings(arguments)
    options = _parser().parse(others)
    flags = world_flags(settings, "eval")
    policy = find_policy(options.policy)
    library, config = load_env(policy.env()), policy.config(flags=flags)
    changed = _changed(policy.config().parameters, config.parameters)
    versus = options.against
    rival = None if versus in (None, RANDOM) else find_policy(versus, env=config.env)
    if rival is not None and not rival.learned(config.env):
        raise PuffError(
            f"{rival.name} has learned {rival.recorded}, not {config.env}.",
            "Compare policies of the same environment.",
            usage=True,
        )
    plan = make_plan(
        library,
        config.parameters,
        episodes=_whole(options.episodes, "--episodes", MOST_EPISODES),
        seeds=_whole(options.seeds, "--seeds", MOST_SEEDS),
        cap=_whole(options.cap, "--cap", 10**12),
        window=_whole(options.window, "--window", 10**12) if options.window else None,
    )
    device_kind(options.device)  # refuses what is none
    with to_itself(library, library.descriptor.name) as (out, errors), interruptible() as asked:

        def play(player: NamedPolicy | None, trained: Config) -> Evaluation:
            precision = trained.train.precision
            return _play(player, precision, library, config, plan, options, errors, asked)

        found = play(policy, config)
        result, whole = found.as_dict() | {"changed": changed}, found.played.whole
        if options.against is not None and whole:
            other = play(rival, rival.config(config.env) if rival else config)
            whole = other.played.whole
            result["against"] = against_as_dict(found, other)
        result = finite(result)
        _keep(policy, found.played, result, errors)
        if options.json:
            out.write(json_line(result))
        else:
            picture = out.isatty()
            out.write("\n".join(in_words(found, result, picture=picture)) + "\n")
        out.flush()
    return 0 if whole else INTERRUPTED


def _parser() -> CommandParser:
    parser = CommandParser(
        "eval", "Plays a policy without training, and says how well it plays, with 95 % intervals."
    )
    parser.epilog = (
        "Every copy of the game plays a number of episodes that is settled beforehand, and each\n"
        "counts, however long: the first thousand that end would be the short ones. With ctrl+c the\n"
        "seeds that are whole are kept. What was found is kept with the run; docs/evaluation.md tells more.\n"
        f"{WORLD_HELP}"
    )
    add = parser.add_argument
    add("policy", metavar="POLICY", help=f"which: {POLICIES}")
    add(
        "--episodes", metavar="N", default="1000", help="at least so many, up to whole games (1000)"
    )
    add("--seeds", metavar="N", default="5", help="seeds of the games, which share them (5)")
    add("--greedy", action="store_true", help="take the likeliest action, in place of drawing one")
    add(
        "--against",
        metavar=f"{RANDOM}|POLICY",
        help="play the same games with random moves or another policy, and say by how much it is better",
    )
    add("--cap", metavar="STEPS", default=str(CAP), help=f"cut longer episodes off ({CAP:,})")
    add(
        "--window",
        metavar="STEPS",
        help="for games that have no end: what every agent earns in so many steps",
    )
    add("--device", metavar="DEVICE", default="auto", help="auto, cpu, cuda or cuda:1")
    add("--json", action="store_true", help="print one JSON object")
    return parser


def _changed(trained: Mapping[str, float], played: Mapping[str, float]) -> dict[str, float]:
    """The parameters of the environment that are not those of the training."""
    return {name: value for name, value in played.items() if trained[name] != value}


def _whole(text: str, flag: str, most: int) -> int:
    number = parse_number(text)
    if number != int(number) or not 1 <= number <= most:
        takes = f"It takes a whole number from 1 to {most:,}."
        raise PuffError(f"{flag} cannot be {text}.", takes, usage=True)
    return int(number)


def _play(
    policy: NamedPolicy | None,
    precision: str,
    library: EnvLibrary,
    config: Config,
    plan: Plan,
    options: argparse.Namespace,
    errors: TextIO,
    asked: Callable[[], bool],
) -> Evaluation:
    """One player's part, in the environment of `config`; random moves, which have no precision, without a policy."""
    name = policy.name if policy else RANDOM
    weights = policy.weights(config.env) if policy else None
    progress = ProgressLine(errors, name, plan.episodes)
    progress.show(0, 0)
    players = player_of(
        weights, is_greedy=options.greedy, precision=precision, device=options.device
    )
    played = evaluate(
        library,
        config.parameters,
        plan,
        players,
        threads=config.vec.threads,
        progress=progress.show,
        interrupted=asked,
    )
    progress.clear()
    return conclude(played, library.descriptor, name, is_greedy=options.greedy and bool(policy))


def _keep(policy: NamedPolicy, played: Played, result: dict[str, Any], errors: TextIO) -> None:
    """With the run, if there is one and the figures are not biased."""
    if policy.folder is None or played.biased or not len(played.counted):
        return
    try:
        add_evaluation(policy.folder.database, policy.step, result)
    except PuffError as error:
        errors.write(f"The evaluation was not kept with the run. {error}\n")


def in_words(found: Evaluation, result: dict[str, Any], *, picture: bool) -> list[str]:
    """What is printed for a person; with a `picture` of the scores."""
    played = found.played
    how = "likeliest actions" if found.greedy else "actions drawn"
    other = ", ".join(f"{name} {value:g}" for name, value in result.get("changed", {}).items())
    where = f"{found.env} with {other}" if other else found.env
    what = f"{found.policy} evaluated in {where}: {_count(played)}, {how}"
    took = f"{steps(played.steps)} steps in {duration(played.seconds)}"
    lines = [f"{what}, {took}", "", *_figures(result)]
    by_seed = [score for score in found.by_seed if not math.isnan(score)]
    if len(by_seed) > 1:
        lines[2] += f"   by seed {figure(min(by_seed))} to {figure(max(by_seed))}"
    against = result.get("against")
    if against:
        name = "score" if result["score"] else "return"
        apart = interval_words(against["difference"][name])
        lines += ["", f"against {against['policy']} in the same games:", *_figures(against)]
        lines.append(f"  {found.policy} is above it by {apart} in {name}")
    if picture and result["score"] is not None:
        lines += ["", "scores:", *histogram(played.counted["score"])]
    cautions = _cautions(found, result)
    return [*lines, *([""] if cautions else []), *cautions]


def _count(played: Played) -> str:
    seeds = f"{played.seeds} seed{'s' if played.seeds != 1 else ''}"
    if played.plan.window:
        return f"{len(played.counted):,} agents for {played.plan.cap:,} steps, {seeds}"
    count = len(played.counted)
    return f"{count:,} episode{'s' if count != 1 else ''}, {seeds}"


def _figures(result: dict[str, Any]) -> list[str]:
    return [f"  {name:7} {interval_words(result[name])}" for name in FIGURES]


def _cautions(found: Evaluation, result: dict[str, Any]) -> list[str]:
    """What must be known of the figures."""
    played, said = found.played, []
    if played.biased:
        said.append(
            f"Stopped after {len(played.counted):,} of {played.plan.episodes:,} episodes. Short ones end first, "
            "so these figures are not to be trusted, and are not kept."
        )
    elif not played.whole:
        said.append(
            f"Stopped after {len(played.counted):,} of {played.plan.episodes:,} episodes: those of the seeds "
            "that were whole."
        )
    if played.cut and not played.plan.window:
        many = played.cut != 1
        cut = f"{played.cut:,} episode{'s' if many else ''} had not ended"
        theirs, were = ("their", "were") if many else ("its", "was")
        score = f"{theirs.capitalize()} score is not known, and not in the mean; return"
        said.append(
            f"{cut} when {theirs} world was stopped after {played.plan.cap:,} steps, and {were} cut. "
            f"{score if result['score'] else 'Return'} and length are as far as {'they' if many else 'it'} came."
        )
        if result["score"] is None:
            said.append("For a game without end, measure a stretch of it: --window 10000.")
    score = result["score"]
    if score and score["low"] is not None and score["low"] == score["high"]:
        share = 3 / len(played.counted)
        said.append(f"All scores are alike: fewer than {share:.2%} of games end otherwise (95 %).")
    return said
