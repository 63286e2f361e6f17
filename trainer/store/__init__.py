"""What a run remembers: one SQLite file, one writer, any number of readers in any process.

A person's words about a run, `remarks`, may be added by any process.
"""

from pufftui.trainer.store.place import refuse_unfit
from pufftui.trainer.store.reader import StoreReader
from pufftui.trainer.store.records import (
    AlertRow,
    CheckpointRow,
    CommandRow,
    EpisodeRows,
    EvaluationRow,
    Event,
    Lineage,
    MetricBlocks,
    MetricRows,
    Note,
    NotFinite,
    SystemRow,
)
from pufftui.trainer.store.remarks import (
    acknowledge,
    add_evaluation,
    add_note,
    mute,
    pin,
    tag,
    untag,
)
from pufftui.trainer.store.texts import said, storable
from pufftui.trainer.store.writer import StoreWriter
from pufftui.trainer.store.zoom import kept_steps

__all__ = [
    "AlertRow",
    "CheckpointRow",
    "CommandRow",
    "EpisodeRows",
    "EvaluationRow",
    "Event",
    "Lineage",
    "MetricBlocks",
    "MetricRows",
    "NotFinite",
    "Note",
    "StoreReader",
    "StoreWriter",
    "SystemRow",
    "acknowledge",
    "add_evaluation",
    "add_note",
    "kept_steps",
    "mute",
    "pin",
    "refuse_unfit",
    "said",
    "storable",
    "tag",
    "untag",
]
