"""Settings on the command line: `--train.learning-rate 3e-4`, and their place in the help."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from pufftui.appearance.preferences import preference_folder
from pufftui.doctor.hardware import device_kind
from pufftui.envs.catalogue import find_env, load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.places import home
from pufftui.trainer.settings.fields import AUTO, SECTIONS, Config, setting_fields
from pufftui.trainer.settings.sources import load_config

HELP_COLUMN = 38

FLAG = re.compile(rf"--({'|'.join(SECTIONS)}|env)\.([^=]+)(?:=(.*))?", re.DOTALL)


def split_settings(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Parts the arguments into other ones and settings by path: `{"train.gamma": "0.9"}`.

    A setting's flag takes dashes or underscores, and its value after a space or `=`.
    """
    others: list[str] = []
    settings: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        match = FLAG.fullmatch(word)
        if not match:
            others.append(word)
            continue
        section, name, value = match.groups()
        if value is None:
            value = next(words, None)
        if value is None or value.startswith("--"):
            raise PuffError(f"{word} needs a value.", f"For example: {word} 1.", usage=True)
        settings[f"{section}.{name.replace('-', '_')}"] = value
    return others, settings


def load_settings(env: str, files: list[Path], flags: Mapping[str, str]) -> Config:
    """The settings of a run, with the tables of the device that it will train on.

    `env` is what the person named, a name or a path; the settings hold what finds it again from
    another folder.
    """
    load_env(env, named_here=True)
    env = find_env(env).id
    # Which device is meant is itself a setting, and every device has a table of its own.
    config = load_config(env, device="cpu", files=files, flags=flags)
    kind = device_kind(config.run.device)
    return config if kind == "cpu" else load_config(env, device=kind, files=files, flags=flags)


def world_flags(settings: Mapping[str, str], command: str) -> Mapping[str, str]:
    """The settings again, if all of them are of the environment; raises `PuffError` for another one."""
    for path in settings:
        if not path.startswith("env."):
            flag = f"--{path.replace('_', '-')}"
            text = f"{command} takes settings of the environment only, not {flag}."
            raise PuffError(text, f"See pufftui {command} --help.", usage=True)
    return settings


WORLD_HELP = (
    "--env.NAME VALUE changes a setting of the environment; pufftui train ENV --help lists them."
)
"""For the help of commands that take no other settings."""


def setting_files(named: Path | None = None) -> list[Path]:
    """The files with settings, the stronger last: the person's own, then the one named."""
    own = personal_file()
    return ([own] if os.path.exists(own) else []) + ([named] if named else [])  # noqa: PTH110


def personal_file() -> Path:
    """Where a person keeps settings for all runs."""
    return preference_folder() / "config.toml"


def setting_flags() -> list[str]:
    """Every setting as it is written on the command line, without the environments' own."""
    return [field.flag for field in setting_fields().values()]


def settings_help(env: str | None) -> str:
    """All settings with default, range and unit; of `env` with its own settings and defaults."""
    lines = [
        "settings, with their defaults:",
        f"  They can be kept in {_home(personal_file())} or in a file that --config names.",
    ]
    config = load_settings(env, setting_files(), {}) if env else None
    if config:
        lines[0] = f"settings, with their values for {Path(config.env).name} on this machine:"
    for section in SECTIONS:
        lines += ["", f"{section}: {(SECTIONS[section].__doc__ or '').strip()}"]
        lines += _section_lines(section, config)
    if config:
        lines += ["", f"env: Parameters of {Path(config.env).name}.", *_parameter_lines(config)]
    else:
        lines += ["", "env: Parameters of the environment, see: pufftui train ENV --help"]
    return "\n".join(lines)


def _section_lines(section: str, config: Config | None) -> Iterator[str]:
    for field in setting_fields().values():
        if field.section == section:
            value = getattr(getattr(config, section), field.name) if config else field.default
            if field.path in config.open if config else field.setting.auto:
                value = AUTO
            setting = field.setting
            limits = ", ".join(setting.choices)
            if setting.low is not None and setting.high is not None:
                limits = f"{_number(setting.low)} to {_number(setting.high)} {setting.unit}".strip()
            if setting.auto:
                limits += f", {AUTO}"
            yield _line(field.flag, value, setting.help, limits)


def _parameter_lines(config: Config) -> Iterator[str]:
    descriptor = load_env(config.env).descriptor
    for parameter in descriptor.parameters:
        limits = f"{_number(parameter.low)} to {_number(parameter.high)}"
        flag = f"--env.{parameter.name.replace('_', '-')}"
        yield _line(flag, config.parameters[parameter.name], parameter.help, limits)
    if not descriptor.parameters:
        yield f"  {descriptor.name} has none."


def _line(flag: str, value: object, help_text: str, limits: str) -> str:
    shown = _number(value) if isinstance(value, (int, float)) else str(value) or '""'
    text = help_text + (f" ({limits})" if limits else "")
    width = max(shutil.get_terminal_size((100, 24)).columns, 80) - HELP_COLUMN
    rows = textwrap.wrap(text, width)
    return f"  {flag} {shown}".ljust(HELP_COLUMN) + f"\n{'':{HELP_COLUMN}}".join(rows)


def _number(value: float) -> str:
    if value >= 1e6 and value % 1e6 == 0 and value < 1e9:
        return f"{value / 1e6:g}M"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return re.sub(r"e\+?(-?)0?", r"e\1", f"{value:.4g}")


def _home(path: Path) -> str:
    return str(path).replace(str(home()), "~", 1)
