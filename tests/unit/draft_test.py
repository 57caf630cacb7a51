"""connector new: a first configuration that passes its check, and what of the sample is left."""

import json

import pytest
import yaml

from programs import run

TABLE = "request_no,field,unit,kind,note\nR-1,0512,Cell Therapy,researcher,\"a, b\"\n"
TREE = {"meta": {"total": 2},
        "studies": [{"nctId": "NCT00000001", "shortName": "SKIN", "sponsor": {"name": "LU"},
                     "open data": True},
                    {"nctId": "NCT00000002", "acronym": "BONE"}]}


@pytest.fixture
def begin(tmp_path):
    """Writes a sample and begins a configuration beside it; gives its text and whether it is good."""

    def run_new(name, content, domain, system):
        (tmp_path / name).write_text(content)
        done = run("connector", "new", "--from", tmp_path / name, "--domain", domain, "--system",
                   system)
        assert done.returncode == 0, done.stderr
        own = tmp_path / "own.yaml"
        own.write_text(done.stdout)
        return done.stdout, run("connector", "check", own)

    return run_new


def test_columns_of_the_names_of_fields_are_mapped_and_the_rest_is_shown(begin):
    text, checked = begin("requests.csv", TABLE, "exchange", "lu-guests")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    begun = yaml.safe_load(text)
    assert begun["institution"] == "lu" and begun["source"]["format"] == "csv"
    record, = begun["records"]
    assert record["key"] == "request_no"
    assert record["fields"] == {"field": "field", "host_unit": "unit"}
    assert "      # One of RESEARCHER, DOCTORAL" in text
    assert "# identifiers: [{scheme: exchange-request, issuer: {value: WHO}, value: request_no" in text
    left = text.split("not used yet")[1]
    assert "#   note " in left and "a, b" in left and "request_no" not in left


def test_what_would_be_sealed_is_left_to_a_person_who_knows_whom_it_is_about(begin):
    text, checked = begin("requests.csv", "request_no,contact\nR-1,a@example.org\n", "exchange",
                          "lu-guests")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "contact" not in yaml.safe_load(text)["records"][0]["fields"]
    assert "# contact: {from: contact, seal: {subject: WHO}}" in text


def test_records_are_found_where_the_first_list_of_objects_is(begin):
    text, checked = begin("studies.json", json.dumps(TREE), "trial", "sus-trials")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    record, = yaml.safe_load(text)["records"]
    assert record["for_each"] == "studies" and record["key"] == "nctId"
    assert record["fields"]["acronym"] == "acronym"
    assert '#   "open data" ' in text and "meta" not in text


def test_a_sample_without_a_name_that_fits_gives_a_configuration_to_be_filled(begin):
    text, checked = begin("odd.json", json.dumps({"x": 1, "y": "z"}), "trial", "sus-trials")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    record, = yaml.safe_load(text)["records"]
    assert record["fields"] == {} and record["key"] == "x"
    assert "#   y " in text


@pytest.mark.parametrize("change, said", [
    ({"domain": "weather"}, "there is no domain 'weather'"),
    ({"system": "nobody"}, "systems.json"),
    ({"name": "sample.doc"}, ".json, .xml, .csv"),
    ({"content": "{"}, "line 1"),
    ({"content": "{}"}, "nothing is stated"),
])
def test_what_cannot_be_is_told(tmp_path, change, said):
    wanted = {"name": "sample.json", "content": '{"id": 1}', "domain": "trial",
              "system": "sus-trials", **change}
    (tmp_path / wanted["name"]).write_text(wanted["content"])
    done = run("connector", "new", "--from", tmp_path / wanted["name"], "--domain",
               wanted["domain"], "--system", wanted["system"])
    assert done.returncode == 1 and not done.stdout
    assert said in done.stderr


def test_without_a_sample_the_usage_is_told():
    done = run("connector", "new", "--domain", "trial")
    assert done.returncode == 2 and "--from SAMPLE" in done.stderr
