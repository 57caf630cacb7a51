"""An SFTP server (draft-ietf-secsh-filexfer-02) that says what OpenSSH's never would. It is run by sshd as
its subsystem, by the system's own Python.

usage: hostile_sftp.py LOG

LOG gets a line for each path that it was asked to open, of all its sessions; what has grown stays so."""

import pathlib
import struct
import sys

VERSION, NAMES, STATUS, HANDLE, DATA, ATTRIBUTES = 2, 104, 101, 102, 103, 105
INIT, OPEN, CLOSE, READ, LSTAT, FSTAT, OPENDIR, READDIR, REALPATH, STAT = \
    1, 3, 4, 5, 7, 8, 11, 12, 16, 17
OK, END, NO_SUCH_FILE = 0, 1, 2
WITH_SIZE, WITH_TIMES = 1, 8
CHUNK = 32768
MANY = 100

# name: (line of the listing, content); what an endless one has is made as it is asked for.
PLAIN = b"plain\n"
FILES = {"plain.csv": PLAIN, "grows.csv": b"half", "silent.csv": b"never sent", "endless.csv": b"",
         "last.csv": b"last\n"}
BAD_NAMES = ["../up.csv", "sub/in.csv", "/etc/passwd", "..", "tab\there.csv"]


class Server:
    def __init__(self, log):
        self.log = pathlib.Path(log)
        self.paths = {}  # by handle
        self.listed = {}

    def serve(self):
        while head := sys.stdin.buffer.read(4):
            packet = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
            if packet[0] == INIT:
                self.send(struct.pack(">BI", VERSION, 3))
                continue
            answer = self.answer(packet[0], packet[5:])
            if answer is not None:
                self.send(answer[:1] + packet[1:5] + answer[1:])

    def note(self, line):
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def content(self, name):
        """One is longer once somebody has begun to read it."""
        grown = name == "grows.csv" and "read" in self.log.read_text().splitlines()
        return b"all of it" if grown else FILES[name]

    def send(self, packet):
        sys.stdout.buffer.write(struct.pack(">I", len(packet)) + packet)
        sys.stdout.buffer.flush()

    def answer(self, kind, body):
        size, = struct.unpack(">I", body[:4])
        text, rest = body[4:4 + size].decode(), body[4 + size:]
        if kind == REALPATH:
            return self.names([(text, text)])
        if kind in (OPEN, OPENDIR):
            return self.open(text)
        if kind in (STAT, LSTAT, FSTAT):
            return self.facts(self.paths.get(text, text))
        if kind == READDIR:
            return self.list(text)
        if kind == READ:
            return self.read(self.paths[text], *struct.unpack(">QI", rest[:12]))
        return self.status(OK if kind == CLOSE else 8)

    def status(self, code):
        return struct.pack(">BI", STATUS, code) + struct.pack(">I", 0) * 2

    def names(self, pairs):
        packed = [struct.pack(">I", len(part.encode())) + part.encode()
                  for pair in pairs for part in pair]
        return struct.pack(">BI", NAMES, len(pairs)) + b"".join(
            packed[i] + packed[i + 1] + struct.pack(">I", 0) for i in range(0, len(packed), 2))

    def open(self, path):
        self.note(path)
        handle = f"handle-{len(self.paths)}"
        self.paths[handle] = path
        if path.rpartition("/")[2] not in FILES and not path.endswith("/"):
            return self.status(NO_SUCH_FILE)
        return struct.pack(">BI", HANDLE, len(handle)) + handle.encode()

    def facts(self, path):
        name = path.rpartition("/")[2]
        if name not in FILES:
            return self.status(NO_SUCH_FILE)
        content = self.content(name)
        times = struct.pack(">II", 1772323200, 1772323200)
        if name == "endless.csv":
            return struct.pack(">BI", ATTRIBUTES, WITH_TIMES) + times
        return struct.pack(">BIQ", ATTRIBUTES, WITH_SIZE | WITH_TIMES, len(content)) + times

    def list(self, handle):
        path = self.paths[handle]
        self.listed[handle] = count = self.listed.get(handle, 0) + 1
        if path.endswith("/many/"):
            return self.names([self.line(f"file-{count}-{i}.csv", 1) for i in range(MANY)])
        if count > 1:
            return self.status(END)
        if path.endswith("/strange/"):
            return self.names([(name, name) for name in FILES])
        return self.names([self.line(name, len(FILES.get(name, b"")))
                           for name in (*FILES, *BAD_NAMES)])

    def line(self, name, size):
        return name, f"-rw-r--r--    1 hub      hub      {size:8} Mar  1 00:00 {name}"

    def read(self, path, offset, size):
        name = path.rpartition("/")[2]
        if name == "silent.csv":
            return None
        if name == "endless.csv":
            return self.data(b"x" * min(size, CHUNK))
        content = self.content(name)
        if name == "grows.csv":
            self.note("read")
        part = content[offset:offset + min(size, CHUNK)]
        return self.data(part) if part else self.status(END)

    def data(self, part):
        return struct.pack(">BI", DATA, len(part)) + part


Server(sys.argv[1]).serve()
