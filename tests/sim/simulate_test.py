"""hubctl simulate: from documents to unified records and conflicts in one process."""

import json

import pytest

from programs import ROOT, run, simulate

CONNECTORS = ROOT / "connectors"
SAMPLES = CONNECTORS / "samples"
TRIALS = [CONNECTORS / name for name in (
    "sus/ctgov.yaml", "lumc/ctgov-classic.yaml", "sus/euctr.yaml", "lu/isrctn.yaml",
    "sus/trials.yaml")]
SLOTS = CONNECTORS / "lumc/slots.yaml"
FHIR = SAMPLES / "slots_batches/fhir-r4-spec"


def entity(result, key):
    """The unified record in force that has a statement of that key."""
    found = [record for record in result["unified"] if record["kind"] == "ACTIVE" and
             any(statement["key"] == key for statement in record["statements"])]
    assert len(found) == 1, f"{key} is in {len(found)} records"
    return found[0]


def open_conflicts(result, record):
    return {conflict["field"]: conflict for conflict in result["conflicts"]
            if record["entity_id"] in conflict["entities"] and conflict["state"] == "OPEN"}


# --- several sources, one truth ---


def test_four_registers_and_a_hospital_speak_of_the_same_trials():
    result = simulate(*TRIALS)
    bladder = entity(result, "ctgov/NCT99000201")
    assert [statement["key"] for statement in bladder["statements"]] == [
        "ctgov/NCT99000201", "euctr/2019-009001-17/Netherlands", "euctr/2019-009001-17/Sweden",
        "isrctn/99000201"]
    skin = entity(result, "ctgov/NCT99000101")
    assert [statement["key"] for statement in skin["statements"]] == [
        "ctgov/NCT99000101", "sus-trials/SUS-2026-01"]
    assert result["dead_letters"] == []


def test_what_is_read_is_what_is_published_or_refused():
    result = simulate(*TRIALS, SLOTS)
    skipped = 1  # the Schedule, by name
    assert result["read"] == result["published"] + len(result["dead_letters"]) + skipped
    statements = [statement["key"] for record in result["unified"] if record["kind"] == "ACTIVE"
                  for statement in record["statements"]]
    assert len(statements) == len(set(statements)) == result["published"]


def test_a_conflict_says_who_says_what_and_which_is_chosen():
    result = simulate(*TRIALS)
    bladder = entity(result, "ctgov/NCT99000201")
    conflict = open_conflicts(result, bladder)["enrolment"]
    assert conflict["severity"] == "MAJOR"
    said = {tuple(value["statements"]): (json.loads(value["value"]), value["chosen"])
            for value in conflict["values"]}
    assert said[("isrctn/99000201",)] == ({"count": 38, "type": "ACTUAL"}, True)
    assert said[("ctgov/NCT99000201",)] == ({"count": 41, "type": "UNSTATED"}, False)
    assert bladder["value"]["enrolment"] == {"count": 38, "type": "ACTUAL"}
    assert {open_["conflict_id"] for open_ in bladder["conflicts"]} == {
        conflict["conflict_id"] for conflict in open_conflicts(result, bladder).values()}


def test_a_placeholder_joins_nothing():
    result = simulate(CONNECTORS / "sus/ctgov.yaml")
    keys = [[statement["key"] for statement in record["statements"]]
            for record in result["unified"]]
    assert sorted(keys) == [["ctgov/NCT99000101"], ["ctgov/NCT99000102"], ["ctgov/NCT99000103"]]


def test_a_request_and_its_decision_become_one_exchange():
    result = simulate(CONNECTORS / "lu/guest-requests.yaml", CONNECTORS / "lumc/guest-decisions.yaml")
    exchange = entity(result, "lu-guests/LUMC/GUEST-2026-031")
    assert {statement["key"] for statement in exchange["statements"]} == {
        "lu-guests/LUMC/GUEST-2026-031", "lumc-guests/GUEST-2026-031"}
    value = exchange["value"]
    assert value["status"] == "ACCEPTED"
    assert value["requested"]["from"]["value"] == "2026-04-01"
    assert value["planned"]["from"]["value"] == "2026-04-13"
    assert value["person_ref"].startswith("ps:trial:")


