"""tests/run --evidence FILE: what a run has shown of each requirement (tests/requirements.csv), as a page that stands
alone. A test counts as passed where every case of it ran and passed; what was skipped or did not run is said to be so.
"""

import collections
import ctypes
import datetime
import html
import os
import pathlib
import platform
import re
import subprocess

import pytest

import requirements
from programs import ROOT
from results import processor, revision

BAD = ("failed", "error", "xfailed", "xpassed")
OUTCOMES = ("passed", "FAILED", "not wholly run", "not run")
NOTICE = """This is evidence for a site's own validation, and not that validation. Whether these requirements are the
site's, whether these tests are enough for its use, its installation, its procedures, the training of its people and
its decision to go into use are the site's to show, and stay the site's."""
STYLE = """body{font:14px/1.4 sans-serif;margin:2em;color:#111}table{border-collapse:collapse;margin:0 0 2em}
th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}th{background:#eee}
td{overflow-wrap:anywhere}.FAILED{background:#fbb}.not{background:#fea}
@media print{body{margin:0;font-size:9px}tr{break-inside:avoid}thead{display:table-header-group}}"""


# --- what a run came to ---


def case_of(nodeid):
    """Without the group that xdist puts behind it."""
    return re.sub(r"@[^\[\]]*$", "", nodeid)


def base_of(case):
    return case.partition("[")[0]


class Outcomes:
    """Of each test its cases, by what became of them."""

    def __init__(self, collected, stats):
        self.counts = collections.defaultdict(collections.Counter)
        self.reasons = collections.defaultdict(set)
        became = {}
        for name in ("passed", "skipped", *BAD):  # the later counts: a test may pass, and its end fail
            for report in stats.get(name, []):
                case = case_of(report.nodeid)
                became[case] = "failed" if name in BAD else name
                if name == "skipped":
                    self.reasons[base_of(case)].add(_reason(report))
        for case in {*map(case_of, collected), *became}:
            self.counts[base_of(case)][became.get(case, "not run")] += 1

    def of(self, test):
        """One of OUTCOMES."""
        counts = self.counts.get(test)
        if not counts or set(counts) == {"not run"}:
            return "not run"
        if counts["failed"]:
            return "FAILED"
        return "passed" if set(+counts) == {"passed"} else "not wholly run"

    def of_all(self, tests):
        found = {self.of(test) for test in tests}
        if "FAILED" in found:
            return "FAILED"
        if found in ({"passed"}, {"not run"}):
            return found.pop()
        return "not wholly run" if found else "not run"

    def told(self, test):
        """In words: what became of its cases."""
        counts = self.counts.get(test) or {"not run": 1}
        reasons = "; ".join(sorted(self.reasons.get(test, ())))
        return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count) + (
            f" ({reasons})" if reasons else "")


def _reason(report):
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


# --- what it ran on, and with ---


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout.strip().split("\n")[0] or None


