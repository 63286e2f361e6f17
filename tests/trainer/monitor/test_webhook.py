"""Alerts on their way to a web address: retried, never in the way, told once if they are lost."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pufftui.envs.errors import PuffError
from pufftui.trainer.health import RULES, Change, Finding, Level
from pufftui.trainer.monitor.webhook import MOST_WAITING, VARIABLE, Webhook, address

CHANGE = Change(
    Finding(RULES["score.crash"], Level.CRITICAL, "It fell.", 90, 9.0, value=1.0, limit=2.0),
    step=100,
    seconds=10.0,
)


@pytest.fixture
def server():
    """A web server that answers with what `statuses` hold, then with 200, and keeps what it got.

    It waits while `answering` is not set.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Type"], json.loads(body)))
            web.answering.wait()
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    got, statuses = [], []
    web = HTTPServer(("127.0.0.1", 0), Handler)
    web.got, web.statuses, web.answering = got, statuses, threading.Event()
    web.answering.set()
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield web
    web.answering.set()
    web.shutdown()
    web.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_port}/topic"


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_alert_arrives_as_json(server):
    hook = Webhook(url(server), "brisk-otter", print)
    hook.send(CHANGE)
    wait_until(lambda: server.got)
    hook.close()
    path, kind, told = server.got[0]
    assert (path, kind) == ("/topic", "application/json")
    assert told["text"] == "brisk-otter: The score has crashed. It fell."
    assert (told["level"], told["rule"], told["step"]) == ("critical", "score.crash", 100)
    assert (told["value"], told["limit"], told["metric"]) == (1.0, 2.0, "score")


def test_it_is_tried_again(server):
    server.statuses[:] = [503, 503]
    complaints = []
    hook = Webhook(url(server), "run", complaints.append, pauses=(0.01, 0.01, 0.01))
    hook.send(CHANGE)
    wait_until(lambda: len(server.got) == 3)
    hook.close()
    assert complaints == []


def test_an_answer_that_does_not_come_blocks_nobody(server):
    server.answering.clear()
    complaints = []
    hook = Webhook(url(server), "run", complaints.append)
    for _ in range(2 * MOST_WAITING):
        hook.send(CHANGE)
    assert len(server.got) <= 1, "the others wait behind it"
    server.answering.set()
    wait_until(lambda: len(server.got) > 1)
    hook.close()


def test_what_never_arrives_is_told_once():
    complaints = []
    hook = Webhook("http://127.0.0.1:9/nobody", "run", complaints.append, pauses=(0.01,))
    for _ in range(2 * MOST_WAITING):
        hook.send(CHANGE)
    wait_until(lambda: complaints)
    hook.close()
    assert len(complaints) == 1
    assert complaints[0].startswith("Alerts do not reach the webhook (")


@pytest.mark.parametrize("wrong", ["ntfy.sh/topic", "file:///etc/passwd", "http://", "x"])
def test_what_is_no_web_address_is_refused(monkeypatch, wrong):
    monkeypatch.setenv(VARIABLE, wrong)
    with pytest.raises(PuffError, match="not a web address") as refused:
        address()
    assert wrong not in str(refused.value) or wrong == "x", "it may be a secret"


def test_without_the_variable_there_is_none(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert address() is None
    monkeypatch.setenv(VARIABLE, " https://ntfy.sh/topic ")
    assert address() == "https://ntfy.sh/topic"
