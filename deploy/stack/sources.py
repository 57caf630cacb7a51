"""The web sources that the connectors poll, served from a folder of samples.

ClinicalTrials.gov as its API pages: GET /api/v2/studies?pageSize=N&pageToken=T gives {studies,
nextPageToken}, the token missing on the last page. Erasmus Without Paper as a host answers:
GET /omobilities/get?sending_hei_id=H and /imobilities/get?sending_hei_id=H give the documents of
that institution, one after the other, each naming the next in a Link header; with omobility_id=M
those that name that mobility. Ladok as its feed of events: GET /uppfoljning/feed/recent gives the page
that is the last by its file's name, and /uppfoljning/feed/N each, the first being 1, with links of their
own to one another (RFC 5005). REDCap as its API exports records: POST /api/ with the project's token
gives all rows, or those of the records that are asked for. Every answer has an ETag, and If-None-Match is honoured.
"""

import hashlib
import http.server
import json
import pathlib
import re
import secrets
import threading
import urllib.parse

from stack.process import free_port

PAGE_SIZE_DEFAULT = 10
EMPTY_FEED = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:id:1</id></feed>'


def read_studies(samples):
    """Every study: a file holds one, or a page of them. Of several revisions the register serves the
    newest."""
    studies = {}
    for path in sorted((samples / "trials" / "ctgov-v2-json").glob("*.json")):
        document = json.loads(path.read_text())
        for study in document["studies"] if "studies" in document else [document]:
            protocol = study["protocolSection"]
            number = protocol["identificationModule"]["nctId"]
            updated = protocol["statusModule"].get("lastUpdatePostDateStruct", {}).get("date", "")
            if number not in studies or studies[number][0] <= updated:
                studies[number] = updated, study
    return [study for _, study in studies.values()]


def read_mobilities(samples, kind):
    return [path.read_bytes()
            for path in sorted((samples / "exchange" / f"ewp-{kind}").glob("*.xml"))]


def read_feed(samples):
    """Its pages, the oldest first, without the links that they have elsewhere."""
    pages = [path.read_bytes()
             for path in sorted((samples / "education" / "ladok-atom").glob("feed-*.xml"))]
    return [re.sub(rb"<link\b[^>]*>\s*", b"", page) for page in pages or [EMPTY_FEED]]


def read_redcap(samples):
    return [row for path in sorted((samples / "trials" / "sus-redcap-json").glob("*.json"))
            for row in json.loads(path.read_text())]


def sending_institutions(document, others):
    """Who sends the students of a document. Where it names only their mobilities, those of the
    other documents that name the same ones."""
    text = document.decode("utf-8", "replace")
    named = set(re.findall(r"<sending-hei>\s*<hei-id>([^<]+)<", text))
    if named or not others:
        return named
    mobilities = re.findall(r"<omobility-id>([^<]+)<", text)
    return set().union(*(sending_institutions(other, []) for other in others
                         if any(mobility in other.decode("utf-8", "replace")
                                for mobility in mobilities)))


class Sources:
    """An HTTP server on a free port of the loopback address."""

    def __init__(self, samples):
        samples = pathlib.Path(samples)
        self.studies = read_studies(samples)
        self.documents = {kind: read_mobilities(samples, kind)
                          for kind in ("omobilities", "imobilities")}
        self.feed = read_feed(samples)
        self.redcap = read_redcap(samples)
        self.redcap_token = secrets.token_hex(16).upper()
        self.requests = []
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", free_port()), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = None

    def start(self):
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.thread is not None:  # a server that never served would be waited for for ever
            self.server.shutdown()
        self.server.server_close()

    def answer(self, path, query):
        """(content type, body, headers), or None where there is nothing."""
        if path == "/api/v2/studies":
            return self._page(query)
        if found := re.fullmatch(r"/uppfoljning/feed/(recent|\d+)", path):
            return self._feed_page(len(self.feed) if found[1] == "recent" else int(found[1]))
        found = re.fullmatch(r"/(omobilities|imobilities)/get", path)
        return self._mobility(found[1], query) if found else None

    def export(self, form):
        """What REDCap answers; None to whoever has no token."""
        if form.get("token") != [self.redcap_token] or form.get("content") != ["record"]:
            return None
        wanted = [value for name, values in form.items() if name.startswith("records[")
                  for value in values]
        return "application/json", self.exported(wanted), {}

    def exported(self, wanted=()):
        rows = [row for row in self.redcap if not wanted or row["record_id"] in wanted]
        return json.dumps(rows, ensure_ascii=False).encode()

    def _page(self, query):
        start = int(query.get("pageToken", ["0"])[0])
        size = int(query.get("pageSize", [PAGE_SIZE_DEFAULT])[0])
        page = {"studies": self.studies[start:start + size]}
        if start + size < len(self.studies):
            page["nextPageToken"] = str(start + size)
        return "application/json", json.dumps(page, ensure_ascii=False).encode(), {}

    def _feed_page(self, number):
        if not 1 <= number <= len(self.feed):
            return None
        links = {"via" if number == len(self.feed) else "self": number}
        if number > 1:
            links["prev-archive"] = number - 1
        text = "".join(f'<link rel="{relation}" href="{self.url}/uppfoljning/feed/{to}"/>'
                       for relation, to in links.items())
        body = re.sub(rb"<feed\b[^>]*>", lambda found: found[0] + text.encode(),
                      self.feed[number - 1], count=1)
        return "application/atom+xml", body, {}

    def _mobility(self, kind, query):
        sender = query.get("sending_hei_id", [""])[0]
        index = int(query.get("page", ["0"])[0])
        wanted = [f"<omobility-id>{each}<".encode() for each in query.get("omobility_id", [])]
        own = [document for document in self.documents[kind]
               if sender in sending_institutions(document, self.documents["omobilities"])
               and (not wanted or any(each in document for each in wanted))]
        headers = {}
        if index + 1 < len(own):
            following = urllib.parse.urlencode({"sending_hei_id": sender, "page": index + 1})
            headers["Link"] = f'<{self.url}/{kind}/get?{following}>; rel="next"'
        body = own[index] if index < len(own) else f"<{kind}-get-response/>".encode()
        return "application/xml", body, headers

    def _handler(sources):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                sources.requests.append(self.path)
                self._give(sources.answer(url.path, urllib.parse.parse_qs(url.query)), 404)

            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._give(self.path == "/api/" and sources.export(urllib.parse.parse_qs(form)), 403)

            def _give(self, answer, otherwise):
                if not answer:
                    self.send_error(otherwise)
                    return
                kind, body, headers = answer
                tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                unchanged = self.headers.get("If-None-Match") == tag
                self.send_response(304 if unchanged else 200)
                for name, value in {"Content-Type": kind, "ETag": tag, **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0" if unchanged else str(len(body)))
                self.end_headers()
                if not unchanged:
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler
