"""Where the settings of a run come from: layer over layer of TOML files, then the command line."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from pufftui.envs.catalogue import env_defaults, load_env
from pufftui.envs.cells import cells_of
from pufftui.envs.descriptor import Descriptor, unknown_env
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.grids import grids_of
from pufftui.envs.reading import read_small_text
from pufftui.trainer.settings.fields import AUTO, SECTIONS, Config, SettingField, setting_fields

DEVICES = ("cpu", "cuda")
ENVIRONMENT = "environment"
CHOSEN = "chosen"
"""Lists, in the file of a run, the settings that the program chose."""
CHECK = "check"
"""A table that an environment's own file may hold; `pufftui env check` reads it."""
NUMBER = re.compile(
    r"([+-]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:e[+-]?[0-9]{1,3})?)([kmgbt]?)",
    re.IGNORECASE,
)
FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as somebody wrote it: in a file, perhaps for one device only, or as a flag."""

    section: str
    name: str
    value: object
    file: Path | None = None
    device: str = ""
    chosen: bool = False

    def spelled(self, path: str = "") -> str:
        """The path of a setting, this one's if none is given, as it is written at its place."""
        path = path or f"{self.section}.{self.name}"
        return path if self.file else f"--{path.replace('_', '-')}"

    @property
    def place(self) -> str:
        """Where the entry stands, to be put behind its name."""
        return f" in {self.file}" if self.file else ""

    def refuse(self, takes: str) -> NoReturn:
        """Raises the `PuffError` for a value that does not fit."""
        message = f"{self.spelled()}{self.place} cannot be {self.value!r}."
        raise PuffError(message, f"It takes {takes}.", usage=True)


def load_config(
    env: str, *, device: str, files: Sequence[Path], flags: Mapping[str, str]
) -> Config:
    """The settings for an environment; what stands later wins.

    The layers: the declared defaults, the environment's own file, `files` in their order, `flags`
    by path (`train.total_steps`). Within a file, tables like `[cuda.train]` go over `[train]` when
    `device` is `cuda` or `cuda:1`. Raises `PuffError` for whatever is wrong in any layer, also for
    what another one replaces and for the tables of the other device.
    """
    own = env_defaults(env)
    all_files = [*([own] if own else []), *files]
    entries = [entry for file in all_files for entry in _read(file, env)]
    return _built_here(env, device, [*entries, *_from_flags(flags)])


def restore_config(
    text: str, *, file: Path, flags: Mapping[str, str], env: str | None = None
) -> Config:
    """The settings that `config_to_toml` wrote as `text`, found in `file`, with `flags` over them.

    What an older version did not write has its declared default, and is not chosen. With `env` they are
    taken for that environment, whatever the text says.

    Raises `PuffError` like `load_config`, and as `load_env` for an environment that is not to be built.
    """
    recorded = recorded_environment(text, file)
    entries = [*_parse(text, file, recorded), *_from_flags(flags)]
    return _built_here(recorded if env is None else env, "", entries, new=False)


def restore_settings(text: str, *, file: Path) -> Config:
    """As `restore_config`, but without the environment's parameters: nothing is asked of it."""
    env = recorded_environment(text, file)
    entries = [entry for entry in _parse(text, file, env) if entry.section != "env"]
    return _build(env, "", entries, unknown_env(env), new=False)


def recorded_environment(text: str, file: Path) -> str:
    """The environment that settings found in `file` are for; raises `PuffError` if they name none."""
    try:
        env = tomllib.loads(text).get(ENVIRONMENT)
    except (ValueError, RecursionError) as error:
        raise _not_toml(file, error) from None
    if not isinstance(env, str):
        raise PuffError(
            f"{file} does not say which environment it is for.",
            "Only runs of pufftui train can be continued.",
        )
    return env


def _from_flags(flags: Mapping[str, str]) -> list[Entry]:
    parts = [(path.partition("."), text) for path, text in flags.items()]
    return [Entry(section, name, text) for (section, _, name), text in parts]


