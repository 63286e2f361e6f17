"""Every setting of a run, declared once: name, default, range, unit and meaning.

The command line, the configuration files, the forms and the documentation are all made from these
declarations. Layering and parsing live in `sources.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints

from pufftui.envs.errors import PuffError, nearest


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field's `metadata["setting"]` holds. `live`: may change while training.

    `auto`: unless somebody gives a value, the program chooses one when the run begins (choice.py); the
    default is what stands there until then.
    """

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    live: bool = False
    auto: bool = False


def setting(
    default: Any,
    help: str,  # noqa: A002
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    live: bool = False,
    auto: bool = False,
) -> Any:
    """Declares a field of a section."""
    declared = Setting(help, low, high, choices, unit, live, auto)
    return field(default=default, metadata={"setting": declared})


# fmt: off
# The declarations read as a table: one setting, one line.


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """The learning algorithm."""

    total_steps: int = setting(100_000_000, "agent steps to train for", low=1, high=1e13, unit="steps")
    horizon: int = setting(64, "steps of one agent in a rollout, and how far back a memory is trained to reach", low=2, high=4096, unit="steps", auto=True)
    minibatch_size: int = setting(16384, "agent steps in one gradient step, rounded to whole segments", low=1, high=1e9, unit="steps", auto=True)
    max_forward_size: int = setting(262_144, "to save memory, a larger minibatch is worked through in parts of this many agent steps", low=1, high=1e9, unit="steps")
    replay_ratio: float = setting(2.0, "how often each step of a rollout is trained on, on average", low=0.01, high=100, live=True)
    optimizer: str = setting("muon", "muon orthogonalises the update of matrices; adam does not", choices=("muon", "adam"))
    learning_rate: float = setting(0.03, "step size of the optimizer at the start; falls on a cosine", low=0, high=10, live=True)
    final_learning_rate: float = setting(0.0, "step size at the end, as a share of the start's", low=0, high=1)
    momentum: float = setting(0.95, "momentum of Muon, first beta of Adam", low=0, high=0.9999)
    gamma: float = setting(0.995, "discount of the reward one step later", low=0, high=1, live=True, auto=True)
    gae_lambda: float = setting(0.90, "decay of the advantage's look-ahead; 0 trusts the values, 1 the rewards", low=0, high=1, live=True)
    rho_clip: float = setting(1.0, "upper clip of the importance ratio in an advantage step (V-trace)", low=0, high=100)
    c_clip: float = setting(1.0, "upper clip of the importance ratio in the advantage trace (V-trace)", low=0, high=100)
    clip: float = setting(0.2, "how far the policy's ratio may move in one update", low=0.001, high=10, live=True)
    value_clip: float = setting(0.2, "how far a value may move in one update", low=0.001, high=1e6, live=True)
    value_coefficient: float = setting(2.0, "weight of the value loss", low=0, high=1000, live=True)
    entropy_coefficient: float = setting(0.001, "reward for keeping the policy random", low=0, high=100, live=True)
    max_gradient_norm: float = setting(1.5, "the gradient is scaled down to this norm", low=0.001, high=1e6, live=True)
    priority_alpha: float = setting(0.8, "preference for segments with large advantages; 0 treats all alike", low=0, high=10, live=True)
    priority_beta: float = setting(0.2, "correction of that preference at the start; grows to 1", low=0, high=1)
    reward_scale: float = setting(1.0, "rewards are multiplied by this, then clipped to [-1, 1]; auto keeps returns near 1, whatever the rewards", low=1e-9, high=1e9, live=True, auto=True)
    overlap: str = setting("off", "on: a GPU learns from a rollout while the next is collected with the policy of before; when checkpoints are written then changes the run", choices=("off", "on"))
    precision: str = setting("auto", "number format of matrix products; auto takes bf16 where it is fast", choices=("auto", "bf16", "fp32"))


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """The neural network."""

    memory: str = setting("mingru", "kind of memory that the policy has", choices=("none", "mingru", "lstm"))
    hidden: int = setting(128, "width of every layer", low=8, high=8192)
    layers: int = setting(1, "memory layers", low=1, high=16)
    convolution: int = setting(0, "channels of a 3 x 3 convolution over maps of cells, before anything else; 0 means none", low=0, high=1024)
    embedding: int = setting(0, "numbers that each cell of a map becomes, by weights that are the same for all cells, before anything else; 0 means none; auto takes 8 on a CPU where nine cells or more are seen, and no convolution looks at them", low=0, high=1024, auto=True)
    normalise: str = setting("off", "brings the numbers of observations to mean 0 and deviation 1, as play shows them; fields that declare low and high do without; auto does so if numbers are large or small", choices=("on", "off"), auto=True)
    start_from: str = setting("", "policy whose weights a new run begins with, to tune it further: RUN, RUN@STEP, latest, baseline, baseline:ENV or a checkpoint file; empty for random ones")


