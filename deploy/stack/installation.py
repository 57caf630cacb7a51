"""Broker, hub and connectors of one installation, in one folder that is thrown away."""

import json
import os
import pathlib
import secrets
import subprocess
import urllib.request

from stack.kafka import Broker
from stack.process import Failed, Process, free_port, wait_until
from stack.senders import make_senders
from stack.sources import Sources

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY_SIZE = 32
HUB_START_TIMEOUT_S = 60
CONNECTOR_TIMEOUT_S = 120
SETTLE_TIMEOUT_S = 120
ARCHIVE_TIMEOUT_S = 120


def connector_files():
    return sorted((ROOT / "connectors").glob("*/*.yaml"))


def name_of(file):
    return f"{file.parent.name}-{file.stem}"


def make_keys(folder, institutions):
    """Of the pseudonyms: one that the institutions share, one of each own; the journals'; and the one that wraps the
    keys of subjects."""
    for kind in ("shared", "local", "journal", "sealing"):
        (folder / kind).mkdir(parents=True, mode=0o700)
    for path in [folder / "shared" / "2026", folder / "journal" / "2026",
                 folder / "sealing" / "2026",
                 *(folder / "local" / name for name in institutions)]:
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(KEY_SIZE))


def make_certificate(folder):
    """Of the server that takes notices, who is its own and only sender here."""
    folder.mkdir(parents=True, mode=0o700)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "30",
                    "-keyout", "server.key", "-out", "server.pem"],
                   cwd=folder, check=True, capture_output=True)
    (folder / "senders.pem").write_bytes((folder / "server.pem").read_bytes())


def make_signing_key(path):
    """Of the archive: an Ed25519 key, as an institution makes it."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True,
                   capture_output=True)
    path.chmod(0o600)


class Installation:
    """preset: whose programs to run. With preferred_ports, the ones the README names, if free."""

    def __init__(self, folder, samples, preset="release", preferred_ports=False, broker=None,
                 schemas=ROOT / "schemas"):
        self.folder = pathlib.Path(folder)
        self.samples = pathlib.Path(samples).resolve()
        self.schemas = pathlib.Path(schemas)
        self.programs = ROOT / "build" / preset / "bin"
        self.broker = broker or Broker(self.folder / "kafka",
                                       preferred_port=19092 if preferred_ports else 0)
        self.sources = Sources(self.samples)
        self.listen = f"127.0.0.1:{free_port(8081 if preferred_ports else 0)}"
        self.keys = self.folder / "keys"
        make_keys(self.keys, ["sus", "lu", "lumc"])
        self.notices = f"127.0.0.1:{free_port()}"
        make_certificate(self.folder / "ewp")
        self.triggers = f"127.0.0.1:{free_port()}"
        self.senders = make_senders()
        self.archive = self.folder / "archive"
        self.archiver = None
        make_signing_key(self.folder / "archive.pem")
        self.hub = None
        self.connectors = []
        self.hub_arguments = []

    # --- parts ---

    @property
    def registry(self):
        return f"http://{self.listen}"

    @property
    def environment(self):
        return {**os.environ,
                "HUB_BOOTSTRAP": self.broker.bootstrap, "HUB_SCHEMAS": str(self.schemas),
                "HUB_KEYS": str(self.keys), "HUB_STATE": str(self.folder / "state"),
                "HUB_ARCHIVE": str(self.archive),
                "HUB_ARCHIVE_KEY": str(self.folder / "archive.pem"),
                "HUB_SAMPLES": str(self.samples), "HUB_CTGOV_URL": self.sources.url,
                "HUB_EWP_URL": self.sources.url, "HUB_LADOK_URL": self.sources.url,
                "HUB_EWP_LISTEN": self.notices,
                "HUB_EWP_TLS": str(self.folder / "ewp"),
                "HUB_REDCAP_URL": self.sources.url, "HUB_REDCAP_LISTEN": self.triggers,
                "HUB_REDCAP_TOKEN": self.sources.redcap_token,
                "HUB_REDCAP_TRIGGER_SECRET": self.sources.redcap_token,
                **{name: value for sender in self.senders.values()
                   for name, value in sender.environment.items()}}

    def start_broker(self):
        self.broker.start()
        self.sources.start()

    def create_topics(self):
        self.ctl("topic", "create")

    def start_hub(self, wait=True):
        self.hub = Process("atmp-hub",
                           [self.programs / "atmp-hub", "--listen", self.listen,
                            *self.hub_arguments],
                           self.folder / "hub.log", self.environment).start()
        if wait:
            wait_until(self._hub_is_ready, "start of the hub", HUB_START_TIMEOUT_S)

    def _hub_is_ready(self):
        if not self.hub.is_running():
            raise Failed(f"the hub ended\n{self.hub.tail()}")
        try:
            with urllib.request.urlopen(f"{self.registry}/readyz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def start_archiver(self, *arguments):
        self.archiver = Process("atmp-archive", [self.programs / "atmp-archive", "--listen",
                                                 f"127.0.0.1:{free_port()}", *arguments],
                                self.folder / "archiver.log", self.environment).start()

    def archive_everything(self):
        """What there is now."""
        self.start_archiver("--once")
        code = self.archiver.wait(ARCHIVE_TIMEOUT_S)
        if code != 0:
            raise Failed(f"the archiver ended with {code}\n{self.archiver.tail()}")

    def start_connector(self, file, *arguments):
        name = name_of(file)
        return Process(name, [self.programs / "connector", "run", file, *arguments],
                       self.folder / f"connector-{name}.log", self.environment).start()

    def start_connectors(self, files=None):
        self.connectors = [self.start_connector(file) for file in files or connector_files()]

    def run_connectors(self, files=None, note=lambda text: None):
        """Each once, until its source has nothing more. One that is called runs until its sender has
        told everything."""
        files = files or connector_files()
        self.connectors = [
            self.start_connector(file, *([] if name_of(file) in self.senders else ["--once"]))
            for file in files]
        for connector in self.connectors:
            if connector.name in self.senders:
                codes = self.senders[connector.name].send_all(self.samples, connector.is_running)
                connector.child.terminate()
                note(f"connector {connector.name} was told, and answered " +
                     ", ".join(f"{count} x {code}" for code, count in sorted(codes.items())))
            code = connector.wait(CONNECTOR_TIMEOUT_S)
            if code != 0:
                raise Failed(f"connector {connector.name} ended with {code}\n{connector.tail()}")

    # --- looking ---

    def ctl_result(self, *arguments):
        return subprocess.run([self.programs / "hubctl", *map(str, arguments)], check=False,
                              capture_output=True, text=True, env=self.environment,
                              stdin=subprocess.DEVNULL)

    def ctl(self, *arguments):
        """What hubctl prints; Failed where it does not end well."""
        result = self.ctl_result(*arguments)
        if result.returncode != 0:
            raise Failed(f"hubctl {' '.join(map(str, arguments))}: exit code "
                         f"{result.returncode}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.stdout

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments, "-o", "json"))

    def wait_until_settled(self, timeout_s=SETTLE_TIMEOUT_S):
        """Until the hub has taken every statement and every log entry."""
        wait_until(self._is_settled, "the hub taking what is there", timeout_s, interval_s=0.2)

    def _is_settled(self):
        if self.hub is not None and not self.hub.is_running():
            raise Failed(f"the hub ended\n{self.hub.tail()}")
        return self.ctl_result("lag").returncode == 0

    def stop(self):
        for process in [*self.connectors, self.hub, self.archiver]:
            if process is not None:
                process.stop()
        self.broker.stop()
        self.sources.stop()
