"""deploy/stack: what was started ends, and what could not be started too."""

import http.server
import json
import socketserver
import threading

import pytest
import standardwebhooks

from installations import OWN_SAMPLES
from stack.installation import Installation
from stack.process import Failed, free_port
from stack.senders import MllpSender, WebhookSender
from stack.sources import Sources

PATIENCE_S = 30


def ends(function):
    """Whether it returns at all."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return not thread.is_alive()


def test_sources_that_never_started_can_be_stopped():
    assert ends(Sources(OWN_SAMPLES).stop)


def test_redcap_exports_the_records_that_are_asked_for_to_whoever_has_the_token():
    sources = Sources(OWN_SAMPLES)
    form = {"token": [sources.redcap_token], "content": ["record"]}
    rows = json.loads(sources.export({**form, "records[0]": ["2"]})[1])
    assert {row["record_id"] for row in rows} == {"2"}
    assert len(json.loads(sources.export(form)[1])) > len(rows)
    assert sources.export({**form, "token": ["another"]}) is None
    sources.stop()


def test_an_installation_whose_broker_cannot_start_says_so_and_ends(tmp_path):
    installation = Installation(tmp_path, OWN_SAMPLES)
    with installation.broker.properties_path.open("a") as properties:
        properties.write("listeners=NONSENSE\n")
    with pytest.raises(Failed, match="Kafka"):
        installation.start_broker()
    assert ends(installation.stop)


def test_no_port_is_given_twice():
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


class Receiver(socketserver.ThreadingTCPServer):
    """Answers MLLP frames with these codes, one after the other; None: hangs up."""

    daemon_threads = True

    def __init__(self, port, codes):
        self.codes = iter(codes)
        self.frames = []
        super().__init__(("127.0.0.1", port), self._handler())
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _handler(receiver):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                frame = b""
                while part := self.request.recv(1024):
                    frame += part
                    if not frame.endswith(b"\x1c\r"):
                        continue
                    receiver.frames.append(frame)
                    code, frame = next(receiver.codes), b""
                    if code is None:
                        return
                    self.request.sendall(f"\x0bMSH|^~\\&|\rMSA|{code}|1\r\x1c\r".encode())

        return Handler


@pytest.fixture
def sender(tmp_path):
    folder = tmp_path / "siu"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.hl7").write_bytes(f"MSH|^~\\&|{name}\r".encode())
    return MllpSender("siu", "*.hl7")


def test_a_message_is_sent_until_it_is_accepted_and_the_next_one_not_before(sender, tmp_path):
    receiver = Receiver(sender.port, ["AE", None, "AA", "AR"])
    try:
        assert sender.send_all(tmp_path, is_running=lambda: True) == {"AA": 1, "AR": 1}
    finally:
        receiver.shutdown()
        receiver.server_close()
    assert receiver.frames == [b"\x0bMSH|^~\\&|a\r\x1c\r"] * 3 + [b"\x0bMSH|^~\\&|b\r\x1c\r"]


def test_nobody_sends_to_a_connector_that_has_ended(sender, tmp_path):
    with pytest.raises(Failed, match="has ended"):
        sender.send_all(tmp_path, is_running=lambda: False)


class Hook(http.server.HTTPServer):
    """Answers with these codes; what it was told, with its headers."""

    def __init__(self, port, codes):
        self.codes = iter(codes)
        self.told = []
        super().__init__(("127.0.0.1", port), self._handler())
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _handler(hook):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.told.append((dict(self.headers), body.decode()))
                self.send_response(next(hook.codes))
                self.end_headers()

            def log_message(self, *arguments):
                pass

        return Handler


def test_a_webhook_is_signed_and_sent_until_it_is_accepted(tmp_path):
    (tmp_path / "a.json").write_text('{"title": "Kärnsteg"}')
    sender = WebhookSender(".", "*.json", "/in")
    hook = Hook(sender.port, [503, 200])
    try:
        assert sender.send_all(tmp_path, is_running=lambda: True) == {"200": 1}
    finally:
        hook.shutdown()
        hook.server_close()
    verify = standardwebhooks.Webhook(sender.environment["HUB_GUESTS_SECRET"]).verify
    assert [verify(body, headers) for headers, body in hook.told] == [{"title": "Kärnsteg"}] * 2


def test_a_webhook_that_is_refused_is_not_passed_over(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    sender = WebhookSender(".", "*.json", "/in")
    hook = Hook(sender.port, [401])
    try:
        with pytest.raises(Failed, match="a.json: 401"):
            sender.send_all(tmp_path, is_running=lambda: True)
    finally:
        hook.shutdown()
        hook.server_close()
