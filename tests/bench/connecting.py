"""tests/bench/run --connector: what a connector costs: to map a document, beside jq picking and naming
the same values of it, and at rest, with nothing new in its source."""

import json
import os
import pathlib
import re
import statistics
import time

from load import BIN, PROGRAMS, ROOT, Topics, call
from sections import write_connector
from stack.kafka import Broker
from stack.process import Failed, Process, wait_until

STUDY = pathlib.Path(__file__).resolve().parent / "mapping"
USUAL = {"documents": 5_000, "rounds": 5}
QUICK = {"documents": 1_000, "rounds": 3}
REST_S = 30  # that CPU at rest is counted for
AT_REST = """\
connector: bench-rest
institution: sus
system: sus-trials
source: {{transport: file-drop, format: json, folder: "{folder}", pattern: ".*", settle_ms: 200}}
target: {{domain: trial}}
records:
  - {{for_each: study, key: number, version: {{tie: position}}, fields: {{acronym: shortName}}}}
"""


def map_documents(scale, note):
    """Medians of rounds: microseconds of CPU for a document, and how large it and jq's answer are."""
    note(f"mapping {scale['documents']:,} documents, {scale['rounds']} times, beside jq")
    said = call([PROGRAMS / "mapping", STUDY, scale["documents"], scale["rounds"]],
                HUB_SCHEMAS=str(ROOT / "schemas"))
    rounds = [json.loads(line) for line in said.splitlines()]
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def ratios(middle):
    return {"mapping_vs_jq": middle["mapped_us"] / middle["picked_us"]}


def memory_bytes(pid):
    """(what it has written to and nobody shares, the pages of program files that nobody else has mapped just
    now). The second is shared with the next connector, and read again where it was dropped."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return [1024 * int(re.search(rf"^Private_{kind}:\s+(\d+) kB", rollup, re.M)[1])
            for kind in ("Dirty", "Clean")]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rest(folder, heap, note):
    """Private memory and pages of files in bytes, and the part of a core, of a connector that has read what
    there was."""
    drop = folder / "drop"
    drop.mkdir()
    (drop / "study.json").write_bytes((STUDY / "study.json").read_bytes())
    configuration = folder / "rest.yaml"
    configuration.write_text(AT_REST.format(folder=drop))
    broker = Broker(folder / "kafka", heap=heap)
    broker.start()
    connector = None
    try:
        Topics(broker).create_all()
        connector = Process("connector", [BIN / "connector", "run", configuration, "--bootstrap",
                                          broker.bootstrap, "--schemas", ROOT / "schemas",
                                          "--state", folder / "state"], folder / "connector.log")
        connector.start()
        wait_until(lambda: published(broker), "the connector's record", 60)
        note(f"a connector at rest: {REST_S} s")
        before = cpu_seconds(connector.pid)
        time.sleep(REST_S)  # what is measured is a time in which nothing happens
        if not connector.is_running():
            raise Failed(connector.tail())
        return *memory_bytes(connector.pid), (cpu_seconds(connector.pid) - before) / REST_S
    finally:
        if connector is not None:
            connector.stop()
        broker.stop()


def published(broker):
    found = json.loads(call([PROGRAMS / "read", "all", broker.bootstrap, "ingest.sus.trial"]))
    return found["records"] > 0


def run_connector(folder, heap, note, results):
    middle = map_documents(USUAL, note)
    middle["private"], middle["files"], middle["core"] = rest(folder, heap, note)
    found = {**ratios(middle), "private_mb_at_rest": middle["private"] / 1e6, "core_at_rest": middle["core"]}
    print(write_connector(results, USUAL, REST_S, middle, found), end="")
    return found
