"""Metrics as a TensorBoard event file, written without TensorBoard.

The file is a row of records: length, its checksum, an `Event` of TensorFlow's `event.proto` in the
protobuf wire format, its checksum. Checksums are CRC-32C, turned and shifted ("masked").
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pufftui.export.metrics import kept_metrics
from pufftui.trainer.store import MetricRows, StoreReader

VERSION = b"brain.Event:2"
POLYNOMIAL = 0x82F63B78
"""Of CRC-32C, bits reversed."""

MASK = 0xA282EAD8

# Keys of protobuf fields: number << 3 | wire type (0 varint, 1 eight bytes, 2 text, 5 four bytes).
WALL_TIME, STEP, FILE_VERSION, SUMMARY = b"\x09", b"\x10", b"\x1a", b"\x2a"
VALUE, TAG, SIMPLE_VALUE = b"\x0a", b"\x0a", b"\x15"


def write_events(reader: StoreReader, folder: Path, *, everything: bool) -> int:
    """Writes every known value of every row as a scalar under its name; the number of rows.

    One event file in the folder, or, with `everything`, one in a folder of its own for each
    lineage, which TensorBoard shows as a run. The wall time of a row is when its lineage began plus
    the training time since its first row.
    """
    lineages = {lineage.id: lineage for lineage in reader.lineages()}
    began: dict[int, float] = {}
    count = 0
    with contextlib.ExitStack() as stack:
        files: dict[int, BinaryIO] = {}
        for rows in kept_metrics(reader, everything=everything):
            for number in np.unique(rows.lineages).tolist():
                chosen = rows.lineages == number
                seconds = rows.seconds[chosen]
                began.setdefault(number, lineages[number].started - float(seconds[0]))
                key = number if everything else 0
                if key not in files:
                    place = folder / f"lineage-{number}" if everything else folder
                    files[key] = stack.enter_context(_begin(place, began[number]))
                events = _events(rows, np.flatnonzero(chosen), began[number])
                files[key].write(b"".join(_records(events)))
            count += len(rows.steps)
    return count


def _begin(folder: Path, began: float) -> BinaryIO:
    """A new event file; its name is the same whenever the same run is exported."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"events.out.tfevents.{int(began):010d}.pufftui").open("wb")
    header = WALL_TIME + struct.pack("<d", began) + FILE_VERSION + _text(VERSION)
    file.write(b"".join(_records([header])))
    return file


def _events(rows: MetricRows, chosen: NDArray[np.int64], began: float) -> list[bytes]:
    """An event for each chosen row that has a value."""
    tags = [TAG + _text(name.encode()) + SIMPLE_VALUE for name in rows.values]
    known = [np.isfinite(values) for values in rows.values.values()]
    packed = [values.astype("<f4") for values in rows.values.values()]
    columns = list(zip(tags, known, packed, strict=True))
    events = []
    for row in chosen.tolist():
        values = [tag + value[row].tobytes() for tag, there, value in columns if there[row]]
        if values:
            when = struct.pack("<d", began + float(rows.seconds[row]))
            step = STEP + _varint(int(rows.steps[row]))
            summary = b"".join(VALUE + _text(value) for value in values)
            events.append(WALL_TIME + when + step + SUMMARY + _text(summary))
    return events


def _text(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def _records(contents: Sequence[bytes]) -> Iterator[bytes]:
    lengths = [struct.pack("<Q", len(content)) for content in contents]
    sums = zip(masked_checksums(lengths), masked_checksums(contents), strict=True)
    for length, content, (of_length, of_content) in zip(lengths, contents, sums, strict=True):
        yield length + struct.pack("<I", of_length) + content + struct.pack("<I", of_content)


def masked_checksums(contents: Sequence[bytes]) -> list[int]:
    """The masked CRC-32C of each, all at once: position by position through all of them."""
    if not contents:
        return []
    sizes = np.array([len(content) for content in contents])
    widest = int(sizes.max())
    table = b"".join(content.ljust(widest, b"\0") for content in contents)
    columns = np.frombuffer(table, np.uint8).reshape(len(contents), widest).T
    sums = np.full(len(contents), 0xFFFFFFFF, np.uint32)
    for position, column in enumerate(columns):
        after = CRC_TABLE[(sums ^ column) & 0xFF] ^ (sums >> np.uint32(8))
        sums = np.where(position < sizes, after, sums)
    return [_masked(int(value) ^ 0xFFFFFFFF) for value in sums]


def _masked(checksum: int) -> int:
    turned = (checksum >> 15 | checksum << 17) & 0xFFFFFFFF
    return (turned + MASK) & 0xFFFFFFFF


def _crc_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> np.uint32(1)) ^ np.uint32(POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


CRC_TABLE = _crc_table()
