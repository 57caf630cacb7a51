"""Dead letters of a connector: tried again after the mapping was mended, or discarded; nothing of it twice,
nothing older over something newer, and whole again after a kill in the middle."""

import collections
import json
import signal
import subprocess

import pytest

from published import keys_in, reason_of_last_position
from stack.process import Process, wait_until

MANY, SEEN = 120, 15  # letters of one file; so many are settled when it is killed
CONFIGURATION = """\
connector: {name}
institution: sus
system: sus-trials
source: {{transport: file-drop, format: csv, folder: {folder}, poll_interval_ms: 20, settle_ms: 0{mode}}}
target: {{domain: trial}}
journal: {{days: 7}}
records:
  - key: id
    version: {{tie: position}}
    {more}
    fields:
      titles: [{{lang: {{value: en}}, text: title}}]
      status: {{from: status, table: {{{table}}}, else: reject}}
"""
WRONG = "open: RECRUITING"
RIGHT = "open: RECRUITING, paused: HALTED"
ALL = "open: RECRUITING, paused: HALTED, lost: TERMINATED"
WITH_TIME = "event_time: {from: since, time: {formats: [rfc3339]}}"


class Letters:
    def __init__(self, installation, folder, name="letters"):
        self.name = name
        self.installation = installation
        self.folder = folder
        self.configurations = folder / "configurations"
        self.configurations.mkdir()
        self.file = self.configurations / f"{name}.yaml"
        self.drop_folder = folder / "drop"
        self.drop_folder.mkdir()
        self.count = 0
        self.use(WRONG)

    def use(self, table, more="", mode=""):
        self.file.write_text(CONFIGURATION.format(name=self.name, folder=self.drop_folder,
                                                  table=table, more=more, mode=mode))

    def run(self, program, *arguments):
        return subprocess.run([self.installation.programs / program, *map(str, arguments)],
                              env={**self.installation.environment, "USER": "anna"}, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def read(self, *rows, name=None):
        """A file of id,status, which the connector reads."""
        self.count += 1
        name = name or f"{self.count:04}"
        new = self.folder / "new"
        new.write_text("id,title,status,since\n" + "".join(
            f"{row.split(',')[0]},Trial {row.split(',')[0]},{row.split(',')[1]},soon\n"
            for row in rows))
        new.rename(self.drop_folder / f"{name}.csv")
        done = self.run("connector", "run", self.file, "--once")
        assert done.returncode == 0, done.stderr

    def list(self, *more):
        return self.installation.ctl_json("dlq", "list", *more)

    def of(self, name):
        """The places of the open letters of a source record, in their order."""
        return [letter["place"] for letter in self.list() if letter["key"] == f"sus-trials/{name}"]

    def retry(self, *arguments):
        return self.run("hubctl", "dlq", "retry", "--connectors", self.configurations, *arguments)

    def keys(self):
        return collections.Counter(keys_in(self.installation))

    def written(self):
        """How many records there are of what may be written: statements and dead letters."""
        return (self.keys().total(),
                len(keys_in(self.installation, "deadletter.sus")))

    def status_of(self, name):
        self.installation.wait_until_settled()
        found, = [entity["value"] for entity in
                  self.installation.ctl_json("entity", "list", "--domain", "trial")
                  if entity["value"]["titles"][0]["text"] == f"Trial {name}"]
        return found["status"]


@pytest.fixture(scope="module")
def letters(install, tmp_path_factory):
    return Letters(install(tmp_path_factory.mktemp("no-samples")),
                   tmp_path_factory.mktemp("letters"))


@pytest.fixture(autouse=True)
def mistake(letters):
    """Every test begins with the mistake."""
    letters.use(WRONG)


def test_a_letter_is_retried_once_after_the_mapping_was_mended(letters):
    letters.read("a,open", "b,paused", "c,lost")
    place, other = letters.of("b") + letters.of("c")
    before = letters.written()

    refused = letters.retry(place)
    assert refused.returncode == 2 and "--reason TEXT" in refused.stderr
    unmended = letters.retry(place, "--reason", "in vain")
    assert unmended.returncode == 1 and unmended.stdout.startswith("as before"), unmended.stdout
    assert letters.written() == before

    letters.use(RIGHT)
    rehearsed = letters.run("connector", "remap", letters.file, "--letters", "all", "--dry-run")
    assert "published 1, " in rehearsed.stdout and "nothing was written" in rehearsed.stdout
    assert letters.written() == before
    done = letters.retry(place, "--reason", "paused was not known")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == f"published  {place}  sus-trials/b"
    assert letters.keys() == {"a": 1, "b": 1}
    assert letters.status_of("b") == "HALTED"
    assert reason_of_last_position(letters.installation, "letters") == \
        ("anna", "paused was not known")
    assert [letter["place"] for letter in letters.list()] == [other]
    settled, = [letter for letter in letters.list("--all") if letter["place"] == place]
    assert settled["state"] == "PUBLISHED"
    assert settled["outcome"]["because"] == "paused was not known"

    after = letters.written()
    again = letters.retry(place, "--reason", "once more")
    assert again.returncode == 0 and "is PUBLISHED already, by anna" in again.stdout
    assert letters.written() == after


def test_a_letter_that_is_refused_again_stays_for_its_new_reason(letters):
    letters.read("r,lost")
    place, = letters.of("r")
    first, = [letter["reason"] for letter in letters.list() if letter["place"] == place]
    letters.use(ALL, WITH_TIME)
    done = letters.retry(place, "--reason", "lost is known now")
    assert done.returncode == 1 and done.stdout.startswith("refused"), done.stdout + done.stderr
    letter, = [letter for letter in letters.list() if letter["place"] == place]
    assert letter["state"] == "OPEN" and letter["path"] != "status" and letter["reason"] != first
    after = letters.written()
    assert letters.retry(place, "--reason", "again").stdout.startswith("as before")
    assert letters.written() == after
    shown = json.loads(letters.installation.ctl("dlq", "show", place, "-o", "json"))
    assert shown["reason"] == first
    assert [event["reason"] for event in shown["history"]] == [letter["reason"]]
    letters.use(ALL)
    assert letters.retry(place, "--reason", "no time").returncode == 0
    assert letters.status_of("r") == "TERMINATED" and not letters.of("r")


def test_what_is_older_does_not_overwrite_what_is_newer(letters):
    letters.read("d,paused")
    letters.read("d,open")
    place, = letters.of("d")
    letters.use(RIGHT)
    done = letters.retry(place, "--reason", "paused was not known")
    assert done.returncode == 0 and done.stdout.startswith("superseded"), done.stdout + done.stderr
    assert letters.keys()["d"] == 1 and letters.status_of("d") == "RECRUITING"
    assert not letters.of("d")


def test_letters_of_one_record_are_retried_in_their_order(letters):
    letters.read("e,paused")
    letters.read("e,lost")
    older, newer = letters.of("e")
    letters.use(ALL)
    waits = letters.retry(newer, "--reason", "the newer one alone")
    assert waits.returncode == 1 and waits.stdout.startswith(f"waits      {newer}  {older} is older")
    assert letters.keys()["e"] == 0
    done = letters.retry(newer, older, "--reason", "both")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[:2]] == [older, newer]
    assert letters.keys()["e"] == 2 and letters.status_of("e") == "TERMINATED"


