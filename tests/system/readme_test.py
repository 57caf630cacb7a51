"""The README and its pages tell the truth: every command in them runs, and what they show is what a run shows.

tests/run system/readme_test.py -- --write-readme writes the parts that a run shows.
"""

import itertools
import json
import re
import shlex
import string
import subprocess

import pytest

import readme
from installations import entity_of
from stack import story
from stack.installation import ROOT

RECORD_OF = "sus-trials/SUS-2026-01"
OTHER_RECORD_OF = "isrctn/99000201"
CONNECTOR = ROOT / "connectors" / "lu" / "guest-requests.yaml"
WRITTEN_FROM = re.compile(
    r"Written from ([^.;]+(?:\.\d[^.;]*)*); (?:tried on ([^.]+(?:\.\d[^.]*)*)|(no real [^.]+ tried[^.]*))\.")
CLAUSES = {  # what the agreement says, by the domain that carries it
    "trial": "clinical trials",
    "exchange": "exchange of researchers and students",
    "gmp-slot": "the GMP facility and the ATMP centre",
    "batch": "manufacturing of therapies",
    "product": "development of therapies",
    "material": "donor and patient material",
    "course": "education",
    "project": "research, MAX IV and ESS",
    "agreement": "cooperation with industry and healthcare",
}


@pytest.fixture(scope="module")
def installation(own_installation):
    return own_installation


@pytest.fixture
def keeps(request):
    """keeps(name, text, same): the block is the text, as `same` reads both."""
    def check(name, text, same):
        if request.config.getoption("--write-readme"):
            readme.write_block(name, text)
        assert same(readme.block(name)) == same(text)
    return check


def entity_of_record(installation, key=RECORD_OF):
    return entity_of(installation.ctl_json("entity", "list"), key)["entity_id"]


def told(text):
    """A table's words; what depends on which connector came first left out."""
    text = re.sub(r"[a-z-]+-[0-9a-hjkmnp-tv-z]{16}", "ID", text)
    text = re.sub(r"@\d+|offset \d+|with \d+", "N", text)
    text = re.sub(r"ps:\w+:[0-9a-f]{32}|127\.0\.0\.1:\d+", "OF THIS RUN", text)
    return [line.split() for line in text.splitlines()]


def known(text):
    """A unified record, without what depends on which connector came first."""
    record = json.loads(readme.unfenced(text))
    for name in ("entity_id", "founder", "founded_offset", "revision", "changed"):
        del record[name]
    for statement in record["statements"]:
        for name in ("first_offset", "offset", "version"):
            del statement[name]
    for conflict in record["conflicts"]:
        del conflict["conflict_id"]
    return record


def test_it_shows_the_table_and_the_story_that_a_run_prints(installation, keeps):
    text = installation.ctl("status") + "\n" + story.text(installation)
    keeps("story", readme.fenced("text", text), told)


def test_it_shows_a_whole_unified_record(installation, keeps):
    entity = next(entity for entity in installation.ctl_json("entity", "list")
                  if any(s["key"] == RECORD_OF for s in entity["statements"]))
    keeps("record", readme.fenced("json", readme.compact(entity)), known)


def test_it_shows_why_a_field_says_what_it_says(installation, keeps):
    text = installation.ctl("entity", "explain", entity_of_record(installation), "enrolment")
    keeps("why", readme.fenced("text", text.split("\n\n", 1)[1]), told)


def test_it_shows_the_way_of_a_donation(installation, keeps):
    text = installation.ctl("trace", "din:Z999926000114", "--forward")
    keeps("trace", readme.fenced("text", text), told)


def test_it_shows_whether_all_arrived(installation, keeps):
    text = installation.ctl_result("complete", "--domain", "trial").stdout
    keeps("complete", readme.fenced("text", text),
          lambda text: told(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "THEN", text)))


def test_it_shows_a_connector_as_it_is(keeps):
    text = CONNECTOR.read_text().split("\ntests:", 1)[0] + "\n"
    keeps("connector", readme.fenced("yaml", text), str)


def systems_of(domain):
    """Titles of the systems whose configurations speak of a domain."""
    titles = json.loads((ROOT / "schemas" / "systems.json").read_text())
    names = set()
    for path in (ROOT / "connectors").glob("*/*.yaml"):
        text = path.read_text()
        if re.search(rf"^target: *{{domain: {domain}}}", text, re.M):
            names.add(re.search(r"^system: *(\S+)", text, re.M)[1])
    return sorted(titles[name]["title"] for name in names)


def test_it_has_the_agreement_clause_by_clause(keeps):
    domains = [path.stem for path in (ROOT / "schemas" / "domains").glob("*.avsc")]
    assert set(domains) == set(CLAUSES)
    rows = ["| The agreement says | Domain | Systems connected here | See it |", "|---|---|---|---|"]
    for domain, clause in CLAUSES.items():
        rows.append(f"| {clause} | `{domain}` | {'; '.join(systems_of(domain))} | "
                    f"`hubctl entity list --domain {domain}` |")
    keeps("agreement", "\n".join(rows) + "\n", str)


def configurations():
    """(path, text, the comment that it begins with as one line) of each configuration."""
    for path in sorted((ROOT / "connectors").glob("*/*.yaml")):
        text = path.read_text()
        comment = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
        yield path, text, " ".join(line.lstrip("# ") for line in comment)


def test_it_says_what_each_configuration_was_written_from_and_tried_on(keeps):
    rows = ["| Configuration | Domain | Read by | Written from | Tried on |", "|---|---|---|---|---|"]
    for path, text, comment in configurations():
        written = WRITTEN_FROM.search(comment)
        assert written, f"{path}: the comment at its top lacks 'Written from ...; tried on ...' or '; no " \
                        "real ... was tried'"
        domain, transport, form = (re.search(rf"^ *(?:target: *{{)?{name}: *([\w-]+)", text, re.M)[1]
                                   for name in ("domain", "transport", "format"))
        name = f"{path.parent.name}/{path.stem}"
        rows.append(f"| [{name}]({name}.yaml) | {domain} | "
                    f"{transport}, {form} | {written[1]} | {written[2] or '**' + written[3] + '**'} |")
    keeps("configurations", "\n".join(rows) + "\n", str)


@pytest.mark.parametrize("domain", CLAUSES)
def test_what_the_agreement_says_is_there_to_see(installation, domain):
    assert installation.ctl_json("entity", "list", "--domain", domain)


@pytest.mark.parametrize("command", readme.commands())
def test_its_commands_run(installation, command):
    words = shlex.split(string.Template(command).substitute(installation.environment))
    if words[1:3] == ["entity", "explain"]:  # its id depends on which connector came first
        words[3] = entity_of_record(installation)
    if words[1:3] == ["entity", "explain"] and words[4:5] and words[4].startswith("trial-"):
        words[4] = entity_of_record(installation, OTHER_RECORD_OF)
    done = subprocess.run([ROOT / words[0], *words[1:]], cwd=ROOT, env=installation.environment,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or words[1] in ("run", "--once")


def test_every_file_it_names_is_there():
    text = readme.text()
    for path in re.findall(r"`((?:hub|connectors|schemas|deploy|tests)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    assert links
    for link in links:
        assert (page.parent / link).exists(), link
