"""What waits for the trainer."""

from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Checkpoint, SetField, Stop, UndoChange


def test_a_stop_does_not_wait_for_thousands_of_checkpoints():
    channel = Channel(100)
    for _ in range(38_000):
        channel.send(Checkpoint())
    channel.send(Stop())
    assert channel.commands() == [Checkpoint(), Stop()]


def test_other_commands_are_all_kept_in_order():
    channel = Channel(100)
    sent = [UndoChange(), UndoChange(), SetField("train.gamma", 0.9), SetField("train.gamma", 0.9)]
    for command in sent:
        channel.send(command)
    assert channel.commands() == sent
    channel.send(Checkpoint())
    assert channel.commands() == [Checkpoint()], "the one before was carried out"
