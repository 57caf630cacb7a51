"""The parts of the README and of the pages that it names: what a run writes into them, the commands they tell people
to type, their Python."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in (
    "README.md", "hub/README.md", "connectors/README.md", "hub/archive/README.md")]
BLOCK = re.compile(r"(<!-- written by a run: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)


def pytest_addoption(parser):
    parser.addoption("--write-readme", action="store_true",
                     help="write into the README what it shows, instead of comparing")


def text():
    """Of all pages, in the order in which somebody reads them."""
    return "".join(page.read_text() for page in PAGES)


def block(name):
    """What stands between a block's marks."""
    return next(found[3] for found in BLOCK.finditer(text()) if found[2] == name)


def write_block(name, content):
    for page in PAGES:
        before = page.read_text()
        after = BLOCK.sub(
            lambda found: found[1] + content + found[4] if found[2] == name else found[0], before)
        if after != before:
            page.write_text(after)


def fenced(language, content):
    return f"```{language}\n{content.rstrip()}\n```\n"


def compact(value, indent="", width=120):
    """JSON in which whatever fits a line is on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= width or not isinstance(value, (dict, list)):
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(name)}: {compact(each, deeper, width)}"
                 for name, each in value.items()]
    else:
        parts = [deeper + compact(each, deeper, width) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "\n" + ",\n".join(parts) + f"\n{indent}{closing}"


def unfenced(content):
    return content.split("\n", 1)[1].rsplit("```", 1)[0]


def code(language):
    """All fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text(), re.S | re.M)


def commands():
    """What people are told to type, each once, without the two that start everything."""
    return list(dict.fromkeys(line for lines in code("sh") for line in lines.splitlines()
                              if line.startswith("build/")))
