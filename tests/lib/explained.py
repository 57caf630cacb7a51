"""Whether what `hubctl entity explain` says is so: a mapper that uses none of the project's code, only
what an explanation names: paths, tables, formats, constants. Documents are read by documents.py.

A path leads through objects and lists as connectors/kit/lineage.h says.
"""

import csv
import datetime
import functools
import hashlib
import hmac
import json
import re
import unicodedata
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zoneinfo
from decimal import Decimal, InvalidOperation

from documents import read_whole
from stack.installation import ROOT
from stack.senders import messages_in

ABSENT = (None, "", [], {})
ATOM = "{http://www.w3.org/2005/Atom}"
TOLD_OUTSIDE = re.compile(r"@(request|file|entry|header|document)\.")


class Untrue(Exception):
    """An explanation that does not hold."""


# --- paths ---


def _segments(path):
    path = path.removeprefix(".")
    while path:
        if path.startswith("["):
            inner, path = path[1:].split("]", 1)
            yield "each" if inner == "*" else "index" if inner.isdigit() else "filter", inner
        elif path.startswith('"'):
            name, path = path[1:].split('"', 1)
            yield "member", name
        else:
            name = re.match(r"[^.\[]*", path)[0]
            path = path[len(name):]
            yield "any" if name == "*" else "member", name
        path = path.removeprefix(".")


def _flat(nodes):
    for node in nodes:
        if isinstance(node, list):
            yield from _flat(node)
        elif node not in ABSENT:
            yield node


def _passes(node, condition):
    key, how, wanted = re.fullmatch(r"(.+?)(\^=|!=|=)(.*)", condition).groups()
    texts = [text_of(each) for each in find(node, key)]
    if how == "!=":
        return wanted not in texts
    return any(text.startswith(wanted) if how == "^=" else text == wanted for text in texts)


def _members(node, name):
    """The member, which for an HL7 v2 field may be in its segment's."""
    if name in node:
        return [node[name]]
    segment = re.fullmatch(r"([A-Z][A-Z0-9]{2})-\d+", name)
    return [value for each in _flat([node.get(segment and segment[1])]) if isinstance(each, dict)
            for value in _members(each, name)]


def find(tree, path):
    """What the path leads to, in the document's order; what is absent left out."""
    nodes = [tree]
    for kind, name in _segments(path):
        nodes = list(_flat(nodes))
        if kind == "member":
            nodes = [value for node in nodes if isinstance(node, dict)
                     for value in _members(node, name)]
        elif kind == "any":
            nodes = [value for node in nodes if isinstance(node, dict)
                     for key, value in node.items() if key[0] not in "@#"]
        elif kind == "index":
            nodes = nodes[int(name):int(name) + 1]
        elif kind == "filter":
            nodes = [node for node in nodes if _passes(node, name)]
    return list(_flat(nodes))


def text_of(node):
    if isinstance(node, dict):
        return text_of(node.get("#text"))
    if isinstance(node, bool):
        return "true" if node else "false"
    return None if node is None else str(node)


def all_texts(node):
    if isinstance(node, dict):
        return [text for each in node.values() for text in all_texts(each)]
    if isinstance(node, list):
        return [text for each in node for text in all_texts(each)]
    return [node] if isinstance(node, str) else []


# --- what is done to a value ---


