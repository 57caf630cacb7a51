"""nginx, Debian's own, as a source: TLS with certificates on both sides, ETags, compression, tokens.

Connectors are killed while they read it: nothing may be skipped or doubled. An entry of the feed, and
each version of an item, has a key of its own, so that this can be seen from the keys alone.
"""

import json
import os
import pathlib
import random
import socket
import subprocess

import pytest

from killing import keys_of, read_and_kill
from stack.process import Process, free_port, wait_until

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "atmp-hub"
NGINX = CACHE / "nginx/usr/sbin/nginx"
PAGE_SIZE = 10
ENTRIES = 35  # that a feed grows by
ITEMS = 60
TOKEN = '{"access_token": "t0ken", "token_type": "bearer", "expires_in": 3600}'

CONF = """\
daemon off;
{user}
pid nginx.pid;
error_log error.log;
events {{}}
http {{
  access_log access.log;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp;
  scgi_temp_path temp;
  gzip on; gzip_min_length 1; gzip_types application/json application/atom+xml;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate server.pem; ssl_certificate_key server.key;
    ssl_client_certificate ca.pem; ssl_verify_client on;
    root www;
    location /feed/ {{ default_type application/atom+xml; }}
    location /items/ {{ default_type application/json; }}
    location = /items/first {{
      default_type application/json;
      add_header Link '<second>; rel="next"';
    }}
    location = /token {{ default_type application/json; return 200 '{token}'; }}
    location /guarded/ {{
      default_type application/json;
      if ($http_authorization != "Bearer t0ken") {{ return 401; }}
    }}
    location = /moved {{ return 302 http://127.0.0.1:{port}/items/first; }}
  }}
}}
"""


class Peer:
    """The server, its files and its certificates, and what may be asked of it."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        for part in ("feed", "items", "guarded"):
            (folder / "www" / part).mkdir(parents=True)
        self.certify("ca", "-x509", "-subj", "/CN=authority")
        for name in ("server", "client"):
            self.certify(name, "-x509", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                         "-addext", "basicConstraints=CA:FALSE")
        self.certify("stranger", "-x509", "-subj", "/CN=stranger")
        (folder / "nginx.conf").write_text(CONF.format(
            port=self.port, token=TOKEN, user="user root;" if os.geteuid() == 0 else ""))
        self.process = Process("nginx", [NGINX, "-p", folder, "-e", "error.log", "-c", "nginx.conf"],
                               folder / "nginx.log")

    def certify(self, name, *options):
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", "-keyout", self.folder / f"{name}.key",
                        "-out", self.folder / f"{name}.pem", *options],
                       check=True, capture_output=True)

    def start(self):
        self.process.start()
        wait_until(self._listens, "start of nginx")

    def _listens(self):
        assert self.process.is_running(), self.process.tail()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def write(self, path, text):
        """In one step, as whoever reads meanwhile sees it."""
        fresh = self.folder / "fresh"
        fresh.write_text(text)
        fresh.rename(self.folder / "www" / path)

    def asked(self, *words):
        """How many lines of its log have all the words."""
        return sum(all(word in line for word in words)
                   for line in (self.folder / "access.log").read_text().splitlines())

    def access(self, authority="ca", client="client"):
        who = f", tls_certificate: {self.folder}/{client}.pem, tls_key: {self.folder}/{client}.key"
        return f"tls_ca: {self.folder}/{authority}.pem" + (who if client else "")


class Feed:
    """Archived pages of ten entries; the current one grows until it is archived itself."""

    def __init__(self, peer):
        self.peer = peer
        self.count = 0

    def entry(self, number):
        return (f"<entry><id>urn:e:{number}</id><title>Trial {number}</title>"
                f"<updated>2026-03-01T{number // 60:02}:{number % 60:02}:00Z</updated>"
                f'<content type="application/xml"><e:told xmlns:e="urn:e">'
                f'<entry xmlns=""><id>no</id></entry></e:told></content></entry>')

    def page(self, number):
        first = number * PAGE_SIZE
        prev = f'<link rel="prev-archive" href="{self.peer.url}/feed/{number - 1}"/>'
        entries = [self.entry(i) for i in range(first, min(first + PAGE_SIZE, self.count))]
        return (f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="via" href="/feed/{number}"/>'
                f'{prev if number else ""}{"".join(reversed(entries))}</feed>')

    def grow(self):
        for _ in range(ENTRIES):
            self.count += 1
            page = (self.count - 1) // PAGE_SIZE
            self.peer.write("feed/recent", self.page(page))
            if self.count % PAGE_SIZE == 0:
                self.peer.write(f"feed/{page}", self.page(page))

    def keys(self):
        return {f"sus-trials/urn:e:{number}" for number in range(self.count)}


class Items:
    """Two pages that list items, which change now and then."""

    def __init__(self, peer, seed):
        self.peer = peer
        self.random = random.Random(seed)
        self.versions = {}
        for page, first in (("first", 0), ("second", ITEMS // 2)):
            peer.write(f"items/{page}", json.dumps(
                {"items": [{"id": f"i{first + i}"} for i in range(ITEMS // 2)]}))

    def grow(self):
        for number in self.random.sample(range(ITEMS), ITEMS // 4) if self.versions else range(ITEMS):
            self.versions[number] = self.versions.get(number, 0) + 1
            self.peer.write(f"items/i{number}", json.dumps(
                {"id": f"i{number}", "version": self.versions[number]}))

    def keys(self):
        return {f"sus-trials/i{number}/{version}" for number, version in self.versions.items()}


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    peer = Peer(tmp_path_factory.mktemp("nginx"))
    peer.start()
    yield peer
    peer.process.stop()


@pytest.fixture(scope="module")
def installation(install):
    return install(hub=False)


def configure(peer, name, source, records):
    file = peer.folder / f"{name}.yaml"
    file.write_text(f"""\