@dataclass(frozen=True, slots=True)
class VecConfig:
    """How the environments are run."""

    agents: int = setting(2048, "agents in all, rounded up to whole environments", low=1, high=10_000_000, auto=True)
    threads: int = setting(0, "threads that step environments; 0 means one for each core that this process may use", low=0, high=1024)
    observations: str = setting("device", "where a rollout's observations are kept: with the policy, or, slower, on the host if a GPU has too little memory", choices=("device", "host"))


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The run as a whole."""

    name: str = setting("", "name of the run's folder; if empty, one is invented")
    seed: int = setting(0, "seed of all random numbers; the same seed on the same CPU gives the same run", low=0, high=2**63 - 1)
    device: str = setting("auto", "auto takes the first GPU, else the CPU: auto, cpu, cuda, cuda:1")
    checkpoint_minutes: float = setting(10.0, "time between checkpoints", low=0.05, high=10_000, unit="minutes")
    on_hangup: str = setting("stop", "what a run does when its terminal closes: stop with a checkpoint, or detach and go on without a terminal", choices=("stop", "detach"))
    on_critical: str = setting("ask", "what happens on a critical alert: ask the person at the dashboard, if there is one; pause; or roll back to the last healthy checkpoint with half the learning rate, if that can help", choices=("ask", "pause", "rollback"))
    keep_checkpoints: int = setting(3, "how many of the newest checkpoints are kept, besides the best", low=1, high=10_000)

# fmt: on


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run. `env` names the environment, `parameters` are its own settings.

    `open` are the paths that nobody gave a value and the program is still to choose (choice.py),
    `chosen` those that it has.
    """

    env: str
    parameters: dict[str, float]
    train: TrainConfig = field(default_factory=TrainConfig)
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    vec: VecConfig = field(default_factory=VecConfig)
    run: RunConfig = field(default_factory=RunConfig)
    open: frozenset[str] = frozenset()
    chosen: frozenset[str] = frozenset()

    @property
    def scales_rewards(self) -> bool:
        """Whether the reward scale is found while training, and not one that somebody gave."""
        return REWARD_SCALE in self.open | self.chosen


AUTO = "auto"
"""What is written where the program is to choose."""

REWARD_SCALE = "train.reward_scale"


SECTIONS: dict[str, type[Any]] = {
    "train": TrainConfig,
    "policy": PolicyConfig,
    "vec": VecConfig,
    "run": RunConfig,
}


@dataclass(frozen=True, slots=True)
class SettingField:
    """One declared setting, found by `section.name`."""

    section: str
    name: str
    type: type
    default: Any
    setting: Setting

    @property
    def path(self) -> str:
        """The name used in files and reports: `train.learning_rate`."""
        return f"{self.section}.{self.name}"

    @property
    def flag(self) -> str:
        """The name used on the command line: `--train.learning-rate`."""
        return f"--{self.section}.{self.name.replace('_', '-')}"


def setting_fields() -> dict[str, SettingField]:
    """All declared settings by path, in the order of their declaration."""
    found: dict[str, SettingField] = {}
    for section, cls in SECTIONS.items():
        hints = get_type_hints(cls)
        for declared in fields(cls):
            name, default = declared.name, declared.default
            entry = SettingField(section, name, hints[name], default, declared.metadata["setting"])
            found[entry.path] = entry
    return found


def live_settings(config: Config) -> dict[str, float]:
    """The settings that may change while training, by path, with their values."""
    return {
        path: float(getattr(getattr(config, field.section), field.name))
        for path, field in setting_fields().items()
        if field.setting.live
    }


def check_live(path: str, value: float) -> None:
    """Raises `PuffError` for a setting that is not live, or a value out of its range."""
    live = {path: field for path, field in setting_fields().items() if field.setting.live}
    if path not in live:
        raise PuffError(f"{path} cannot change while training.", nearest(path, live), usage=True)
    declared = live[path].setting
    assert declared.low is not None
    assert declared.high is not None
    if not declared.low <= value <= declared.high:
        raise PuffError(
            f"{path} cannot be {value:g}.",
            f"It takes a number from {declared.low:g} to {declared.high:g}.",
            usage=True,
        )


def with_live_change(config: Config, path: str, value: float) -> tuple[Config, float]:
    """The config with one live setting changed, and what it was; raises like `check_live`."""
    check_live(path, value)
    section, name = path.split(".")
    old = getattr(config, section)
    changed = {section: replace(old, **{name: value}), "chosen": config.chosen - {path}}
    return replace(config, **changed), getattr(old, name)
