"""Sources whose every row is told apart: what a connector makes of them can be checked from the records
alone. A row says how often its key has been told of; now and then one cannot be right."""

import contextlib
import http.client
import http.server
import json
import random
import socket
import threading
import time

from sftp_server import SftpServer
from stack.process import free_port

KEYS = 300
ROWS = 20
BAD_EVERY = 97
TITLE = "told {} times, as row {} of all"


class Rows:
    """One source's rows, from a seed. expected: by key, what must be published of it, in order;
    refused: the rows that must be dead letters."""

    bad_every = BAD_EVERY

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.told = {}
        self.expected = {}
        self.refused = []
        self.count = 0

    def next_document(self):
        """No key twice: of a page that is no order of versions."""
        return self.next_documents(1)[0]

    def next_documents(self, count):
        """No key twice in all of them: of these there is no order either."""
        rows = [self._row(f"K-{number}")
                for number in self.chance.sample(range(KEYS), count * ROWS)]
        return [rows[first:first + ROWS] for first in range(0, len(rows), ROWS)]

    def _row(self, key):
        self.count += 1
        self.told[key] = self.told.get(key, 0) + 1
        title = TITLE.format(self.told[key], self.count)
        if self.bad_every and self.count % self.bad_every == 0:
            self.refused.append(key)
            return {"key": key, "title": title, "status": "nobody knows"}
        self.expected.setdefault(key, []).append(title)
        return {"key": key, "title": title, "status": "planned"}


class RowsOnce(Rows):
    """No key ever twice, and all of them right: what is read a second time is no second truth."""

    bad_every = None

    def next_document(self):
        return [self._row(f"K-{self.count}") for _ in range(ROWS)]


FIELDS = """\
    version: {tie: position}
    fields:
      titles: [{lang: {value: en}, text: title}]
      status: {from: status, table: {planned: PLANNED}, else: reject}
"""


class Origin:
    """What sources have in common."""

    read_once = True
    calm_runs = 1  # until one that nobody disturbed has read as often as one that was

    def end(self):
        """Whoever reads may come to an end."""

    def stop(self):
        """It is gone."""

    def place_of(self, position):
        """What must be the same for all who have read the same."""
        return {name: value for name, value in position.items() if name != "configuration"}


class Files(Origin):
    """Files in a folder, each written under another name and renamed."""

    name = "files"
    piece = 130  # documents: three transactions
    names = 1000000
    harmed = ("sus", "sus-trials")
    calm = ("lu", "eclaire")

    def __init__(self, folder, seed):
        self.folder = folder / "files"
        self.folder.mkdir()
        self.rows = Rows(seed)
        self.documents = 0

    def write(self):
        for _ in range(self.piece):
            self.write_document(self.rows.next_document())

    def write_document(self, rows):
        lines = ["key,title,status", *(f'{row["key"]},"{row["title"]}",{row["status"]}'
                                       for row in rows)]
        fresh = self.folder / ".fresh"
        fresh.write_text("\n".join(lines) + "\n")
        fresh.rename(self.folder / f"{self.documents % self.names:06}.csv")
        self.documents += 1

    def read_of(self, position):
        """How many documents a position has left behind."""
        return len(position["files"])

    def configuration(self):
        return f"""\
source: {{transport: file-drop, format: csv, folder: "{self.folder}", pattern: ".*", settle_ms: 200,
  poll_interval_ms: 50}}
target: {{domain: trial}}
records:
  - key: key
{FIELDS}"""


class GuardedFiles(Files):
    """The last of a piece holds what may not leave: it is kept on the connector's own disk."""

    def write(self):
        super().write()
        self.rows.refused.append("guarded")
        self.write_document([{"key": "guarded", "title": "told of 19121212-1212",
                              "status": "planned"}])


class RemoteFiles(Files):
    """The same on an SFTP server, OpenSSH's own."""

    name = "remote-files"
    piece = 70  # documents: two transactions

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.server = SftpServer().start()
        self.folder = self.server.drop

    def stop(self):
        self.server.stop()

    def configuration(self):
        options = {"transport": "file-drop", "format": "csv",
                   **self.server.options(sftp_settle_ms=200)}
        return f"""\
source: {json.dumps(options)}
target: {{domain: trial}}
records:
  - key: key
{FIELDS}"""


