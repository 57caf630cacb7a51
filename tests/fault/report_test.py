"""What the README and the report say of the fault programme is what its last runs found.

tests/run fault/report_test.py -- --write-readme writes the README's part."""

import pytest

import readme
import report


@pytest.fixture
def kept():
    return report.read(report.RESULTS)


def test_the_readme_says_what_the_last_runs_found(request, kept):
    text = report.readme_text(kept)
    if request.config.getoption("--write-readme"):
        readme.write_block("faults", text)
    assert readme.block("faults") == text


def test_the_report_is_made_of_the_figures_beside_it(kept):
    assert report.RESULTS.read_text() == report.render(kept)


def test_what_was_found_is_told(kept):
    run = next(iter(kept["runs"].values()))
    run["findings"]["lost"] = 17
    assert "17 lost" in report.readme_text(kept)
    assert "**17**" in report.render(kept)