def test_a_letter_is_discarded_with_a_reason_and_nothing_is_deleted(letters):
    letters.read("f,lost")
    place, = letters.of("f")
    refused = letters.run("hubctl", "dlq", "discard", place)
    assert refused.returncode == 2 and "--reason TEXT" in refused.stderr
    done = letters.run("hubctl", "dlq", "discard", place, "--reason", "it was a test")
    assert done.returncode == 0 and done.stdout == f"discarded  {place}\n", done.stderr
    assert not letters.of("f")
    table = letters.installation.ctl("dlq", "list", "--all")
    assert any(line.startswith(place) and " DISCARDED " in line for line in table.splitlines())
    shown = letters.installation.ctl("dlq", "show", place)
    value, original = shown.split("--- original, ")
    assert original.endswith("f,Trial f,lost,soon\n\n") or "f,Trial f,lost,soon" in original
    value = json.loads(value)
    event, = value["history"]
    assert value["state"] == event["outcome"] == "DISCARDED"
    assert (event["by"], event["because"]) == ("anna", "it was a test")

    after = letters.written()
    again = letters.run("hubctl", "dlq", "discard", place, "--reason", "again")
    assert again.returncode == 0 and "is DISCARDED already, by anna" in again.stdout
    letters.use(ALL)
    retried = letters.retry(place, "--reason", "after all")
    assert retried.returncode == 1 and "it was a test; --since" in retried.stdout
    assert letters.written() == after


