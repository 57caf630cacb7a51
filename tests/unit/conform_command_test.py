"""connector conform: a good configuration passes every check, and each check has those that do not."""

import json

import pytest

from programs import ROOT, run

CHECKS = ["duplicates", "reordering", "unknown fields", "kill", "clock", "canary"]
GOOD = """\
connector: trying
institution: sus
system: sus-trials
source: {transport: file-drop, format: json, folder: .}
target: {domain: trial}
records:
  - key: id
    version: rev
    fields:
      acronym: name
      start: {from: start, time: {formats: [date]}}
tests:
  - {input: first.json, expect: [{acronym: SKIN}]}
  - {input: second.json, expect: [{acronym: BONE}]}
"""
FIRST = {"id": "A-1", "rev": 1, "name": "SKIN", "start": "2026-03-01", "more": {"x": "y"}}
SECOND = {**FIRST, "rev": 2, "name": "BONE"}
# Its answer depends on how often it was asked.
COUNTING = """\
filter:
  - python3
  - -uc
  - |
    import json, sys
    for line in sys.stdin:
        q = json.loads(line)
        q["document"]["name"] += str(q["number"])
        print(json.dumps(q))
records:
"""
SNAPSHOT = ("folder: .", "folder: ., mode: snapshot")


@pytest.fixture
def conform(tmp_path):
    """Runs it over a configuration, in which texts are replaced by others, and its samples; gives the exit
    code and {check: what is told of it}."""

    def run_conform(*changes, first=FIRST, second=SECOND, configuration=GOOD, code=None):
        for old, new in changes:
            assert old in configuration
            configuration = configuration.replace(old, new)
        (tmp_path / "first.json").write_text(json.dumps(first))
        (tmp_path / "second.json").write_text(json.dumps(second))
        (tmp_path / "own.yaml").write_text(configuration)
        done = run("connector", "conform", tmp_path / "own.yaml", "-o", "json")
        assert done.stdout and not done.stderr, done.stderr
        told = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
        failed = [name for name, check in told.items() if check["outcome"] == "failed"]
        assert done.returncode == (1 if failed else 0)
        assert list(told) == CHECKS
        return told

    return run_conform


def outcomes(told):
    return {name: check["outcome"] for name, check in told.items()}


def found(check, outcome):
    """Its findings with that outcome."""
    return [finding for finding in check["findings"] if finding["outcome"] == outcome]


def test_a_good_configuration_passes_every_check(conform):
    told = conform()
    assert outcomes(told) == dict.fromkeys(CHECKS, "ok")
    assert not any(check["findings"] for check in told.values())
    assert told["reordering"]["tried"].endswith("1 records of which different things are said")


def test_so_does_one_whose_source_is_read_again(conform):
    assert outcomes(conform(SNAPSHOT)) == dict.fromkeys(CHECKS, "ok")


@pytest.mark.parametrize("path", ["lu/guest-researchers", "lumc/calendar", "sus/slots", "lu/ladok",
                                  "sus/trials", "sus/euctr-text"])