def serve_json(answer):
    """A server that gives answer(path), and runs."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except ConnectionError:  # whoever asked was killed
                self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Pages(Origin):
    """A web interface of one long sweep: a page that is not written yet is waited for. An interrupted
    sweep is followed by a whole one, and its one page is empty: what the first has told is still so.
    Each configuration has a folder of its own."""

    name = "pages"
    calm_runs = 2
    piece = 12  # documents: as many transactions
    interval_ms = 86400000
    harmed = ("sus", "ctgov")
    calm = ("lumc", "ctgov")

    def __init__(self, _, seed):
        self.rows = Rows(seed)
        self.pages = []
        self.swept = []  # of each configuration: whether it has been given the last page
        self.ended = False
        self.more = threading.Condition()
        self.server = serve_json(self.answer)

    @property
    def documents(self):
        return len(self.pages)

    def write(self):
        with self.more:
            self.pages += [self.rows.next_document() for _ in range(self.piece)]
            self.more.notify_all()

    def end(self):
        """The last page follows."""
        with self.more:
            self.pages.append(self.rows.next_document())
            self.ended = True
            self.more.notify_all()

    def stop(self):
        self.end()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        configuration, _, page = path[1:].partition("/")
        return self.page(int(configuration), int(page.partition("page=")[2] or 0))

    def page(self, configuration, number):
        with self.more:
            if self.swept[configuration] and number == 0:
                return {"rows": []}
            self.more.wait_for(lambda: number < len(self.pages))
            is_last = self.ended and number == len(self.pages) - 1
            self.swept[configuration] = is_last
            return {"rows": self.pages[number], **({} if is_last else {"next": str(number + 1)})}

    def read_of(self, position):
        return self.documents if position["token"] is None else int(position["token"])

    def configuration(self):
        self.swept.append(False)
        folder = f"http://127.0.0.1:{self.server.server_port}/{len(self.swept) - 1}/"
        return f"""\
source: {{transport: http-poll, format: json, url: "{folder}",
  next: next, token_parameter: page, interval_ms: {self.interval_ms}}}
target: {{domain: trial}}
empty: accept
records:
  - for_each: rows
    key: key
{FIELDS}"""


class Messages(Origin):
    """A system that sends HL7 v2 batches over MLLP, one after the other, each until all of it is accepted.
    Each configuration has a sender of its own, which begins with the first one."""

    name = "messages"
    piece = 30  # documents: about as many transactions
    retry_s = 0.02
    answer_timeout_s = 60
    harmed = ("sus", "sus-atmp")
    calm = ("lumc", "lumc-mes")

    def __init__(self, _, seed):
        self.rows = Rows(seed)
        self.frames = []
        self.ended = self.stopped = False
        self.more = threading.Condition()

    @property
    def documents(self):
        return len(self.frames)

    def write(self):
        with self.more:
            for _ in range(self.piece):
                self.frames.append(self._frame(self.rows.next_document()))
            self.more.notify_all()

    def _frame(self, rows):
        messages = [f"MSH|^~\\&|PLAN|SUS|HUB|ATMP|1||ZRW^Z01|{self.documents}-{number}|P|2.5\r"
                    f"ZRW|{row['key']}|{row['title']}|{row['status']}\r"
                    for number, row in enumerate(rows)]
        batch = f"BHS|^~\\&\r{''.join(messages)}BTS|{len(messages)}\r"
        return b"\x0b" + batch.encode() + b"\x1c\r"

    def end(self):
        """Senders that have sent everything go."""
        with self.more:
            self.ended = True
            self.more.notify_all()

    def stop(self):
        self.stopped = True
        self.end()

    def read_of(self, position):
        return position["received"] // ROWS

    def configuration(self):
        port = free_port()
        threading.Thread(target=self._send_all, args=(port,), daemon=True).start()
        return f"""\
