"""tests/bench/run --archive: what it costs to archive records and to verify an archive, beside the bytes alone."""

import json
import tempfile

from load import MEMORY, PROGRAMS, call
from sections import write_archive

RECORDS, ROUNDS = 100_000, 11


def run_archive(note, results):
    note(f"{RECORDS:,} records archived and verified, {ROUNDS} times")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="atmp-bench-") as folder:
        middle = json.loads(call([PROGRAMS / "archive", folder, RECORDS, ROUNDS]))
    found = {name: middle[name] for name in ("archive_cpu_vs_copy", "verify_rate_vs_sha256")}
    print(write_archive(results, ROUNDS, middle, found), end="")
    return found
