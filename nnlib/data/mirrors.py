"""Fetches the files of a data set from the first mirror that has them."""

import hashlib
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

import pooch

from nnlib.base.errors import UserError
from nnlib.data.sources import File

TIMEOUT = 30  # seconds, for the connection and for each silence after it
# A file, retries included, has so many seconds, and one more for each so many bytes.
LIMIT = 600
PACE = 100_000
RETRIES = 2

log = pooch.get_logger()


class MirrorError(UserError):
    """No mirror has all files, or the user's folder has not.

    Why a mirror has not is in the log.
    """


class CacheError(UserError):
    """The download cache cannot be used."""


def fetch_files(
    files: Mapping[str, File],
    mirrors: Sequence[str],
    cache: Path | None,
    own: str | None = None,
    folders: Sequence[Path] = (),
) -> dict[str, Path]:
    """Find files that are as published, and download those that are nowhere on this machine.

    Each file is taken from the first that has it: the folders, the user's own mirror if it is a
    folder, the cache, the user's mirror if it is a URL, and the public mirrors. A URL that fails
    is not asked again: the next one is asked for all that is still missing. Standard error shows
    the progress.

    Parameters
    ----------
    files : mapping of str to File
        By their names.
    mirrors : sequence of str
        HTTP(S) URLs of folders that hold the files, in the order in which to ask them. The query
        of a URL, as in `https://host/folder?token=1`, is put behind the name of the file. Neither
        it nor a password is ever shown.
    cache : Path or None
        Folder that keeps downloads; created if it is missing. None if there is none; then all
        files must be in folders.
    own : str, optional
        The user's mirror: a URL that is asked first, or a folder, which must hold the files.
    folders : sequence of Path, optional
        That may have the files.

    Returns
    -------
    dict of str to Path
        Where each file lies. The caller must not change it.

    Raises
    ------
    MirrorError
        If a file in the user's folder is missing or another one, or if no mirror has all that is
        missing.
    CacheError
        If the cache is needed, but cannot be read or written.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for name, file in _missing(files, found):
            with suppress(OSError, ValueError):
                found[name] = _checked(folder / name, file)
    if own is not None and "://" not in own:
        for name, file in _missing(files, found):
            found[name] = _checked_in_own_folder(own, name, file)
    elif own is not None:
        mirrors = [own, *mirrors]
    if _missing(files, found):
        if cache is None:
            raise CacheError("there is no folder for the download cache")
        for name, file in _missing(files, found):
            with _using_cache(cache / name), suppress(FileNotFoundError, ValueError):
                found[name] = _checked(cache / name, file)
        if _missing(files, found):
            _download_missing(files, mirrors, cache, found)
        else:
            not_asked = ", ".join(map(_address, mirrors))
            log.info("All files are in the cache, %s. Not asked: %s", cache, not_asked)
    return found


def _missing(files: Mapping[str, File], found: Mapping[str, Path]) -> list[tuple[str, File]]:
    return [(name, file) for name, file in files.items() if name not in found]


def _checked(path: Path, file: File) -> Path:
    """The path, if the file there is the published one."""
    with path.open("rb") as content:
        _check(content, file)
    return path


def _check(content: BinaryIO, file: File) -> None:
    content.seek(0)
    actual = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    if actual != file.sha256:
        raise ValueError(f"its SHA-256 is {actual}, but should be {file.sha256}")


def _checked_in_own_folder(own: str, name: str, file: File) -> Path:
    try:
        return _checked(Path(own).expanduser() / name, file)
    except (OSError, ValueError, RuntimeError) as error:  # the last if there is no such home
        reason = error.strerror if isinstance(error, OSError) else error
        raise MirrorError(f"the mirror {own} lacks {name} as published: {reason}") from error


@contextmanager
def _using_cache(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CacheError(f"the download cache cannot be used: {path}: {reason}") from error


def _download_missing(
    files: Mapping[str, File], mirrors: Sequence[str], cache: Path, found: dict[str, Path]
) -> None:
    """Add to `found` what it lacks, from the first mirrors that have it."""
    with _using_cache(cache):  # found out before a download
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    for mirror in mirrors:
        for name, file in _missing(files, found):
            try:
                found[name] = _download(cache, mirror, name, file)
            except ValueError as error:
                log.warning("Giving up on %s: %s: %s", _address(mirror), name, error)
                break
    if missing := _missing(files, found):
        asked = ", ".join(map(_address, mirrors))
        raise MirrorError(f"{missing[0][0]} cannot be had from {asked}, as said above")


def _download(cache: Path, mirror: str, name: str, file: File) -> Path:
    """Download a file into the cache.

    Raises
    ------
    ValueError
        If `mirror` is no HTTP(S) URL, or the server cannot be reached, answers with an error,
        takes too long, or sends another file.
    CacheError
        If the cache cannot be written.
    """
    parts = _split(mirror)
    if parts is None:
        raise ValueError("not an HTTP(S) URL")
    url = parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment="").geturl()
    log.info("Downloading %s (%s bytes) from %s", name, f"{file.size:,}", _address(mirror))
    limit = LIMIT + file.size / PACE
    deadline = time.monotonic() + limit
    retries = 0
    # First to a file without a name, of which nothing stays if this process is killed.
    with _using_cache(cache / name), tempfile.TemporaryFile(dir=cache) as content:
        while True:
            try:
                _get(url, _Body(content, cache / name), deadline - time.monotonic())
                _check(content, file)
                break
            except TimeoutError:
                raise ValueError(f"longer than {limit:.4g} s") from None
            except ValueError:
                if retries == RETRIES:
                    raise
                retries += 1
                log.info("Trying again")
                time.sleep(retries)
        # Then in a folder of its own: another process may write the same file.
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            content.seek(0)
            with (Path(folder) / name).open("wb") as part:
                shutil.copyfileobj(content, part)
            return (Path(folder) / name).replace(cache / name)


class _Body:
    """What pooch writes a download to: its errors are the cache's, not the mirror's."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file = file
        self.path = path

    def write(self, chunk: bytes) -> None:
        with _using_cache(self.path):
            self.file.write(chunk)

    def flush(self) -> None:
        with _using_cache(self.path):
            self.file.flush()