source: {{transport: mllp, format: hl7v2, listen: "127.0.0.1:{port}"}}
target: {{domain: trial}}
records:
  - key: ZRW-1
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: ZRW-2}}]
      status: {{from: ZRW-3, table: {{planned: PLANNED}}, else: reject}}
"""

    def _send_all(self, port):
        accepted = 0
        while not self.stopped and not (self.ended and accepted == self.documents):
            with contextlib.suppress(OSError), \
                    socket.create_connection(("127.0.0.1", port), self.answer_timeout_s) as connection:
                while self._has(accepted) and self._is_accepted(connection, self.frames[accepted]):
                    accepted += 1
            time.sleep(self.retry_s)

    def _has(self, number):
        """Waits for it; false where there are no more."""
        with self.more:
            self.more.wait_for(lambda: number < self.documents or self.ended)
            return number < self.documents and not self.stopped

    def _is_accepted(self, connection, frame):
        connection.sendall(frame)
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = connection.recv(65536)
            if not part:
                return False
            answer += part
        return answer.count(b"\rMSA|AA|") == ROWS


class Notices(Origin):
    """A system whose list is empty until the end, so that only its notices tell what there is: one for
    each document, told again and again until it hears 200. What it was told is taken need not be told
    again, and what it was not may have been taken: a document may be read more than once.
    Each configuration has a sender of its own, which begins with the first one."""

    name = "notices"
    read_once = False
    piece = 30  # documents: up to twice as many transactions
    retry_s = 0.02
    answer_timeout_s = 60
    harmed = ("sus", "ctgov")
    calm = ("lumc", "ctgov")

    def __init__(self, folder, seed):
        self.rows = RowsOnce(seed)
        self.pages = []
        self.told = []  # of each configuration: how many documents
        self.ended = self.stopped = False
        self.more = threading.Condition()
        self.secret = folder / "notices.secret"
        self.secret.write_text(f"{random.Random(seed).getrandbits(128):032x}")
        self.server = serve_json(self.answer)

    @property
    def documents(self):
        return len(self.pages)

    def write(self):
        with self.more:
            self.pages += [self.rows.next_document() for _ in range(self.piece)]
            self.more.notify_all()

    def end(self):
        """Whoever asks for the list finds everything."""
        with self.more:
            self.ended = True
            self.more.notify_all()

    def stop(self):
        self.stopped = True
        self.end()
        self.server.shutdown()
        self.server.server_close()

    def read_of(self, position):
        return self.told[0] - len(position["waiting"])

    def configuration(self):
        port = free_port()
        self.told.append(0)
        threading.Thread(target=self._tell_all, args=(port, len(self.told) - 1), daemon=True).start()
        return f"""\
source: {{transport: notify-pull, format: json, listen: "127.0.0.1:{port}", path: /changed,
  secrets: ["${{file:{self.secret}}}"], id_field: record, ids_per_minute_max: 100000,
  url: "http://127.0.0.1:{self.server.server_port}/list", ids: ids, get: "/{{id}}"}}
target: {{domain: trial}}
records:
  - for_each: rows
    key: key
{FIELDS}"""

    def _tell_all(self, port, number):
        while not self.stopped:
            with self.more:
                self.more.wait_for(lambda: self.told[number] < self.documents or self.stopped)
            taken = False
            with contextlib.suppress(OSError, http.client.HTTPException):
                taken = self.told[number] < self.documents and \
                    self._is_taken(port, self.told[number])
            self.told[number] += taken
            if not taken:
                time.sleep(self.retry_s)

    def _is_taken(self, port, document):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.answer_timeout_s)
        try:
            connection.request("POST", f"/changed/{self.secret.read_text()}", f"record={document}",
                               {"Content-Type": "application/x-www-form-urlencoded"})
            status = connection.getresponse().status
        finally:
            connection.close()
        if status not in (200, 503):
            raise AssertionError(f"a notice was answered with {status}")
        return status == 200

    def answer(self, path):
        with self.more:
            if path == "/list":
                return {"ids": list(range(self.documents)) if self.ended else []}
            return {"rows": self.pages[int(path[1:])]}