def test_configurations_of_every_format_fail_in_nothing(path):
    done = run("connector", "conform", ROOT / "connectors" / f"{path}.yaml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "failed" not in done.stdout


# --- duplicates, and a kill ---


def test_a_filter_that_counts_says_something_else_when_it_is_told_again_or_begun_anew(conform):
    told = conform(("records:\n", COUNTING))
    assert "says something else, of 'sus-trials/A-1'" in told["duplicates"]["findings"][0]["what"]
    assert told["duplicates"]["findings"][0]["document"] == "first.json"
    finding, backwards = told["kill"]["findings"]
    assert finding["document"] == "second.json" and backwards["document"] == "first.json"
    assert "trying/2/0 is another one" in finding["what"]
    assert outcomes(told)["reordering"] == outcomes(told)["unknown fields"] == "failed"


def test_of_a_source_that_is_read_again_it_is_told_anew_at_every_reading(conform):
    told = conform(("records:\n", COUNTING), SNAPSHOT)
    assert "read again as it was, it goes out again" in told["duplicates"]["findings"][0]["what"]


def test_a_filter_that_answers_once_gives_fewer_records_the_second_time(conform):
    told = conform(("records:\n", COUNTING.replace('q["document"]["name"] += str(q["number"])', """\
if q["number"] % 2 == 0:
            q["document"] = []""")), ("folder: .}", "folder: .}\nempty: accept"),
                   ("key: id", "for_each: .\n    when: {present: id}\n    key: id"))
    assert outcomes(told)["duplicates"] == outcomes(told)["kill"] == "failed"


def test_a_key_that_two_records_of_a_document_have_is_remarked_on(conform):
    two = [FIRST, {**FIRST, "rev": 2, "name": "OTHER"}]
    told = conform(SNAPSHOT, ("key: id", "for_each: .\n    key: id"), first=two)
    assert outcomes(told)["duplicates"] == "remark"
    assert told["duplicates"]["findings"][0]["key"] == "sus-trials/A-1"


# --- reordering ---


def test_two_states_under_one_version_are_found(conform):
    told = conform(("version: rev", "version: {value: '1'}"))
    assert outcomes(told)["reordering"] == "failed"
    finding, = told["reordering"]["findings"]
    assert (finding["document"], finding["key"]) == ("second.json", "sus-trials/A-1")
    assert "something else than first.json under the same version '1'" in finding["what"]
    assert "'tie: position', would pass" in finding["what"]


def test_where_the_position_decides_it_is_remarked_on(conform):
    told = conform(("version: rev", "version: {tie: position}"))
    assert outcomes(told)["reordering"] == "remark"
    finding, = told["reordering"]["findings"]
    assert finding["key"] == "sus-trials/A-1" and "read later holds" in finding["what"]


def test_a_version_that_orders_otherwise_than_the_events_is_remarked_on(conform):
    told = conform(("version: rev", "version: said\n    event_time: {from: said, time: "
                    "{formats: ['%d.%m.%Y'], zone: UTC}}"),
                   first={**FIRST, "said": "21.01.2026"}, second={**SECOND, "said": "03.02.2026"})
    assert "their event times in the other" in told["reordering"]["findings"][0]["what"]
    assert outcomes(told)["reordering"] == "remark"


def test_an_answer_that_depends_on_the_order_is_found(conform):
    told = conform(("records:\n", COUNTING))
    assert "told backwards, another word of it holds" in told["reordering"]["findings"][0]["what"]


def test_without_two_states_of_a_record_no_order_is_tried(conform):
    told = conform(second={**SECOND, "id": "A-2"})
    assert outcomes(told)["reordering"] == "not tried"
    assert "two states of one would try it" in told["reordering"]["tried"]


def test_where_documents_build_on_others_their_order_is_remarked_on_and_a_kill_changes_nothing(conform):
    told = conform(("version: rev", "version: rev\n    update: patch"),
                   ("  - {input: second.json, expect: [{acronym: BONE}]}\n",
                    "  - {input: first.json, context: {file: {x: y}}}\n  - {input: second.json}\n"),
                   second={"id": "A-1", "rev": 2, "name": "BONE"})
    assert outcomes(told) == {**dict.fromkeys(CHECKS, "ok"), "reordering": "remark"}
    assert "by 'update' or 'replaces'" in told["reordering"]["findings"][0]["what"]


# --- unknown fields ---


def test_a_path_that_takes_every_member_is_found(conform):
    told = conform(("acronym: name", "acronym: 'more.*'"), ("SKIN", "y"), ("BONE", "y"),
                   first={**FIRST, "more": {}}, second={**SECOND, "more": {}})
    assert outcomes(told)["unknown fields"] == "failed"
    first, second = told["unknown fields"]["findings"]
    assert (first["document"], first["key"], first["field"]) == ("first.json", "sus-trials/A-1",
                                                                 "more")
    assert second["document"] == "second.json" and "without '*'" in second["what"]


# --- clock ---


def test_a_key_and_a_version_of_the_same_time_are_found(conform):
    said = ({**FIRST, "said": "2026-03-01T12:00:00Z"}, {**SECOND, "said": "2026-03-02T12:00:00Z"})
    change = ("key: id\n    version: rev", "key: [id, said]\n    version: said")
    told = conform(change, first=said[0], second=said[1])
    first, *_ = found(told["clock"], "failed")
    assert (first["document"], first["field"]) == ("first.json", "said")
    assert first["key"] == "sus-trials/A-1/2026-03-01T12:00:00Z"
    tied = conform((change[0], change[1].replace("said\n", "said\n").replace(
        "version: said", "version: {from: said, tie: position}")), first=said[0], second=said[1])
    assert outcomes(tied)["clock"] == "remark"


def test_an_event_that_is_later_than_its_recording_is_found(conform):
    told = conform(("version: rev", "version: rev\n    event_time: {from: start, time: {formats: "
                    "[date], zone: UTC}}\n    recorded_time: {from: said, time: {formats: [rfc3339]}}"),
                   first={**FIRST, "said": "2026-02-28T23:00:00Z"},
                   second={**SECOND, "said": "2026-03-02T12:00:00Z"})
    finding, = found(told["clock"], "failed")
    assert finding["document"] == "first.json" and "3600 s later" in finding["what"]


def test_versions_and_event_times_of_a_clock_are_remarked_on(conform):
    told = conform(("version: rev", "version: said\n    event_time: {from: said, time: "
                    "{formats: ['%Y-%m-%dT%H:%M:%S'], zone: UTC}}"),
                   first={**FIRST, "said": "2026-03-01T12:00:00"},
                   second={**SECOND, "said": "2026-03-02T12:00:00"})
    assert outcomes(told)["clock"] == "remark"
    what = [finding["what"] for finding in told["clock"]["findings"]]
    assert [text.split(":")[0] for text in what] == [
        "versions are this time without an offset", "versions are of this clock",
        "event times are of this clock"]


def test_without_a_date_no_clock_is_tried(conform):
    plain = [{key: value for key, value in sample.items() if key != "start"}
             for sample in (FIRST, SECOND)]
    told = conform(first=plain[0], second=plain[1])
    assert outcomes(told)["clock"] == "not tried"


# --- canary ---


@pytest.mark.parametrize("change, place, kind, where", [
    (("acronym: name", "acronym: {join: [{value: T}, name], with: ''}"), "name", "a personnummer",
     "the field acronym"),
    (("acronym: name", "acronym: {from: name, match: '^(?:19)?([0-9]+|[A-Z]+)'}"), "name",
     "a personnummer", "the field acronym"),
    (("key: id", "key: {join: [{value: T}, id], with: ''}"), "id", "a samordningsnummer", "the key"),
], ids=["joined", "cut", "key"])
def test_a_number_that_the_mapping_hides_from_the_guard_is_found(conform, change, place, kind,
                                                                 where):
    configuration = GOOD[:GOOD.index("tests:")] + "tests: [{input: first.json}, {input: second.json}]\n"
    told = conform(change, configuration=configuration)
    assert outcomes(told) == {**dict.fromkeys(CHECKS, "ok"), "canary": "failed"}
    leaks = {(finding["document"], finding["field"], finding["what"].split(" planted")[0]):
             finding["what"] for finding in told["canary"]["findings"]}
    assert f"goes out in {where} in clear" in leaks["first.json", place, kind]
    assert {leak[1] for leak in leaks} == {place}


def test_of_many_findings_the_first_are_shown_and_the_others_counted(conform):
    many = [{**FIRST, "id": f"A-{number}"} for number in range(14)]
    told = conform(("key: id\n    version: rev", "for_each: .\n    key: id\n    version: {value: 1}"),
                   first=many, second=[{**one, "name": "BONE"} for one in many],
                   configuration=GOOD.replace(", expect: [{acronym: SKIN}]", "").replace(
                       ", expect: [{acronym: BONE}]", ""))
    assert len(told["reordering"]["findings"]) == 10 and told["reordering"]["left_out"] == 4


# --- what is tried, and how it is told ---


def test_people_read_a_line_a_check_and_then_what_was_found(tmp_path):
    (tmp_path / "own.yaml").write_text(GOOD.replace("version: rev", "version: {value: '1'}"))
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, sample in ("a.json", FIRST), ("b.json", SECOND):
        (folder / name).write_text(json.dumps(sample))
    done = run("connector", "conform", tmp_path / "own.yaml", "--samples", folder)
    head, findings = done.stdout.split("\n\n")
    lines = head.splitlines()
    assert done.returncode == 1
    assert lines[0] == "trying: 2 documents, 2 records, 0 refused"
    assert [line[11:27].strip() for line in lines[1:]] == CHECKS
    assert [line[:9].strip() for line in lines[1:]] == ["ok", "failed", "ok", "ok", "ok", "ok"]
    assert findings.startswith("reordering: failed: document b.json: key sus-trials/A-1: it says")


def test_a_test_of_the_same_document_in_another_context_is_another_document(conform):
    told = conform(("tests:\n", "tests:\n  - {input: first.json}\n"
                    "  - {input: first.json, context: {header: {x: y}}}\n"))
    assert "each of 3 documents" in told["duplicates"]["tried"]


@pytest.mark.parametrize("tests, told", [
    ("", "nothing can be tried: of its 0 documents none gives a record"),
    ("tests: [{input: empty.json}]\n", "nothing can be tried: of its 1 documents none gives a record"),
    ("tests: [{input: none.json}]\n", "none.json: No such file or directory"),
    ("tests: [{context: {}}]\n", "a test needs an 'input'"),
])
def test_without_a_good_sample_nothing_is_said_to_be_good(tmp_path, tests, told):
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "own.yaml").write_text(GOOD[:GOOD.index("tests:")] + tests)
    done = run("connector", "conform", tmp_path / "own.yaml")
    assert done.returncode == 1 and told in done.stdout
    assert "ok" not in done.stdout


def test_who_subscribes_reads_no_source(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "connector: trying\ninstitution: sus\nsubscribe: {topics: [unified.trial]}\n"
        "target: {transport: file-out, folder: out}\n")
    done = run("connector", "conform", tmp_path / "own.yaml")
    assert done.returncode == 1 and "conform" in done.stderr
