"""Writes the settings of a run into its folder."""

from __future__ import annotations

from pufftui.envs.errors import PuffError
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import config_to_toml


def write_settings(folder: RunFolder, config: Config) -> None:
    """Writes `config.toml`, whole or not at all; raises `PuffError` if that cannot be done."""
    partial = folder.config_file.with_suffix(".partial")
    try:
        partial.write_text(config_to_toml(config), encoding="utf-8")
        partial.replace(folder.config_file)
    except OSError as error:
        raise PuffError(
            f"No run can be kept in {folder.path.parent} ({error.strerror}).",
            "Free space there, or choose another folder with the variable PUFFTUI_RUNS.",
        ) from None
