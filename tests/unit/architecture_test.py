"""Dependencies point one way, and the core is pure: read from the includes and from what is linked."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"

# Each layer may include itself and what is listed.
MAY_INCLUDE = {
    "hub/base": set(),
    "schemas/lib": {"hub/base", "hub/io"},
    "hub/core": {"hub/base", "schemas/lib"},
    "hub/stages": {"hub/base", "schemas/lib", "hub/core"},
    "hub/io": {"hub/base"},
    "hub/engine": {"hub/base", "schemas/lib", "hub/stages", "hub/io"},
    "hub/api": {"hub/base", "schemas/lib", "hub/stages", "hub/io", "hub/engine"},
    "connectors/formats": {"hub/base", "schemas/lib", "connectors/kit"},
    "connectors/transports": {"hub/base", "schemas/lib", "hub/io", "connectors/kit"},
    "connectors/kit": {"hub/base", "schemas/lib", "hub/io", "connectors/formats",
                       "connectors/transports"},
    "connectors": {"hub/base", "schemas/lib", "hub/io", "hub/archive", "connectors/kit",
                   "connectors/formats", "connectors/transports"},
    "hub/archive": {"hub/base", "schemas/lib", "hub/io", "hub/engine"},
    "hub/ctl": {"hub/base", "schemas/lib", "hub/core", "hub/stages", "hub/io", "hub/engine",
                "hub/archive", "connectors/kit"},
    "hub": {"hub/base", "schemas/lib", "hub/io", "hub/engine", "hub/api"},
}

PURE = ["hub_core", "hub_stages", "hub_schema", "hub_base"]

# What the pure layers may ask of the C library: memory, text, arithmetic. utf8proc is a table.
PURE_SYMBOLS = re.compile(r"""
    mem\w+ | str(?!ftime|ptime|error)\w+ | __mem\w+_chk | __str\w+_chk | __?v?sn?printf(_chk)?
    | v?snprintf | bsearch | qsort(_r)? | abort | malloc | calloc | realloc | free | reallocarray
    | __isoc\w+ | sto\w+ | __ctype_\w+ | __stack_chk_fail | __assert_fail | utf8proc_\w+
    | (fabs|floor|ceil|round|nan|ldexp|isnan|llround|lround|fmod|pow|trunc)f? | _GLOBAL_OFFSET_TABLE_
    | timegm | gmtime_r | __assert""", re.X)

# The process stops with a word where memory ends, and large blocks of memory are mapped at once: in
# hub/base/memory.c, and nowhere else.
OF_MEMORY = {"write", "_exit", "madvise"}


def layer_of(path):
    """The deepest layer that a file is in."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in MAY_INCLUDE:
            return folder
    return None


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)


def sources():
    return [path for folder in ("hub", "schemas/lib", "connectors")
            for path in sorted((ROOT / folder).rglob("*.[ch]"))]


def backwards(name, included):
    """Whether a file of that name may not include the other."""
    own, other = layer_of(name), layer_of(included)
    return other != own and other not in MAY_INCLUDE[own]


def undefined_symbols(library):
    """Symbols that a library's objects need, and that no object of it gives."""
    path, = BUILD.rglob(f"lib{library}.a")
    listed = subprocess.run(["nm", "--format=posix", path], capture_output=True, text=True,
                            check=True).stdout
    needed, given = set(), set()
    for line in listed.splitlines():
        parts = line.split()
        if len(parts) >= 2 and len(parts[1]) == 1:
            (needed if parts[1] == "U" else given).add(parts[0])
    return needed - given, given


def impure(library):
    needed, _ = undefined_symbols(library)
    pure_given = set().union(*(undefined_symbols(other)[1] for other in PURE))
    own = OF_MEMORY if library == "hub_base" else set()
    return {symbol for symbol in needed - pure_given - own if not PURE_SYMBOLS.fullmatch(symbol)}


def test_every_file_is_in_a_layer():
    for path in sources():
        assert layer_of(str(path.relative_to(ROOT))), path


def test_nothing_includes_backwards():
    wrong = [(str(path.relative_to(ROOT)), included) for path in sources()
             for included in includes(path)
             if backwards(str(path.relative_to(ROOT)), included)]
    assert not wrong


def test_the_pure_part_of_the_schema_library_includes_no_io():
    """schemas/lib has two halves; the one that the core links has no I/O (as its CMake file says)."""
    text = (ROOT / "schemas" / "CMakeLists.txt").read_text()
    pure = re.search(r"add_library\(hub_schema STATIC(.*?)\)", text, re.S)[1].split()
    for name in pure:
        for included in includes(ROOT / "schemas" / name):
            assert not included.startswith("hub/io"), name


@pytest.mark.parametrize("library", PURE)
def test_the_pure_layers_link_no_io_clock_or_chance(library):
    assert not impure(library)


def test_a_layer_with_io_is_found_out():
    """The control."""
    assert {"open", "read"} & impure("hub_io_file")
    assert "clock_gettime" in impure("hub_io_log")
    assert backwards("hub/core/merge.c", "hub/io/log.h")
    assert backwards("hub/stages/fold.c", "hub/engine/task.h")
    assert not backwards("hub/engine/task.c", "hub/stages/fold.h")


def writable_data(library):
    """Names of data that can be written after loading."""
    path, = BUILD.rglob(f"lib{library}.a")
    listed = subprocess.run(["objdump", "--syms", path], capture_output=True, text=True,
                            check=True).stdout
    return re.findall(r"^[0-9a-f]+ .{6}O (?:\.data|\.bss|\*COM\*)\s+[0-9a-f]+\s+(\S+)$", listed,
                      re.M)


@pytest.mark.parametrize("library", PURE)
def test_the_pure_layers_have_no_state_of_their_own(library):
    assert not writable_data(library)


def test_state_is_found_out():
    """The control: the engine notes in a variable that it was asked to stop."""
    assert "stop_requested" in writable_data("hub_engine")


def linked_with(program):
    listed = subprocess.run(["readelf", "--dynamic", BUILD / "bin" / program], capture_output=True,
                            text=True, check=True).stdout
    return set(re.findall(r"Shared library: \[lib([\w-]+?)[-.\d]*\.so", listed))


def test_a_connector_links_no_part_of_the_core():
    listed = subprocess.run(["nm", "--defined-only", BUILD / "bin" / "connector"],
                            capture_output=True, text=True, check=True).stdout
    assert "hub_merge" not in listed and "hub_fold_entry" not in listed
    assert "hub_walk" in listed  # the listing is one


def test_the_hub_parses_no_documents():
    assert not linked_with("atmp-hub") & {"xml2", "curl"}
    assert "rdkafka" in linked_with("atmp-hub")


def test_the_top_level_has_what_the_design_says():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    top = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= {
        "hub", "connectors", "schemas", "tests", "deploy", "CMakeLists.txt", "README.md",
        "CMakePresets.json"}
