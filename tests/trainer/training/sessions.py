"""A small run, for sessions that are made in no time."""

from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig

CONFIG = Config(
    "breakout",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=61_440),
    PolicyConfig(memory="mingru", hidden=16, normalise="on"),
    VecConfig(agents=64, threads=1),
    RunConfig(device="cpu"),
)


def never() -> bool:
    """Nobody interrupts."""
    return False
