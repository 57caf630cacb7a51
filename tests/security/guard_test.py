"""What the guard takes for a number of a person among published ones, and among numbers of trials."""

import json

import pytest

from programs import run

CONFIGURATION = """\
connector: numbers
institution: sus
system: sus-trials
source: {transport: file-drop, format: csv, folder: .}
target: {domain: trial}
records:
  - {key: id, version: {tie: position}, fields: {acronym: text}}
"""


@pytest.fixture
def held_back(tmp_path):
    """held_back(texts): which of them no record may hold."""
    def start(texts):
        (tmp_path / "numbers.yaml").write_text(CONFIGURATION)
        (tmp_path / "t.csv").write_text(
            "id,text\n" + "".join(f"{number},{text}\n" for number, text in enumerate(texts)))
        done = run("connector", "dry-run", tmp_path / "numbers.yaml", "--input",
                   tmp_path / "t.csv", "-o", "json")
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(told) == len(texts)
        return [text for text, each in zip(texts, told)
                if each["refused"] and "refused at guard" in each["refused"]]

    return start


@pytest.mark.parametrize("file", ["test-pins-part1.json", "coords-part1.json"])
def test_every_number_that_the_tax_agency_gives_to_nobody_is_found(real_samples, held_back, file):
    numbers = json.loads((real_samples / "identifiers" / "se-personnummer" / file).read_text())
    for texts in (numbers, [f"{number[:8]}-{number[8:]}" for number in numbers],
                  [f"{number[2:8]}-{number[8:]}" for number in numbers],
                  [f"pnr {number[2:]}" for number in numbers]):
        assert held_back(texts) == texts


def test_no_number_of_a_trial_is_taken_for_one(real_samples, held_back, capsys):
    path = real_samples / "identifiers" / "trial-numbers" / "eu-trial-numbers.open.txt"
    numbers = path.read_text().split()
    taken = held_back(numbers)
    with capsys.disabled():
        print(f"\n{len(taken)} of {len(numbers)} numbers of trials taken for one of a person")
    assert not taken
