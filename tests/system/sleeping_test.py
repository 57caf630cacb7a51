"""A hub that may have hardly anything in memory publishes what one does that has everything there: hubctl refold
folds each log with everything awake, and compares every record of the topics byte by byte."""

import json
import re
import shutil
import urllib.request

import pytest

from installations import OWN_SAMPLES, entity_of, take
from stack.installation import ROOT
from stack.process import wait_until

DOMAINS = ["trial", "gmp-slot", "exchange", "product", "material", "batch"]


def metrics(installation, name):
    """{task: number}"""
    with urllib.request.urlopen(f"{installation.registry}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {task: int(number)
            for task, number in re.findall(rf'^{name}{{task="(\w+)"}} (\d+)$', text, re.MULTILINE)}


def slept(installation):
    return metrics(installation, "atmp_put_to_sleep_total")


@pytest.fixture(scope="module")
def installation(install):
    started = install(OWN_SAMPLES, hub=False)
    started.hub_arguments = ["--awake-max", "1", "--batch-count-max", "7"]
    started.start_hub()
    take(started)
    return started


def expect_no_difference(installation, domain):
    refolded = installation.ctl_result("refold", domain)
    assert refolded.returncode == 0, refolded.stdout + refolded.stderr
    assert " 0 differences" in refolded.stdout


def test_admit_and_fold_have_slept_many_times(installation):
    found = slept(installation)
    assert found["admit"] > 20 and found["fold"] > 20, found


def test_what_is_in_memory_is_not_more_than_it_may_be(installation):
    wait_until(lambda: max(metrics(installation, "atmp_statements_awake").values()) <= 1,
               "everything asleep")


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_it_published_is_what_a_hub_that_never_sleeps_would_have(installation, domain):
    expect_no_difference(installation, domain)


def test_every_statement_is_accounted_for(installation):
    assert not json.loads(installation.ctl_result("status", "-o", "json").stdout)["wrong"]


def test_what_came_before_is_known_in_its_sleep(installation):
    """The same documents once more change nothing."""
    before = installation.ctl_json("entity", "list")
    take(installation)
    assert installation.ctl_json("entity", "list") == before
    for domain in DOMAINS:
        expect_no_difference(installation, domain)


def test_a_decision_wakes_what_it_is_about(installation):
    entity = entity_of(installation.ctl_json("entity", "list"), "ctgov/NCT99000201")
    installation.ctl("conflict", "resolve", f"{entity['entity_id']}/enrolment", "--statement",
                     "ctgov/NCT99000201", "--by", "anna", "--reason", "As the protocol says.")
    installation.wait_until_settled()
    decided = entity_of(installation.ctl_json("entity", "list"), "ctgov/NCT99000201")
    assert decided["value"]["enrolment"]["count"] == 41
    for domain in DOMAINS:
        expect_no_difference(installation, domain)


def test_rules_that_change_wake_what_they_touch(installation, tmp_path):
    """Another register is believed about participants."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    edited = tmp_path / "schemas" / "domains" / "trial.avsc"
    before = '{"precedence": ["ACTUAL"], "of": "type"}, {"authority": ["role:sponsor"]}'
    text = edited.read_text(encoding="utf-8")
    assert text.count(before) == 1
    edited.write_text(text.replace(before, '{"authority": ["system:ctgov"]}'), encoding="utf-8")
    report = tmp_path / "report.json"
    assert installation.ctl_result("rules", "diff", "trial", "--to", tmp_path / "schemas", "--report",
                                   report).returncode == 1
    installation.ctl("rules", "activate", "trial", "--to", tmp_path / "schemas", "--report", report,
                     "--by", "anna", "--reason", "The steering group, 3 March.")
    installation.wait_until_settled()
    shown = json.loads(installation.ctl("rules", "show", "trial", "-o", "json"))
    assert all(len(shard["history"]) == 2 for shard in shown)
    expect_no_difference(installation, "trial")
