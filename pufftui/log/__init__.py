"""Logs any training script into a run that `pufftui watch` and `pufftui runs` show.

    from pufftui import log

    with log.start("my-run", config={"learning_rate": 3e-4}) as run:
        for step in range(1000):
            run.log(step, {"loss": 0.1})

Nothing here raises into the script: what goes wrong is said once on stderr, and the script goes on.
"""

from pufftui.log.run import Run, start

__all__ = ["Run", "start"]
