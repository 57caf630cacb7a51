"""The connector program: list, check and dry-run. Nothing here needs Kafka."""

import json

import pytest

from programs import ROOT, run

CONFIGURATIONS = sorted((ROOT / "connectors").glob("*/*.yaml"))

HEAD = """\
connector: trying
institution: sus
system: sus-trials
source: {transport: file-drop, format: json, folder: .}
target: {domain: trial}
"""

RECORDS = """\
records:
  - key: id
    version: {tie: position}
    fields:
      acronym: name
      status: {from: status, table: {open: RECRUITING}, else: reject}
      enrolment: {count: subjects, type: {value: TARGET}}
tests:
  - {input: sample.json, expect: [{acronym: SKIN}]}
"""

SAMPLE = {"id": "A-1", "name": "SKIN", "status": "open", "subjects": 24}


@pytest.fixture
def write(tmp_path):
    """Writes a configuration beside its sample; gives its path."""
    (tmp_path / "sample.json").write_text(json.dumps(SAMPLE))

    def write_configuration(records=RECORDS, head=HEAD):
        path = tmp_path / "own.yaml"
        path.write_text(head + records)
        return path

    return write_configuration


def fields(text):
    """A configuration's records with these fields, the first of them on line 10."""
    return "records:\n  - key: id\n    version: {tie: position}\n    fields:\n" + text


# --- check ---


def test_there_are_configurations_of_every_institution():
    assert {path.parent.name for path in CONFIGURATIONS} >= {"sus", "lu", "lumc"}


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_configuration_of_the_project_passes_its_check(path):
    done = run("connector", "check", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: ok\n", "")


def test_several_files_are_checked_in_one_go_and_one_finding_is_enough(write):
    good, bad = CONFIGURATIONS[0], write(fields("      acronim: a\n"))
    done = run("connector", "check", good, bad)
    assert done.returncode == 1
    assert f"{good}: ok\n" in done.stdout
    assert f"{bad}:10:7: unknown key 'acronim'" in done.stderr


def test_a_good_configuration_of_ones_own_passes(write):
    path = write()
    assert run("connector", "check", path).stdout == f"{path}: ok\n"


@pytest.mark.parametrize("text, place, told", [
    ("      acronim: a\n", "10:7", "unknown key 'acronim'; did you mean 'acronym'?"),
    ("      enrolment: {count: a}\n", "10:18", "field 'type' is required and not mapped"),
    ("      enrolment: a\n", "10:18", "{part: value, ...} would pass"),
    ("      start: a\n", "10:14", "a date or time needs time: {formats: [...]}"),
    ("      enrolment: {count: {value: many}, type: {value: TARGET}}\n", "10:34",
     "'many': a whole number would pass"),
    ("      status: {value: RECRUTING}\n", "10:23",
     "'RECRUTING' is no symbol of atmp.TrialStatus; did you mean RECRUITING?"),
    ("      status: {from: a, table: {open: RECRUITING}}\n", "10:15",
     "'else' must say what becomes of anything not listed: reject, keep, null, or a text"),
    ("      status: {from: a, table: none.csv, else: reject}\n", "10:32",
     "none.csv: No such file or directory"),
    ("      acronym: {from: a, match: '('}\n", "10:33", "at character 2: "),
    ("      acronym: 'a['\n", "10:16", "path 'a[': "),
    ("      identifiers: {scheme: ntc, value: a, relation: self}\n", "10:29",
     "'ntc' is no scheme of schemes.json; this domain's are nct,"),
    ("      sponsor: {from: a, lookup: organisations, else: other}\n", "10:55",
     "reject, keep_text or null would pass"),
])
def test_an_error_has_its_file_line_and_column_and_what_would_pass(write, text, place, told):
    path = write(fields(text))
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"{path}:{place}: ")
    assert told in done.stderr


def test_a_required_field_of_the_domain_that_is_not_mapped_is_named(write):
    head = HEAD.replace("sus-trials", "lumc-mes").replace("sus", "lumc").replace("trial}",
                                                                                  "gmp-slot}")
    path = write(fields("      suite: a\n"), head)
    done = run("connector", "check", path)
    assert done.stderr == f"{path}:10:7: field 'facility' is required and not mapped\n"