def fold(text):
    text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def organisations():
    with open(ROOT / "schemas" / "organisations.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    spellings = {fold(row["spelling"]): row["org"] for row in rows}
    return spellings | {org: org for org in spellings.values()}


ORGANISATIONS = organisations()


def look_up(text):
    return ORGANISATIONS.get(text) or ORGANISATIONS.get(fold(text))


@functools.cache
def _table_file(path):
    with open(path, newline="", encoding="utf-8") as file:
        return dict(list(csv.reader(file))[1:])


def read_table(table, configuration):
    return table if isinstance(table, dict) else _table_file(configuration.parent / table)


def pseudonyms(keys, kind, text):
    """With each key there is of the kind."""
    return [f"ps:{key.name}:" +
            hmac.new(key.read_bytes(), b"atmp\0" + text.encode(), hashlib.sha256).hexdigest()[:32]
            for key in sorted((keys / kind).iterdir())]


# --- an explanation, tried on its document ---


class Statement:
    """What an explanation says of one statement's field, beside the document that it names."""

    def __init__(self, told, tree, context, keys):
        self.configuration = ROOT / told["configuration"]
        self.context = context
        self.keys = keys
        self.tree = tree
        self.used = set()  # kinds of sources that gave what was asked for
        self.states = False  # whether any source gave anything

    def values(self, source, organisation=False):
        """All (text, kind of source) that a source gives."""
        if "path" in source:
            found = self._from_path(source)
        elif "constant" in source:
            found = [(source["constant"], "constant")]
        elif "first" in source:
            found = next((values for values in map(self.values, source["first"]) if values), [])
        elif "plus" in source:
            found = self._from_plus(source["plus"])
        elif "ref" in source:
            found = self._from_ref(source["ref"])
        else:
            parts = [self.values(part) for part in source["join"]]
            kinds = {values[0][1] for values in parts if values} - {"constant"}
            found = [(source["with"].join(values[0][0] for values in parts),
                      min(kinds, default="constant"))] if all(parts) else []
        split = [(part, kind) for text, kind in found
                 for part in (text.split(source["split"]) if "split" in source else [text])]
        done = [(after, kind) for text, kind in split
                for after in self._step(text, source, organisation) if after is not None]
        self.states |= bool(done)
        if "pick" in source and done:
            return [{"min": min, "max": max}[source["pick"]](done)]
        return done

    def _from_path(self, source):
        path = source["path"]
        if TOLD_OUTSIDE.match(path):
            node = self.context
            for name in path.removeprefix("@").split("."):
                node = node.get(name, {})
            return [(node, "context")] if node else []
        nodes = find(self.tree, path)
        if source.get("scan"):
            return [(text, "path") for node in nodes for text in all_texts(node)]
        texts = [text_of(node) for node in nodes]
        if None in texts:
            raise Untrue(f"{path} leads to an object")
        return [(text, "path") for text in texts]

    def _from_plus(self, plus):
        """A beginning and so much later, as RFC 3339."""
        parts = [self.values(plus[name])[:1] for name in ("to", "amount", "unit")]
        if not all(parts):
            return []
        begin, amount, unit = (part[0][0] for part in parts)
        unit_s = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit[0].lower()]
        read = _with_zone(_read_time(begin, plus["time"])[0], plus["time"])
        later = read + datetime.timedelta(seconds=int(amount) * unit_s)
        return [(later.isoformat(), min(part[0][1] for part in parts))]

    def _from_ref(self, ref):
        """What the parts say that are called so."""
        found, whole = [], self.tree
        for name, _ in self.values(ref["from"]):
            for part in find(whole, ref["among"]):
                self.tree = part
                if name in [text for text, _ in self.values(ref["by"])]:
                    found += self.values(ref["take"])
            self.tree = whole
        return found

    def _step(self, text, source, organisation):
        """What becomes of one text: none, one, or for pseudonyms one a key."""
        text = text.strip()
        absent = source.get("absent", [])
        if not text or text in ([absent] if isinstance(absent, str) else absent):
            return []
        if "match" in source:
            found = re.search(source["match"], text)
            text = found and (found[1] if found.re.groups else found[0])
            if text is None:
                return []
        if "fold" in source:
            text = text.lower()
        if "table" in source:
            table = read_table(source["table"], self.configuration)
            text = table[text] if text in table else self._otherwise(source, text)
        if text is not None and source.get("lookup") and not organisation:
            text = look_up(text) or self._otherwise(source, text)
        if text in (None, "null"):
            return []
        if "pseudonym" in source:
            return pseudonyms(self.keys, source["pseudonym"], text)
        return [text]

    @staticmethod
    def _otherwise(source, text):
        otherwise = source["else"]
        if otherwise == "reject":
            raise Untrue(f"{text!r} is not in the table")
        return text if otherwise in ("keep", "keep_text") else otherwise

    # --- comparing ---

    def check(self, value, target, origins):
        """Every part of the value is what one of its origins gives."""
        own = [origin for origin in origins if origin["target"] == target]
        if own:
            self._check_leaf(value, own)
        elif isinstance(value, dict) and "scheme" in value and "relation" in value:
            self._check_identifier(value, target, origins)
        elif isinstance(value, list):
            for element in value:
                self._check_element(element, f"{target}[]", origins)
        elif isinstance(value, dict):
            for name, part in value.items():
                if part not in ABSENT:
                    self.check(part, f"{target}.{name}", origins)
        else:
            raise Untrue(f"no origin of {target} is told, and it is {value!r}")

    def _check_element(self, element, target, origins):
        """All its parts come from one entry of the mapping and one element of the document."""
        why = Untrue(f"no origin of {target} is told")
        for item in sorted({origin["item"] for origin in origins}):
            for own in self._of_each([each for each in origins if each["item"] == item]):
                used = set(self.used)
                try:
                    self.check(element, target, own)
                    return
                except Untrue as found:
                    self.used, why = used, found
        raise why

    def _of_each(self, origins):
        """The origins for each element that they are told of, one element after the other."""
        each = origins[0].get("each", "")
        if not each.endswith("[*]"):
            return [origins]
        found = len(find(self.tree, each))
        text = json.dumps(origins)
        return [json.loads(text.replace(f'"{each[:-3]}[*]', f'"{each[:-3]}[{k}]'))
                for k in range(found)]

    def _check_leaf(self, value, origins):
        tried = []
        for origin in origins:
            source = origin["source"]
            organisation = isinstance(value, dict) and "org" in value
            for text, kind in self.values(source, organisation):
                tried.append(text)
                if same(value, text, source):
                    self.used.add(kind)
                    return
        raise Untrue(f"{origins[0]['target']}: {value!r} is none of {tried[:20]}")

    def _check_identifier(self, identifier, target, origins):
        told = [origin for origin in origins if origin["target"] == f"{target}.value"]
        for origin in told:
            source = origin["source"]
            otherwise = source.get("otherwise", {"scheme": "other", "relation": "unverified"})
            known = [(scheme, source["relation"]) for scheme in _list(source["schemes"])]
            if otherwise != "drop":
                known.append((otherwise["scheme"], otherwise["relation"]))
            if (identifier["scheme"], identifier["relation"].lower()) not in known:
                continue
            for text, kind in self.values(source):
                if same_number(identifier, text):
                    self.used.add(kind)
                    self._check_rest(identifier, target, origins, text)
                    return
        raise Untrue(f"{target}: no origin gives {identifier['scheme']} {identifier['value']}")

    def _check_rest(self, identifier, target, origins, text):
        for name in ("issuer", "version"):
            own = [origin for origin in origins if origin["target"] == f"{target}.{name}"]
            if identifier[name] is None:
                continue
            if own:
                self._check_leaf(identifier[name], own)
            elif identifier[name] not in text:
                raise Untrue(f"{target}.{name}: {identifier[name]!r} is not in {text!r}")


