"""Fetches the files of a data set from the first mirror that has them."""

import hashlib
import io
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from urllib.parse import SplitResult, urlsplit

import pooch

from nnlib.base.errors import UserError
from nnlib.base.files import whole_file

TIMEOUT = 30  # seconds, for the connection and for each silence after it
LIMIT = 600  # seconds for a file, retries included: the largest needs 17 kB/s
RETRIES = 2

log = pooch.get_logger()


class MirrorError(UserError):
    """No mirror has all files: the message says what was tried, and why each failed."""


class CacheError(UserError):
    """The download cache cannot be used."""


def fetch_files(
    folder: Path, mirrors: Sequence[str], cache: Path | None, sha256: Mapping[str, str]
) -> None:
    """Put the files into `folder`: from the first mirror that has them, or from the cache.

    Only files with the right checksums are used, and none is put into the folder before all are
    there. A mirror that fails is not asked again: the next one is asked for all that is still
    missing. Standard error shows the progress.

    Parameters
    ----------
    folder : Path
        Where the files go.
    mirrors : sequence of str
        Folders or HTTP(S) URLs that hold the files, in the order in which to ask them; but all
        folders come before the cache, and all URLs after it. The query of a URL, as in
        `https://host/folder?token=1`, is put behind the name of the file. Neither it nor a
        password is ever shown.
    cache : Path or None
        Folder that keeps downloads; created if it is missing. None if there is none; then only
        folders can be asked.
    sha256 : mapping of str to str
        Checksum of each file, by its name.

    Raises
    ------
    MirrorError
        If no mirror has all that is missing.
    CacheError
        If the cache is needed, but cannot be read or written.
    UserError
        If a file cannot be written to `folder`.
    """
    urls = [mirror for mirror in mirrors if "://" in mirror]
    folders = [mirror for mirror in mirrors if "://" not in mirror]
    found: dict[str, bytes] = {}
    failures = []
    for mirror in folders:
        failures += _ask(mirror, _read, sha256, found)
    if len(found) < len(sha256):
        if cache is None:
            raise CacheError("there is no folder for the download cache")
        _read_cache(cache, sha256, found)
        if len(found) < len(sha256):
            _make_cache(cache)
        else:
            not_asked = ", ".join(map(_address, urls))
            log.info("All files are in the cache, %s. Not asked: %s", cache, not_asked)
        for url in urls:
            failures += _ask(url, partial(_download, cache), sha256, found)
    missing = [name for name in sha256 if name not in found]
    if missing:
        raise MirrorError("\n".join([f"no mirror has {missing[0]}:", *failures]))
    for name in sha256:
        with whole_file(folder / name) as part:
            part.write_bytes(found[name])


def _ask(
    mirror: str,
    fetch: Callable[[str, str, str], bytes],
    sha256: Mapping[str, str],
    found: dict[str, bytes],
) -> list[str]:
    """Add to `found` what it lacks, and return why the mirror failed, if it did."""
    for name in sha256:
        if name not in found:
            try:
                found[name] = fetch(mirror, name, sha256[name])
            except (OSError, ValueError) as error:
                failure = f"  {_address(mirror)}: {name}: {error}"
                log.warning("Giving up on this mirror:\n%s", failure)
                return [failure]
    return []


def _check(content: bytes, sha256: str) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ValueError(f"its SHA-256 is {actual}, but should be {sha256}")


def _read(folder: str, name: str, sha256: str) -> bytes:
    try:
        content = (Path(folder).expanduser() / name).read_bytes()
    except RuntimeError as error:  # there is no such home
        raise ValueError(error) from error
    _check(content, sha256)
    return content


@contextmanager
def _using_cache(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CacheError(f"the download cache cannot be used: {path}: {reason}") from error


def _make_cache(cache: Path) -> None:
    """Make the cache, and find out before a download whether it can be written."""
    with _using_cache(cache):
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()


def _read_cache(cache: Path, sha256: Mapping[str, str], found: dict[str, bytes]) -> None:
    """Add to `found` what it lacks and the cache has."""
    for name in [name for name in sha256 if name not in found]:
        with _using_cache(cache / name), suppress(FileNotFoundError, ValueError):
            found[name] = _read(str(cache), name, sha256[name])


def _download(cache: Path, mirror: str, name: str, sha256: str) -> bytes:
    """Download a file, put it into the cache, and return its content.

    Raises
    ------
    OSError
        If the server cannot be reached, answers with an error, or takes too long.
    ValueError
        If `mirror` is no HTTP(S) URL, or the checksum is another one.
    CacheError
        If the cache cannot be written.
    """
    parts = _split(mirror)
    if parts is None:
        raise ValueError("neither a folder nor an HTTP(S) URL")
    url = parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment="").geturl()
    log.info("Downloading %s from %s", name, _address(mirror))
    deadline = time.monotonic() + LIMIT
    retries = 0
    while True:
        try:
            content = _get(url, deadline - time.monotonic())
            _check(content, sha256)
            break
        except TimeoutError:
            raise TimeoutError(f"longer than {LIMIT} s") from None
        except (OSError, ValueError):
            if retries == RETRIES:
                raise
            retries += 1
            log.info("Trying again")
            time.sleep(retries)
    # in a folder of its own: another process may write the same file
    with _using_cache(cache / name), tempfile.TemporaryDirectory(dir=cache) as folder:
        part = Path(folder) / name
        part.write_bytes(content)
        part.replace(cache / name)
    return content


def _get(url: str, seconds: float) -> bytes:
    """Download within a time limit.

    A server may send one byte per second forever, even of its headers. So the download runs in a
    thread, which is left alone when the time is up: it ends with its next chunk, or with Python.
    """
    failure: Future[str | None] = Future()
    with io.BytesIO() as body:
        Thread(target=_try_to_get, args=(url, body, failure), daemon=True).start()
        reason = failure.result(seconds)
        if reason is not None:
            raise OSError(reason)
        return body.getvalue()


def _try_to_get(url: str, body: io.BytesIO, failure: Future[str | None]) -> None:
    """Download into `body`, and set the reason if that fails, or else None.

    Not the exception itself, which would hold the connection open.
    """
    try:
        download = pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty(),
            chunk_size=1 << 16,
            timeout=TIMEOUT,
            # the files are gzip already: the server must neither compress nor unpack them
            headers={"Accept-Encoding": "identity"},
        )
        download(url, body, None)
    except (OSError, ValueError) as error:  # requests raises both
        failure.set_result(_masked(str(error)))
    except Exception as error:  # noqa: BLE001 - a bug, which is raised in the thread that waits
        failure.set_exception(error)
    else:
        failure.set_result(None)


def _split(url: str) -> SplitResult | None:
    """The parts of an HTTP(S) URL, or None if it is none."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid else None


def _address(mirror: str) -> str:
    """Name a mirror without its secrets."""
    scheme, separator, _ = mirror.partition("://")
    if not separator:
        return mirror
    if _split(mirror) is None:  # nobody knows where a password would begin and end
        return f"{scheme}://***"
    return _masked(re.sub(r"([?#]).+", r"\1***", mirror, flags=re.DOTALL))


def _masked(text: str) -> str:
    """Hide the user names, passwords and queries of the URLs in a text."""
    text = re.sub(r"://[^/?#]*@", "://***@", text)
    return re.sub(r"\?\S+", "?***", text)
