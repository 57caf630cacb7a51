"""What people decide, through hubctl and a running hub, also one that is killed in between."""

import json

import pytest

from installations import entity_of, statement_keys, take
from stack.installation import connector_files

REASON = ("--reason", "As the protocol says.")


@pytest.fixture(scope="module")
def installation(install):
    started = install()
    take(started, [file for file in connector_files() if "domain: trial" in file.read_text()])
    return started


def entity(installation, key):
    return entity_of(installation.ctl_json("entity", "list"), key)


def decide(installation, *arguments, by="anna"):
    return installation.ctl_result(*arguments, *REASON, "--by", by)


def enrolment_conflict(installation):
    return f"{entity(installation, 'ctgov/NCT99000201')['entity_id']}/enrolment"


def test_a_choice_changes_the_unified_record_and_outlives_a_killed_hub(installation):
    conflict_id = enrolment_conflict(installation)
    before = entity(installation, "ctgov/NCT99000201")["value"]["enrolment"]
    assert before["count"] != 41
    done = decide(installation, "conflict", "resolve", conflict_id, "--statement",
                  "ctgov/NCT99000201")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "decided" in done.stdout
    installation.hub.kill()
    installation.start_hub()
    installation.wait_until_settled()
    found = entity(installation, "ctgov/NCT99000201")
    assert found["value"]["enrolment"]["count"] == 41
    assert "enrolment" not in {conflict["field"] for conflict in found["conflicts"]}
    shown = json.loads(installation.ctl("conflict", "show", conflict_id))
    assert shown["state"] == "RESOLVED" and shown["decision"]["decided_by"] == "anna"
    assert conflict_id not in installation.ctl("conflict", "list")


def test_a_decision_taken_back_opens_the_conflict_again(installation):
    conflict_id = enrolment_conflict(installation)
    assert decide(installation, "conflict", "reopen", conflict_id).returncode == 0
    assert conflict_id in installation.ctl("conflict", "list")
    assert entity(installation, "ctgov/NCT99000201")["value"]["enrolment"]["count"] != 41


def test_a_deferred_conflict_is_listed_only_with_all(installation):
    conflict_id = enrolment_conflict(installation)
    assert decide(installation, "conflict", "defer", conflict_id).returncode == 0
    assert conflict_id not in installation.ctl("conflict", "list")
    assert conflict_id in installation.ctl("conflict", "list", "--all")


def test_a_statement_can_be_separated_and_joined_again(installation):
    whole = entity(installation, "isrctn/99000201")
    done = decide(installation, "entity", "separate", whole["entity_id"], "--statement",
                  "isrctn/99000201")
    assert done.returncode == 0, done.stdout + done.stderr
    apart = entity(installation, "isrctn/99000201")
    assert statement_keys(apart) == ["isrctn/99000201"]
    rest = entity(installation, "ctgov/NCT99000201")
    assert set(statement_keys(rest)) == set(statement_keys(whole)) - {"isrctn/99000201"}
    installation.hub.kill()
    installation.start_hub()
    assert statement_keys(entity(installation, "isrctn/99000201")) == ["isrctn/99000201"]
    founders = {apart["entity_id"], rest["entity_id"]}
    assert whole["entity_id"] in founders


def test_what_cannot_be_decided_is_refused_as_an_event(installation):
    conflict_id = enrolment_conflict(installation)
    done = decide(installation, "conflict", "resolve", conflict_id, "--statement", "euctr/nobody")
    assert done.returncode == 1
    assert "gives none of the values" in done.stdout
    assert json.loads(installation.ctl("conflict", "show", conflict_id))["refused"]


def test_a_decision_needs_a_reason_and_something_to_decide(installation):
    conflict_id = enrolment_conflict(installation)
    assert installation.ctl_result("conflict", "defer", conflict_id, "--by", "anna").returncode == 2
    assert decide(installation, "conflict", "resolve", conflict_id).returncode == 2
    assert decide(installation, "conflict", "defer", "trial-nowhere/enrolment").returncode == 3
    assert decide(installation, "entity", "join", "trial-nowhere", "trial-nowhere2").returncode == 3


def test_decisions_are_accounted_for_and_folded_again(installation):
    installation.wait_until_settled()
    status = installation.ctl_result("status")
    assert status.returncode == 0, status.stdout
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "trial")