def _built_here(env: str, device: str, entries: Sequence[Entry], *, new: bool = True) -> Config:
    """The settings of an environment that is here: a convolution or an embedding of nothing is refused, too."""
    descriptor = load_env(env).descriptor
    config = _build(env, device, entries, descriptor, new=new)
    if new:  # An older policy is refused by whoever reads it, if its map is not there any more.
        grids_of(descriptor, config.policy.convolution)
        cells_of(descriptor, config.policy.embedding)
    if config.policy.convolution and config.policy.embedding:
        raise PuffError(
            "policy.convolution and policy.embedding cannot both look at cells.",
            "Leave one of them at 0: --policy.embedding 0.",
            usage=True,
        )
    return config


def _build(
    env: str, device: str, entries: Sequence[Entry], descriptor: Descriptor, *, new: bool = True
) -> Config:
    """What the entries say, the later over the earlier; of a `new` run the rest may be chosen."""
    values: dict[str, dict[str, Any]] = {name: {} for name in (*SECTIONS, "env")}
    may_choose = {path for path, field in setting_fields().items() if field.setting.auto}
    to_choose = set(may_choose) if new else set()
    chosen: set[str] = set()
    for entry in entries:
        path = f"{entry.section}.{entry.name}"
        value = _checked(entry, descriptor)
        if entry.device not in ("", device.partition(":")[0]):
            continue
        chosen.discard(path)
        if value == AUTO and path in may_choose:
            values[entry.section].pop(entry.name, None)
            to_choose.add(path)
            continue
        values[entry.section][entry.name] = value
        to_choose.discard(path)
        if entry.chosen:
            chosen.add(path)
    parameters = {
        parameter.name: values["env"].get(parameter.name, parameter.default)
        for parameter in descriptor.parameters
    }
    sections = {name: section(**values[name]) for name, section in SECTIONS.items()}
    return Config(env, parameters, **sections, open=frozenset(to_choose), chosen=frozenset(chosen))


def config_to_toml(config: Config) -> str:
    """A file that `load_config` reads back to the same settings, whatever the layers below."""
    tables: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for path, field in setting_fields().items():
        value = getattr(getattr(config, field.section), field.name)
        tables[field.section][field.name] = AUTO if path in config.open else value
    lines = [f"{ENVIRONMENT} = {_literal(config.env)}"]
    if config.chosen:
        lines.append(f"{CHOSEN} = [{', '.join(map(_literal, sorted(config.chosen)))}]")
    for section, table in {**tables, "env": config.parameters}.items():
        lines += ["", f"[{section}]", *(f"{name} = {_literal(v)}" for name, v in table.items())]
    return "\n".join(lines) + "\n"


def parse_number(text: str) -> float:
    """The number in `50M`, `1e6`, `1_000_000` or `0.5`; `PuffError` if there is none, or one that no float holds."""
    number = _number(text)
    if number is None or not math.isfinite(number):
        wrong = "is not a number" if number is None else "is too large a number"
        raise PuffError(f"{text!r} {wrong}.", "Write it like 50M, 1e6 or 1_000_000.", usage=True)
    return float(number)


def _read(file: Path, env: str) -> Iterator[Entry]:
    """What a file sets, first for every device, then for one."""
    try:
        text = read_small_text(file)
    except OSError as error:
        raise PuffError(
            f"The settings in {file} cannot be read ({error.strerror}).",
            "Check the path and its permissions.",
            usage=True,
        ) from None
    except ValueError as error:
        raise _not_toml(file, error) from None
    yield from _parse(text, file, env)


def _not_toml(file: Path, error: Exception) -> PuffError:
    return PuffError(
        f"{file} is not valid TOML: {error}.",
        "Settings look like this: [train], and below it learning_rate = 0.01.",
        usage=True,
    )


