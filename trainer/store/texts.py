"""Texts and values from outside, as the file can hold them: UTF-8, and JSON."""

from __future__ import annotations

import json
import re

LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: object) -> str:
    r"""The text with every letter that UTF-8 does not know written as `\udcef`."""
    known = str(text)
    return known if known.isascii() else known.encode(errors="backslashreplace").decode()


def as_json(value: object) -> str:
    """The value as JSON; letters that UTF-8 does not know become the sign that stands for them.

    Raises `TypeError` or `ValueError` for what JSON cannot hold.
    """
    return LONE_SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False))


def said(thing: object) -> str:
    """What an exception or any other object says of itself, else the name of its class."""
    try:
        return storable(thing)
    except Exception:  # noqa: BLE001 - a stranger's object may raise anything
        return storable(type(thing).__name__)
