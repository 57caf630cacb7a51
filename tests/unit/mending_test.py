"""Mistakes in a configuration are mended from the error message alone.

The reader below sees nothing but the message: it goes to the line and column and puts there what the message says
would pass. What it cannot mend so, a person without knowledge of the mapping could not either.
"""

import re

import pytest

from programs import ROOT, run

SAMPLE = ROOT / "connectors/samples/exchange/lu-guests-csv/requests-2026-02.csv"
GOOD = """\
connector: lu-guests-exchange
institution: lu
system: lu-guests
source:
  transport: file-drop
  format: csv
  folder: .
target: {domain: exchange}
records:
  - key: request_no
    version: {tie: position}
    event_time: {from: submitted_at, time: {formats: [rfc3339]}}
    fields:
      identifiers:
        - {scheme: exchange-request, issuer: {value: lu-guests}, value: request_no, relation: self}
      kind: {from: kind, table: {researcher: RESEARCHER, doctoral: DOCTORAL}, else: reject}
      sending: {value: "ror:012a77v79"}
      receiving: {from: host, lookup: organisations, else: keep_text}
      person_ref: {from: orcid, pseudonym: shared}
      status: {from: status, table: {requested: REQUESTED, withdrawn: CANCELLED}, else: reject}
      requested:
        from: {from: from, time: {formats: [date]}}
        to: {from: to, time: {formats: [date]}}
      field: field
      host_unit: unit
tests:
  - {input: sample.csv}
"""
# What is right, and what stands there instead.
MISTAKES = [
    ("connector: ", "conector: "),
    ("institution: lu", "institution: sus"),
    ("system: lu-guests", "system: lu-guest"),
    ("transport: file-drop", "transport: file-drp"),
    ("  folder: .", "  foldr: ."),
    ("domain: exchange}", "domain: exchnge}"),
    ("  - key: ", "  - ky: "),
    ("    version: ", "    versoin: "),
    ("tie: position", "tie: positon"),
    ("formats: [rfc3339]", "formats: [rfc3399]"),
    ("{from: submitted_at", "{frm: submitted_at"),
    ("      identifiers:", "      identifier:"),
    ("scheme: exchange-request", "scheme: exchange-requst"),
    ("relation: self", "relation: me"),
    ("researcher: RESEARCHER", "researcher: RESEARCHR"),
    ("withdrawn: CANCELLED", "withdrawn: CANCELED"),
    ("lookup: organisations", "lookup: organisation"),
    ("else: keep_text", "else: keeptext"),
    ("pseudonym: shared", "pseudonym: share"),
    ("      host_unit: unit", "      hostunit: unit"),
    ("host_unit: unit", "host_unit: units"),
    ("key: request_no", "key: request_on"),
]


@pytest.fixture
def check(tmp_path):
    (tmp_path / "sample.csv").write_bytes(SAMPLE.read_bytes())

    def run_check(text):
        path = tmp_path / "own.yaml"
        path.write_text(text)
        done = run("connector", "check", path)
        return done.returncode, done.stdout + done.stderr

    return run_check


def suggestion(message):
    """The word that the message offers."""
    patterns = [r"did you mean '?([\w:-]+)'?\?", r"did you mean '([^']+)'; there are",
                r"; (\w+) may$", r"'[^']*': ([\w-]+), ", r"(?::|^) ?([\w-]+)(?:,[^.]*)? would pass",
                r"(\w+)(?: or \w+)? would pass"]
    for pattern in patterns:
        found = re.search(pattern, message)
        if found:
            return found.group(1)
    return None


def mend(text, message):
    """The word at the place that the message names, replaced by the one that it offers."""
    found = re.findall(r"own\.yaml:(\d+):(\d+): (.*)", message)
    offers = [(int(line) - 1, int(column) - 1, suggestion(said)) for line, column, said in found]
    offers = [offer for offer in offers if offer[2]]
    assert offers, f"nothing is offered: {message}"
    line, column, offered = offers[0]
    lines = text.splitlines(keepends=True)
    rest = re.sub(r"^[\"']?[\w:-]+?[\"']?(?=[,:\]}\s]|$)", offered, lines[line][column:], count=1)
    lines[line] = lines[line][:column] + rest
    return "".join(lines)


def test_the_configuration_that_mistakes_are_made_in_is_good(check):
    code, said = check(GOOD)
    assert code == 0, said
    assert len(GOOD.splitlines()) <= 40


@pytest.mark.parametrize("right, wrong", MISTAKES, ids=lambda text: text.strip())
def test_a_reader_of_the_message_alone_mends(check, right, wrong):
    assert GOOD.count(right) >= 1
    broken = GOOD.replace(right, wrong, 1)
    code, said = check(broken)
    assert code != 0, "nothing was said"
    mended = mend(broken, said)
    code, again = check(mended)
    assert code == 0, f"{said}\n{mended}\n{again}"


@pytest.mark.parametrize("value", ["orcid", "{first: [orcid, request_no]}",
                                   "{from: orcid, match: '(.*)'}"])
def test_what_names_a_person_needs_a_pseudonym(check, value):
    code, said = check(GOOD.replace("{from: orcid, pseudonym: shared}", value))
    assert code == 1 and "19:19: field 'person_ref' is of class pseudonym" in said, said


def test_a_message_that_offers_nothing_mends_nothing():
    with pytest.raises(AssertionError):
        mend(GOOD, "own.yaml:3:9: this is wrong")
