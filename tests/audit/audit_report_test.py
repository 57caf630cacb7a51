"""What an inspector is told of the system itself: every act with who, why, before and after, and where each row of
ALCOA+ is met; the same from the archive with Kafka gone."""

import html.parser
import json
import subprocess
import xml.etree.ElementTree as ET

import pytest

from installations import connector, entity_of, take
from refold_test import now, other_rules
from stack.installation import ROOT

HOSTILE = """<script>alert("x")</script> & 'so' ]]> \x01 é"""
WHO = "anna <b>"
OTHER_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
OF_POSITIONS = {"position set", "mapped again, or set as it was", "configuration changed"}
XHTML = "{http://www.w3.org/1999/xhtml}"


def domains():
    return [path.stem for path in (ROOT / "schemas" / "domains").glob("*.avsc")]


class Governed:
    """An installation about which people decide; then its Kafka is gone. What was told while it was there."""

    def __init__(self, installation, folder):
        self.installation = installation
        take(installation)
        self.begun = now()
        self.decide()
        self.rule(other_rules(folder / "schemas"), folder / "report.json")
        self.settle()
        self.move()
        self.ended = now()
        installation.wait_until_settled()
        self.of_kafka = self.report()
        self.page_of_kafka = installation.ctl("audit", "report", "-o", "html")
        self.earlier = self.report("--to", self.begun)
        self.within = self.report("--from", self.begun, "--to", self.ended)
        self.statements = sum(map(self.statements_in, domains()))
        installation.archive_everything()
        installation.hub.stop()
        installation.broker.stop()
        self.of_archive = self.report("--archive", installation.archive)

    def report(self, *arguments):
        return json.loads(self.installation.ctl("audit", "report", "-o", "json", *arguments))

    def statements_in(self, domain):
        lines = self.installation.ctl("consume", f"log.{domain}", "-o", "json").splitlines()
        return sum("statement" in (json.loads(line)["value"] or {}) for line in lines)

    def decide(self):
        ctl = self.installation.ctl
        trial = entity_of(self.installation.ctl_json("entity", "list"), "ctgov/NCT99000201")
        self.entity = trial["entity_id"]
        self.conflict = f"{self.entity}/enrolment"
        refused = self.installation.ctl_result("conflict", "resolve", self.conflict, "--statement",
                                               "ctgov/NONE", "--reason", "A slip.", "--by", "bo")
        assert refused.returncode == 1 and "refused" in refused.stdout
        ctl("conflict", "resolve", self.conflict, "--statement", "ctgov/NCT99000201", "--reason",
            HOSTILE, "--by", WHO)
        ctl("conflict", "reopen", self.conflict, "--reason", "Asked again.", "--by", "bo")
        ctl("entity", "separate", self.entity, "--statement", "isrctn/99000201", "--reason",
            "Two arms.", "--by", "cecilia")

    def rule(self, folder, report):
        rehearsed = self.installation.ctl_result("rules", "diff", "trial", "--to", folder, "--report",
                                                 report)
        assert rehearsed.returncode == 1, rehearsed.stdout + rehearsed.stderr
        self.installation.ctl("rules", "activate", "trial", "--to", folder, "--report", report,
                              "--reason", "Fewer questions.", "--by", "dag")

    def settle(self):
        self.letter = next(letter for letter in self.installation.ctl_json("dlq", "list")
                           if letter["place"].startswith("deadletter.lumc/"))
        self.installation.ctl("dlq", "discard", self.letter["place"], "--reason", "Nobody needs it.",
                              "--by", "eva")

    def move(self):
        done = subprocess.run([self.installation.programs / "connector", "position",
                               connector("sus/trials"), "--to", '{"files": {}}', "--reason",
                               "Read all of it again."],
                              env={**self.installation.environment, "USER": "frida"}, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def governed(install, tmp_path_factory):
    return Governed(install(), tmp_path_factory.mktemp("governed"))


def acts_of(report, who):
    return [act for act in report["acts"] if act["who"] == who]


def act_of(report, who, act):
    found = [each for each in acts_of(report, who) if each["act"] == act]
    assert len(found) == 1, f"{act} by {who}: {[each['act'] for each in report['acts']]}"
    return found[0]


def figures_of(report, row):
    found = next(each for each in report["alcoa"] if each["name"] == row)
    return {figure["what"]: figure for figure in found["figures"]}


def test_a_choice_has_who_why_before_and_after(governed):
    act = act_of(governed.of_kafka, WHO, "value chosen")
    assert act["why"] == HOSTILE
    assert act["about"]["subject"] == governed.conflict
    assert act["about"]["statements"] == ["ctgov/NCT99000201"]
    assert act["before"]["state"] == "OPEN"
    assert len(act["before"]["values"]) > 1
    assert act["after"]["state"] == "RESOLVED"
    assert act["after"]["decision"]["decided_by"] == WHO
    places = [place.partition("/")[0] for place in act["places"]]
    assert sorted(places) == ["conflict.trial", "decision", "log.trial"]
    assert act["told"][:10] == act["time"][:10]


def test_what_was_refused_is_told_with_the_reason(governed):
    act = act_of(governed.of_kafka, "bo", "value chosen")
    assert act["after"]["refused"]
    assert act["before"]["state"] == "OPEN"


def test_what_was_taken_back_has_the_decision_before(governed):
    act = act_of(governed.of_kafka, "bo", "decision taken back")
    assert act["before"]["decision"]["decided_by"] == WHO
    assert act["after"]["state"] == "OPEN"


def test_a_separation_is_told(governed):
    act = act_of(governed.of_kafka, "cecilia", "statements kept apart")
    assert act["why"] == "Two arms."
    assert act["about"]["statements"] == ["isrctn/99000201"]
    assert act["before"] is None  # it opened another conflict, which tells of itself
    assert act["after"]["decision"]["kind"] == "SEPARATE"


def test_rules_have_the_rules_before(governed):
    act = act_of(governed.of_kafka, "dag", "rules put in force")
    assert act["why"] == "Fewer questions."
    first = [each for each in governed.of_kafka["acts"] if each["act"] == "rules put in force"
             and each["about"]["domain"] == "trial" and each is not act]
    assert act["before"] == first[0]["after"]
    assert act["after"]["rules"] != act["before"]["rules"]
    assert {place.partition("/")[0] for place in act["places"]} == {"log.trial", "decision"}


def test_the_first_rules_of_every_log_are_one_act_a_domain(governed):
    first = [act for act in governed.of_kafka["acts"]
             if act["act"] == "rules put in force" and act["before"] == {"rules": None}]
    assert len(first) == 9
    slots = next(act for act in first if act["about"]["domain"] == "gmp-slot")
    assert len(slots["places"]) == 4


def test_a_settlement_has_the_letter_it_is_about(governed):
    act = act_of(governed.of_kafka, "eva", "dead letter discarded")
    assert act["about"]["letter"] == governed.letter["place"]
    assert act["before"]["state"] == "open"
    assert act["before"]["reason"] == governed.letter["reason"]
    assert act["after"] == {"state": "settled", "outcome": "DISCARDED"}
    figure = figures_of(governed.of_kafka, "Accurate")["dead letters that are settled"]
    assert figure["met"] == 1 and figure["of"] > 1


def test_a_position_set_by_hand_has_the_one_before(governed):
    act = act_of(governed.of_kafka, "frida", "position set")
    assert act["why"] == "Read all of it again."
    assert act["about"]["connector"] == "sus-trials"
    assert act["after"]["position"] == '{"files":{}}'
    assert act["before"]["position"] != act["after"]["position"]
    assert act["after"]["sequence"] == act["before"]["sequence"] + 1


def test_who_is_nobody_has_done_nothing_by_name(governed):
    """The logs' first rules: here nobody has said who he is."""
    signed = figures_of(governed.of_kafka, "Attributable")["acts of these times with who and why"]
    assert signed["of"] == len(governed.of_kafka["acts"])
    assert signed["met"] == len([act for act in governed.of_kafka["acts"] if act["who"] != "nobody"])
    within = figures_of(governed.within, "Attributable")["acts of these times with who and why"]
    assert within["met"] == within["of"] == len(governed.within["acts"]) > 0


def test_acts_are_in_the_order_of_time_and_of_the_times_that_are_asked_for(governed):
    times = [act["time_ms"] for act in governed.of_kafka["acts"]]
    assert times == sorted(times)
    early = {act["act"] for act in governed.earlier["acts"]}
    assert early == {"rules put in force"}
    assert len(governed.earlier["acts"]) + len(governed.within["acts"]) == len(times)
    assert {act["who"] for act in governed.within["acts"]} == {"bo", WHO, "cecilia", "dag", "eva", "frida"}


def test_the_archive_tells_the_same_with_kafka_gone(governed):
    """But for what is in no archive, which it says."""
    kept = [act for act in governed.of_kafka["acts"] if act["act"] not in OF_POSITIONS]
    assert governed.of_archive["acts"] == kept
    assert len(kept) < len(governed.of_kafka["acts"])
    assert any("positions set by hand" in remark for remark in governed.of_archive["remarks"])
    assert not any("positions set by hand" in remark for remark in governed.of_kafka["remarks"])


def test_every_row_of_alcoa_has_its_place_and_figures(governed):
    for report in (governed.of_kafka, governed.of_archive):
        assert [row["name"] for row in report["alcoa"]] == [
            "Attributable", "Legible", "Contemporaneous", "Original", "Accurate", "Complete",
            "Consistent", "Enduring", "Available"]
        for row in report["alcoa"]:
            assert row["asks"] and row["met"] and row["see"] and row["figures"], row["name"]
            for figure in row["figures"]:
                assert "value" in figure or 0 <= figure["met"] <= figure["of"], figure
    assert len({kind["act"] for kind in governed.of_kafka["kinds"]}) == 10


def test_figures_are_of_what_there_is(governed):
    for report in (governed.of_kafka, governed.of_archive):
        statements = figures_of(report, "Attributable")[
            "statements with their institution and a system that it carries"]
        assert statements["met"] == statements["of"] == governed.statements > 100
        raw = figures_of(report, "Original")["statements with the hash of the raw bytes"]
        assert raw["met"] == raw["of"] == statements["of"]
        entities, = figures_of(report, "Complete").values()
        assert entities["met"] == entities["of"] > 60
        refolded = [figure for what, figure in figures_of(report, "Consistent").items()
                    if "as they were published" in what]
        assert len(refolded) == 9 and sum(figure["of"] for figure in refolded) > 100
        assert all(figure["met"] == figure["of"] for figure in refolded)
    logs = figures_of(governed.of_archive, "Enduring")[
        "logs whose newest checkpoint is signed by the key beside it"]
    assert logs["met"] == logs["of"] > 20


def test_another_key_has_signed_no_log(governed, tmp_path):
    """The control of that figure; and the right key, from elsewhere, has signed all."""
    archive = governed.installation.archive
    own = (archive / "rollup" / "log.vkey").read_text().split("\n")[0]
    (tmp_path / "own").write_text(own + "\n")
    what = "logs whose newest checkpoint is signed by a key of --key"
    report = governed.report("--archive", archive, "--key", tmp_path / "own")
    logs = figures_of(report, "Enduring")[what]
    assert logs["met"] == logs["of"] > 20
    report = governed.report("--archive", archive, "--key", OTHER_KEY)
    assert figures_of(report, "Enduring")[what]["met"] == 0


class Tags(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.seen = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_the_page_is_well_formed_and_runs_nothing(governed):
    page = governed.page_of_kafka
    root = ET.fromstring(page)
    assert not {"script", "img", "iframe", "link", "form", "a"} & Tags(page).seen
    assert "<script" not in page and "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
    cells = {"".join(cell.itertext()) for cell in root.iter(f"{XHTML}td")}
    assert WHO in cells
    assert HOSTILE.replace("\x01", "?") in cells
    rows = [row for row in root.iter(f"{XHTML}tr") if "discarded" in "".join(row.itertext())]
    assert any(governed.letter["place"] in "".join(row.itertext()) for row in rows)


def test_an_archive_that_was_altered_is_not_reported_on(governed, tmp_path):
    (tmp_path / "log.trial-0").mkdir()
    (tmp_path / "log.trial-0" / "log.vkey").write_text("none\n")
    result = governed.installation.ctl_result("audit", "report", "-o", "json", "--archive", tmp_path)
    assert result.returncode == 5 and result.stdout == ""


@pytest.mark.parametrize("arguments, said", [
    (("audit", "report"), "-o html or -o json"),
    (("audit", "report", "-o", "html", "--from", "yesterday"), "2026-03-03"),
    (("entity", "list", "-o", "html"), "audit report alone"),
])
def test_what_cannot_be_asked_for_is_told(governed, arguments, said):
    result = governed.installation.ctl_result(*arguments)
    assert result.returncode == 2 and said in result.stderr
