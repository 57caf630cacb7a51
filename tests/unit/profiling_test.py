"""tests/bench/run --profile shows nothing that it has not found: a function that is gone, a thread that nobody
saw or half of the time make it fail."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

import profiling  # noqa: E402
from profiling import LIBRARIES, PARTS, THREADS  # noqa: E402
from programs import ROOT  # noqa: E402
from sections import write_profile  # noqa: E402
from stack.process import Failed  # noqa: E402

SAMPLES = """
        atmp-hub  4711 2000000000      55c848c493d0 (/home/hub/bin/atmp-hub)
        atmp-hub  4711  500000000  ffffffff822010c9 ([kernel.kallsyms])
     rdk:broker1  4711  250000000:     7f8daf8eb170 (/usr/lib/librdkafka.so.1)
    rdk:broker-1  4711  250000000      7f8daf0aa373 (/usr/lib/x86_64-linux-gnu/libc.so.6)
        rdk:main  4711  125000000      7f2769880900 (/usr/lib/libjemalloc.so.2)
     rdk:broker1  4712  250000000      7f8daf8eb170 (/usr/lib/librdkafka.so.1)
         VM Thread   17 250000000      7f0000000000 (/tmp/perf-17.map)
             :-1    -1   1000000  ffffffff822010c9 ([unknown])
"""


def test_samples_of_a_process_add_up_by_thread_and_by_library():
    samples = profiling.read_samples(SAMPLES, 4711)
    assert profiling.add_up(samples, "atmp-hub", 0, THREADS) == {
        "main thread": 2.5, "librdkafka's broker threads": 0.5, "other threads": 0.125}
    assert profiling.add_up(samples, "atmp-hub", 1, LIBRARIES) == {
        "its own code": 2, "libc": 0.25, "librdkafka": 0.25, "jemalloc": 0.125, "libcrypto": 0, "lmdb": 0,
        "kernel": 0.5, "others": 0}


@pytest.mark.parametrize("text", ["", "\n", "no samples", SAMPLES.replace("4711", "4713"),
                                  SAMPLES + "atmp-hub 4711 1.5 0 (libc.so.6)", SAMPLES + "atmp-hub 4711 15 0"])
def test_what_perf_does_not_say_is_not_taken_for_samples(text):
    with pytest.raises(Failed):
        profiling.read_samples(text, 4711)


def test_a_library_that_perf_has_not_seen_the_hub_in_is_an_error():
    samples = profiling.read_samples(SAMPLES, 4711)
    profiling.add_up(samples, "atmp-hub", 1, LIBRARIES, ["libc"])
    with pytest.raises(Failed, match="nothing of atmp-hub in: lmdb"):
        profiling.add_up(samples, "atmp-hub", 1, LIBRARIES, ["libc", "lmdb"])


@pytest.mark.parametrize("seen_s, is_true", [(0.89, False), (0.91, True), (1.09, True), (1.11, False)])
def test_samples_are_believed_where_the_kernel_counted_as_much(seen_s, is_true):
    if is_true:
        assert profiling.check_seen("hub", seen_s, 1) == seen_s
        return
    with pytest.raises(Failed):
        profiling.check_seen("hub", seen_s, 1)


# main calls f, which calls itself and a part that the compiler split off; the library has no names.
CALLGRIND = f"""version: 1
positions: line
events: Ir

ob=/tmp/stages
fl={ROOT}/hub/core/merge.c
fn=f.constprop.0
10 5
fi={ROOT}/hub/base/bytes.h
12 20
fe={ROOT}/hub/core/merge.c
cfn=f'2
calls=1 10
13 30
cob=/usr/lib/libcrypto.so.3
cfi=???
cfn=0x000000000029ad80
calls=2 0
14 7
15
fn=f'2
10 26
cfn=f.part.0
calls=1 20
11 4

fn=f.part.0
20 4

ob=/usr/lib/libcrypto.so.3
fl=???
fn=0x000000000029ad80
0 7

ob=/tmp/stages
fl={ROOT}/tests/bench/stages.c
fn=main
cfi={ROOT}/hub/core/merge.c
cfn=f.constprop.0
calls=1 10
30 62
"""


def test_instructions_are_of_a_function_and_of_all_that_it_calls():
    whole, own = profiling.read_callgrind(CALLGRIND)
    assert whole["f"] == 62
    assert own == {("f", "hub/core/merge.c"): 55, ("(no name)", "libcrypto.so.3"): 7}


def whole_of(function):
    """Every part costs one, and what has parts a hundred."""
    whole = profiling.read_callgrind("")[0]
    whole.update([part for part, _, _ in PARTS[function]])
    whole.update({name: 100 for name in {function, *(within for _, within, _ in PARTS[function])}})
    whole[profiling.HASHING] = 1
    return whole


@pytest.mark.parametrize("function", PARTS)
def test_what_the_parts_of_a_function_leave_is_shown(function):
    whole = whole_of(function)
    whole[function] = 1000
    rows = profiling.parts_of(function, whole)
    rest, = [count for _, purpose, _, count in rows if purpose == "the rest"]
    assert rest == 1000 - sum(whole[part] for part, within, _ in PARTS[function] if within == function)
    assert rows[0] == (0, "", function, 1000)


LISTED = [(function, part) for function in PARTS
          for part in (function, *(part for part, _, _ in PARTS[function]), profiling.HASHING)]


@pytest.mark.parametrize("function, part", LISTED)
def test_a_listed_function_that_callgrind_has_not_seen_is_refused(function, part):
    whole = whole_of(function)
    whole[function] = 1000
    del whole[part]
    with pytest.raises(Failed, match=rf"has not seen in {function}: {part};"):
        profiling.parts_of(function, whole)


def test_parts_that_have_more_than_the_whole_are_refused():
    whole = whole_of("hub_fold_entry")
    with pytest.raises(Failed, match="the parts of hub_fold_entry"):
        profiling.parts_of("hub_fold_entry", whole)


@pytest.mark.parametrize("there", ["perf", "valgrind"])
def test_a_tool_that_is_missing_is_named(there, monkeypatch):
    monkeypatch.setattr(profiling.shutil, "which", lambda name: name if name == there else None)
    missing, = {"perf", "valgrind"} - {there}
    with pytest.raises(Failed, match=f"not installed: {missing} "):
        profiling.check_tools()


def test_the_report_has_what_was_found(tmp_path):
    middle = {name: {**dict.fromkeys(THREADS, 1.0), **dict.fromkeys(LIBRARIES, 0.25)} for name in ("hub", "limit")}
    tables = [[(0, "", "hub_fold_entry", 500), (1, "merging", "fold_publish_merge", 300), (1, "the rest", "", 200)]]
    text = write_profile(tmp_path / "RESULTS.md", middle, {"hub": 0.98, "limit": 1.01}, tables,
                         [("hub_merge", "hub/core/merge.c", 120)], (400, 3, 2000, 10), (THREADS, LIBRARIES))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["main thread", "1.00", "1.00"] in rows
    assert ["together", "3.00", "3.00"] in rows
    assert ["together", "2.00", "2.00"] in rows
    assert ["the whole of", "`hub_fold_entry`", "50"] in rows
    assert ["· merging", "`fold_publish_merge`", "30"] in rows
    assert ["· the rest", "", "20"] in rows
    assert ["`hub_merge`", "hub/core/merge.c", "12"] in rows
    assert "98 % of the CPU time" in text
