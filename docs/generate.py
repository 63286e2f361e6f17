"""Writes the tables of the documentation anew from what the program declares.

    python docs/generate.py

A page holds `<!-- NAME: made by docs/generate.py -->` and `<!-- end -->`; what stands between them is
replaced, and all else on the page is left as it is. A test says whether every page is current.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from pufftui.appearance.format import duration, figure
from pufftui.appearance.theme import COLOURS, load_themes
from pufftui.envs.catalogue import env_names, find_env, load_env
from pufftui.keys.compare import COMPARE_KEYS
from pufftui.keys.game import key_name
from pufftui.keys.home import HOME_KEYS
from pufftui.keys.key import Key
from pufftui.keys.tables import ATTACH_KEYS, KEYS, LOGGED_KEYS, PLAY_KEYS, WATCH_KEYS
from pufftui.trainer.run.baseline import EVALUATION_FILE, MADE_FILE, has_baseline, read_json
from pufftui.trainer.settings.fields import AUTO, SECTIONS, SettingField, setting_fields

HERE = Path(__file__).parent

SIGNS = {
    "comma": ",",
    "equals_sign": "=",
    "escape": "esc",
    "full_stop": ".",
    "greater_than_sign": ">",
    "left_parenthesis": "(",
    "left_square_bracket": "[",
    "less_than_sign": "<",
    "minus": "-",
    "plus": "+",
    "question_mark": "?",
    "right_parenthesis": ")",
    "right_square_bracket": "]",
    "slash": "/",
}
"""Keys whose names are not what is printed on them."""


def main() -> None:
    """Writes every page that is not current."""
    for page, text in pages().items():
        if page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Every page with tables, and what it should hold."""
    return {HERE / name: _filled(HERE / name, tables) for name, tables in TABLES.items()}


def _filled(page: Path, tables: dict[str, Callable[[], str]]) -> str:
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, end = f"<!-- {name}: made by docs/generate.py -->\n", "<!-- end -->"
        before, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise LookupError(f"{page.name} has no place for the table {name}.")
        text = f"{before}{begin}\n{table()}\n\n{end}{rest.partition(end)[2]}"
    return text


def settings() -> str:
    """All settings, a table for each section."""
    blocks = []
    for section, cls in SECTIONS.items():
        rows = [
            (
                f"`{field.path}`",
                _value(AUTO if field.setting.auto else field.default),
                _range(field),
                field.setting.help,
            )
            for field in setting_fields().values()
            if field.section == section
        ]
        title = f"### {section}: {(cls.__doc__ or '').strip().rstrip('.').lower()}"
        blocks.append(f"{title}\n\n{_table(('setting', 'default', 'range', 'meaning'), rows)}")
    return "\n\n".join(blocks)


def live_settings() -> str:
    """The settings that may change while training."""
    names = [f"`{path}`" for path, field in setting_fields().items() if field.setting.live]
    return ", ".join(names) + "."


def _range(field: SettingField) -> str:
    setting = field.setting
    if setting.choices:
        choices = (*setting.choices, *((AUTO,) if setting.auto else ()))
        return ", ".join(f"`{choice}`" for choice in choices)
    if setting.low is None or setting.high is None:
        return "text"
    span = f"{_value(setting.low)} to {_value(setting.high)} {setting.unit}".strip()
    return f"{span}, or `{AUTO}`" if setting.auto else span


def _value(value: object) -> str:
    if not isinstance(value, int | float):
        return f"`{value}`" if value else "empty"
    return (
        f"{value:,}"
        if isinstance(value, int) and value < 10**12
        else f"{value:,.10g}".replace("e+", "e")
    )


def dashboard_keys() -> str:
    """The keys of the dashboard, a table for each group."""
    return _grouped(KEYS)


