"""tests/bench/run --archive: what it costs to archive records and to verify an archive, beside the bytes alone."""

import json

from load import PROGRAMS, call
from report import write_archive

RECORDS, ROUNDS = 100_000, 9


def run_archive(folder, note, results):
    note(f"{RECORDS:,} records archived and verified, {ROUNDS} times")
    middle = json.loads(call([PROGRAMS / "archive", folder, RECORDS, ROUNDS]))
    found = {"archive_cpu_vs_copy": middle["archive_s"] / middle["copy_s"],
             "verify_rate_vs_sha256": middle["digest_s"] / middle["verify_s"]}
    print(write_archive(results, ROUNDS, middle, found), end="")
    return found
