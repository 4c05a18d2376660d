"""Fetching: the order of the mirrors, and every way in which one can fail, on loopback."""

import base64
import hashlib
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest

from nnlib.data import mirrors
from nnlib.data.mirrors import CacheError, MirrorError, fetch_files
from nnlib.data.sources import File
from tools.checkouts import ROOT

FILES = {"images.gz": b"images " * 1000, "labels.gz": b"labels " * 10}
PUBLISHED = {
    name: File(len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items()
}


class Handler(BaseHTTPRequestHandler):
    """Serves the files, or what the mode in the path makes of them: /MODE/NAME?QUERY."""

    def do_GET(self):
        _, mode, name = self.path.partition("?")[0].split("/")
        self.server.requests.append(self.path)
        self.server.logins.append(self.headers["Authorization"])
        if mode.startswith("first-") and len(self.server.requests) == 1:
            mode = mode.removeprefix("first-")
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
        content = self.content(mode, name)
        self.send_response(200)
        self.send_header("Content-Length", len(content))
        self.end_headers()
        if mode == "trickle":
            self.trickle(content[:60])
        if mode == "slow":
            self.trickle(content, len(content) // 10)
            return
        self.wfile.write(content[: len(content) // 2] if mode == "truncated" else content)

    def content(self, mode, name):
        if mode == "wrong":
            return FILES[name][::-1]  # as many bytes, but different ones
        if mode == "longer":
            return FILES[name] + b"more"
        return b"<html>moved</html>" if mode == "page" else FILES[name]

    def trickle(self, content, size=1):
        for start in range(0, len(content), size):
            if self.server.stopped.wait(0.05):
                return
            self.wfile.write(content[start : start + size])

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


def assert_complete(paths):
    assert {name: path.read_bytes() for name, path in paths.items()} == FILES


def test_the_first_mirror_that_answers_is_the_only_one_asked(server, cache):
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/first", f"{server.url}/second/"], cache))
    assert server.requests == ["/first/images.gz", "/first/labels.gz"]


def test_the_users_mirror_can_be_a_folder(server, cache, tmp_path):
    own = fill(tmp_path / "mirror")
    paths = fetch_files(PUBLISHED, [server.url], cache, own)
    assert_complete(paths)
    assert {path.parent for path in paths.values()} == {tmp_path / "mirror"}
    assert server.requests == []


def test_the_users_mirror_is_asked_before_the_public_ones(server, cache):
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/public"], cache, f"{server.url}/own"))
    assert server.requests == ["/own/images.gz", "/own/labels.gz"]


def test_what_was_fetched_once_is_not_fetched_again(server, cache):
    fetch_files(PUBLISHED, [f"{server.url}/first"], cache)
    assert_complete(fetch_files(PUBLISHED, [], cache))
    assert len(server.requests) == 2
    assert sorted(path.name for path in cache.iterdir()) == sorted(FILES)  # and nothing else


def test_a_damaged_file_in_the_cache_is_fetched_again(server, cache):
    fill(cache, FILES | {"labels.gz": b"damaged"})
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/first"], cache))
    assert server.requests == ["/first/labels.gz"]


@pytest.mark.parametrize(
    "mode", ["404", "500", "503", "wrong", "truncated", "page", "loop", "reset"]
)
def test_after_a_failure_the_next_mirror_is_asked(server, cache, mode):
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/{mode}", f"{server.url}/good"], cache))
    assert set(server.requests[:-2]) == {f"/{mode}/images.gz"}  # tried, retried and then left alone
    assert server.requests[-2:] == ["/good/images.gz", "/good/labels.gz"]


@pytest.mark.parametrize("mode", ["503", "truncated", "longer"])
def test_a_mirror_that_recovers_is_retried(server, cache, mode):
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/first-{mode}"], cache))
    assert server.requests[:2] == [f"/first-{mode}/images.gz"] * 2


def test_after_a_refused_connection_the_next_mirror_is_asked(server, cache):
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = closed.server_port
    closed.server_close()
    assert_complete(
        fetch_files(PUBLISHED, [f"http://127.0.0.1:{port}", f"{server.url}/good"], cache)
    )


def test_after_a_silent_server_the_next_mirror_is_asked(server, cache, monkeypatch):
    monkeypatch.setattr(mirrors, "TIMEOUT", 0.1)
    # it listens, and the kernel accepts the connection, but nobody answers
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        assert_complete(fetch_files(PUBLISHED, [url, f"{server.url}/good"], cache))


@pytest.mark.parametrize("mode", ["trickle", "trickle-headers"])
def test_after_a_server_that_trickles_the_next_mirror_is_asked(server, cache, monkeypatch, mode):
    monkeypatch.setattr(mirrors, "LIMIT", 0.5)
    start = time.monotonic()
    assert_complete(fetch_files(PUBLISHED, [f"{server.url}/{mode}", f"{server.url}/good"], cache))
    assert time.monotonic() - start < 3  # all of it would take longer
    assert server.requests == [f"/{mode}/images.gz", "/good/images.gz", "/good/labels.gz"]


def test_a_large_file_may_take_longer(server, cache, monkeypatch, log):
    monkeypatch.setattr(mirrors, "LIMIT", 0.2)
    monkeypatch.setattr(mirrors, "PACE", 2_000)  # bytes per second; both files take half a second
    with pytest.raises(MirrorError):
        fetch_files(PUBLISHED, [f"{server.url}/slow"], cache)
    assert log.messages[-1].endswith("labels.gz: longer than 0.235 s")
    assert server.requests == ["/slow/images.gz", "/slow/labels.gz"]


def test_the_limit_holds_for_all_retries_together(server, cache, monkeypatch, log):
    monkeypatch.setattr(mirrors, "TIMEOUT", 0.2)
    monkeypatch.setattr(mirrors, "LIMIT", 0.3)
    monkeypatch.setattr(mirrors, "RETRIES", 100)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        with pytest.raises(MirrorError):
            fetch_files(PUBLISHED, [url], cache)
    assert log.messages[-1].endswith("longer than 0.37 s")  # 7,000 bytes have 0.07 s


def test_python_does_not_wait_for_a_server_that_was_given_up(cache):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}"
        code = (
            "from pathlib import Path; from nnlib.data import mirrors; mirrors.LIMIT = 0.1;"
            "from nnlib.data.sources import File;"
            f"mirrors.fetch_files({PUBLISHED}, [{url!r}], Path({str(cache)!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=mirrors.TIMEOUT / 2,
        )
    assert "longer than 0.17 s\n" in done.stderr
    assert done.returncode == 1


def test_a_bug_in_a_download_is_not_the_mirrors_fault(server, cache, monkeypatch):
    monkeypatch.setattr("pooch.HTTPDownloader.__call__", lambda *args: {}["bug"])
    with pytest.raises(KeyError, match="bug"):
        fetch_files(PUBLISHED, [f"{server.url}/good"], cache)


def test_a_thread_without_signals_will_do(server, cache, monkeypatch):
    monkeypatch.delattr(signal, "SIGALRM")  # as on Windows
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(fetch_files, PUBLISHED, [f"{server.url}/good"], cache)
    assert_complete(found.result())


def other_bytes(own):
    (own / "labels.gz").write_bytes(b"other bytes")
    other = hashlib.sha256(b"other bytes").hexdigest()
    return rf"labels\.gz .*SHA-256 is {other}, but should be {PUBLISHED['labels.gz'].sha256}$"


def one_too_few(own):
    (own / "labels.gz").unlink()
    return r"labels\.gz .*No such file or directory$"


def folder_for_a_published_file(own):
    one_too_few(own)
    (own / "labels.gz").mkdir()
    return r"labels\.gz .*Is a directory$"


def no_folder(own):
    shutil.rmtree(own)
    return r"images\.gz .*No such file or directory$"


def file_for_a_folder(own):
    no_folder(own)
    own.write_text("a file")
    return r"images\.gz .*Not a directory$"


@pytest.mark.parametrize(
    "spoil", [other_bytes, one_too_few, folder_for_a_published_file, no_folder, file_for_a_folder]
)
def test_a_folder_of_the_users_must_hold_the_files(server, cache, tmp_path, spoil):
    own = tmp_path / "mirror"
    fill(own)
    fill(cache)  # which is not used in its place, nor is a mirror
    reason = spoil(own)
    with pytest.raises(MirrorError, match=rf"^the mirror {own} lacks {reason}"):
        fetch_files(PUBLISHED, [f"{server.url}/good"], cache, str(own))
    assert server.requests == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read any folder")
def test_a_folder_of_the_users_must_be_readable(cache, tmp_path):
    own = fill(tmp_path / "mirror")
    (tmp_path / "mirror").chmod(0)
    with pytest.raises(MirrorError, match=r"images\.gz .*Permission denied"):
        fetch_files(PUBLISHED, [], cache, own)


def test_a_home_that_does_not_exist_is_no_folder(cache):
    with pytest.raises(MirrorError, match=r"mirror ~nobody-at-all lacks images\.gz .*home"):
        fetch_files(PUBLISHED, [], cache, "~nobody-at-all")


@pytest.mark.parametrize(
    "files",
    [{}, {"images.gz": FILES["images.gz"]}, FILES | {"labels.gz": b"other bytes"}],
    ids=["empty", "one of two", "wrong bytes"],
)
def test_a_folder_that_may_have_the_files_gives_what_it_has(server, cache, tmp_path, log, files):
    folder, nowhere = tmp_path / "folder", tmp_path / "nowhere"
    fill(folder, files)
    mirrors = [f"{server.url}/good"]
    assert_complete(fetch_files(PUBLISHED, mirrors, cache, folders=[nowhere, folder]))
    fetched = [name for name in FILES if files.get(name) != FILES[name]]
    assert server.requests == [f"/good/{name}" for name in fetched]
    assert len(log.messages) == len(fetched)  # only of the downloads: it need not have them


def test_a_folder_that_has_all_files_comes_before_the_users_mirror(cache, tmp_path):
    folder = tmp_path / "folder"
    fill(folder)
    assert_complete(fetch_files(PUBLISHED, [], cache, str(tmp_path / "nowhere"), [folder]))


def test_when_no_mirror_answers_the_log_says_why_each_failed(server, cache, log):
    closed = "http://127.0.0.1:1"
    unknown = "http://no.such.host.invalid"
    mirrors = [closed, unknown, f"{server.url}/404", f"{server.url}/wrong"]
    with pytest.raises(MirrorError) as caught:
        fetch_files(PUBLISHED, mirrors, cache)
    said = f"images.gz cannot be had from {', '.join(mirrors)}, as said above"
    assert str(caught.value) == said
    reasons = [text for text in log.messages if text.startswith("Giving up on ")]
    assert [text.split(": ")[:2] for text in reasons] == [
        [f"Giving up on {mirror}", "images.gz"] for mirror in mirrors
    ]
    assert "refused" in reasons[0]
    assert "resolve" in reasons[1]
    assert all("HTTPConnection" not in text and len(text) < 150 for text in reasons[:2])
    assert "404" in reasons[2]
    assert PUBLISHED["images.gz"].sha256 in reasons[3]
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("/", ""), ("?token=s3cret", "?token=s3cret"), ("/#part", "")]
)
def test_the_name_of_the_file_comes_before_a_query(server, cache, before, after):
    fetch_files(PUBLISHED, [f"{server.url}/good{before}"], cache)
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
def test_no_secret_of_an_address_is_shown(server, cache, log, url):
    url = url.replace("HOST", f"127.0.0.1:{server.server_port}")
    with pytest.raises(MirrorError) as caught:
        fetch_files(PUBLISHED, [url], cache)
    shown = log.text + "".join(traceback.format_exception(caught.value))
    for before in ("Giving up on", "cannot be had from"):  # in the log and in the error
        assert f"{before} {url.partition(':')[0]}://" in shown
    assert "s3cret" not in shown


def test_a_password_is_sent_and_not_shown(server, cache, log):
    address = server.url.replace("://", "://user:p%40ss%2F%3F@")
    assert_complete(fetch_files(PUBLISHED, [f"{address}/good"], cache))
    assert server.logins == ["Basic " + base64.b64encode(b"user:p@ss/?").decode()] * 2
    address = server.url.replace("://", "://***@") + "/good"
    assert log.messages == [
        f"Downloading {name} ({size} bytes) from {address}"
        for name, size in (("images.gz", "7,000"), ("labels.gz", "70"))
    ]


def test_a_folder_needs_no_cache(server, cache, tmp_path):
    own = fill(tmp_path / "mirror")
    assert_complete(fetch_files(PUBLISHED, [server.url], None, own))
    assert_complete(fetch_files(PUBLISHED, [server.url], cache, own))
    assert not cache.exists()


def test_a_mirror_that_was_not_asked_is_named(server, cache, log):
    fill(cache)
    url = server.url.replace("://", "://user:s3cret@")
    fetch_files(PUBLISHED, [url], cache)
    assert server.requests == []
    assert log.messages == [
        f"All files are in the cache, {cache}. Not asked: {server.url.replace('://', '://***@')}"
    ]


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
def test_a_cache_that_cannot_be_used_is_not_the_mirrors_fault(server, cache, log, spoil):
    cache = cache / "two-layer-net"
    cache.parent.mkdir()
    reason = spoil(cache)
    with pytest.raises(CacheError, match=rf"^the download cache cannot be used: {reason}$"):
        fetch_files(PUBLISHED, [f"{server.url}/good"], cache)
    assert server.requests == []
    assert log.text == ""


def test_of_a_download_that_is_killed_nothing_stays(server, cache):
    code = (
        "from pathlib import Path; from nnlib.data import mirrors; from nnlib.data.sources import "
        f"File; mirrors.fetch_files({PUBLISHED}, ['{server.url}/trickle'], Path({str(cache)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not server.requests:
        time.sleep(0.01)
    time.sleep(0.2)  # some bytes are there
    process.kill()
    process.wait()
    assert list(cache.iterdir()) == []


def test_a_download_is_not_held_in_memory(server, cache, monkeypatch):
    content = bytes(30_000_000)
    monkeypatch.setitem(FILES, "large.zip", content)
    file = File(len(content), hashlib.sha256(content).hexdigest())
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        fetch_files({"large.zip": file}, [f"{server.url}/good"], cache)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 10_000_000


@pytest.mark.parametrize("size", [100, 100_000])  # found out by a flush, and by a write
def test_a_cache_that_fills_up_is_not_the_mirrors_fault(server, cache, log, monkeypatch, size):
    monkeypatch.setitem(FILES, "large.zip", bytes(size))
    published = {"large.zip": File(size, hashlib.sha256(bytes(size)).hexdigest())}
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 10, hard))
    try:
        with pytest.raises(CacheError, match=r"cache/large\.zip: File too large"):
            fetch_files(published, [f"{server.url}/good"], cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(server.requests) == 1
    assert "Giving up" not in log.text
    assert list(cache.iterdir()) == []


def test_no_folder_for_a_cache_is_not_the_mirrors_fault(server, log):
    with pytest.raises(CacheError, match="no folder for the download cache"):
        fetch_files(PUBLISHED, [f"{server.url}/good"], None)
    assert log.text == ""