def test_the_order_of_the_sources_changes_no_value():
    one, other = simulate(*TRIALS), simulate(*reversed(TRIALS))

    def values(result):
        return sorted((sorted(statement["key"] for statement in record["statements"]),
                       {name: value for name, value in record["value"].items()
                        if name != "statement"})
                      for record in result["unified"] if record["kind"] == "ACTIVE")

    assert values(one) == values(other)


def test_the_same_documents_give_the_same_bytes_again():
    first, second = run("hubctl", "simulate", *TRIALS), run("hubctl", "simulate", *TRIALS)
    assert first.stdout == second.stdout != ""


# --- while a shared key is replaced by the next ---


def hold(folder, names):
    """A keys folder with shared keys of these names."""
    (folder / "shared").mkdir(parents=True)
    for name in names:
        (folder / "shared" / name).write_text(name.removesuffix(".next") * 8)
    return str(folder)


def patients(configuration, keys):
    """The pseudonyms that an institution's records link to."""
    result = simulate(configuration, HUB_KEYS=keys)
    return {link["identifier"]["value"] for record in result["unified"]
            if record["kind"] == "ACTIVE" for link in record["value"]["links"]
            if link["domain"] == "patient"}


@pytest.mark.parametrize("donors, recipients, joins", [
    (["2026"], ["2026"], True),
    (["2026", "2027.next"], ["2026"], True),
    (["2026", "2027"], ["2026"], True),
    (["2026", "2027"], ["2026", "2027.next"], True),
    (["2026", "2027"], ["2026", "2027"], True),
    (["2027"], ["2026", "2027"], True),
    (["2027"], ["2027"], True),
    (["2027"], ["2026"], False),
])
def test_a_donor_is_found_in_what_another_institution_gave(tmp_path, donors, recipients, joins):
    given = patients(CONNECTORS / "sus/doses.yaml", hold(tmp_path / "sus", recipients))
    taken = patients(CONNECTORS / "lumc/material.yaml", hold(tmp_path / "lumc", donors))
    assert given and taken
    assert bool(given & taken) == joins


# --- documents of ones own ---


def test_documents_of_the_command_line_take_the_place_of_the_samples():
    result = simulate(SLOTS, FHIR / "01-slot-line-a-monday.json")
    assert [record["statements"][0]["key"] for record in result["unified"]] == [
        "lumc-mes/Slot/7001"]


def test_two_bookings_of_a_suite_at_one_time_are_a_conflict_until_one_moves():
    both = [FHIR / "02-appointment-skin.json", FHIR / "03-appointment-heart.json"]
    result = simulate(SLOTS, *both)
    overlaps = [conflict for conflict in result["conflicts"] if conflict["state"] == "OPEN"]
    assert len(overlaps) == 1
    assert set(overlaps[0]["entities"]) == {
        entity(result, "lumc-mes/Appointment/8001")["entity_id"],
        entity(result, "lumc-mes/Appointment/8002")["entity_id"]}
    result = simulate(SLOTS, *both, FHIR / "04-appointment-heart-moved.json")
    assert [conflict["state"] for conflict in result["conflicts"]] == ["RESOLVED"]


def test_a_bad_document_is_a_dead_letter_and_the_next_goes_on():
    result = simulate(SLOTS, FHIR / "05-appointment-without-end.json",
                      FHIR / "06-appointment-with-end.json")
    letter, = result["dead_letters"]
    assert (letter["stage"], letter["code"], letter["path"]) == ("map", "MISSING", "interval.end")
    assert letter["reason"] == "it is required, and the source states none"
    assert letter["document"] == "05-appointment-without-end.json"
    assert letter["connector"] == "lumc-slots"
    assert "original" not in letter
    assert entity(result, "lumc-mes/Appointment/8003")["value"]["status"] == "BOOKED"


