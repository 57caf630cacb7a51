"""Every published document beside the project: which connector reads it, and what becomes of it.

One installation reads the folders one after the other, so that what a folder adds is known. What a
dry run finds in each file must be what the connectors counted: no file that is read is unaccounted
for, and no record of one. The table is printed with `-s`, and where a test fails.
"""

import re
import subprocess

import pytest

from stack.installation import connector_files, name_of
from stack.senders import make_senders
from stack.sources import sending_institutions

# Folders that are served by web sources, and the part of the address that leads to them.
WEB = {"trials/ctgov-v2-json": "/api/v2/studies", "exchange/ewp-omobilities": "/omobilities/get",
       "exchange/ewp-imobilities": "/imobilities/get",
       "education/ladok-atom": "/uppfoljning/feed"}
SENDERS = make_senders()  # of folders that are told, by the connectors
OUTCOMES = ("statements_in", "unchanged", "superseded", "skipped", "dead_lettered")
COLUMNS = ("files", "read", "source_records", *OUTCOMES)


def configuration(file):
    """Without the tests."""
    return file.read_text().split("\ntests:")[0]


def folders_of(file):
    if name_of(file) in SENDERS:
        return [SENDERS[name_of(file)].folder]
    text = configuration(file)
    web = [folder for folder, address in WEB.items() if address in text]
    return web or re.findall(r"samples\}/([\w./-]+)", text)


def documents_of(folder):
    return sorted(path for path in folder.iterdir() if path.name != "SOURCE.txt")


def pattern_of(file):
    found = re.search(r"^  pattern: (.*)$", configuration(file), re.M)
    return re.compile(re.sub(r"\(\?<", "(?P<", found[1])) if found else re.compile(".*")


def taken(folder, file):
    """The documents that are told to the connector, or lie in its folder."""
    if name_of(file) in SENDERS:
        return SENDERS[name_of(file)].documents(folder.parents[1])
    return [path for path in documents_of(folder) if pattern_of(file).fullmatch(path.name)]


def served(folder, file, samples):
    """The documents that a web source hands out when the connector asks."""
    senders = re.search(r"sweep_values: \[(.*)\]", configuration(file))
    if senders is None:
        return documents_of(folder)
    others = [path.read_bytes() for path in documents_of(samples / "exchange" / "ewp-omobilities")]
    return [path for path in documents_of(folder)
            if sending_institutions(path.read_bytes(), others) & set(senders[1].split(", "))]


class Reading:
    """What the connectors of a folder read of it."""

    def __init__(self, name, connectors, samples):
        self.name = name
        self.web = name in WEB
        self.files = documents_of(samples / name)
        self.inputs = [(file, path) for file in connectors
                       for path in (served(samples / name, file, samples) if self.web else
                                    taken(samples / name, file))]
        self.connectors = connectors
        self.row = {"files": len(self.files), "read": len({path for _, path in self.inputs})}


def totals(installation):
    domains = installation.ctl_json("status")["domains"]
    return {name: sum(domain[name] for domain in domains)
            for name in ("source_records", "vanished", *OUTCOMES)}


def only(folder, samples, root):
    """A folder of samples in which there is but one."""
    (root / folder).parent.mkdir(parents=True)
    (root / folder).symlink_to(samples / folder)
    return root


@pytest.fixture(scope="module")
def installation(install, all_real_samples):
    return install(all_real_samples)


@pytest.fixture(scope="module")
def readings(installation, real_samples, tmp_path_factory):
    """Of every folder that holds documents, in order; those that have connectors were read."""
    result = []
    before = totals(installation)
    for folder in sorted(path for path in real_samples.glob("*/*") if path.is_dir()):
        name = str(folder.relative_to(real_samples))
        connectors = [file for file in connector_files() if name in folders_of(file)]
        result.append(reading := Reading(name, connectors, real_samples))
        after = before
        if connectors:
            installation.samples = only(name, real_samples, tmp_path_factory.mktemp("one"))
            installation.run_connectors(connectors)
            installation.wait_until_settled()
            after = totals(installation)
        reading.row |= {column: after[column] - before[column] for column in after}
        before = after
    print("\n" + table(result))
    return result


def table(readings):
    rows = [("FOLDER", *(column.replace("_", " ").upper() for column in COLUMNS))]
    rows += [(reading.name, *(str(reading.row[column]) for column in COLUMNS))
             for reading in readings]
    rows.append(("all", *(str(sum(reading.row[column] for reading in readings))
                          for column in COLUMNS)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def dry_run(installation, file, path):
    """(records, refused, skipped) of one document."""
    done = subprocess.run([installation.programs / "connector", "dry-run", file, "--input", path],
                          check=False, capture_output=True, text=True,
                          env=installation.environment)
    found = re.search(r"^(\d+) records, (\d+) refused, (\d+) skipped;", done.stdout, re.M)
    assert found, f"{path}: {done.stdout[-500:]}{done.stderr}"
    return tuple(map(int, found.groups()))


def test_every_record_that_was_read_has_become_something(installation, readings):
    assert installation.ctl_result("status").returncode == 0
    for reading in readings:
        assert reading.row["source_records"] == sum(reading.row[name] for name in OUTCOMES), \
            table(readings)


def test_every_file_that_a_connector_reads_is_accounted_for(installation, readings):
    for reading in readings:
        if reading.web:
            continue
        sums = [0, 0, 0]
        for file, path in reading.inputs:
            counts = dry_run(installation, file, path)
            assert sum(counts) > 0, f"{path.name}: nothing became of it"
            sums = [so_far + count for so_far, count in zip(sums, counts)]
        assert sum(sums) + reading.row["vanished"] == reading.row["source_records"], reading.name
        assert sums[1] <= reading.row["dead_lettered"], reading.name
        assert sums[2] == reading.row["skipped"], reading.name


def test_every_web_source_was_asked_for_all_it_has(readings):
    for reading in readings:
        if reading.web:
            assert reading.inputs and reading.row["source_records"] > 0, reading.name


def test_every_dead_letter_says_where_and_why(installation, readings):
    letters = installation.ctl_json("dlq", "list")
    assert len(letters) == sum(reading.row["dead_lettered"] for reading in readings)
    for letter in letters:
        assert letter["document"] and letter["reason"] and letter["code"]
        print(letter["document"], letter["path"] or "", letter["reason"], sep=": ")


def test_a_study_that_only_has_another_stamp_is_no_news(readings):
    """The later of the two bundles comes first by its name: the earlier one is superseded."""
    row = next(reading.row for reading in readings
               if reading.name == "trials/fhir-r4-eclaire")
    assert row["statements_in"] == 27
    assert row["unchanged"] + row["superseded"] == 13


def test_the_web_sources_are_among_the_folders(readings):
    assert set(WEB) == {reading.name for reading in readings if reading.web}
