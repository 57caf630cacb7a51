"""connector coverage: which fields nothing fills, and what of the source no path reads."""

import json

import pytest

from programs import ROOT, run

CONFIGURATION = """\
connector: trying
institution: sus
system: sus-trials
source: {transport: file-drop, format: %s, folder: .}
target: {domain: trial}
records:
  - %s
    key: id
    version: {tie: position}
    when: {present: id}
    fields:
      acronym: name
      titles: {lang: {value: en}, text: title}
"""
DOCUMENTS = [{"trials": [{"id": "A-1", "name": "SKIN", "stage": {"odd name": 2}, "note": ""},
                         {"id": "A-2", "name": "BONE", "title": "Of bones"}], "page": 1},
             {"trials": [{"id": "A-3", "name": "HEART", "stage": {"odd name": 3}}]}]


@pytest.fixture
def cover(tmp_path):
    """Runs it over these files; gives its exit code and what it wrote."""

    def run_coverage(configuration, files):
        folder = tmp_path / "documents"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_text(content)
        (tmp_path / "own.yaml").write_text(configuration)
        done = run("connector", "coverage", tmp_path / "own.yaml", folder)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    return run_coverage


def parts(told):
    """(head, {field: count}, {path: documents}) of what was written."""
    head, fields, unread = told.split("\n\n")
    rows = [line.split() for line in fields.splitlines()[1:]]
    never = [line.rsplit(" in ", 1) for line in unread.splitlines()[1:] if " in " in line]
    return head, {row[0]: int(row[1]) for row in rows}, {path.strip(): int(count)
                                                         for path, count in never}


def test_json_documents_are_counted_field_by_field_and_place_by_place(cover):
    files = {f"{number}.json": json.dumps(document) for number, document in enumerate(DOCUMENTS)}
    code, told = cover(CONFIGURATION % ("json", "for_each: trials"), files)
    head, fields, unread = parts(told)
    assert code == 0
    assert head == "2 documents, 3 records, 0 refused, 0 skipped"
    assert fields["acronym"] == 3 and fields["titles"] == 1 and fields["sponsor"] == 0
    assert "sponsor                         0  never" in told
    assert unread == {'trials.stage."odd name"': 2, "page": 1}


def test_a_table_is_looked_at_column_by_column(cover):
    code, told = cover(CONFIGURATION.replace("  - %s\n    key", "  - key") % "csv",
                       {"a.csv": "id,name,title,phase\nA-1,SKIN,Of skin,2\nA-2,BONE,,\n"})
    head, fields, unread = parts(told)
    assert code == 0
    assert head == "1 documents, 2 records, 0 refused, 0 skipped"
    assert (fields["acronym"], fields["titles"]) == (2, 1)
    assert unread == {"phase": 1}


def test_an_xml_element_is_read_with_its_text_and_not_with_its_attributes(cover):
    code, told = cover(CONFIGURATION % ("xml", "for_each: trials.trial"),
                       {"a.xml": "<trials><trial><id>A-1</id><name lang='sv'>HUD</name>"
                                 "<title>Om hud</title></trial></trials>"})
    assert code == 0
    assert parts(told)[2] == {"trials.trial.name.@lang": 1}


def test_what_cannot_be_read_is_told_and_the_rest_is_counted(cover):
    code, told = cover(CONFIGURATION % ("json", "for_each: trials"),
                       {"a.json": json.dumps(DOCUMENTS[1]), "b.json": "{"})
    assert code == 1
    assert told.startswith("b.json: ") and "1 documents, 1 records, 1 refused" in told


def test_a_folder_that_is_not_there_is_told(tmp_path):
    done = run("connector", "coverage", ROOT / "connectors/sus/ctgov.yaml", tmp_path / "nowhere")
    assert done.returncode == 1 and "nowhere" in done.stdout
