"""Retention: the key of what is sealed is destroyed when nothing that it sealed need be kept any longer, and not
before; never while it is held, or while the hub has yet to take what may need it."""

import datetime
import json

import pytest

from installations import entity_of, take

CONFIGURATION = """
connector: lu-stays
institution: lu
system: lu-guests
source: {{transport: file-drop, format: csv, folder: {folder}}}
target: {{domain: exchange}}
records:
  - key: number
    version: {{tie: position}}
    withdrawn: {{when: {{path: gone, in: ["yes"]}}, reason: made by mistake}}
    fields:
      identifiers: [{{scheme: exchange-request, issuer: {{value: "ror:05xvt9f17"}}, value: number, relation: self}}]
      sending: {{value: Lunds universitet}}
      requested: {{to: {{from: asked, time: {{formats: [date]}}}}}}
      actual: {{to: {{from: until, time: {{formats: [date]}}}}}}
      contact: {{from: person, seal: {{subject: person}}}}
"""
PAST, ENDED, FUTURE = "2020-06-30", "2020-09-29", "2099-06-30"  # ENDED: 90 days after the day that follows
# number: who, what was asked for, what it came to, whether it is withdrawn later
STAYS = {"1": ("anna", PAST, "", False), "2": ("anna", "2020-01-31", PAST, False),
         "3": ("bertil", PAST, "", False), "4": ("bertil", "", FUTURE, False),
         "5": ("cecilia", "", "", False), "6": ("david", "", PAST, False),
         "7": ("erik", PAST, "", True), "8": ("frida", PAST, FUTURE, False)}
PEOPLE = sorted({who for who, *_ in STAYS.values()})


def statement(number):
    return f"lu-guests/S-{number}"


class Stays:
    def __init__(self, installation, folder):
        self.installation = installation
        self.documents = folder / "documents"
        self.documents.mkdir()
        self.file = folder / "stays.yaml"
        self.file.write_text(CONFIGURATION.format(folder=self.documents))
        self.write("1.csv", STAYS)
        take(installation, [self.file])
        entities = installation.ctl_json("entity", "list")
        self.key_of = {who: entity_of(entities, statement(number))["value"]["contact"]["key_id"]
                       for number, (who, *_) in STAYS.items()}
        self.who = {key: who for who, key in self.key_of.items()}
        gone = {number: stay for number, stay in STAYS.items() if stay[3]}
        self.write("2.csv", gone, gone="yes")
        take(installation, [self.file])
        installation.ctl("hold", "david", "--reason", "A court asks.", "--by", "lars")
        installation.wait_until_settled()

    def write(self, name, stays, gone=""):
        rows = [f"S-{number},{who},{asked},{until},{gone}\n"
                for number, (who, asked, until, _) in stays.items()]
        (self.documents / name).write_text("number,person,asked,until,gone\n" + "".join(rows))

    def rows(self, *more):
        rows = self.installation.ctl_json("retention", "keys", *more)
        return {self.who[row["key"]]: row for row in rows}

    def states(self, *more):
        return {who: row["state"] for who, row in self.rows(*more).items()}

    def end(self):
        return self.installation.ctl_result("retention", "end", "--by", "the timer")

    def contacts(self):
        found = {}
        for entity in self.installation.ctl_json("entity", "list"):
            shown = json.loads(self.installation.ctl("entity", "show", entity["entity_id"], "--unseal"))
            found[entity["statements"][0]["key"]] = list(shown["value"]["contact"])
        return found

    def steps_of(self, who):
        lines = self.installation.ctl("consume", "log.exchange", "-o", "json").splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry["value"] for entry in entries if entry["key"] == f"erasure/{self.key_of[who]}"]


@pytest.fixture(scope="module")
def stays(install, tmp_path_factory):
    return Stays(install(), tmp_path_factory.mktemp("own"))


RUNNING = {"anna": "over", "bertil": "running", "cecilia": "undated", "david": "held",
           "erik": "running", "frida": "running"}


