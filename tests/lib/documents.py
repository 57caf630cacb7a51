"""Source documents as trees, read without any of the project's code: what an explanation is tried on.

A tree has the form that connectors/formats says of each format.
"""

import collections
import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from decimal import Decimal


def _element_tree(element, names):
    """Attributes as @name, own text as #text, children by name, repeated ones as a list."""
    tree = {f"@{names(name)}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = names(child.tag), _element_tree(child, names)
        if name in tree:
            tree[name] = (tree[name] if isinstance(tree[name], list) else [tree[name]]) + [value]
        else:
            tree[name] = value
    text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip(" \t\r\n")
    if not tree:
        return text
    return {**tree, "#text": text} if text else tree


def _xml(document, options):
    prefixes = dict(reversed(each.split("=", 1)) for each in options.get("namespaces", []))
    own = {"http://www.w3.org/XML/1998/namespace": "xml"}
    for _, (prefix, uri) in ElementTree.iterparse(io.BytesIO(document), ["start-ns"]):
        own.setdefault(uri, prefix)
    root = ElementTree.fromstring(document)
    home = root.tag[1:].split("}")[0] if root.tag.startswith("{") else None

    def names(tag):
        if not tag.startswith("{"):
            return tag
        uri, name = tag[1:].split("}")
        return name if uri == home else f"{prefixes.get(uri, own.get(uri))}:{name}"

    return {names(root.tag): _element_tree(root, names)}


def _rows(document, options):
    """The rows of a table by the line on which each begins."""
    text = document.decode(options.get("charset", "utf-8")).removeprefix("\ufeff")
    if "comment" in options:
        text = "".join("\n" if line.startswith(options["comment"]) else line
                       for line in text.splitlines(keepends=True))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=options.get("delimiter", ","))
    columns, rows, begins = options.get("columns"), {}, 1
    for row in reader:
        if row and columns is None:
            columns = row
        elif row:
            rows[begins] = dict(zip(columns, row))
        begins = reader.line_num + 1
    return rows


# MSH-18 as in HL7 table 0211.
HL7_CHARSETS = {"ASCII": "ascii", "8859/1": "iso-8859-1", "8859/15": "iso-8859-15",
                "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8"}


class _Hl7Message:
    """One HL7 v2 message, line by line."""

    def __init__(self, header, charset):
        text = header.decode("latin-1")
        self.field, (self.component, self.repetition, self.escape, self.subcomponent) = \
            text[3], (text[4:].split(text[3])[0] + "\0" * 4)[:4]
        code = (text.split(self.field) + [""] * 18)[17].split(self.repetition)[0]
        self.charset = HL7_CHARSETS.get(code, charset)
        self.tree, self.group, self.last = {}, None, None
        self.counts = collections.Counter()

    def _text(self, raw):
        letters = {"F": self.field, "S": self.component, "R": self.repetition,
                   "T": self.subcomponent, "E": self.escape, ".br": "\n"}

        def unescaped(found):
            if re.fullmatch(r"X([0-9A-Fa-f]{2})+", found[1]):
                return bytes.fromhex(found[1][1:]).decode("latin-1")
            return letters.get(found[1], found[0])

        escape = re.escape(self.escape)
        plain = re.sub(f"{escape}([^{escape}]*){escape}", unescaped, raw)
        return plain.encode("latin-1").decode(self.charset)

    def _parts(self, raw, separators):
        """A field or component: its parts by their numbers, the first one's text for the whole."""
        if raw == '""':
            return None
        if len(separators) == 1 and separators[0] not in raw:
            return self._text(raw)
        if not separators:
            return self._text(raw)
        parts = {str(i): self._parts(part, separators[1:])
                 for i, part in enumerate(raw.split(separators[0]), 1) if part}
        first = parts.get("1")
        return {**parts, "#text": (first["#text"] if isinstance(first, dict) else first) or ""}

    def _field(self, raw):
        found = [self._parts(each, [self.component, self.subcomponent])
                 for each in raw.split(self.repetition) if each]
        return found if self.repetition in raw else found[0]

    def add(self, line):
        name, *fields = line.decode("latin-1").split(self.field)
        first = 1
        self.counts[name] += 1
        segment = {"@n": str(self.counts[name])}
        if name == "MSH":
            segment |= {"MSH-1": self.field, "MSH-2": fields[0]}
            fields, first = fields[1:], 3
        segment |= {f"{name}-{i}": self._field(raw) for i, raw in enumerate(fields, first) if raw}
        home = self.tree
        if name == "NTE" and self.last is not None:
            home = self.last
        elif name in ("AIS", "AIG", "AIL", "AIP") and self.group is not None:
            home = self.group
        home.setdefault(name, []).append(segment)
        if name == "RGS":
            self.group = segment
        if name != "NTE":
            self.last = segment


