"""Fetches the files of a data set from the first mirror that has them."""

import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pooch

from nnlib.errors import UserError
from nnlib.files import whole_file

TIMEOUT = 30  # seconds, for the connection and for each silence after it
LIMIT = 600  # seconds for a file, retries included: the largest needs 17 kB/s
RETRIES = 2


def fetch_files(
    folder: Path, mirrors: Sequence[str], cache: Path, sha256: Mapping[str, str]
) -> None:
    """Put the files into `folder`: from `cache`, or else from the first mirror that has them.

    A file is put into the cache, and from there into the folder, only with the right checksum. A
    mirror that fails is not asked again: the next one is asked for all that is still missing.

    Parameters
    ----------
    folder : Path
        Where the files go.
    mirrors : sequence of str
        Folders or HTTP(S) URLs that hold the files, in the order in which to ask them.
    cache : Path
        Folder that keeps the files for the next time; made where it is missing.
    sha256 : mapping of str to str
        Checksum of each file, by its name.

    Raises
    ------
    UserError
        If no mirror has all that is missing; the message says what was tried, and why each
        failed. Also if the cache cannot be made.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{cache}, the cache of downloads, cannot be made: {error}") from error
    missing = [name for name in sha256 if not _is_whole(cache / name, sha256[name])]
    failures = []
    for mirror in mirrors:
        try:
            while missing:
                _fetch(missing[0], sha256[missing[0]], mirror, cache)
                del missing[0]
        except (OSError, ValueError) as error:
            # requests raises OSErrors, and pooch a ValueError for a wrong checksum
            failures.append(f"  {mirror}: {missing[0]}: {error}")
            pooch.get_logger().warning("Giving up on this mirror:\n%s", failures[-1])
    if missing:
        advice = (
            "Either set MNIST_MIRROR to a folder or URL that holds the four files, "
            "or run `make demo`, which needs no download."
        )
        raise UserError("\n".join([f"no mirror has {missing[0]}:", *failures, advice]))
    for name in sha256:
        with whole_file(folder / name) as part:
            shutil.copyfile(cache / name, part)


def _is_whole(path: Path, sha256: str) -> bool:
    return path.exists() and pooch.file_hash(path) == sha256


def _fetch(name: str, sha256: str, mirror: str, cache: Path) -> None:
    is_url = "://" in mirror
    if not is_url:
        mirror = str(Path(mirror).expanduser())
    files = pooch.create(
        path=cache,
        base_url=mirror.rstrip("/") + "/",
        registry={name: f"sha256:{sha256}"},
        retry_if_failed=RETRIES if is_url else 0,
    )
    with _time_limit(LIMIT):
        files.fetch(name, downloader=_download if is_url else _copy)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise a TimeoutError when the time is up: a server may send one byte per second forever."""

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)  # then repeatedly, to end the retries too
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _download(url: str, output_file: str, pup: pooch.Pooch) -> None:
    pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        chunk_size=1 << 16,
        timeout=TIMEOUT,
        # the files are gzip already: the server must neither compress nor unpack them
        headers={"Accept-Encoding": "identity"},
    )(url, output_file, pup)


def _copy(path: str, output_file: str, _pup: pooch.Pooch) -> None:
    shutil.copyfile(path, output_file)