def _list(value):
    return value if isinstance(value, list) else [value]


def same_number(identifier, text):
    """A number in its normal form beside how the document writes it, maybe in running text."""
    scheme, value = fold(identifier["scheme"]), fold(identifier["value"])
    return value in fold(text) or value.removeprefix(scheme) in fold(text)


def same(value, text, source):
    if isinstance(value, dict) and "precision" in value:
        return same_date(value, text, source["time"])
    if isinstance(value, dict) and "offset_minutes" in value:
        return same_time(value, text, source["time"])
    if isinstance(value, dict) and "org" in value:
        return value["text"] == text and value["org"] == look_up(text)
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, (int, float)):
        try:
            return Decimal(text) == Decimal(str(value))
        except InvalidOperation:
            return False
    return value == text


def _read_hl7(text):
    clock, sign, offset = re.fullmatch(r"([\d.]+)(?:([+-])(\d{4}))?", text).groups()
    whole, _, fraction = clock.partition(".")
    form = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}[len(whole)]
    read = datetime.datetime.strptime(whole, form)
    read += datetime.timedelta(seconds=float(f"0.{fraction or 0}"))
    if sign:
        read = read.replace(tzinfo=_zone(f"{sign}{offset[:2]}:{offset[2:]}"))
    return read, {4: "YEAR", 6: "MONTH"}.get(len(whole), "DAY")


def _read_ical(text):
    clock, _, zone = text.partition(" ")
    read = datetime.datetime.strptime(clock.removesuffix("Z"),
                                      "%Y%m%dT%H%M%S" if "T" in clock else "%Y%m%d")
    if clock.endswith("Z"):
        return read.replace(tzinfo=datetime.timezone.utc), "DAY"
    return (read.replace(tzinfo=zoneinfo.ZoneInfo(zone)) if zone else read), "DAY"


