"""Where a user's data lie, in which format, and what else lies there."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nnlib.base.errors import UserError
from nnlib.data.datasets import DESCRIPTION, Dataset, read_dataset
from nnlib.importing.csv_files import is_table
from nnlib.importing.idx_files import is_idx
from nnlib.importing.names import natural, read_names
from nnlib.importing.notes import Notes, counted, examples
from nnlib.importing.pictures import is_picture

NAMES = "classes.txt"
# What file managers and archivers leave.
JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"}
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
FORMATS = (
    "pictures in folders by class, IDX files as MNIST's, .npz files, or CSV files of labels and "
    "pixels"
)


class Source(NamedTuple):
    """Where the data lie."""

    folder: Path
    kind: str  # "pictures", "idx", "numpy" or "csv"
    files: list[tuple[str, ...]]  # that hold the data, in their order, each as folders and name
    class_names: Sequence[str] | None  # from classes.txt, or from an earlier import
    # an earlier import, whose labels count its classes from 0
    before: Dataset | None = None


class _Tree(NamedTuple):
    """What a folder holds, in the order of the names."""

    files: list[tuple[str, ...]]
    empty: list[str]  # folders
    hidden: list[str]
    special: list[str]  # neither files nor folders: to read a FIFO would wait for ever
    links: list[str]  # to a folder that holds them, or that holds FROM


def find_source(path: Path, notes: Notes) -> Source:
    """Find the data in a folder, or in the one folder in it, or take a file.

    Raises
    ------
    UserError
        If there is nothing that can be imported, or more than one thing.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; FROM names a folder or a file")
    if not path.is_dir():
        if not path.is_file():
            raise UserError(f"{path} is neither a folder nor an ordinary file: FROM names one")
        return _of_file(path)
    listed: Sequence[str] | None = _class_names(path)
    root = path
    tree = _walk(root)
    while (below := _only_folder(root, tree)) is not None:
        root /= below
        tree = _walk(root)
        listed = listed or _class_names(root)
    if not tree.files:
        raise UserError(f"{path} is empty, or has only hidden files: it holds nothing to import")
    kind, files = _kind(root, tree)
    notes.add_some("left out", tree.hidden, "hidden file or folder", "hidden files and folders")
    notes.add_some("left out", tree.empty, "empty folder")
    notes.add_some(
        "left out",
        tree.special,
        "file that is a pipe, a socket or a device",
        "files that are pipes, sockets or devices",
    )
    notes.add_some(
        "left out",
        tree.links,
        "link to a folder that it is in",
        "links to folders that they are in",
    )
    before = None
    if kind == "idx" and (DESCRIPTION,) in tree.files:
        before = read_dataset(root)
        listed = listed or before.class_names
        notes.add("found", f"{DESCRIPTION}: what it says stays, unless TITLE or others say it anew")
    used = {*files, (NAMES,), *([(DESCRIPTION,)] if before else [])}
    others = ["/".join(name) for name in tree.files if name not in used]
    notes.add_some("left out", others, "other file")
    if root != path:
        notes.add("found", f"all in the folder {root.relative_to(path).as_posix()}")
    return Source(root, kind, files, listed, before)


def _of_file(path: Path) -> Source:
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        raise _archive(path)
    suffix = path.suffix.lower()
    kind = {".npz": "numpy", ".csv": "csv"}.get(suffix)
    if kind is None:
        advice = "name the folder that it is in" if is_idx(name) or is_picture(name) else ""
        raise UserError(f"{path} cannot be imported: {advice or f'expected {FORMATS}'}")
    return Source(path.parent, kind, [(path.name,)], _class_names(path.parent))


def _archive(path: Path) -> UserError:
    command = "unzip" if path.suffix.lower() == ".zip" else "tar -xf"
    if path.suffix.lower() in {".7z", ".rar"}:
        command = "7z x"
    return UserError(
        f"{path} is an archive: unpack it in a new folder (`{command} {path.name}`), and import "
        "that folder"
    )