def _librdkafka(program):
    """The version of the library that a program loads."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    found = re.search(r"librdkafka\.so\S* => (\S+)", listed)
    if not found:
        return None
    library = ctypes.CDLL(found[1])
    library.rd_kafka_version_str.restype = ctypes.c_char_p
    return library.rd_kafka_version_str().decode()


def _packages():
    """The libraries of Debian that the programs are linked with."""
    names = ["libavro23", "libjansson4", "libyaml-0-2", "libxml2", "libcurl4", "libmicrohttpd12", "liblmdb0",
             "libutf8proc2", "libpcre2-8-0", "libssl3", "libpq5", "libjemalloc2", "libcmocka0"]
    done = subprocess.run(["dpkg-query", "--show", "--showformat=${Package} ${Version}; ", *names],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip().rstrip(";") or None


def _kafka():
    found = re.search(r"/kafka-(\d+\.\d+\.\d+)", (ROOT / "deploy" / "setup").read_text(encoding="utf-8"))
    return found and found[1]


def _found(pattern, path):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.M)
    except OSError:
        return None
    return found and found[1]


def facts():
    """Rows of what is known of the version, the machine and the tools."""
    version = revision()
    if version.endswith("-dirty"):
        version += ": THE TREE HAS CHANGES THAT ARE NOT COMMITTED, so this is evidence of no version"
    memory = _found(r"^MemTotal:\s+(\d+) kB", "/proc/meminfo")
    rows = [("Version", version),
            ("Commit", _first_line("git", "-C", str(ROOT), "rev-parse", "HEAD")),
            ("Processor", f"{processor()}, {os.cpu_count()} processors"),
            ("Memory", memory and f"{int(memory) / 1e6:.0f} GB"),
            ("System", f"{_found(r'^PRETTY_NAME=.(.*).$', '/etc/os-release')}, {platform.system()} "
                       f"{platform.release()}, {platform.machine()}"),
            ("Compilers", "; ".join(filter(None, (_first_line("gcc", "--version"),
                                                  _first_line("clang", "--version"))))),
            ("Kafka", _kafka()),
            ("librdkafka", _librdkafka(ROOT / "build" / "release" / "bin" / "atmp-hub")),
            ("Libraries", _packages()),
            ("Python", f"{platform.python_version()}, pytest {pytest.__version__}")]
    return [(name, value or "not known") for name, value in rows]


# --- the page ---


def _cell(text, outcome=None):
    mark = "" if outcome is None else f' class="{outcome}"'  # "not run" is of the class not
    return f"<td{mark}>{html.escape(text)}</td>"


def _table(head, rows):
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    return (f"<table><thead><tr>{cells}</tr></thead><tbody>\n"
            + "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows) + "\n</tbody></table>\n")


def _tests_cell(chosen, outcomes):
    """A file a line with how many passed, and where any of it ran every test that did not."""
    lines = []
    for file in dict.fromkeys(requirements.file_of(test) for test in chosen):
        of_file = [test for test in chosen if requirements.file_of(test) == file]
        passed = [test for test in of_file if outcomes.of(test) == "passed"]
        if all(outcomes.of(test) == "not run" for test in of_file):
            lines.append(f"{file}: not run, {len(of_file)} tests")
            continue
        lines.append(f"{file}: {len(passed)} of {len(of_file)} passed")
        lines += [f"— {test.partition('::')[2]}: {outcomes.told(test)}" for test in of_file
                  if test not in passed]
    return "<td>" + "<br/>".join(html.escape(line) for line in lines) + "</td>"


def render(listed, tests, outcomes, described):
    serving = collections.defaultdict(list)
    rows, sums = [], collections.Counter()
    for each in listed:
        chosen = requirements.tests_of(each, tests)
        outcome = outcomes.of_all(chosen)
        sums[outcome] += 1
        for test in chosen:
            serving[test].append(each.id)
        rows.append([_cell(each.id), _cell(each.user), _cell(each.requirement),
                     _cell(f"{each.grade}: {each.risk}"), _cell(outcome, outcome),
                     _tests_cell(chosen, outcomes)])
    told = ", ".join(f"{sums[name]} {name}" for name in OUTCOMES)
    of_tests = collections.Counter(outcomes.of(test) for test in tests)
    told_of_tests = ", ".join(f"{of_tests[name]} {name}" for name in OUTCOMES)
    every = [[_cell(test), _cell(outcomes.of(test), outcomes.of(test)), _cell(outcomes.told(test)),
              _cell(" ".join(serving[test]))] for test in tests]
    return (f'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/>'
            f"<title>Evidence of a run of the tests of ATMP Hub</title><style>{STYLE}</style></head><body>\n"
            f"<h1>Evidence of a run of the tests of ATMP Hub</h1>\n<p><b>{html.escape(NOTICE)}</b></p>\n"
            + _table(["", ""], [[_cell(name), _cell(value)] for name, value in described])
            + f"<p>Requirements: {told}. Tests: {told_of_tests}.</p>\n"
            "<p>A requirement is passed where every case of every test of it ran in this run and passed. What was "
            "skipped, or did not run, shows nothing, and is not counted as passed.</p>\n<h2>Requirements</h2>\n"
            + _table(["Id", "User", "Requirement", "Risk where it is not met", "Outcome", "Tests"], rows)
            + "<h2>Every test</h2>\n" + _table(["Test", "Outcome", "Cases", "Requirements"], every)
            + "</body></html>\n")


# --- pytest ---


def pytest_addoption(parser):
    parser.addoption("--evidence", metavar="FILE",
                     help="writes what this run has shown of each requirement, as HTML")


class Writer:
    """Of the process that the run is told to."""

    def __init__(self, config):
        self.config = config
        self.collected = set()
        self.begun = datetime.datetime.now(datetime.timezone.utc)
        self.exit_code = None

    def pytest_collection_finish(self, session):
        self.collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        self.collected.update(ids)

    def pytest_sessionfinish(self, exitstatus):
        self.exit_code = int(exitstatus)

    def describe(self):
        ended = datetime.datetime.now(datetime.timezone.utc)
        arguments = " ".join(self.config.invocation_params.args)
        return [("Begun", f"{self.begun:%Y-%m-%d %H:%M:%S} UTC"), ("Ended", f"{ended:%Y-%m-%d %H:%M:%S} UTC"),
                ("Exit code", str(self.exit_code)), ("Arguments", arguments), *facts()]

    def pytest_unconfigure(self, config):
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        stats = {name: [report for report in reports if hasattr(report, "nodeid")]
                 for name, reports in reporter.stats.items()}
        root = config.rootpath
        page = render(requirements.read(root / "requirements.csv"), requirements.tests_in(root),
                      Outcomes(self.collected, stats), self.describe())
        path = pathlib.Path(config.getoption("--evidence"))
        path.write_text(page, encoding="utf-8")
        print(f"evidence for a site's own validation: {path}")


def pytest_configure(config):
    if config.getoption("--evidence") is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    chosen = [name for name, value in (("-k", config.option.keyword), ("-m", config.option.markexpr),
                                       ("--deselect", config.getoption("deselect")),
                                       ("FILE::NAME", any("::" in each for each in config.args))) if value]
    if chosen:
        raise pytest.UsageError(f"--evidence is of whole files; without {', '.join(chosen)} it would pass")
    config.pluginmanager.register(Writer(config), "evidence-writer")