def _parse(text: str, file: Path, env: str) -> Iterator[Entry]:
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_toml(file, error) from None
    written_for = tables.pop(ENVIRONMENT, env)
    if written_for != env:
        raise PuffError(
            f"{file} holds the settings of {written_for}, not of {env}.",
            f"Remove its line with {ENVIRONMENT} and its table [env] to use the rest.",
            usage=True,
        )
    chosen = _paths(tables.pop(CHOSEN, []), file)
    for_devices = {device: _table(tables.pop(device, {}), device, file) for device in DEVICES}
    for device, sections in {"": tables, **for_devices}.items():
        for section, table in sections.items():
            label = f"{device}.{section}".lstrip(".")
            if label == CHECK and file == env_defaults(env):
                continue
            if section not in (*SECTIONS, "env"):
                known = [*SECTIONS, "env", *(() if device else (ENVIRONMENT, CHOSEN, *DEVICES))]
                hint = nearest(section, known)
                raise PuffError(f"There is no section {label} in {file}.", hint, usage=True)
            for name, value in _table(table, label, file).items():
                yield Entry(section, name, value, file, device, f"{section}.{name}" in chosen)


def _paths(value: object, file: Path) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        raise PuffError(
            f"{CHOSEN} in {file} is not a list of settings.", "Remove that line.", usage=True
        )
    return value


def _table(value: object, name: str, file: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PuffError(
            f"{name} in {file} is not a table.", f"Write [{name}] on a line of its own.", usage=True
        )
    return value


def _checked(entry: Entry, descriptor: Descriptor) -> Any:
    """The entry's value in the type of its setting."""
    if entry.section == "env":
        return _checked_parameter(entry, descriptor)
    fields = setting_fields()
    field = fields.get(f"{entry.section}.{entry.name}")
    if field is None:
        # The right name in a wrong section is nearer than any other.
        alike = [path for path in fields if path.endswith(f".{entry.name}")] or fields
        hint = nearest(entry.spelled(), map(entry.spelled, alike))
        raise PuffError(f"There is no setting {entry.spelled()}{entry.place}.", hint, usage=True)
    if field.setting.auto and entry.value == AUTO:
        return AUTO
    if field.type is str:
        choices = field.setting.choices
        if not isinstance(entry.value, str) or (choices and entry.value not in choices):
            entry.refuse(" or ".join(choices) or "a text in quotes")
        return entry.value
    return _checked_number(entry, field)


def _checked_number(entry: Entry, field: SettingField) -> int | float:
    setting = field.setting
    low, high = setting.low, setting.high
    assert low is not None
    assert high is not None
    number: Decimal | float | None = _number(entry.value)
    if number is not None and field.type is float:
        number = float(number)
    if number is None or not low <= number <= high or (field.type is int and number % 1):
        kind = "a whole number" if field.type is int else "a number"
        takes = f"{kind} from {low:.10g} to {high:.10g} {setting.unit}".rstrip()
        entry.refuse(f"{takes}, or {AUTO}" if setting.auto else takes)
    return int(number) if field.type is int else float(number)


def _checked_parameter(entry: Entry, descriptor: Descriptor) -> float:
    known = {parameter.name: parameter for parameter in descriptor.parameters}
    if entry.name not in known:
        paths = [entry.spelled(f"env.{name}") for name in known]
        raise PuffError(
            f"{descriptor.name} has no parameter {entry.name}{entry.place}.",
            nearest(entry.spelled(), paths, "" if known else "It has no parameters at all."),
            usage=True,
        )
    number = _number(entry.value)
    value = entry.value if number is None else float(number)
    return known[entry.name].check(value, f"{entry.spelled()}{entry.place}")


def _number(value: object) -> Decimal | None:
    """A finite number exactly as it was written, or None if it is something else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = Decimal(value)
        return number if number.is_finite() else None
    match = NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return Decimal(match[1]) * FACTORS[match[2].lower()] if match else None


def _literal(value: str | float) -> str:
    """A value as TOML; a number reads back as exactly the same number."""
    if isinstance(value, str):
        # JSON's escapes are TOML's; delete is the one character that only TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not (value.is_integer() and abs(value) < 1e15):
        return repr(value)
    return f"{int(value):_}"
