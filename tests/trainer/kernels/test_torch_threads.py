"""On how many threads torch works: a matter of the thread that calls it, and of nobody else."""

import threading

import torch

from pufftui.trainer.kernels.threads import one_thread, work_on


def test_what_another_thread_sets_meanwhile_changes_nothing():
    ready, go, found = threading.Event(), threading.Event(), []

    def work():
        work_on(1)
        ready.set()
        go.wait()
        torch.ones(1 << 20).sum()  # the first that could be shared
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    torch.set_num_threads(2)
    go.set()
    thread.join()
    assert found == [1]
    assert torch.get_num_threads() == 2


def test_one_thread_and_as_many_again():
    torch.set_num_threads(2)
    with one_thread() as threads:
        assert (threads, torch.get_num_threads()) == (2, 1)
    assert torch.get_num_threads() == 2
