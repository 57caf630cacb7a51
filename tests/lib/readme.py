"""The README's parts: what a run writes into it, the commands it tells people to type, its Python."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- written by a run: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)


def pytest_addoption(parser):
    parser.addoption("--write-readme", action="store_true",
                     help="write into the README what it shows, instead of comparing")


def block(name):
    """What stands between a block's marks."""
    return next(found[3] for found in BLOCK.finditer(README.read_text()) if found[2] == name)


def write_block(name, text):
    README.write_text(BLOCK.sub(
        lambda found: found[1] + text + found[4] if found[2] == name else found[0],
        README.read_text()))


def fenced(language, text):
    return f"```{language}\n{text.rstrip()}\n```\n"


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


def unfenced(text):
    return text.split("\n", 1)[1].rsplit("```", 1)[0]


def code(language):
    """All fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.S | re.M)


def commands():
    """What the README tells people to type, without the two that start everything."""
    return [line for text in code("sh") for line in text.splitlines()
            if line.startswith("build/")]
