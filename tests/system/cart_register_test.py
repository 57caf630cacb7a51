"""A register dropped as a daily snapshot: only what changed is published, what vanished is withdrawn.

Checked against a plain comparison of the files, made here without any of our code.
"""

import csv
import json

import pytest

from installations import connector, copy_to, take

CONNECTOR = connector("lumc/cart-register")
SYSTEM = "cart-register/"
FOLDER = ("trials", "cart-register-csv")
KEY = "NCTId"
MAPPED = ["BriefTitle", "LeadSponsor", "OverallStatus", "Phase", "Conditions", "Interventions",
          "EnrollmentCount", "StartDate"]  # LastUpdatePostDate is the version, SnapshotDate ignored
WITHDRAWN = 10
KEPT = "kept while blank: start={}/3"


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = {}
        for row in csv.DictReader(file):
            rows[row[KEY]] = row
        return rows


def write_rows(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def made_up_register(folder):
    """Two snapshots as a register makes them: some trials changed, some only touched, some new and
    one gone."""
    rows = [{KEY: f"NCT9901{number:04}", "BriefTitle": f"Cells against disease {number}",
             "OverallStatus": "RECRUITING", "Phase": "PHASE1|PHASE2", "Conditions": "Leukaemia",
             "Interventions": "CAR-T cells|Fludarabine", "StartDate": "2025-04",
             "LastUpdatePostDate": "2026-02-01", "EnrollmentCount": "20.0",
             "LeadSponsor": "Skane University Hospital", "SnapshotDate": "2026-03-01"}
            for number in range(150)]
    write_rows(folder / "trials-2026-03-01.csv", rows)
    for number, row in enumerate(rows):
        row["SnapshotDate"] = "2026-03-02"
        if number < 12:
            row["LastUpdatePostDate"] = "2026-03-02"
        if number < 8:
            row.update([("OverallStatus", "COMPLETED"), ("EnrollmentCount", "21"),
                        ("StartDate", ""), ("Conditions", "Leukaemia|Lymphoma")][number % 4:][:1])
    rows += [{**rows[0], KEY: f"NCT9902{number:04}"} for number in range(5)]
    write_rows(folder / "trials-2026-03-02.csv", rows[:40] + rows[41:])
    return folder / "trials-2026-03-01.csv", folder / "trials-2026-03-02.csv"


def without(path, target, keys):
    """Copies the file but for the rows of those keys."""
    with path.open(newline="", encoding="utf-8") as source, \
         target.open("w", newline="", encoding="utf-8") as sink:
        reader = csv.DictReader(source)
        writer = csv.DictWriter(sink, reader.fieldnames)
        writer.writeheader()
        writer.writerows(row for row in reader if row[KEY] not in keys)


class Register:
    """The register's folder, and what of it has been published so far."""

    def __init__(self, install, folder, first, second):
        self.folder = folder.joinpath(*FOLDER)
        self.files = [first, second]
        self.rows = [rows_of(first), rows_of(second)]
        copy_to(self.folder, first)
        self.installation = install(folder)
        self.seen = set()
        self.published = []
        take(self.installation, [CONNECTOR])
        self.published.append(self.fresh())
        copy_to(self.folder, second)
        take(self.installation, [CONNECTOR])
        self.published.append(self.fresh())
        self.gone = sorted(self.rows[1])[-WITHDRAWN:]
        without(second, self.folder / "trials-2026-12-31.csv", self.gone)
        take(self.installation, [CONNECTOR])
        self.published.append(self.fresh())

    def fresh(self):
        """What the connector has written since last asked: key -> its statements."""
        records = {}
        for line in self.installation.ctl("consume", "ingest.lumc.trial", "-o",
                                          "json").splitlines():
            record = json.loads(line)
            place = record["partition"], record["offset"]
            if record["key"].startswith(SYSTEM) and place not in self.seen:
                self.seen.add(place)
                key = record["key"].removeprefix(SYSTEM)
                records.setdefault(key, []).append(record["value"])
        return records


@pytest.fixture(scope="module", params=["made up", "real"])
def register(request, install, tmp_path_factory):
    if request.param == "real":
        samples = request.getfixturevalue("real_samples").joinpath(*FOLDER)
        first, second = samples / "trials-2026-04-24.csv", samples / "trials-2026-07-14.csv"
    else:
        first, second = made_up_register(tmp_path_factory.mktemp("snapshots"))
    return Register(install, tmp_path_factory.mktemp("register"), first, second)


def reason_of(statements):
    return statements[-1]["statement"]["reason"]


def keys_in_state(statements, state):
    return {key for key, values in statements.items()
            if any(value["statement"]["state"] == state for value in values)}


def test_the_first_snapshot_is_published_whole(register):
    assert set(register.published[0]) == set(register.rows[0])
    assert all(len(values) == 1 for values in register.published[0].values())


def test_the_second_publishes_the_new_and_the_changed_and_nothing_else(register):
    before, after = register.rows
    new = set(after) - set(before)
    changed = {key for key in set(before) & set(after)
               if any(before[key][column] != after[key][column] for column in MAPPED)}
    print(f"{len(before)} trials, then {len(after)}: {len(new)} new, {len(changed)} changed, "
          f"{len(set(before) - set(after))} vanished")
    assert changed and new
    assert keys_in_state(register.published[1], "CURRENT") == new | changed
    assert all(len(values) == 1 for values in register.published[1].values())


def test_a_version_alone_is_no_change(register):
    before, after = register.rows
    touched = {key for key in set(before) & set(after)
               if before[key]["LastUpdatePostDate"] != after[key]["LastUpdatePostDate"]
               and all(before[key][column] == after[key][column] for column in MAPPED)}
    assert touched
    assert not touched & set(register.published[1])


def test_what_vanished_is_withdrawn_with_a_reason(register):
    before, after = register.rows
    withdrawn = keys_in_state(register.published[1], "WITHDRAWN")
    assert withdrawn == set(before) - set(after)
    for key in withdrawn:
        assert register.published[1][key][-1]["statement"]["reason"]


def test_rows_taken_out_are_withdrawn_and_nothing_else_moves(register):
    kept = {key for key, values in register.published[1].items() if reason_of(values) == KEPT.format(1)}
    assert keys_in_state(register.published[2], "WITHDRAWN") == set(register.gone)
    assert set(register.published[2]) - set(register.gone) == kept - set(register.gone)
    assert all(reason_of(register.published[2][key]) == KEPT.format(2)
               for key in kept - set(register.gone))


def test_a_start_that_goes_blank_is_kept_and_its_statement_says_so(register):
    before, after = register.rows
    blank = {key for key in set(before) & set(after)
             if before[key]["StartDate"] and not after[key]["StartDate"]}
    assert blank
    for key in blank:
        statement = register.published[1][key][0]
        assert reason_of([statement]) == KEPT.format(1)
        assert statement["start"] == register.published[0][key][0]["start"]


def test_the_unified_view_has_what_the_last_snapshot_has(register):
    entities = register.installation.ctl_json("entity", "list", "--domain", "trial")
    stated = {statement["key"].removeprefix(SYSTEM)
              for entity in entities for statement in entity["statements"]}
    assert stated == set(register.rows[1]) - set(register.gone)
    withdrawn = [entity for entity in
                 register.installation.ctl_json("entity", "list", "--all", "--domain", "trial")
                 if entity["kind"] == "WITHDRAWN"]
    assert len(withdrawn) == len(register.gone) + len(set(register.rows[0]) - set(register.rows[1]))


def test_every_row_is_accounted_for(register):
    assert register.installation.ctl_result("status").returncode == 0
    trial = next(domain for domain in register.installation.ctl_json("status")["domains"]
                 if domain["domain"] == "trial")
    rows = len(register.rows[0]) + 2 * len(register.rows[1]) - len(register.gone)
    vanished = len(set(register.rows[0]) - set(register.rows[1])) + len(register.gone)
    assert trial["source_records"] == rows + vanished
    assert trial["withdrawn"] == vanished
