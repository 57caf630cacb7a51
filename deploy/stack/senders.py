"""The systems that call a connector, with a folder of samples to tell.

Each tells its files in the order of their names, one after the other, and the next only when the one
before it was answered: a connector answers when Kafka has what it was told. What is to be sent again is
sent again.
"""

import collections
import re
import socket

from stack.process import Failed, free_port, wait_until

ANSWER_TIMEOUT_S = 60
AGAIN_S = 0.1
BEGINS, ENDS = b"\x0b", b"\x1c\r"  # of a frame, by the Minimal Lower Layer Protocol
AGAIN = {"AE", "CE"}               # of HL7 table 0008


def messages_in(document):
    """The HL7 v2 messages of a frame, without what is around a batch, as a connector hands them on."""
    parts = re.split(rb"(?<=[\r\n])(?=MSH|FHS|BHS|BTS|FTS)", document)
    return [part for part in parts if part.startswith(b"MSH")]


class MllpSender:
    """A hospital's system that sends HL7 v2 messages: a file is a frame."""

    def __init__(self, folder, pattern):
        self.folder, self.pattern = folder, pattern
        self.port = free_port()
        self.connection = None

    @property
    def environment(self):
        return {"HUB_ATMP_LISTEN": f"127.0.0.1:{self.port}"}

    def documents(self, samples):
        return sorted((samples / self.folder).glob(self.pattern))

    def send_all(self, samples, is_running):
        """How often each acknowledgement came; Failed where one does not, or nobody is there to give
        it."""
        codes = collections.Counter()
        try:
            for path in self.documents(samples):
                codes.update(self._send(path.read_bytes(), is_running))
        finally:
            self._hang_up()
        return codes

    def _send(self, frame, is_running):
        def codes():
            if not is_running():
                raise Failed("whom HL7 v2 messages are sent to has ended")
            try:
                answer = self._ask(frame)
            except OSError:  # not there yet, or restarting
                self._hang_up()
                return None
            found = [code.decode() for code in re.findall(rb"[\r\n\x0b]MSA\|(\w\w)", answer)]
            return None if AGAIN & set(found) else found
        return wait_until(codes, "an answer over MLLP", ANSWER_TIMEOUT_S, AGAIN_S)

    def _ask(self, frame):
        """The frame that comes back."""
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), ANSWER_TIMEOUT_S)
        self.connection.sendall(BEGINS + frame + ENDS)
        answer = b""
        while not answer.endswith(ENDS):
            more = self.connection.recv(65536)
            if not more:
                raise ConnectionError("closed without an answer")
            answer += more
        return answer

    def _hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def make_senders():
    """Each by the name of the connector that it calls."""
    return {"sus-slots": MllpSender("slots_batches/hl7v2-siu", "*.hl7")}
