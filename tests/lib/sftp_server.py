"""OpenSSH's SFTP server, Debian's own, with a key and users of its own: on a port of this machine, under no
system service. It runs as nobody where the tests run as root, so that what it may read is a matter of
its files' modes there too."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from stack.process import Process, free_port, wait_until

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "atmp-hub"
UNPACKED = CACHE / "openssh"
USER, PASSWORD = "hub", "s3cret"
NOBODY = 65534
CONFIGURATION = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
UseDNS no
MaxStartups 100
Subsystem sftp {subsystem}
"""


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class SftpServer:
    """`drop` is the folder that it gives; `subsystem` another program than OpenSSH's own."""

    def __init__(self, subsystem="internal-sftp"):
        self.holder = tempfile.TemporaryDirectory(prefix="atmp-sftp-")  # where nobody may go, too
        self.folder = pathlib.Path(self.holder.name)
        self.folder.chmod(0o755)
        self.drop = self.folder / "drop"
        self.drop.mkdir()
        self.port = free_port()
        self.subsystem = subsystem
        self.uid = NOBODY if os.geteuid() == 0 else os.geteuid()
        for name in ("host", "user", "other"):
            self.make_key(name)
        self.trust("host", "known_hosts")
        password = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, text=True,
                                  capture_output=True).stdout.strip()
        self.write("passwd", f"{USER}:{password}:{self.uid}:{self.uid}::{self.folder}:/bin/sh\n")
        self.write("group", f"{USER}:x:{self.uid}:\n")
        self.write("sshd_config", CONFIGURATION.format(port=self.port, folder=self.folder,
                                                       subsystem=subsystem))
        self.copy(UNPACKED / "usr/sbin/sshd")
        for library in UNPACKED.glob("usr/lib/*/*.so*"):
            self.copy(library)
        self.process = None

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def make_key(self, name, passphrase=""):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f",
                        self.folder / name], check=True)
        if os.geteuid() == 0:
            os.chown(self.folder / name, self.uid, self.uid)
        return self.folder / name

    def trust(self, key, name):
        """A file of known hosts that says that the server has this key."""
        public = (self.folder / f"{key}.pub").read_text().split()
        return self.write(name, f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n")

    @property
    def address(self):
        return f"sftp://{USER}@127.0.0.1:{self.port}{self.drop}"

    def options(self, **more):
        """Of file-drop."""
        return {"folder": self.address, "sftp_known_hosts": str(self.folder / "known_hosts"),
                "sftp_key": str(self.folder / "user"), "sftp_settle_ms": 300,
                "poll_interval_ms": 50, **more}

    def start(self):
        # Whoever becomes somebody else no longer ends with his parent, and says so again.
        as_nobody = ["--pdeathsig", "TERM", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                     "--clear-groups"] if os.geteuid() == 0 else []
        self.process = Process(
            "sshd", ["setpriv", *as_nobody, "--", self.folder / "sshd", "-D", "-e", "-f",
                     self.folder / "sshd_config"], self.folder / "sshd.log",
            {**os.environ, "LD_LIBRARY_PATH": str(self.folder),
             "LD_PRELOAD": str(self.folder / "libnss_wrapper.so"),
             "NSS_WRAPPER_PASSWD": str(self.folder / "passwd"),
             "NSS_WRAPPER_GROUP": str(self.folder / "group")})
        self.process.start()
        wait_until(self._listens, "start of sshd")
        return self

    def _listens(self):
        assert self.process.is_running(), self.process.tail()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def sessions(self):
        """Its processes but the one that listens: they are not in its group."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                children = [int(child) for child in pathlib.Path(
                    f"/proc/{pid}/task/{pid}/children").read_text().split()]
                found += children
                waiting += children
        return found

    def signal_sessions(self, number):
        signal_all(self.sessions(), number)

    def is_asked(self):
        """Whether something has come that it has not read."""
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(fields[1].endswith(f":{self.port:04X}") and int(fields[4].split(":")[1], 16)
                   for fields in map(str.split, lines))

    def kill(self):
        """All of it at once, as when the machine goes. What stands still begins nothing that would
        be overlooked."""
        if self.process is None:
            return
        found = {self.process.pid}
        signal_all(found, signal.SIGSTOP)
        while fresh := set(self.sessions()) - found:
            signal_all(fresh, signal.SIGSTOP)
            found |= fresh
        signal_all(found, signal.SIGKILL)
        self.process.child.wait()
        self.process = None

    def stop(self):
        self.kill()
        self.holder.cleanup()

    # --- its files ---

    def put(self, name, text):
        """In one step, under another name first."""
        fresh = self.drop / ".fresh"
        fresh.write_text(text)
        fresh.rename(self.drop / name)

    def copy(self, path):
        """A file of ours that its programs may read."""
        return shutil.copy(path, self.folder)