def _read_time(text, time):
    """(datetime, precision) in the first of the formats that fits."""
    for wanted in _list(time["formats"]):
        try:
            if wanted in ("rfc3339", "date"):
                return datetime.datetime.fromisoformat(text.upper()), "DAY"
            if wanted == "hl7":
                return _read_hl7(text)
            if wanted == "ical":
                return _read_ical(text)
            if wanted == "partial":
                parts = (text + "-01-01")[:10]
                precision = {4: "YEAR", 7: "MONTH", 10: "DAY"}[len(text)]
                return datetime.datetime.fromisoformat(parts), precision
            precision = "DAY" if re.search(r"%[deFDjx]", wanted) else \
                "MONTH" if re.search(r"%[mbB]", wanted) else "YEAR"
            return datetime.datetime.strptime(text, wanted), precision
        except (ValueError, KeyError, AttributeError):
            continue
    return None, None


def same_date(value, text, time):
    read, precision = _read_time(text, time)
    return read is not None and (read.date().isoformat(), precision) == (
        value["value"], value["precision"])


def _zone(name):
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", name)
    if offset is None:
        return datetime.timezone.utc if name in ("UTC", "Z") else zoneinfo.ZoneInfo(name)
    minutes = int(offset[2]) * 60 + int(offset[3])
    return datetime.timezone(datetime.timedelta(minutes=-minutes if offset[1] == "-" else minutes))


def _with_zone(read, time):
    if read.tzinfo is not None:
        return read
    return read.replace(tzinfo=_zone(time["zone"]),
                        fold=1 if time.get("ambiguous") == "later" else 0)


def same_time(value, text, time):
    read, _ = _read_time(text, time)
    if read is None:
        return False
    read = _with_zone(read, time)
    expected = datetime.datetime.fromisoformat(value["time"])
    return read == expected and read.utcoffset() == datetime.timedelta(
        minutes=int(value["offset_minutes"]))


# --- where documents are ---


def _entry(feed, entry_id):
    """The one entry of a page that has this id."""
    entry, = (each for each in ElementTree.fromstring(feed).iter(f"{ATOM}entry")
              if each.findtext(f"{ATOM}id") == entry_id)
    return ElementTree.tostring(entry)


class Documents:
    """The documents of an installation, by the SHA-256 that statements carry."""

    def __init__(self, installation):
        self.installation = installation
        self.by_hash, self.trees = {}, {}
        self._add(installation.sources.exported())
        for path in installation.samples.rglob("*"):
            if path.is_file():
                self._add(path.read_bytes())
            if path.suffix == ".hl7":  # each message of a frame is a document
                for message in messages_in(path.read_bytes()):
                    self._add(message)

    def _add(self, document):
        self.by_hash[hashlib.sha256(document).hexdigest()] = document

    def find(self, told):
        """(the document's tree, or its row, what was told with it)"""
        url = urllib.parse.urlsplit(told["document"])
        query = urllib.parse.parse_qs(url.query)
        if told["raw_hash"] not in self.by_hash and url.scheme:
            answer = self.installation.sources.answer(url.path, query)
            if answer is not None and "atom" in answer[0]:  # cut out of its page
                self.by_hash[told["raw_hash"]] = _entry(answer[1], url.fragment.split("#")[0])
            elif answer is not None:
                self._add(answer[1])
        context = {"request": {name: values[0] for name, values in query.items()},
                   "file": {"name": told["document"]}}
        if told["raw_hash"] not in self.by_hash:
            raise Untrue(f"{told['document']}: no document has the hash {told['raw_hash']}")
        read = (told["raw_hash"], json.dumps(told["format"]))
        if read not in self.trees:
            self.trees[read] = read_whole(self.by_hash[told["raw_hash"]], told["format"])
        tree = self.trees[read]
        line = re.match(r"line=(\d+)", told["place"])
        if line is not None:
            tree = tree[int(line[1])]
        return tree, context


def check_statement(told, documents):
    """The kinds of sources that gave the field's value; Untrue where an explanation does not hold.
    Where several entries of the mapping may have made the statement, one of them has to."""
    why = [told.get("unknown", "no entry may have made it")]
    for record in told.get("records", []):
        tree, context = documents.find(told)
        statement = Statement(told, tree, context, documents.installation.keys)
        try:
            statement.check(told["value"], told["field"], record["origins"])
            return statement.used
        except Untrue as found:
            if record.get("update") == "patch" and not statement.states:
                return {"kept"}
            why.append(str(found))
    raise Untrue("; or ".join(why[1:] or why))