def other_keys() -> str:
    """What is different on the screens that share the dashboard's keys."""
    screens = {
        "pufftui watch": WATCH_KEYS,
        "pufftui attach": ATTACH_KEYS,
        "pufftui play": PLAY_KEYS,
        "pufftui watch, at a run that another program logs": LOGGED_KEYS,
    }
    return "\n\n".join(f"### {title}\n\n{_against(KEYS, keys)}" for title, keys in screens.items())


def _against(known: tuple[Key, ...], keys: tuple[Key, ...]) -> str:
    """What `keys` lack, and which of them do something else."""
    meant = {key.id: key.description for key in known}
    changed = [key for key in keys if meant.get(key.id) != key.description]
    text = _missing(known, keys)
    return f"{text}\n\n{_key_table(changed)}" if changed else text


def _missing(known: tuple[Key, ...], keys: tuple[Key, ...]) -> str:
    """A sentence on the keys that are not among `keys`; a group that is gone is named as one."""
    here = {key.id for key in keys}
    groups = {
        group: [k for k in known if k.group == group] for group in {k.group: 0 for k in known}
    }
    whole = [
        f"all of {group}" for group, members in groups.items() if not here & {m.id for m in members}
    ]
    single = [
        _shown(key)
        for members in groups.values()
        for key in members
        if key.id not in here and f"all of {key.group}" not in whole
    ]
    missing = ", ".join(whole + single)
    return f"Without {missing}." if missing else "All of the dashboard's keys."


def compare_keys() -> str:
    """The keys of `pufftui runs compare`."""
    return _grouped(COMPARE_KEYS)


def home_keys() -> str:
    """The keys of the home screen."""
    return _grouped(HOME_KEYS)


def _grouped(keys: tuple[Key, ...]) -> str:
    groups = dict.fromkeys(key.group for key in keys)
    return "\n\n".join(
        f"### {group}\n\n{_key_table(key for key in keys if key.group == group)}"
        for group in groups
    )


def _key_table(keys: Iterator[Key] | list[Key]) -> str:
    return _table(("key", "what it does"), [(_shown(key), key.description) for key in keys])


def _shown(key: Key) -> str:
    """What is printed on the key, and on those that do the same."""
    return " ".join(dict.fromkeys(f"`{part}`" for part in (key.shown, *map(_printed, key.keys))))


def _printed(name: str) -> str:
    return "+".join(SIGNS.get(part, key_name(part)) for part in name.split("+"))


def themes() -> str:
    """The themes there are."""
    rows = [
        (f"`{look.name}`", look.title, "dark" if look.dark else "light")
        for look in load_themes().values()
    ]
    return _table(("name", "title", "ground"), rows)


def colours() -> str:
    """The colours that a theme names."""
    return _table(("colour", "paints"), [(f"`{name}`", what) for name, what in COLOURS.items()])


def baselines() -> str:
    """How well the policies play that come with the games."""
    rows = []
    for game in filter(has_baseline, env_names()):
        folder, limit = find_env(game).baseline, load_env(game).descriptor.score_high
        score, made = (read_json(folder / name) for name in (EVALUATION_FILE, MADE_FILE))
        seeds = (f"{seed}: {found['score']['mean']:.4g}" for seed, found in made["seeds"].items())
        rows.append(
            (
                f"[{game}](../envs/{game})",
                "{mean:.4g} ({low:.4g} to {high:.4g})".format(**score["score"]),
                figure(limit if math.isfinite(limit) else None),
                ", ".join(seeds),
                f"`{made['command']}`",
                f"{figure(made['steps'])} in {duration(made['seconds'])}",
            )
        )
    head = ("game", "evaluated score", "of", "by seed", "made by", "agent steps")
    return _table(head, rows)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [_row(head), "|---" * len(head) + "|", *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "settings.md": {"settings": settings, "live": live_settings},
    "keys.md": {
        "dashboard": dashboard_keys,
        "others": other_keys,
        "compare": compare_keys,
        "home": home_keys,
    },
    "themes.md": {"themes": themes, "colours": colours},
    "baselines.md": {"baselines": baselines},
}
"""The pages, and the tables on each by name."""


if __name__ == "__main__":
    main()