@pytest.mark.parametrize("old, new, place, told", [
    ("institution: sus", "institution: lu", "2:14", "sus may"),
    ("system: sus-trials", "system: other", "3:9", "'other' is not in systems.json"),
    ("file-drop", "file-dorp", "4:21", "did you mean 'file-drop'; there are: atom, file-drop, http-poll, mllp"),
    ("format: json", "format: csv, delimiter: ';;'", "4:56", "one of ,, ;"),
    (", folder: .", "", "4:9", "'folder' is missing: "),
    ("domain: trial", "domain: trail", "5:18", "did you mean 'trial'"),
    ("target:", "traget:", "5:1", "unknown key 'traget'; did you mean 'target'?"),
])
def test_an_error_around_the_mapping_has_its_place_too(write, old, new, place, told):
    path = write(head=HEAD.replace(old, new))
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}:{place}: ")
    assert told in done.stderr


def test_a_path_that_fills_nothing_in_any_sample_is_a_finding(write):
    path = write(RECORDS.replace("acronym: name", "acronym: {first: [nmae, name]}"))
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stdout == (f"{path}:10:25: this fills nothing in any of the file's own samples; "
                           "did you mean 'name'?\n")


def test_a_configuration_without_tests_is_a_finding(write):
    path = write(RECORDS[:RECORDS.index("tests:")])
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:1:1: no 'tests'")


def test_an_expectation_that_is_not_met_is_a_finding_with_the_record(write):
    path = write(RECORDS.replace("acronym: SKIN", "acronym: HEART"))
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:14:45: not so in the record: ")
    assert '"acronym": "SKIN"' in done.stdout


def test_a_file_that_is_not_there_or_no_yaml_is_told(tmp_path):
    done = run("connector", "check", tmp_path / "none.yaml")
    assert (done.returncode, done.stderr) == (
        1, f"{tmp_path}/none.yaml: No such file or directory\n")
    path = tmp_path / "broken.yaml"
    path.write_text("connector: [a\nb: c\n")
    done = run("connector", "check", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}:2:")


# --- dry-run ---


def test_a_dry_run_shows_the_status_of_each_field_and_publishes_nothing(write, tmp_path):
    done = run("connector", "dry-run", write(), "--input", tmp_path / "sample.json",
               "--bootstrap", "127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "sus-trials/A-1"
    status = {line.split()[0]: line.split()[1] for line in lines[1:-1]}
    assert status["acronym"] == status["status"] == status["enrolment"] == "ok"
    assert status["sponsor"] == status["identifiers"] == "absent"
    assert lines[-1] == "1 records, 0 refused, 0 skipped; nothing was published"


def test_a_dry_run_of_a_bad_document_says_which_field_and_why(write, tmp_path):
    sample = tmp_path / "bad.json"
    sample.write_text(json.dumps({**SAMPLE, "status": "shut"}))
    done = run("connector", "dry-run", write(), "--input", sample)
    assert done.returncode == 1
    assert "  refused at map: status: the table of line 11 knows no such value" in done.stdout
    assert "0 records, 1 refused, 0 skipped" in done.stdout
    sample.write_text('{"id": ')
    done = run("connector", "dry-run", write(), "--input", sample)
    assert done.returncode == 1
    assert "  refused at parse: record: line 1 column " in done.stdout


def test_a_dry_run_in_json_is_one_line_a_record():
    samples = ROOT / "connectors/samples/trials/cart-register-csv/trials-2026-03-01.csv"
    done = run("connector", "dry-run", ROOT / "connectors/lumc/cart-register.yaml", "--input",
               samples, "-o", "json")
    assert done.returncode == 0
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["key"] for record in records] == [
        f"cart-register/NCT9900030{i}" for i in (1, 2, 3)]
    assert [record["place"] for record in records] == ["line=2", "line=3", "line=4"]
    assert records[0]["record"]["phases"] == ["PHASE_1", "PHASE_2"]


def test_facts_that_only_the_request_knows_come_from_the_command_line():
    arguments = ["dry-run", ROOT / "connectors/lumc/ewp-incoming.yaml", "--input",
                 ROOT / "connectors/samples/exchange/ewp-imobilities/get-response.xml"]
    done = run("connector", *arguments)
    assert done.returncode == 1
    assert "part 1 of the key is absent" in done.stdout
    done = run("connector", *arguments, "--context", "request.sending_hei_id=lu.se")
    assert done.returncode == 0
    assert done.stdout.startswith("ewp-incoming/lu.se/5b2f6b0e")
    done = run("connector", *arguments, "--context", "sending_hei_id=lu.se")
    assert done.returncode == 2
    assert "A.B=C such as request.sending_hei_id=lu.se would pass" in done.stderr