def test_records_are_counted_by_their_latest_date(stays):
    row, = stays.installation.ctl_json("retention", "show", "--domain", "exchange")
    assert row == {"domain": "exchange", "class": "O", "kept": "90 days",
                   "after": "requested.to, planned.to, actual.to",
                   "records": 7, "undated": 1, "over": 4, "next": "2099-09-29"}
    shown = stays.installation.ctl("retention", "show")
    assert "T: what traces a product" in shown and "(EC) No 1394/2007, Article 15" in shown
    then, = stays.installation.ctl_json("retention", "show", "--domain", "exchange", "--as-of",
                                        "2020-01-01")
    assert then["records"] == 0  # nothing was known


def test_a_key_is_kept_as_long_as_anything_it_sealed(stays):
    rows = stays.rows()
    assert {who: row["state"] for who, row in rows.items()} == RUNNING
    assert rows["anna"]["end"] == rows["david"]["end"] == ENDED
    assert rows["bertil"]["end"] == rows["frida"]["end"] == "2099-09-29"
    assert rows["cecilia"]["end"] == "-"
    assert (rows["anna"]["statements"], rows["erik"]["statements"]) == (2, 2)


def test_what_was_withdrawn_is_kept_from_then_on(stays):
    days = datetime.date.fromisoformat(stays.rows()["erik"]["end"]) - datetime.date.today()
    assert 88 <= days.days <= 91


def test_who_has_not_the_keys_ends_none(stays, tmp_path):
    assert stays.states("--keys", tmp_path) == {**RUNNING, "anna": "elsewhere", "david": "elsewhere"}
    done = stays.installation.ctl_result("retention", "end", "--by", "eva", "--keys", tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 of 6 keys ended, 0 held\n")


def test_nothing_is_ended_while_the_hub_has_something_to_take(stays):
    """A longer stay may be among it."""
    installation = stays.installation
    installation.hub.stop()
    stays.write("3.csv", {"9": ("greta", "", FUTURE, False)})
    installation.run_connectors([stays.file])
    done = stays.end()
    assert done.returncode == 1 and "has yet to take some" in done.stderr
    assert stays.steps_of("anna") == []
    installation.start_hub()
    installation.wait_until_settled()


def test_only_what_is_over_ends_and_says_why(stays):
    done = stays.end()
    assert done.returncode == 0, done.stdout + done.stderr
    held = stays.key_of["david"]
    assert f"held     key {held}, whose retention has ended" in done.stdout
    assert "1 of 7 keys ended, 1 held" in done.stdout
    stays.installation.wait_until_settled()
    begun, ended = stays.steps_of("anna")
    assert (begun["step"], ended["step"], ended["decided_by"]) == ("BEGUN", "ERASED", "the timer")
    assert ended["reason"] == ("The end of its retention (exchange, class O): from 2020-07-01 to "
                               f"{ENDED}.")
    assert "90 days" in ended["basis"] and "2016/679" in ended["basis"]
    contacts = stays.contacts()
    assert {contacts[statement(number)][0] for number in ("1", "2")} == {"erased"}
    assert {contacts[statement(number)][0] for number in ("3", "4", "5", "6", "8", "9")} == {"plain"}


def test_a_second_time_nothing_is_left_to_end(stays):
    done = stays.end()
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 of 7 keys ended, 1 held")
    assert len(stays.steps_of("anna")) == 2


def test_what_was_held_ends_once_it_is_released(stays):
    stays.installation.ctl("release", "david", "--reason", "It asks no more.", "--by", "lars")
    stays.installation.wait_until_settled()
    assert stays.end().returncode == 0
    stays.installation.wait_until_settled()
    assert [step["step"] for step in stays.steps_of("david")] == ["HELD", "RELEASED", "BEGUN", "ERASED"]
    assert stays.contacts()[statement("6")] == ["erased"]


def test_all_still_adds_up(stays):
    told = stays.installation.ctl("refold", "exchange")
    assert "exchange: 0 published" not in told and "0 differences" in told
    assert stays.installation.ctl_result("status").returncode == 0
