"""A new domain is one schema file and the scheme of its numbers, and a system that speaks of it one
configuration: nothing is compiled, and everything else is as with the others.

Here it is the cleaning of clean rooms, which two systems tell of.
"""

import json
import shutil

import pytest

import cleaning
from installations import entity_of, statement_keys

CONNECTOR = """\
connector: lumc-cleaning
institution: lumc
system: lumc-mes
source:
  transport: file-drop
  format: csv
  folder: drop
  pattern: .*\\.csv
target: {domain: cleaning}
records:
  - key: number
    version: {from: changed, tie: position}
    event_time: {from: changed, time: {formats: [date], zone: UTC}}
    fields:
      identifiers: {scheme: cleaning, issuer: {value: rooms}, value: number, relation: self}
      room: room
      agent: agent
      status: {from: done, table: {"yes": DONE, "no": PLANNED}, else: reject}
"""


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    """The installed programs, with one schema, one scheme and two configurations more."""
    folder = tmp_path_factory.mktemp("tenth")
    schemas = cleaning.add_to(folder / "schemas")
    started = install(folder, schemas=schemas)
    for name, system in (("mes", "lumc-mes"), ("calendar", "lumc-calendar")):
        own = folder / name
        (own / "drop").mkdir(parents=True)
        (own / "cleaning.yaml").write_text(
            CONNECTOR.replace("lumc-mes", system).replace("lumc-cleaning", f"lumc-{name}"))
    (folder / "mes" / "drop" / "1.csv").write_text(
        "number,room,agent,done,changed\nC-1,Clean Room 1,alcohol,no,2026-03-01\n"
        "C-2,Clean Room 2,alcohol,maybe,2026-03-01\n")
    (folder / "calendar" / "drop" / "1.csv").write_text(
        "number,room,agent,done,changed\nC-1,clean room 1,peroxide,yes,2026-03-02\n")
    started.run_connectors([folder / "mes" / "cleaning.yaml", folder / "calendar" / "cleaning.yaml"])
    started.wait_until_settled()
    return started


def install_nothing(folder, schemas):
    """For commands that need no Kafka."""
    from stack.installation import Installation
    from stack.kafka import Broker
    return Installation(folder / "unused", folder, schemas=schemas,
                        broker=Broker(folder / "unused" / "kafka"))


def test_its_statements_are_reconciled_by_its_own_rules(installation):
    entity = entity_of(installation.ctl_json("entity", "list", "--domain", "cleaning"),
                       "lumc-mes/C-1")
    assert statement_keys(entity) == ["lumc-calendar/C-1", "lumc-mes/C-1"]
    assert entity["value"]["agent"] == "peroxide"
    assert entity["value"]["status"] == "DONE"
    assert {conflict["field"] for conflict in entity["conflicts"]} == {"agent"}


def test_what_it_cannot_say_is_dead_lettered(installation):
    letters = [letter for letter in installation.ctl_json("dlq", "list")
               if letter["key"] == "lumc-mes/C-2"]
    assert [letter["path"] for letter in letters] == ["status"]


def test_its_topics_its_accounts_and_its_log_are_as_all_others(installation):
    names = {topic["topic"] for topic in installation.ctl_json("topic", "list")}
    assert {"log.cleaning", "unified.cleaning", "ingest.lumc.cleaning"} <= names
    status = installation.ctl_result("status")
    assert status.returncode == 0, status.stdout
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "cleaning")


def test_a_mistake_in_it_is_told_with_its_place_and_stops_the_start(installation, tmp_path):
    schemas = tmp_path / "schemas"
    shutil.copytree(installation.schemas, schemas)
    schema = cleaning.new_schema()
    schema["hub:identity"] = ["slott"]
    (schemas / "domains" / "cleaning.avsc").write_text(json.dumps(schema, indent=1))
    result = install_nothing(tmp_path, schemas).ctl_result("schema", "lint")
    assert result.returncode == 1
    assert "cleaning.avsc:" in result.stderr and "slott" in result.stderr
