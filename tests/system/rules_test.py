"""Rules that change: rehearsed on history, put in force by the log, kept by a hub that restarts."""

import json
import re
import shutil

import pytest

from installations import take
from stack.installation import ROOT
from stack.process import wait_until

DECIDED = ("--reason", "The steering group, 3 March.", "--by", "anna")


@pytest.fixture(scope="module")
def installation(install):
    started = install()
    take(started)
    return started


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory):
    """The schemas with another register believed about participants, and fewer conflicts."""
    folder = tmp_path_factory.mktemp("rules") / "schemas"
    shutil.copytree(ROOT / "schemas", folder)
    edited(folder, '{"precedence": ["ACTUAL"], "of": "type"}, {"authority": ["role:sponsor"]}',
           '{"authority": ["system:ctgov"]}')
    return edited(folder, '"hub:conflict": "minor"', '"hub:conflict": "ignore"')


def edited(folder, before, after):
    path = folder / "domains" / "trial.avsc"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) >= 1
    path.write_text(text.replace(before, after), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trial(installation, other_folder):
    """A trial for which the other rules choose otherwise, and a field of it."""
    report = json.loads(installation.ctl_result("rules", "diff", "trial", "--to", other_folder,
                                                "-o", "json").stdout)
    return next((sample["entity"], sample["field"]) for sample in report["values_changed"]["samples"])


def chosen(installation, trial):
    """What the field says, and by which rules."""
    entity = installation.ctl_json("entity", "show", trial[0])
    return entity["value"][trial[1]], entity["rules"]


def shards(installation, domain="trial"):
    return json.loads(installation.ctl("rules", "show", domain, "-o", "json"))


def activate(installation, folder, report, *more):
    return installation.ctl_result("rules", "activate", "trial", "--to", folder, "--report", report,
                                   *DECIDED, *more)


def test_every_log_names_its_rules_from_the_beginning(installation):
    shown = json.loads(installation.ctl("rules", "show", "-o", "json"))
    assert {shard["domain"] for shard in shown} >= {"trial", "gmp-slot", "batch"}
    for shard in shown:
        assert shard["named"] and shard["same"]
        assert [entry["offset"] for entry in shard["history"]] == [0]


def test_the_rules_in_force_differ_from_themselves_in_nothing(installation):
    same = installation.ctl_result("rules", "diff", "trial")
    assert same.returncode == 0, same.stdout + same.stderr
    assert "0  fields whose value changes" in same.stdout


def test_a_rehearsal_says_what_changes_and_changes_nothing(installation, other_folder, trial,
                                                           tmp_path):
    before = chosen(installation, trial)
    rehearsed = installation.ctl_result("rules", "diff", "trial", "--to", other_folder, "--report",
                                        tmp_path / "report.json", "-o", "json")
    assert rehearsed.returncode == 1, rehearsed.stdout + rehearsed.stderr
    report = json.loads(rehearsed.stdout)
    assert report["fields"][trial[1]] > 0
    assert report["conflicts_closed"]["count"] > 0 == report["conflicts_opened"]["count"]
    sample = report["values_changed"]["samples"][0]
    assert sample["was"]["statement"] != sample["is"]["statement"]
    assert report["from"] == shards(installation)[0]["in_force"] != report["to"]
    assert chosen(installation, trial) == before


def test_a_domain_file_beside_the_folders_other_texts_comes_to_the_same(installation, other_folder):
    whole = installation.ctl_result("rules", "diff", "trial", "--to", other_folder)
    single = installation.ctl_result("rules", "diff", "trial", "--to",
                                     other_folder / "domains" / "trial.avsc")
    assert whole.stdout == single.stdout


def test_rules_without_the_report_of_their_rehearsal_are_refused(installation, other_folder,
                                                                 tmp_path):
    wrong = activate(installation, other_folder, "0" * 64)
    assert wrong.returncode == 1 and "not 0000" in wrong.stderr
    assert activate(installation, other_folder, tmp_path / "none.json").returncode == 3
    same = tmp_path / "same.json"
    assert installation.ctl_result("rules", "diff", "trial", "--report", same).returncode == 0
    of_others = activate(installation, other_folder, same)
    assert of_others.returncode == 1
    assert "refused: report: it is of other rules" in of_others.stdout
    assert len(shards(installation)[0]["history"]) == 1


def test_another_shape_is_refused(installation, tmp_path):
    folder = tmp_path / "schemas"
    shutil.copytree(ROOT / "schemas", folder)
    edited(folder, '"name": "acronym"', '"name": "short_name"')
    result = installation.ctl_result("rules", "diff", "trial", "--to", folder)
    assert result.returncode == 1 and "acronym has another shape" in result.stderr


def test_rules_in_force_change_what_is_believed_and_outlive_a_killed_hub(installation, other_folder,
                                                                         trial, tmp_path):
    report = tmp_path / "report.json"
    installation.ctl_result("rules", "diff", "trial", "--to", other_folder, "--report", report)
    printed = installation.ctl_result("rules", "diff", "trial", "--to", other_folder).stdout
    before, rules_before = chosen(installation, trial)
    conflicts_before = len(installation.ctl_json("conflict", "list", "--domain", "trial"))
    done = activate(installation, other_folder, report)
    assert done.returncode == 0, done.stdout + done.stderr
    after, rules_after = chosen(installation, trial)
    assert after != before and rules_after != rules_before
    assert len(installation.ctl_json("conflict", "list", "--domain", "trial")) < conflicts_before
    history = shards(installation)[0]["history"]
    assert [entry["effect"] for entry in history] == [True, True]
    assert history[1]["report"] == re.search("report ([0-9a-f]{64})", printed)[1]
    assert history[1]["replaces"] == rules_before
    installation.hub.kill()
    installation.start_hub()
    take(installation)
    assert chosen(installation, trial) == (after, rules_after)
    wait_until(lambda: "rules_not_in_force" in (installation.folder / "hub.log").read_text(),
               "a word about the folder's rules", 30)
    assert "NOT IN FORCE" in installation.ctl("rules", "show", "trial")
    status = installation.ctl("status")
    assert "every input is accounted for" in status
    assert f"trial: folded by the rules {rules_after}" in status


def test_the_log_folded_again_gives_what_was_published_under_either_folder(installation,
                                                                           other_folder):
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "trial")
    assert installation.ctl_result("--schemas", other_folder, "schema", "lock").returncode == 0
    assert ", 0 compacted away, 0 differences" in installation.ctl("--schemas", other_folder, "refold", "trial")


def test_a_hub_with_the_new_folder_goes_on(installation, other_folder, trial):
    before = chosen(installation, trial)
    installation.hub.stop()
    installation.schemas = other_folder
    installation.start_hub()
    take(installation)
    assert chosen(installation, trial) == before
    assert all(shard["same"] for shard in shards(installation))
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "trial")


def test_the_same_report_does_not_serve_twice(installation, tmp_path):
    report = tmp_path / "report.json"
    again = installation.ctl_result("rules", "diff", "trial", "--from", ROOT / "schemas", "--to",
                                    "file", "--report", report)
    assert again.returncode == 1
    refused = activate(installation, "file", report)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "it is of other rules" in refused.stdout
