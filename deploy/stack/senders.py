"""The systems that call a connector, with a folder of samples to tell.

Each tells its files in the order of their names, one after the other, and the next only when the one
before it was answered: a connector answers when Kafka has what it was told. What is to be sent again is
sent again.
"""

import base64
import collections
import hmac
import http.client
import re
import secrets
import socket
import time

from stack.process import Failed, free_port, wait_until

ANSWER_TIMEOUT_S = 60
AGAIN_S = 0.1
BEGINS, ENDS = b"\x0b", b"\x1c\r"  # of a frame, by the Minimal Lower Layer Protocol


def messages_in(document):
    """The HL7 v2 messages of a frame, without what is around a batch, as a connector hands them on."""
    parts = re.split(rb"(?<=[\r\n])(?=MSH|FHS|BHS|BTS|FTS)", document)
    return [part for part in parts if part.startswith(b"MSH")]


class Sender:
    """Tells the files of a folder. Of another protocol: _ask() gives its answers' codes."""

    again = frozenset()  # codes that ask for the same once more

    def __init__(self, folder, pattern):
        self.folder, self.pattern = folder, pattern
        self.port = free_port()

    def documents(self, samples):
        return sorted((samples / self.folder).glob(self.pattern))

    def send_all(self, samples, is_running):
        """How often each answer came; Failed where one does not, or nobody is there to give it."""
        codes = collections.Counter()
        try:
            for path in self.documents(samples):
                codes.update(self._send(path, is_running))
        finally:
            self._hang_up()
        return codes

    def _send(self, path, is_running):
        def codes():
            if not is_running():
                raise Failed(f"whom {path.name} is sent to has ended")
            try:
                found = self._ask(path)
            except (OSError, http.client.HTTPException):  # not there yet, or restarting
                self._hang_up()
                return None
            return None if self.again & set(found) else found
        return wait_until(codes, f"an answer to {path.name}", ANSWER_TIMEOUT_S, AGAIN_S)

    def _hang_up(self):
        pass


class MllpSender(Sender):
    """A hospital's system that sends HL7 v2 messages: a file is a frame."""

    again = frozenset({"AE", "CE"})  # of HL7 table 0008
    connection = None

    @property
    def environment(self):
        return {"HUB_ATMP_LISTEN": f"127.0.0.1:{self.port}"}

    def _ask(self, path):
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), ANSWER_TIMEOUT_S)
        self.connection.sendall(BEGINS + path.read_bytes() + ENDS)
        answer = b""
        while not answer.endswith(ENDS):
            more = self.connection.recv(65536)
            if not more:
                raise ConnectionError("closed without an answer")
            answer += more
        return [code.decode() for code in re.findall(rb"[\r\n\x0b]MSA\|(\w\w)", answer)]

    def _hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class WebhookSender(Sender):
    """A portal that posts JSON, signed as Standard Webhooks says: a file is a request, known by its
    name."""

    again = frozenset({"429", "503"})

    def __init__(self, folder, pattern, path):
        super().__init__(folder, pattern)
        self.path = path
        self.key = secrets.token_bytes(32)

    @property
    def environment(self):
        return {"HUB_GUESTS_LISTEN": f"127.0.0.1:{self.port}",
                "HUB_GUESTS_SECRET": f"whsec_{base64.b64encode(self.key).decode()}"}

    def _ask(self, path):
        body, at = path.read_bytes(), str(int(time.time()))
        signed = b".".join((path.stem.encode(), at.encode(), body))
        signature = base64.b64encode(hmac.digest(self.key, signed, "sha256")).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("POST", self.path, body, {
                "Content-Type": "application/json", "webhook-id": path.stem,
                "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"})
            answer = connection.getresponse()
            if answer.status not in (200, 429, 503):
                raise Failed(f"{path.name}: {answer.status}, {answer.read().decode().strip()}")
            return [str(answer.status)]
        finally:
            connection.close()


def make_senders():
    """Each by the name of the connector that it calls."""
    return {"sus-slots": MllpSender("slots_batches/hl7v2-siu", "*.hl7"),
            "lu-guest-researchers": WebhookSender("exchange/lu-guests-webhook", "*.json",
                                                  "/guest-researchers")}
