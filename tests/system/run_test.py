"""deploy/run, the README's first command, as a person runs it."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from stack.installation import ROOT
from stack.process import wait_until

RUN = ROOT / "deploy" / "run"
TIMEOUT_S = 900  # the first set-up fetches and builds


def run(folder, *arguments):
    """With a folder for temporary files of its own."""
    return subprocess.run([RUN, *map(str, arguments)], check=False, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
                          env={**os.environ, "TMPDIR": str(folder)})


def table_of(text):
    """{domain: {column: number}} of the table that it prints."""
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("DOMAIN"))
    columns = re.split(r"\s{2,}", lines[head].strip())
    table = {}
    for line in lines[head + 1:]:
        cells = line.split()
        if len(cells) != len(columns) or not cells[1].isdigit():
            break
        table[cells[0]] = dict(zip(columns[1:], map(int, cells[1:])))
    return table


def processes_of(folder):
    """Processes that were told of a folder, as an argument or in their environment."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if f"{folder}/atmp-hub-".encode() in told:
            found.append(told)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("temporary")
    return [run(folder, "--once"), run(folder, "--once")], folder


def test_it_ends_well_the_first_time_and_the_second(runs):
    results, _ = runs
    for result in results:
        assert result.returncode == 0, result.stdout + result.stderr


def test_its_table_accounts_for_every_domain(runs):
    for result in runs[0]:
        table = table_of(result.stdout)
        assert set(table) >= {"trial", "exchange", "gmp-slot", "product", "material", "batch"}
        for name, row in table.items():
            assert row["STATEMENTS IN"] > 0 and row["ENTITIES"] > 0, name
            assert row["SOURCE RECORDS"] == (
                row["STATEMENTS IN"] + row["UNCHANGED"] + row["SUPERSEDED"] + row["SKIPPED"]
                + row["DEAD-LETTERED"]), name
        assert table["gmp-slot"]["DEAD-LETTERED"] == 12
        assert "every input is accounted for" in result.stdout


def test_it_tells_the_story_of_the_samples(runs):
    for result in runs[0]:
        for part in ("SUS registers a trial", "LU asks for an exchange, LUMC decides",
                     "LUMC double-books a slot, and mends it", "a bad document is dead-lettered",
                     "it is corrected and accepted", "a donation becomes a batch, and doses",
                     "one shipment has no receipt"):
            assert part in result.stdout
        assert "MISSING" not in result.stdout


def test_it_leaves_nothing_behind(runs):
    assert not list(runs[1].iterdir())
    assert not processes_of(runs[1])


def test_it_runs_until_it_is_interrupted_and_takes_everything_with_it(tmp_path):
    folder, output = tmp_path / "temporary", tmp_path / "output"
    folder.mkdir()
    with output.open("w") as sink:
        child = subprocess.Popen([RUN], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                                 start_new_session=True,
                                 env={**os.environ, "TMPDIR": str(folder)})
        wait_until(lambda: "Ctrl-C" in output.read_text() or child.poll() is not None,
                   "an installation that runs", TIMEOUT_S)
        assert child.poll() is None, output.read_text()
        bootstrap = re.search(r"HUB_BOOTSTRAP=(\S+)", output.read_text())[1]
        listed = subprocess.run([ROOT / "build/release/bin/hubctl", "entity", "list"], text=True,
                                capture_output=True, check=True, stdin=subprocess.DEVNULL,
                                env={**os.environ, "HUB_BOOTSTRAP": bootstrap,
                                     "HUB_SCHEMAS": str(ROOT / "schemas")})
        assert "Cultured skin for deep burns" in listed.stdout
        assert processes_of(folder)
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
    assert not list(folder.iterdir())
    assert not processes_of(folder)


def test_an_argument_that_it_does_not_know_is_refused(tmp_path):
    assert run(tmp_path, "--twice").returncode == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    result = run(tmp_path, "--once", "--samples", tmp_path / "nowhere")
    assert result.returncode == 2
    assert "nowhere" in result.stderr
