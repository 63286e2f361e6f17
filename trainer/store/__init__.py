"""What a run remembers: one SQLite file, one writer, any number of readers in any process."""

from pufftui.trainer.store.reader import CheckpointRow, Event, MetricRows, StoreReader
from pufftui.trainer.store.writer import StoreWriter

__all__ = ["CheckpointRow", "Event", "MetricRows", "StoreReader", "StoreWriter"]