def _messages(document, options):
    """HL7 v2 messages by the line on which each begins; what is around them is left out."""
    messages, number = {}, None
    for line, text in enumerate(re.split(rb"\r\n|\r|\n", document.removeprefix(b"\xef\xbb\xbf")), 1):
        if text.startswith((b"FHS", b"BHS", b"BTS", b"FTS")):
            number = None
        elif text.startswith(b"MSH"):
            number = line
            messages[line] = _Hl7Message(text, options.get("charset", "ascii"))
        if text and number is not None and messages[number] is not None:
            try:
                messages[number].add(text)
            except (UnicodeDecodeError, IndexError):
                messages[number] = None  # nothing was published of it
    return {line: message.tree for line, message in messages.items() if message is not None}


def _labelled(document, options):
    """Records of `label: value` lines by the line on which each begins."""
    records, record, name = {}, None, None
    fits = re.compile(options.get("label", "[^:]+"))
    lines = document.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    for number, line in enumerate(lines, 1):
        label, colon, value = line.removesuffix("\r").partition(":")
        if not fits.match(line.removesuffix("\r")):
            if name is not None and record is not None:
                record[name][-1] += "\n" + line.strip(" \t\r")
            continue
        name = re.sub(r"[ \t]+", " ", label.strip(" \t")) if colon else None
        if name == options["begin"]:
            record = records[number] = collections.defaultdict(list)
        if name is not None and record is not None:
            record[name].append(value.strip(" \t"))
    return {number: {name: [value.strip() for value in values]
                     for name, values in record.items()} for number, record in records.items()}


def _ical_texts(raw, name):
    """The texts of a property; of two of them there may be several."""
    parts = re.split(r"(?<!\\),", raw) if name in ("CATEGORIES", "RESOURCES") else [raw]
    if parts[-1] == "":
        parts.pop()
    return [re.sub(r"\\([\\;,nN])", lambda found: "\n" if found[1] in "nN" else found[1], part)
            for part in parts]


def _ical_property(line):
    name, parameters, raw = re.fullmatch(
        r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^;:"])*)*):(.*)', line, re.S).groups()
    codes = {"n": "\n", "^": "^", "'": '"'}
    told = {f"@{key.upper()}": re.sub(r"\^([n^'])", lambda found: codes[found[1]],
                                      value.replace('"', ""))
            for key, value in re.findall(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^;:"])*)', parameters)}
    texts = _ical_texts(raw, name.upper())
    return name.upper(), [{**told, "#text": text} if told else text for text in texts]


def _events(document, options):
    """The events of calendars by the line on which each begins."""
    del options
    text = document.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = []  # with the number of each one's first
    for number, line in enumerate(re.split(r"\r?\n", text), 1):
        if line[:1] in (" ", "\t") and lines:
            lines[-1][1] += line[1:]
        else:
            lines.append([number, line])
    events, opened, event, calendar = {}, [], None, None
    for number, line in lines:
        word, _, name = line.strip().upper().partition(":")
        if word == "BEGIN":
            component = collections.defaultdict(list)
            if name == "VCALENDAR":
                calendar = component
            if len(opened) == 1 and name == "VEVENT":
                event = events[number] = component
                component["VCALENDAR"].append(calendar)
            elif event is not None:
                opened[-1][1][name].append(component)
            opened.append((name, component))
        elif word == "END":
            if opened.pop()[1] is event:
                event = None
        elif line and (event is not None or len(opened) == 1):
            try:
                key, values = _ical_property(line)
                opened[-1][1][key] += values
            except AttributeError:
                pass  # nothing was published of it
    return events


def read_whole(document, options):
    """The document's tree; of what has several records (a table, messages) each by its line."""
    if options["name"] == "csv":
        return _rows(document, options)
    if options["name"] == "hl7v2":
        return _messages(document, options)
    if options["name"] == "icalendar":
        return _events(document, options)
    if options["name"] == "labelled-text":
        return _labelled(document, options)
    if options["name"] == "xml":
        return _xml(document, options)
    return json.loads(document, parse_float=Decimal)
