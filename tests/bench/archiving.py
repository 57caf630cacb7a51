"""tests/bench/run --archive: what it costs to archive records and to verify an archive, beside the bytes alone."""

import json
import tempfile

from load import MEMORY, PROGRAMS, call
from sections import write_archive

USUAL = {"records": 100_000, "rounds": 11}
QUICK = {"records": 20_000, "rounds": 3}


def archive_records(scale, note):
    """Medians of rounds: seconds of each way, and the bytes."""
    note(f"{scale['records']:,} records archived and verified, {scale['rounds']} times")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="atmp-bench-") as folder:
        return json.loads(call([PROGRAMS / "archive", folder, scale["records"], scale["rounds"]]))


def ratios(middle):
    """Medians of those of the rounds."""
    return {name: middle[name] for name in ("archive_cpu_vs_copy", "verify_rate_vs_sha256")}


def run_archive(note, results):
    middle = archive_records(USUAL, note)
    found = ratios(middle)
    print(write_archive(results, USUAL, middle, found), end="")
    return found
