"""Branches as gcov counted them, which of them are excused, and a report for people."""

import csv
import dataclasses
import json
import subprocess

FOLDERS = ["hub/core", "hub/stages"]


@dataclasses.dataclass
class Line:
    """A line of code that runs: how often it did, and each of its branches."""

    file: str
    number: int
    function: str
    text: str
    count: int = 0
    branches: list[int] = dataclasses.field(default_factory=list)

    @property
    def missed(self):
        """How many branches nobody took; a line that nobody came to counts as one."""
        return self.branches.count(0) or int(self.count == 0)

    def __str__(self):
        what = "never run" if self.count == 0 else f"{self.missed} of {len(self.branches)} missed"
        return f"{self.file}:{self.number} {self.function}: {self.text}  ({what})"


@dataclasses.dataclass
class Excuse:
    """Why branches of a line are not asked for. A * at the end stands for any rest."""

    file: str
    function: str
    text: str
    missed: int | None  # exactly so many of each line; None: any number
    why: str

    def covers(self, line):
        return (matches(self.file, line.file) and matches(self.function, line.function)
                and matches(self.text, line.text) and self.missed in (None, line.missed))


def matches(pattern, text):
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern


def read_excuses(path):
    with path.open(newline="") as table:
        return [Excuse(row["file"], row["function"], row["text"],
                       int(row["missed"]) if row["missed"] else None, row["why"])
                for row in csv.DictReader(table)]


def run_gcov(root, build):
    """gcov's results for the object files of the folders, one for each."""
    for folder in FOLDERS:
        library = build / "hub/CMakeFiles" / f"{folder.replace('/', '_')}.dir"
        for notes in sorted(library.rglob("*.gcno")):
            done = subprocess.run(
                ["gcov", "--branch-probabilities", "--json-format", "--stdout",
                 notes.with_suffix(".gcda")], cwd=root, check=True, capture_output=True)
            yield json.loads(done.stdout)


def read_lines(results, root):
    """The lines of the folders, by file and number. Whatever several objects say is added up."""
    lines = {}
    for result in results:
        for source in result["files"]:
            path = root / result["current_working_directory"] / source["file"]
            name = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
            gone = not path.is_file()  # an object of an older tree; ninja leaves its notes
            if gone or not name.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
                continue
            text = path.read_text().splitlines()
            for said in source["lines"]:
                number = said["line_number"]
                line = lines.setdefault((name, number), Line(
                    name, number, said.get("function_name", ""), text[number - 1].strip()))
                line.count += said["count"]
                counts = [branch["count"] for branch in said["branches"]]
                line.branches = ([a + b for a, b in zip(line.branches, counts, strict=True)]
                                 if line.branches else counts)
    return [lines[place] for place in sorted(lines)]


def judge(lines, excuses):
    """The lines with missed branches that nothing excuses, and the excuses that excuse nothing."""
    missed = [line for line in lines if line.missed]
    unexcused = [line for line in missed if not any(excuse.covers(line) for excuse in excuses)]
    idle = [excuse for excuse in excuses if not any(excuse.covers(line) for line in missed)]
    return unexcused, idle


def row(name, lines, excuses):
    branches = sum(len(line.branches) for line in lines)
    taken = sum(len(line.branches) - line.branches.count(0) for line in lines)
    excused = sum(line.missed for line in lines if any(e.covers(line) for e in excuses))
    unexcused, _ = judge(lines, excuses)
    return (f"| {name} | {sum(line.count > 0 for line in lines)} / {len(lines)} "
            f"| {taken} / {branches} | {excused} | {sum(line.missed for line in unexcused)} |")


def describe_missed(lines, excuses):
    """Where nobody went, a line each, and how often in all; empty where nothing is missed."""
    unexcused, _ = judge(lines, excuses)
    total = sum(line.missed for line in unexcused)
    return [*(f"- {line}" for line in unexcused),
            f"{total} missed on {len(unexcused)} lines"] if unexcused else []


def report(lines, excuses):
    """A table of the files and what is missed in them, in Markdown."""
    rows = [row(file, [line for line in lines if line.file == file], excuses)
            for file in sorted({line.file for line in lines})]
    return "\n".join([
        "# Branch coverage of hub/core and hub/stages", "",
        "By the unit and property programs; which branches are excused, and why, is in",
        "tests/coverage/excluded.csv.", "",
        "| file | lines run / all | branches taken / all | excused | missed |",
        "|---|---|---|---|---|", *rows, row("all", lines, excuses), "",
        "## Missed", "", *(describe_missed(lines, excuses) or ["Nothing."]), ""])