def test_what_a_snapshot_no_longer_has_is_withdrawn(tmp_path):
    days = SAMPLES / "trials/cart-register-csv"
    rows = (days / "trials-2026-03-02.csv").read_text().splitlines(keepends=True)
    for day, name in (("03", "NCT99000302"), ("04", None)):
        kept = [row for row in rows if name is None or not row.startswith(name)]
        (tmp_path / f"trials-2026-03-{day}.csv").write_text("".join(kept))
    config = CONNECTORS / "lumc/cart-register.yaml"
    first = days / "trials-2026-03-02.csv"
    done = run("hubctl", "simulate", config, first, tmp_path / "trials-2026-03-03.csv")
    assert "1 of 4 records are no longer in it, over the limit of 20 percent" in done.stderr
    assert json.loads(done.stdout)["published"] == 4

    generous = tmp_path / "own.yaml"
    generous.write_text(config.read_text().replace("mode: snapshot", "mode: snapshot\n"
                                                   "  withdraw_max_percent: 30")
                        .replace("../tables", str(CONNECTORS / "tables")))
    result = simulate(generous, first, tmp_path / "trials-2026-03-03.csv")
    kinds = {record["statements"][0]["key"]: record["kind"] for record in result["unified"]
             if record["statements"]}
    gone = [record for record in result["unified"] if record["kind"] == "WITHDRAWN"]
    assert len(gone) == 1
    assert list(kinds.values()).count("ACTIVE") == 3
    result = simulate(generous, first, tmp_path / "trials-2026-03-03.csv",
                      tmp_path / "trials-2026-03-04.csv")
    assert entity(result, "cart-register/NCT99000302")


def test_a_persons_number_comes_out_nowhere(tmp_path):
    rows = (SAMPLES / "trials/sus-trials-csv/trials-2026-02-02.csv").read_text()
    document = tmp_path / "trials-x.csv"
    document.write_text(rows.replace("Hudskiva", "Hudskiva 811228-9874"))
    done = run("hubctl", "simulate", CONNECTORS / "sus/trials.yaml", document)
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert [letter["stage"] for letter in result["dead_letters"]] == ["guard"]
    assert [record["statements"][0]["key"] for record in result["unified"]] == [
        "sus-trials/SUS-2026-02"]
    assert "9874" not in done.stdout + done.stderr


# --- errors ---


def test_without_arguments_it_says_how_it_goes():
    done = run("hubctl", "simulate")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: hubctl simulate ")


def test_a_document_before_its_configuration_is_refused():
    done = run("hubctl", "simulate", FHIR / "02-appointment-skin.json", SLOTS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a connector's .yaml comes before its documents" in done.stderr


def test_a_context_that_is_none_is_refused():
    done = run("hubctl", "simulate", SLOTS, "--context", "request")
    assert (done.returncode, done.stdout) == (2, "")
    assert "A.B=C such as request.sending_hei_id=lu.se would pass" in done.stderr


def test_a_bad_configuration_is_told_with_its_place_and_nothing_is_printed(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(SLOTS.read_text().replace("suite:", "siute:"))
    done = run("hubctl", "simulate", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hubctl: {path}:")
    assert "unknown key 'siute'; did you mean 'suite'?" in done.stderr


def test_a_document_that_is_not_there_is_told():
    done = run("hubctl", "simulate", SLOTS, "none.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hubctl: none.json: No such file or directory\n"


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "\x00", '{"resourceType": "Slot"}',
                                  '{"resourceType": "Unheard"}'])
def test_whatever_a_document_holds_it_is_accounted_for(tmp_path, text):
    path = tmp_path / "any.json"
    path.write_text(text)
    result = simulate(SLOTS, path)
    assert (result["read"], result["published"], len(result["dead_letters"])) == (1, 0, 1)