def published_of_many(letters):
    return {key for key in letters.keys() if key.startswith("k")}


def open_of_many(letters):
    names = {letter["key"].removeprefix("sus-trials/") for letter in letters.list()}
    return {name for name in names if name.startswith("k")}


def test_what_was_killed_in_the_middle_is_whole_when_it_is_repeated(letters):
    names = {f"k{number}" for number in range(MANY)}
    letters.read(*(f"{name},paused" for name in sorted(names)))
    letters.use(RIGHT)
    command = [letters.installation.programs / "connector", "remap", letters.file,
               "--letters", "all", "--reason", "paused was not known"]
    with subprocess.Popen(command, env=letters.installation.environment, text=True,
                          stdout=subprocess.PIPE) as process:
        seen = 0
        while seen < SEEN:
            line = process.stdout.readline()
            assert line
            seen += line.startswith("published")
        process.kill()
    assert process.returncode == -signal.SIGKILL
    # Of each that is published it is told, and of no other, once the last transaction has ended.
    wait_until(lambda: open_of_many(letters) == names - published_of_many(letters), "an end of it")
    assert SEEN <= len(published_of_many(letters)) < MANY
    letters.run("connector", "remap", letters.file, "--letters", "all", "--reason", "the rest")
    assert {key: count for key, count in letters.keys().items() if key in names} == \
        dict.fromkeys(names, 1)
    assert not open_of_many(letters)


def test_who_cannot_do_it_is_told_what_would_pass(letters):
    letters.read("g,paused")
    place, = letters.of("g")
    elsewhere = letters.run("hubctl", "dlq", "retry", place, "--reason", "x", "--connectors",
                            letters.drop_folder)
    assert elsewhere.returncode == 1
    assert f"connector remap FILE --letters {place} --reason" in elsewhere.stderr
    for action in "retry", "discard":
        absent = letters.run("hubctl", "dlq", action, "deadletter.sus/0@999999", "--reason", "x")
        assert absent.returncode == 3 and "`hubctl dlq list`" in absent.stderr
        of_hub = letters.run("hubctl", "dlq", action, "deadletter.hub/0@0", "--reason", "x")
        assert of_hub.returncode == 1 and "a later record of the same key" in of_hub.stderr
    without = letters.run("connector", "remap", letters.file, "--letters", place, "--reason", "x",
                          "--state", letters.drop_folder)
    assert without.returncode == 1
    assert f"{letters.drop_folder}/journal/letters does not have its document" in without.stdout
    process = Process("letters", [letters.installation.programs / "connector", "run", letters.file],
                      letters.folder / "letters.log", letters.installation.environment).start()
    wait_until(lambda: "RUNNING" in letters.run("connector", "status", "letters").stdout, "it running")
    running = letters.retry(place, "--reason", "while it runs")
    assert running.returncode == 1 and "connector stop letters" in running.stderr
    process.stop()


def test_what_is_read_again_and_again_is_refused_once(letters, tmp_path):
    """A connector that starts anew knows what it has refused, what is discarded too."""
    again = Letters(letters.installation, tmp_path, "snapshots")
    again.use(WRONG, mode=", mode: snapshot")
    again.read("s,lost", "t,open", name="list")
    again.read("s,lost", "t,open", "u,open", name="list")
    place, = again.of("s")
    assert again.keys()["u"] == 1
    again.run("hubctl", "dlq", "discard", place, "--reason", "the source is never right")
    again.read("s,lost", "t,open", "v,open", name="list")
    assert again.keys()["v"] == 1 and not again.of("s")
    again.read("s,gone", "t,open", "v,open", name="list")  # wrong in another way
    assert len(again.of("s")) == 1


def test_all_of_it_adds_up(letters):
    letters.installation.wait_until_settled()
    result = letters.installation.ctl_result("status")
    assert result.returncode == 0, result.stdout + result.stderr