def _class_names(folder: Path) -> list[str] | None:
    path = folder / NAMES
    return read_names(path) if path.is_file() else None


def files_below(folder: Path) -> list[tuple[str, ...]]:
    """The files in a folder and in those in it, each as its folders and name, in natural order.

    Without those that are hidden, or that file managers and archivers leave.
    """
    return _walk(folder).files


def _walk(root: Path) -> _Tree:
    """All files below a folder, but for those that are hidden."""
    tree = _Tree([], [], [], [], [])

    def visit(folder: Path, names: tuple[str, ...]) -> bool:
        """Whether there are any."""
        is_empty = True
        above = {root.joinpath(*names[:i]).resolve() for i in range(len(names) + 1)}
        for path in sorted(folder.iterdir(), key=lambda path: natural(path.name)):
            inner = (*names, path.name)
            if path.name.startswith(".") or path.name.lower() in JUNK:
                tree.hidden.append("/".join(inner))
            elif path.is_symlink() and any(outer.is_relative_to(path.resolve()) for outer in above):
                # to follow it would find no end, or what lies beside FROM
                tree.links.append("/".join(inner))
            elif path.is_dir():
                before = len(tree.empty)
                if visit(path, inner):
                    is_empty = False
                else:
                    tree.empty[before:] = ["/".join(inner)]  # not those in it
            elif path.exists() and not path.is_file():
                tree.special.append("/".join(inner))
            else:
                tree.files.append(inner)
                is_empty = False
        return not is_empty

    visit(root, ())
    return tree


def _only_folder(root: Path, tree: _Tree) -> str | None:
    """The folder that holds all of the data; None if there is none."""
    tops = {name[0] for name in tree.files if len(name) > 1}
    is_inner = len(tops) == 1 and not (
        _by_kind(root, tree) or any(is_picture(name[0]) for name in tree.files if len(name) == 1)
    )
    return tops.pop() if is_inner else None


def _data_kind(name: str) -> str | None:
    """The format of a file with arrays, by its name."""
    if is_idx(name):
        return "idx"
    return {".npz": "numpy", ".npy": "numpy", ".csv": "csv"}.get(Path(name).suffix.lower())


def _by_kind(root: Path, tree: _Tree) -> dict[str, list[tuple[str, ...]]]:
    """The files with arrays in a folder itself, by format.

    Where there are other data too, no CSV files but those of labels and pixels.
    """
    by_kind: dict[str, list[tuple[str, ...]]] = {}
    for name in tree.files:
        kind = _data_kind(name[0]) if len(name) == 1 else None
        if kind is not None:
            by_kind.setdefault(kind, []).append(name)
    if len(by_kind) > 1 or any(is_picture(name[-1]) for name in tree.files):
        tables = [name for name in by_kind.pop("csv", []) if is_table(root.joinpath(*name))]
        if tables:
            by_kind["csv"] = tables
    return by_kind


def _kind(path: Path, tree: _Tree) -> tuple[str, list[tuple[str, ...]]]:
    """The format, and the files that are in it."""
    by_kind = _by_kind(path, tree)
    pictures = [name for name in tree.files if is_picture(name[-1])]
    if len({name[0] for name in pictures if len(name) > 1}) > 1 or (pictures and not by_kind):
        return "pictures", pictures
    if len(by_kind) > 1:
        names = [names[0][0] for names in by_kind.values()]
        raise UserError(
            f"{path} holds data in more than one format ({examples(names)}): put those that you "
            "mean into a folder of their own"
        )
    if not by_kind:
        raise _nothing(path, tree.files)
    ((kind, files),) = by_kind.items()
    return kind, files


def _nothing(path: Path, files: Sequence[tuple[str, ...]]) -> UserError:
    for name in files:
        if name[-1].lower().endswith(ARCHIVES):
            return _archive(path.joinpath(*name))
    return UserError(
        f"{path} holds {counted(len(files), 'file')} ({examples(['/'.join(n) for n in files])}), "
        f"but nothing that can be imported: {FORMATS}"
    )
