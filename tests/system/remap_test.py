"""A mapping with a mistake has published wrong values and dead letters; the connector was killed again and
again meanwhile. The mapping is mended, and what was read is mapped again: what differs is published,
nothing else, and nothing twice."""

import collections
import datetime
import json
import subprocess

import pytest

from published import keys_in, reason_of_last_position
from stack.process import Process, wait_until

ROUNDS, DOCUMENTS = 3, 12  # in each round as many
KINDS = ("planned", "open", "done")
START_TIMEOUT_S = 60
CONFIGURATION = """\
connector: mended
institution: sus
system: sus-trials
source: {{transport: file-drop, format: json, folder: {folder}, poll_interval_ms: 20, settle_ms: 0}}
target: {{domain: trial}}
journal: {{days: 7}}
records:
  - key: id
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: title}}]
      status: {{from: status, table: {{{table}}}, else: reject}}
"""
WRONG = "planned: COMPLETED, done: COMPLETED"
RIGHT = "planned: PLANNED, open: RECRUITING, done: COMPLETED"


class Mending:
    def __init__(self, installation, folder):
        self.installation = installation
        self.folder = folder
        self.file = folder / "mended.yaml"
        self.drop_folder = folder / "drop"
        self.drop_folder.mkdir()
        self.count = 0
        self.use(WRONG)

    def use(self, table):
        self.file.write_text(CONFIGURATION.format(folder=self.drop_folder, table=table))

    def do(self, *arguments):
        return subprocess.run([self.installation.programs / "connector", *map(str, arguments)],
                              env={**self.installation.environment, "USER": "anna"}, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def remap(self, *more):
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        return self.do("remap", self.file, "--since", since.strftime("%Y-%m-%dT%H:%M:%SZ"), *more)

    def drop(self):
        kind = KINDS[self.count % len(KINDS)]
        key = f"{kind}-{self.count}"
        new = self.folder / key
        new.write_text(json.dumps({"id": key, "title": f"Trial {key}", "status": kind}))
        new.rename(self.drop_folder / f"{key}.json")
        self.count += 1

    def start(self):
        return Process("mended", [self.installation.programs / "connector", "run", self.file],
                       self.folder / "mended.log", self.installation.environment).start()

    def read(self):
        done = self.do("status", "mended", "-o", "json")
        status = json.loads(done.stdout)[0] if done.returncode == 0 else {}
        return (status.get("counts") or {}).get("read", 0)

    def keys(self):
        return collections.Counter(keys_in(self.installation))

    def names(self, kind):
        return {f"{kind}-{number}" for number in range(self.count)
                if KINDS[number % len(KINDS)] == kind}

    def statuses(self):
        """Of every trial, by its key, what its unified record says."""
        self.installation.wait_until_settled()
        found = {}
        for entity in self.installation.ctl_json("entity", "list", "--domain", "trial"):
            value = entity["value"]
            found[value["titles"][0]["text"].removeprefix("Trial ")] = value["status"]
        return found


@pytest.fixture(scope="module")
def mending(install, tmp_path_factory):
    installation = install(tmp_path_factory.mktemp("no-samples"))
    return Mending(installation, tmp_path_factory.mktemp("mending"))


def read_and_kill(mending):
    """It is killed when it has read something of what comes, and before it can have read all."""
    for _ in range(ROUNDS):
        before = mending.read()
        process = mending.start()
        for _ in range(DOCUMENTS):
            mending.drop()
        wait_until(lambda read=before: mending.read() > read, "it reading", START_TIMEOUT_S)
        for _ in range(DOCUMENTS):
            mending.drop()
        process.kill()
    assert mending.do("run", mending.file, "--once").returncode == 0


def test_what_was_mapped_wrong_is_mended_and_nothing_else_is_published(mending):
    installation = mending.installation
    read_and_kill(mending)
    before = mending.keys()
    assert before == dict.fromkeys(mending.names("planned") | mending.names("done"), 1)
    assert set(mending.statuses().values()) == {"COMPLETED"}
    planned, opened = len(mending.names("planned")), len(mending.names("open"))
    assert len(installation.ctl_json("dlq", "list")) == opened

    mending.use(RIGHT)
    shown = mending.remap("--dry-run")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    # Whenever it was killed, nothing that it has published is not in its journal.
    assert lines[-1].startswith(f"documents {mending.count}, added {opened}, replaced {planned}, "
                                f"withdrawn 0, unchanged {len(mending.names('done'))}, ")
    assert {line.split("/")[1] for line in lines if line.startswith("replace ")} == \
        mending.names("planned")
    assert {line.split("/")[1] for line in lines if line.startswith("add ")} == mending.names("open")
    assert mending.keys() == before

    refused = mending.remap()
    assert refused.returncode == 1 and "--reason TEXT is missing" in refused.stderr
    done = mending.remap("--reason", "planned trials were told as completed")
    assert done.returncode == 0, done.stderr
    assert reason_of_last_position(installation, "mended") == \
        ("anna", "planned trials were told as completed")
    after = mending.keys()
    assert after - before == dict.fromkeys(mending.names("planned") | mending.names("open"), 1)
    wanted = {name: status for kind, status in
              (("planned", "PLANNED"), ("open", "RECRUITING"), ("done", "COMPLETED"))
              for name in mending.names(kind)}
    assert mending.statuses() == wanted

    again = mending.remap("--reason", "once more")
    assert again.returncode == 0 and "added 0, replaced 0, withdrawn 0" in again.stdout
    assert mending.keys() == after
    result = installation.ctl_result("status")
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_comes_later_is_published_after_what_was_mapped_again(mending):
    process = mending.start()
    mending.drop()
    wait_until(lambda: mending.count == len(mending.keys()), "the next document")
    refused = mending.remap("--reason", "while it runs")
    assert refused.returncode == 1 and "connector stop mended" in refused.stderr
    process.stop()
    mending.installation.wait_until_settled()
    assert mending.installation.ctl_result("status").returncode == 0


def test_what_cannot_be_asked_for_is_refused(mending):
    for since in ("yesterday", "2026-13-01", "2026-11-26T14"):
        refused = mending.do("remap", mending.file, "--since", since, "--dry-run")
        assert refused.returncode == 1 and "in UTC, would pass" in refused.stderr
