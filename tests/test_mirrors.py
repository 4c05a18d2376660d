"""Fetching: the order of the mirrors, and every way in which one can fail, on loopback."""

import hashlib
import os
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nnlib.data import mirrors
from nnlib.data.mirrors import fetch_files
from nnlib.errors import UserError

FILES = {"images.gz": b"images " * 1000, "labels.gz": b"labels " * 10}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


class Handler(BaseHTTPRequestHandler):
    """Serves the files, or what the mode in the path makes of them: /MODE/NAME."""

    def do_GET(self):
        _, mode, name = self.path.split("/")
        self.server.requests.append(self.path)
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
        content = {
            "wrong": FILES[name][::-1],  # as many bytes, but different ones
            "page": b"<html>moved</html>",
        }.get(mode, FILES[name])
        self.send_response(200)
        self.send_header("Content-Length", len(content))
        self.end_headers()
        if mode == "trickle":
            for byte in content[:60]:
                self.wfile.write(bytes([byte]))
                if self.server.stopped.wait(0.05):
                    return
        self.wfile.write(content[: len(content) // 2] if mode == "truncated" else content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between retries
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests = []
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


def test_after_a_server_that_trickles_the_next_mirror_is_asked(server, folder, cache, monkeypatch):
    monkeypatch.setattr(mirrors, "LIMIT", 0.5)
    start = time.monotonic()
    fetch_files(folder, [f"{server.url}/trickle", f"{server.url}/good"], cache, SHA256)
    assert_complete(folder)
    assert time.monotonic() - start < 3  # all of it would take longer


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
    *reasons, advice = message.splitlines()[1:]
    assert "MNIST_MIRROR" in advice
    assert len(reasons) == 3
    assert nowhere in reasons[0]
    assert "No such file" in reasons[0]
    assert "404" in reasons[1]
    assert SHA256["images.gz"] in reasons[2]
    assert list(folder.iterdir()) == []
    assert list(cache.iterdir()) == []
