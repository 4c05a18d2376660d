"""Fetching: the order of the mirrors, and every way in which one can fail, on loopback."""

import base64
import hashlib
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest

from nnlib.base.errors import UserError
from nnlib.data import mirrors
from nnlib.data.mirrors import CacheError, MirrorError, fetch_files
from tools.checkouts import ROOT

FILES = {"images.gz": b"images " * 1000, "labels.gz": b"labels " * 10}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


class Handler(BaseHTTPRequestHandler):
    """Serves the files, or what the mode in the path makes of them: /MODE/NAME?QUERY."""

    def do_GET(self):
        _, mode, name = self.path.partition("?")[0].split("/")
        self.server.requests.append(self.path)
        self.server.logins.append(self.headers["Authorization"])
        if mode == "recovering" and len(self.server.requests) == 1:
            mode = "503"
        if mode.isdigit():
            self.send_error(int(mode))
            return
        if mode == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
            return
        if mode == "reset":
            linger = struct.pack("ii", 1, 0)  # closing resets the connection
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        if mode == "redirect":
            self.send_response(302)
            self.send_header("Location", f"/404/{name}?signature=s3cret")
            self.end_headers()
            return
        if mode == "trickle-headers":
            self.send_response(200)
            self.flush_headers()
            self.trickle(b"X-Padding: " + bytes(60))
            return
        content = {
            "wrong": FILES[name][::-1],  # as many bytes, but different ones
            "page": b"<html>moved</html>",
        }.get(mode, FILES[name])
        self.send_response(200)
        self.send_header("Content-Length", len(content))
        self.end_headers()
        if mode == "trickle":
            self.trickle(content[:60])
        self.wfile.write(content[: len(content) // 2] if mode == "truncated" else content)

    def trickle(self, content):
        for byte in content:
            if self.server.stopped.wait(0.05):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between retries
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests = []
    server.logins = []
    server.stopped = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def log(caplog):
    """What is said on the standard error."""
    pooch.get_logger().addHandler(caplog.handler)
    yield caplog
    pooch.get_logger().removeHandler(caplog.handler)


def fill(folder, files=FILES):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(folder)


def assert_complete(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_the_first_mirror_that_answers_is_the_only_one_asked(server, folder, cache):
    fetch_files(folder, [f"{server.url}/first", f"{server.url}/second/"], cache, SHA256)
    assert_complete(folder)
    assert server.requests == ["/first/images.gz", "/first/labels.gz"]


def test_a_mirror_can_be_a_folder(server, folder, cache, tmp_path):
    fetch_files(folder, [fill(tmp_path / "mirror"), server.url], cache, SHA256)
    assert_complete(folder)
    assert server.requests == []


def test_what_was_fetched_once_is_not_fetched_again(server, folder, cache, tmp_path):
    fetch_files(folder, [f"{server.url}/first"], cache, SHA256)
    rebuilt = tmp_path / "rebuilt"
    rebuilt.mkdir()
    fetch_files(rebuilt, [], cache, SHA256)
    assert_complete(rebuilt)
    assert len(server.requests) == 2


def test_a_damaged_file_in_the_cache_is_fetched_again(server, folder, cache):
    fill(cache, FILES | {"labels.gz": b"damaged"})
    fetch_files(folder, [f"{server.url}/first"], cache, SHA256)
    assert_complete(folder)
    assert server.requests == ["/first/labels.gz"]


@pytest.mark.parametrize(
    "mode", ["404", "500", "503", "wrong", "truncated", "page", "loop", "reset"]
)
def test_after_a_failure_the_next_mirror_is_asked(server, folder, cache, mode):
    fetch_files(folder, [f"{server.url}/{mode}", f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)
    assert set(server.requests[:-2]) == {f"/{mode}/images.gz"}  # tried, retried and then left alone
    assert server.requests[-2:] == ["/good/images.gz", "/good/labels.gz"]


def test_a_mirror_that_recovers_is_retried(server, folder, cache):
    fetch_files(folder, [f"{server.url}/recovering"], cache, SHA256)
    assert_complete(folder)
    assert server.requests[:2] == ["/recovering/images.gz"] * 2


def test_after_a_refused_connection_the_next_mirror_is_asked(server, folder, cache):
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = closed.server_port
    closed.server_close()
    fetch_files(folder, [f"http://127.0.0.1:{port}", f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)


def test_after_a_silent_server_the_next_mirror_is_asked(server, folder, cache, monkeypatch):
    monkeypatch.setattr(mirrors, "TIMEOUT", 0.1)
    # it listens, and the kernel accepts the connection, but nobody answers
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        fetch_files(folder, [url, f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)


@pytest.mark.parametrize("mode", ["trickle", "trickle-headers"])
def test_after_a_server_that_trickles_the_next_mirror_is_asked(
    server, folder, cache, monkeypatch, mode
):
    monkeypatch.setattr(mirrors, "LIMIT", 0.5)
    start = time.monotonic()
    fetch_files(folder, [f"{server.url}/{mode}", f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)
    assert time.monotonic() - start < 3  # all of it would take longer
    assert server.requests == [f"/{mode}/images.gz", "/good/images.gz", "/good/labels.gz"]


def test_the_limit_holds_for_all_retries_together(server, folder, cache, monkeypatch):
    monkeypatch.setattr(mirrors, "TIMEOUT", 0.2)
    monkeypatch.setattr(mirrors, "LIMIT", 0.3)
    monkeypatch.setattr(mirrors, "RETRIES", 100)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        with pytest.raises(MirrorError, match=r"longer than 0\.3 s"):
            fetch_files(folder, [url], cache, SHA256)


def test_python_does_not_wait_for_a_server_that_was_given_up(folder, cache):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        code = (
            "from pathlib import Path; from nnlib.data import mirrors; mirrors.LIMIT = 0.1;"
            f"mirrors.fetch_files(Path({str(folder)!r}), [{url!r}], Path({str(cache)!r}), {SHA256})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=mirrors.TIMEOUT / 2,
        )
    assert done.stderr.endswith("longer than 0.1 s\n")


def test_a_bug_in_a_download_is_not_the_mirrors_fault(server, folder, cache, monkeypatch):
    monkeypatch.setattr("pooch.HTTPDownloader.__call__", lambda *args: {}["bug"])
    with pytest.raises(KeyError, match="bug"):
        fetch_files(folder, [f"{server.url}/good"], cache, SHA256)


def test_a_thread_without_signals_will_do(server, folder, cache, monkeypatch):
    monkeypatch.delattr(signal, "SIGALRM")  # as on Windows
    with ThreadPoolExecutor(1) as pool:
        pool.submit(fetch_files, folder, [f"{server.url}/good"], cache, SHA256).result()
    assert_complete(folder)


def test_a_file_is_no_mirror(server, folder, cache, tmp_path):
    (tmp_path / "mirror").write_text("not a folder")
    own = str(tmp_path / "mirror")
    with pytest.raises(UserError, match=r"no mirror has images\.gz:\n.*mirror.*Not a directory"):
        fetch_files(folder, [own], cache, SHA256)
    fetch_files(folder, [own, f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read any folder")
def test_a_folder_that_cannot_be_read_is_no_mirror(folder, cache, tmp_path):
    own = fill(tmp_path / "mirror")
    (tmp_path / "mirror").chmod(0)
    with pytest.raises(UserError, match=r"no mirror has images\.gz:\n.*mirror.*Permission denied"):
        fetch_files(folder, [own], cache, SHA256)


def test_a_folder_with_one_file_too_few_says_which(folder, cache, tmp_path):
    own = fill(tmp_path / "mirror", {"images.gz": FILES["images.gz"]})
    with pytest.raises(UserError, match=r"no mirror has labels\.gz:\n.*labels\.gz.*No such file"):
        fetch_files(folder, [own], cache, SHA256)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "files",
    [{}, {"images.gz": FILES["images.gz"]}, FILES | {"labels.gz": b"other bytes"}],
    ids=["empty", "one of two", "wrong bytes"],
)
def test_a_folder_gives_what_it_has_and_the_next_mirror_the_rest(
    server, folder, cache, tmp_path, files
):
    own = fill(tmp_path / "mirror", files)
    fetch_files(folder, [own, f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)


def test_when_no_mirror_answers_the_error_says_why_each_failed(server, folder, cache, tmp_path):
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(UserError) as caught:
        fetch_files(folder, [nowhere, f"{server.url}/404", f"{server.url}/wrong"], cache, SHA256)
    message = str(caught.value)
    assert "images.gz" in message
    reasons = message.splitlines()[1:]
    assert len(reasons) == 3
    assert nowhere in reasons[0]
    assert "No such file" in reasons[0]
    assert "404" in reasons[1]
    assert SHA256["images.gz"] in reasons[2]
    assert list(folder.iterdir()) == []
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("/", ""), ("?token=s3cret", "?token=s3cret"), ("/#part", "")]
)
def test_the_name_of_the_file_comes_before_a_query(server, folder, cache, before, after):
    fetch_files(folder, [f"{server.url}/good{before}"], cache, SHA256)
    assert server.requests == [f"/good/images.gz{after}", f"/good/labels.gz{after}"]


# A user name or password may hold any character, but these only as %2F, %3F and %23.
MALFORMED = [
    "http://user:s3cret/@HOST",
    "http://user:s3cret?@HOST",
    "http://user:s3cret#@HOST",
    "http://user:[s3cret@HOST",
    "ftp://user:s3cret@HOST",
    "https://user:s3cret@",
    "http://user:s3cret@HOST:99999",
]


@pytest.mark.parametrize(
    "url",
    [
        *MALFORMED,
        "http://user:s3cret@HOST/404",
        "http://user:s3cret@HOST/wrong",
        "http://user:s3cret@HOST/reset",
        "http://user:s3cret@HOST/redirect",
        "http://user:s3cret@HOST/truncated",
        "http://s3cret@HOST/404?token=s3cret",
        "http://a@s3cret:s3cret@HOST/404",
        "http://HOST/404?token=s3cret&sig='s3cret",
        "http://HOST/404/#s3cret?s3cret",
        "http://HOST/404/?token=%20s3cret (s3cret)\ts3cret\ns3cret",
        "http://HOST/wrong/?token=s3cret (s3cret)\ts3cret\ns3cret",
        "http://user:s3cret@127.0.0.1:1/?token=s3cret",
        "http://user:s3cret@no.such.host.invalid/?token=s3cret",
        "http://user:s3cret@" + "x" * 64 + ".invalid/",
        "http://user:s3cret@.x/",
        "http://user:s3cret@*/",
        "http://user:s3cret@exa mple/",
    ],
)
def test_no_secret_of_an_address_is_shown(server, folder, cache, log, url):
    url = url.replace("HOST", f"127.0.0.1:{server.server_port}")
    with pytest.raises(MirrorError) as caught:
        fetch_files(folder, [url], cache, SHA256)
    shown = log.text + "".join(traceback.format_exception(caught.value))
    assert shown.count(f"  {url.partition(':')[0]}://") == 2  # in the log and in the error
    assert "s3cret" not in shown


def test_a_password_is_sent_and_not_shown(server, folder, cache, log):
    address = server.url.replace("://", "://user:p%40ss%2F%3F@")
    fetch_files(folder, [f"{address}/good"], cache, SHA256)
    assert_complete(folder)
    assert server.logins == ["Basic " + base64.b64encode(b"user:p@ss/?").decode()] * 2
    address = server.url.replace("://", "://***@") + "/good"
    assert log.messages == [f"Downloading {name} from {address}" for name in FILES]


def test_a_folder_needs_no_cache(server, folder, cache, tmp_path):
    own = fill(tmp_path / "mirror")
    fetch_files(folder, [own, server.url], None, SHA256)
    assert_complete(folder)
    fetch_files(folder, [own, server.url], cache, SHA256)
    assert not cache.exists()


def test_a_folder_comes_before_the_cache(server, folder, cache, tmp_path, log):
    own = fill(tmp_path / "mirror", {"images.gz": b"damaged"})
    fill(cache)
    fetch_files(folder, [own, server.url], cache, SHA256)
    assert_complete(folder)
    assert f"{own}: images.gz: its SHA-256 is" in log.text


def test_a_mirror_that_was_not_asked_is_named(server, folder, cache, log):
    fill(cache)
    url = server.url.replace("://", "://user:s3cret@")
    fetch_files(folder, [url], cache, SHA256)
    assert server.requests == []
    assert log.messages == [
        f"All files are in the cache, {cache}. Not asked: {server.url.replace('://', '://***@')}"
    ]


def test_a_home_that_does_not_exist_is_the_mirrors_fault(server, folder, cache):
    with pytest.raises(MirrorError, match=r"~nobody-at-all: images\.gz: .*home"):
        fetch_files(folder, ["~nobody-at-all"], cache, SHA256)


def folder_for_a_file(cache):
    (cache / "labels.gz").mkdir(parents=True)
    return f"{cache}/labels.gz: Is a directory"


def file_for_the_folder(cache):
    cache.write_text("a file")
    return rf"{cache}/images\.gz: Not a directory"


def file_for_the_parent(cache):
    cache.parent.rmdir()
    cache.parent.write_text("a file")
    return rf"{cache}/images\.gz: Not a directory"


def loop_of_links(cache):
    cache.symlink_to(cache)
    return rf"{cache}/images\.gz: Too many levels of symbolic links"


def link_to_where_nothing_can_be_made(cache):
    cache.symlink_to("/proc/no/folder")
    return f"{cache}: File exists"


@pytest.mark.parametrize(
    "spoil",
    [
        folder_for_a_file,
        file_for_the_folder,
        file_for_the_parent,
        loop_of_links,
        link_to_where_nothing_can_be_made,
    ],
)
def test_a_cache_that_cannot_be_used_is_not_the_mirrors_fault(server, folder, cache, log, spoil):
    cache = cache / "two-layer-net"
    cache.parent.mkdir()
    reason = spoil(cache)
    with pytest.raises(CacheError, match=rf"^the download cache cannot be used: {reason}$"):
        fetch_files(folder, [f"{server.url}/good"], cache, SHA256)
    assert server.requests == []
    assert log.text == ""
    assert list(folder.iterdir()) == []


def test_a_cache_that_fills_up_is_not_the_mirrors_fault(server, folder, cache, log):
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(FILES["images.gz"]) - 1, hard))
    try:
        with pytest.raises(CacheError, match=r"cache/images\.gz: File too large"):
            fetch_files(folder, [f"{server.url}/good"], cache, SHA256)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Giving up" not in log.text
    assert list(cache.iterdir()) == []


def test_no_folder_for_a_cache_is_not_the_mirrors_fault(server, folder, log):
    with pytest.raises(CacheError, match="no folder for the download cache"):
        fetch_files(folder, [f"{server.url}/good"], None, SHA256)
    assert log.text == ""
