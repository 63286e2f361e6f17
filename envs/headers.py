"""Reads the C headers, so that what Python knows of them is written in one place."""

from __future__ import annotations

import re
from pathlib import Path


def declarations(header: Path) -> str:
    """The part of a header between its cdef markers, without comments, for cffi."""
    source = header.read_text(encoding="utf-8")
    part = source.split("/* cdef begin */")[1].split("/* cdef end */")[0]
    return re.sub(r"/\*.*?\*/", "", part, flags=re.DOTALL)