connector: {name}
institution: sus
system: sus-trials
source: {{{source}, interval_ms: 100}}
target: {{domain: trial}}
records:
  - {records}
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: {{value: A trial}}}}]
      status: {{value: PLANNED}}
""")
    return file


def configure_atom(peer, name="nginx-atom", access=None):
    return configure(peer, name, f"transport: atom, format: xml, url: '{peer.url}/feed/recent', "
                     + (access or peer.access()), 'for_each: entry\n    key: "@entry.id"')


def configure_items(peer, name="nginx-items", more="", access=None):
    return configure(peer, name, f"transport: http-poll, format: json, url: '{peer.url}/items/first', "
                     f"next: link, ids: items.id, get: '/items/{{id}}', get_parallel: 4{more}, "
                     + (access or peer.access()), "key: [id, version]")


def test_a_killed_reader_of_a_feed_skips_and_doubles_nothing(request, peer, installation, seed):
    feed = Feed(peer)
    feed.grow()
    keys = read_and_kill(request, installation, configure_atom(peer), feed, seed)
    assert {key: count for key, count in keys.items() if "/urn:" in key} == \
        dict.fromkeys(feed.keys(), 1)


def test_a_killed_reader_of_a_list_skips_and_doubles_nothing(request, peer, installation, seed):
    items = Items(peer, seed)
    items.grow()
    keys = read_and_kill(request, installation, configure_items(peer), items, seed)
    found = {key: count for key, count in keys.items() if "/i" in key}
    assert items.keys() <= set(found)
    assert set(found.values()) == {1}


def test_what_has_not_changed_is_not_sent_again(peer, installation):
    Items(peer, 0).grow()
    Feed(peer).grow()
    for file, path in ((configure_items(peer, "nginx-again"), "GET /items/i0 "),
                       (configure_atom(peer, "nginx-atom-again"), "GET /feed/recent ")):
        before = peer.asked(path, " 304 ")
        process = installation.start_connector(file)
        wait_until(lambda: peer.asked(path, " 304 ") > before, f"a 304 to {path}")
        process.stop()


def test_bodies_come_compressed(peer):
    assert peer.asked("GET /items/first ", " 200 ") > 0
    request = ("GET /items/first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
               "Accept-Encoding: gzip\r\n\r\n")
    packed = subprocess.run(
        ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{peer.port}", "-CAfile",
         peer.folder / "ca.pem", "-cert", peer.folder / "client.pem", "-key",
         peer.folder / "client.key"], input=request.encode(), check=False, capture_output=True,
        timeout=30).stdout
    assert b"Content-Encoding: gzip" in packed


def told_by(installation, file):
    """What a connector says that ends for a person to act."""
    process = installation.start_connector(file, "--once")
    assert process.wait(60) != 0
    return process.tail()


def test_who_has_no_certificate_is_told_so(peer, installation):
    file = configure_items(peer, "nginx-nobody", access=peer.access(client=None))
    assert "HTTP 400; 200 or 304 would pass" in told_by(installation, file)


def test_a_certificate_that_cannot_be_read_is_for_a_person(peer, installation):
    file = configure_atom(peer, "nginx-no-key", access=peer.access(client="gone"))
    assert "Problem with the local SSL certificate" in told_by(installation, file)
    file = configure_atom(peer, "nginx-no-ca", access=peer.access(authority="gone"))
    assert "Problem with the SSL CA cert" in told_by(installation, file)


def test_a_server_of_another_authority_is_not_believed(peer, installation):
    file = configure_items(peer, "nginx-stranger", access=peer.access(authority="stranger"))
    asked = peer.asked("")
    process = installation.start_connector(file)
    wait_until(lambda: "SSL peer certificate" in process.tail(), "the connector's warning")
    process.stop()
    assert peer.asked("") == asked


def test_a_redirect_is_not_followed(peer, installation):
    file = configure(peer, "nginx-moved", f"transport: http-poll, format: json, url: '{peer.url}/moved', "
                     + peer.access(), "key: id")
    assert "/moved: HTTP 302; 200 or 304 would pass" in told_by(installation, file)


def test_a_token_opens_what_is_guarded(peer, installation, monkeypatch):
    peer.write("guarded/one", json.dumps({"id": "guarded"}))
    monkeypatch.setenv("NGINX_TEST_SECRET", "s3cret")
    source = f"transport: http-poll, format: json, url: '{peer.url}/guarded/one', {peer.access()}"
    file = configure(peer, "nginx-unguarded", source, "key: id")
    assert "HTTP 401" in told_by(installation, file)
    file = configure(peer, "nginx-guarded", source + f", oauth_token_url: '{peer.url}/token', "
                     "oauth_client_id: hub, oauth_client_secret: '${env:NGINX_TEST_SECRET}'", "key: id")
    installation.run_connectors([file])
    assert keys_of(installation, "ingest.sus.trial")["sus-trials/guarded"] == 1