def _get(url: str, body: _Body, seconds: float) -> None:
    """Download within a time limit.

    A server may send one byte per second forever, even of its headers. So the download runs in a
    thread, which is left alone when the time is up: it ends with its next chunk, or with Python.

    Raises
    ------
    ValueError
        If the download fails.
    TimeoutError
        If it takes longer.
    """
    body.file.seek(0)
    body.file.truncate()
    failure: Future[str | None] = Future()
    Thread(target=_try_to_get, args=(url, body, failure), daemon=True).start()
    reason = failure.result(seconds)
    if reason is not None:
        raise ValueError(reason)


def _try_to_get(url: str, body: _Body, failure: Future[str | None]) -> None:
    """Download into `body`, and set the reason if that fails, or else None.

    Neither that exception nor one of the cache's is set itself: it would hold the connection open.
    """
    try:
        download = pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty(),
            chunk_size=1 << 16,
            timeout=TIMEOUT,
            # the files are compressed already: the server must neither compress nor unpack them
            headers={"Accept-Encoding": "identity"},
        )
        download(url, body, None)
    except (OSError, ValueError) as error:  # requests raises both
        failure.set_result(_masked(_reason(error)))
    except CacheError as error:
        failure.set_exception(CacheError(str(error)))
    except Exception as error:  # noqa: BLE001 - a bug, which is raised in the thread that waits
        failure.set_exception(error)
    else:
        failure.set_result(None)


def _reason(error: Exception) -> str:
    """Why a download failed, without the objects of urllib3 that requests' message names."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", None) or error)
    return re.sub(r"^\w+\(.*?\): ", "", text)


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
    scheme, _, _ = mirror.partition("://")
    if _split(mirror) is None:  # nobody knows where a password would begin and end
        return f"{scheme}://***"
    return _masked(re.sub(r"([?#]).+", r"\1***", mirror, flags=re.DOTALL))


def _masked(text: str) -> str:
    """Hide the user names, passwords and queries of the URLs in a text."""
    text = re.sub(r"://[^/?#]*@", "://***@", text)
    return re.sub(r"\?\S+", "?***", text)