def test_a_pseudonym_hides_its_value_in_a_dry_run_too():
    sample = ROOT / "connectors/samples/exchange/lu-guests-csv/requests-2026-02.csv"
    done = run("connector", "dry-run", ROOT / "connectors/lu/guest-requests.yaml", "--input", sample)
    assert done.returncode == 0
    assert "ps:trial:" in done.stdout
    assert "0000-0002-1825-0097" not in done.stdout


# --- keys ---


@pytest.fixture
def keys(tmp_path):
    """A keys folder; gives it and what writes a key of a part."""
    def write_key(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    write_key("shared/2026", "0123456789abcdef" * 2)
    return tmp_path, write_key


def told_keys(done):
    """{part and name: (check, use)}"""
    lines = [line.split(maxsplit=3) for line in done.stdout.splitlines()[1:]]
    return {(line[0], line[1]): tuple(line[2:]) for line in lines}


def test_keys_are_told_of_and_never_shown(keys):
    folder, write_key = keys
    write_key("shared/2027.next", "fedcba9876543210" * 2)
    write_key("local/sus", "fedcba9876543210" * 2)
    done = run("connector", "keys", "--keys", folder)
    assert (done.returncode, done.stderr) == (0, "")
    told = told_keys(done)
    assert told["shared", "2026"][1] == "in use"
    assert told["shared", "2027.next"][1] == "next: not in use"
    assert told["local", "sus"][0] == told["shared", "2027.next"][0] != told["shared", "2026"][0]
    assert ("journal", "none") in told
    assert "0123456789abcdef" not in done.stdout and "fedcba9876543210" not in done.stdout
    assert run("connector", "keys", HUB_KEYS=str(folder)).stdout == done.stdout


def test_keys_that_a_connector_would_refuse_are_findings(keys):
    folder, write_key = keys
    write_key("shared/2027.next", "short")
    done = run("connector", "keys", "--keys", folder)
    assert done.returncode == 1
    assert told_keys(done)["shared", "2027.next"][1].endswith(
        "2027.next: 5 bytes; a key of at least 32 would pass")
    assert "short" not in done.stdout
    write_key("shared/2027.next", "0123456789abcdef" * 2)
    for year in range(2021, 2026):
        write_key(f"shared/{year}", "0123456789abcdef" * 2)
    done = run("connector", "keys", "--keys", folder)
    assert done.returncode == 1
    assert "at most 4 would pass" in done.stderr


def test_keys_of_no_folder_are_asked_for(tmp_path):
    done = run("connector", "keys")
    assert (done.returncode, done.stdout) == (2, "")
    assert "keys needs --keys DIR" in done.stderr
    done = run("connector", "keys", "--keys", tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "a folder with the parts shared, local, journal and sealing would pass" in done.stderr


# --- usage ---


def test_list_names_every_transport_and_format_with_its_options():
    done = run("connector", "list")
    assert done.returncode == 0
    for word in ("atom:", "file-drop:", "http-poll:", "mllp:", "notify-pull:", "postgres:", "webhook:",
                 "csv:", "hl7v2:", "icalendar:", "json:",
                 "labelled-text:", "xml:", "withdraw_max_percent",
                 "sweep_values", "charset"):
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [
    [], ["chekc"], ["check"], ["dry-run"], ["dry-run", "a.yaml"], ["run"], ["run", "a", "b"],
    ["dry-run", "a", "b", "--input", "c"], ["list", "a"], ["check", "a.yaml", "--nonsense"],
    ["check", "a.yaml", "-o", "xml"],
])
def test_a_command_line_that_is_none_is_told_how_it_goes(arguments):
    done = run("connector", *arguments)
    assert done.returncode == 2
    assert "usage: connector" in done.stderr or "dry-run needs --input SAMPLE" in done.stderr
    assert done.stdout == ""


def test_help_is_on_the_standard_output():
    done = run("connector", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: connector COMMAND")
    assert done.stderr == ""


def test_without_schemas_nothing_goes(tmp_path):
    done = run("connector", "check", CONFIGURATIONS[0], "--schemas", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("connector: ")
