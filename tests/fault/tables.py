"""A database as a source whose every row is told apart."""

import json

from origins import FIELDS, Origin, Rows
from outbox import Server, Writer


class Outbox(Origin):
    """A table, written by two at a time: of each pair of rows the one with the lower id is committed
    last."""

    name = "outbox"
    piece = 40  # documents: three transactions or more
    batch_rows = 15
    harmed = ("sus", "sus-trials")
    calm = ("lu", "eclaire")

    def __init__(self, folder, seed):
        self.rows = Rows(seed)
        self.documents = 0
        self.server = Server(folder / "postgres")
        self.server.start()
        self.server.make_outbox()
        self.slow, self.quick, self.looking = (Writer(self.server) for _ in range(3))

    def write(self):
        for _ in range(self.piece // 2):
            first, second = (json.dumps({"rows": rows}) for rows in self.rows.next_documents(2))
            self.slow.do("BEGIN")
            self.slow.insert(first)
            self.quick.insert(second)
            self.slow.do("COMMIT")
            self.documents += 2

    def stop(self):
        for writer in (self.slow, self.quick, self.looking):
            writer.stop()
        self.server.stop()

    def read_of(self, position):
        but = ",".join(map(str, position["open"]))
        read = f"xid <= '{position['xid']}' AND xid <> ALL ('{{{but}}}')"
        if "until" in position:
            read += (f" OR pg_visible_in_snapshot(xid, '{position['until']}')"
                     f" AND id <= {position['id']}")
        return int(self.looking.do(f"SELECT count(*) FROM hub_outbox WHERE {read}")[0])

    def place_of(self, position):
        """A batch may end where the table does, and not know it."""
        return self.read_of(position)

    def configuration(self):
        return f"""\
source: {{transport: postgres, format: json, connection: "{self.server.connection}",
  batch_rows: {self.batch_rows}, poll_interval_ms: 200}}
target: {{domain: trial}}
records:
  - for_each: rows
    key: key
{FIELDS}"""
