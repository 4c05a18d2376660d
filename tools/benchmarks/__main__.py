"""Measures how fast the project is, compared with others and by size: `make bench`.

It works in a copy of the checkout, and writes reports/benchmark.md. MNIST is fetched as by `make
repro`.
"""

import importlib.util
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

from tqdm import tqdm

from nnlib.base.files import write_text
from stages.workers import cores
from tools.checkouts import ROOT, STAGES, Checkout, copy_project
from tools.memory import Peak, measure

Name = TypeVar("Name")

ROUNDS = 5
REPORT = ROOT / "reports" / "benchmark.md"
TORCH, JAX = (importlib.util.find_spec(name) is not None for name in ("torch", "jax"))

# NumPy as `stages` sets it up, as `stages` does without pinning, and as NumPy comes.
PINNED = {"UNPINNED": 0}
UNPINNED = {"UNPINNED": 1, "OPENBLAS_NUM_THREADS": 1}
CORES = cores()
PLAIN = {"UNPINNED": 1, "OPENBLAS_NUM_THREADS": CORES}
# They choose kernels too: `stages` sets them for this process, and someone may for this machine.
NOT_INHERITED = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")

DEFAULT = "--hidden-size 50 --batch-size 100 --iterations 10000 --evaluate"
UPDATES = "--hidden-size 50 --batch-size 100 --iterations 9600"  # 16 epochs
WIDE = "--hidden-size 800 --batch-size 128 --iterations 1000"
RECIPE = "--hidden-size 2048 --batch-size 256 --activation relu --optimizer adam"
ONE_CORE = f"{RECIPE} --iterations 1000"
RECORD = f"{ONE_CORE} --threads {CORES}"
AUGMENTED = f"{RECIPE} --iterations 234 --augment --threads {CORES}"  # an epoch
HIDDEN_SIZES = {50: 5000, 200: 2000, 800: 600, 3200: 150}  # each with a number of updates
SAMPLES = (60_000, 200_000, 600_000)
SAMPLES_UPDATES = 3000
TRAINING_IMAGES = 60_000 * 784 * 4 / 1e6  # MB of MNIST's, as float32

KERNEL = "import numpy, threadpoolctl as t; print(t.threadpool_info()[0]['architecture'])"
MISSING = "{} is not installed here: `.venv/bin/pip install {}` adds its rows.\n"


class Row(NamedTuple):
    """A comparison."""

    work: str
    ours: str
    against: str
    theirs: str


def main() -> None:
    """Measure, print what is known so far, and write the report."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy(Path(folder) / "checkout")
        checkout.run("dvc", "repro")
        sections = [
            show(machine(checkout)),
            show(beside_others(checkout)),
            show(by_hidden_size(checkout)),
            show(start_up(checkout)),
            show(by_samples(checkout)),
        ]
    write_text(REPORT, "\n".join(sections))


def show(section: str) -> str:
    """Print a section, and return it."""
    print(section, flush=True)
    return section


def copy(path: Path) -> Checkout:
    """Copy the project to a folder that is not a Git repository, for work on MNIST."""
    copy_project(path)
    checkout = Checkout(path, Path.home())
    checkout.set_params({"data.source": "mnist"})
    checkout.run("dvc", "config", "--local", "core.no_scm", "true")
    return checkout


def machine(checkout: Checkout) -> str:
    """The heading, with the machine and the versions."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next(line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name"))
    kernel = checkout.run(*python(PLAIN), "-c", KERNEL).strip()
    packages = ["numpy", "dvc", "scikit-learn", *["torch"] * TORCH, *["jax"] * JAX]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        "# How fast it is\n\n"
        f"Written by `make bench`, on {CORES} cores of {cpu}, for which OpenBLAS, if not "
        f"pinned, chooses its kernel {kernel}; Python {platform.python_version()}, {versions}.\n"
    )


def beside_others(checkout: Checkout) -> str:
    """The times of others, and lower bounds, as ratios."""
    empty = Checkout(checkout.path.with_name("empty"), checkout.home)
    empty.path.mkdir()
    empty.run("dvc", "init", "--no-scm", "--quiet")
    for setting in ("core.analytics", "core.check_update"):  # as this project has them
        empty.run("dvc", "config", setting, "false")
    (empty.path / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    runs = {
        "ours": work(checkout, "ours", DEFAULT),
        "ours, unpinned": work(checkout, "ours", DEFAULT, UNPINNED),
        "products": work(checkout, "products", DEFAULT),
        "notebook": work(checkout, "notebook", DEFAULT, PLAIN),
        "ours, updates": work(checkout, "ours", UPDATES),
        "ours, updates, unpinned": work(checkout, "ours", UPDATES, UNPINNED),
        "scikit-learn": work(checkout, "scikit-learn", UPDATES, PLAIN),
        "ours, wide": work(checkout, "ours", WIDE),
        "products, wide": work(checkout, "products", WIDE),
        "ours, record": work(checkout, "ours", RECORD),
        "ours, record, unpinned": work(checkout, "ours", RECORD, UNPINNED),
        "ours, record, one core": work(checkout, "ours", ONE_CORE),
        "products, record": work(checkout, "products", RECORD),
        "ours, augmented": work(checkout, "ours", AUGMENTED),
        "ours, augmented, unpinned": work(checkout, "ours", AUGMENTED, UNPINNED),
        "train": command(checkout, "-m", "stages.train"),
        "repro --force": command(checkout, "-m", "dvc", "repro", "--force"),
        "repro": command(checkout, "-m", "dvc", "repro"),
        "status": command(empty, "-m", "dvc", "status"),
    }
    if TORCH:
        runs |= {
            "PyTorch, 1 thread": work(checkout, "pytorch", DEFAULT),
            "PyTorch, 2 threads": work(checkout, "pytorch", f"{DEFAULT} --threads 2"),
            "PyTorch, wide": work(checkout, "pytorch", WIDE),
            "PyTorch, record": work(checkout, "pytorch", RECORD),
            "PyTorch, augmented": work(checkout, "pytorch", AUGMENTED),
        }
    if JAX:
        runs["JAX"] = work(checkout, "jax", DEFAULT)
    seconds = medians(runs)

    threads = f"{CORES} threads"
    plain = f"unpinned, {threads}"
    default = "default training with its evaluations"
    updates = "9,600 updates, no evaluations"
    wide = "1,000 updates of 800 hidden units, batches of 128"
    record = "1,000 updates of 2,048 hidden units, batches of 256, ReLU, Adam, all cores"
    augmented = "an epoch of them, 234 updates, of images distorted at random"
    trainings = [
        Row(default, "ours", f"the notebook's loop, {plain}", "notebook"),
        Row(f"{default}, unpinned", "ours, unpinned", "the same", "notebook"),
        Row(updates, "ours, updates", f"scikit-learn's MLPClassifier, {plain}", "scikit-learn"),
        Row(f"{updates}, unpinned", "ours, updates, unpinned", "the same", "scikit-learn"),
        Row(record, "ours, record", "itself on one core", "ours, record, one core"),
    ]
    if TORCH:
        best = min("PyTorch, 1 thread", "PyTorch, 2 threads", key=seconds.__getitem__)
        trainings += [
            Row(default, "ours", f"{best} (the better)", best),
            Row(wide, "ours, wide", "PyTorch, 1 thread", "PyTorch, wide"),
            Row(record, "ours, record", f"PyTorch, AdamW, fused, {threads}", "PyTorch, record"),
            Row(f"{record}, unpinned", "ours, record, unpinned", "the same", "PyTorch, record"),
            Row(
                augmented,
                "ours, augmented",
                "the same, and `grid_sample` in two processes",
                "PyTorch, augmented",
            ),
            Row(
                f"{augmented}, unpinned",
                "ours, augmented, unpinned",
                "the same",
                "PyTorch, augmented",
            ),
        ]
    if JAX:
        scan = f"JAX, `lax.scan`, {threads}"
        trainings += [
            Row(default, "ours", scan, "JAX"),
            Row(f"{default}, unpinned", "ours, unpinned", "the same", "JAX"),
        ]
    floors = [
        Row(default, "ours", "its matrix products alone", "products"),
        Row(wide, "ours, wide", "their matrix products alone", "products, wide"),
        Row(record, "ours, record", "their matrix products alone", "products, record"),
        Row("`dvc repro --force`", "repro --force", "the training stage", "train"),
        Row(
            "`dvc repro` with nothing to do", "repro", "`dvc status` of an empty pipeline", "status"
        ),
    ]

    def cells(row: Row) -> list[str]:
        ours, theirs = seconds[row.ours], seconds[row.theirs]
        ratio = theirs / ours if row in trainings else ours / theirs
        return [row.work, row.against, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ratio:.2f}"]

    peaks = {stage: run_stage(checkout, stage).resident / 1e6 for stage in STAGES}
    most = max(peaks, key=peaks.__getitem__)
    memory = [
        f"peak memory of any stage ({most}), mapped pages included",
        "the training images as float32",
        f"{peaks[most]:.0f} MB",
        f"{TRAINING_IMAGES:.0f} MB",
        f"{peaks[most] / TRAINING_IMAGES:.2f}",
    ]
    head = ["work", "against", "here", "there"]
    return (
        "## Compared with other trainings\n\n"
        f"Medians of {ROUNDS} runs in turn, each in its own process. The speedup is there / "
        "here.\n\n"
        f"{table([*head, 'speedup'], map(cells, trainings))}"
        + ("" if TORCH else f"\n{MISSING.format('PyTorch', 'torch==2.13.0')}")
        + ("" if JAX else f"\n{MISSING.format('JAX', 'jax==0.10.2')}")
        + "\n## Compared with lower bounds\n\n"
        "Measured in the same way, but the memory in one run. The ratio is here / there.\n"
        "The products, also those of the evaluations, use one core, and so do the updates here,\n"
        "while batches are read and epochs evaluated on another; in rows with all cores, both use\n"
        "them for the updates.\n\n"
        f"{table([*head, 'ratio'], [*map(cells, floors), memory])}"
    )


def by_hidden_size(checkout: Checkout) -> str:
    """Updates, and their products alone."""
    runs = {}
    for hidden_size, iterations in HIDDEN_SIZES.items():
        size = f"--hidden-size {hidden_size} --batch-size 100 --iterations {iterations}"
        runs["ours", hidden_size] = work(checkout, "ours", size)
        runs["products", hidden_size] = work(checkout, "products", size)
    seconds = medians(runs)
    cells = []
    for hidden_size, iterations in HIDDEN_SIZES.items():
        ours, products = (
            1e6 * seconds[who, hidden_size] / iterations for who in ("ours", "products")
        )
        cells.append([f"{hidden_size}", f"{ours:.0f}", f"{products:.0f}", f"{ours / products:.2f}"])
    return (
        "## By the number of hidden units\n\n"
        "Updates with batches of 100, and matrix products alone, in microseconds per update.\n\n"
        f"{table(['hidden units', 'update', 'products', 'ratio'], cells)}"
    )


def start_up(checkout: Checkout) -> str:
    """The time before the work starts."""
    seconds = medians(
        {stage: command(checkout, "-c", f"import stages.{stage}") for stage in STAGES}
    )
    cells = [[f"{seconds[stage]:.2f}" for stage in STAGES]]
    return (
        f"## Start-up\n\nPython and the imports of a stage, in seconds.\n\n{table(STAGES, cells)}"
    )


def by_samples(project: Checkout) -> str:
    """Growing sets of drawn digits."""
    cells = []
    for samples in SAMPLES:
        checkout = copy(project.path.with_name(f"{samples}"))
        checkout.set_params({"data.source": "synthetic", "data.synthetic.train": samples})
        peaks = {
            stage: run_stage(checkout, stage)
            for stage in tqdm(STAGES, desc=f"{samples} samples", leave=False)
        }
        size = f"--hidden-size 50 --batch-size 100 --iterations {SAMPLES_UPDATES}"
        update = medians({"update": work(checkout, "ours", size)})["update"] / SAMPLES_UPDATES
        cells.append(
            [
                f"{samples:,}",
                *(f"{peaks[stage].seconds:.1f}" for stage in STAGES),
                f"{1e6 * update:.0f} µs",
                f"{max(peak.anonymous for peak in peaks.values()) / 1e6:.0f} MB",
                f"{max(peak.resident for peak in peaks.values()) / 1e6:.0f} MB",
            ]
        )
    head = ["samples", *STAGES, "an update", "anonymous", "resident"]
    return (
        "## By the number of samples\n\n"
        "Data may be larger than the memory: the stages work through it in blocks, and train on\n"
        "arrays that are mapped from their files.\n\n"
        "Drawn digits: the seconds of each stage, run once, an update of the default network, and\n"
        "the peak memory of any stage. *Anonymous* memory is its own; *resident* memory includes\n"
        "the pages of mapped files, which the system can drop.\n\n"
        f"{table(head, cells)}"
    )


def work(
    checkout: Checkout, who: str, arguments: str, variables: Mapping[str, int] = PINNED
) -> Callable[[], float]:
    """A run of `tools.benchmarks.work` with some environment variables; returns its seconds."""
    module = [*python(variables), "-m", "tools.benchmarks.work", who, *arguments.split()]
    return lambda: float(checkout.run(*module))


def python(variables: Mapping[str, int]) -> list[str]:
    """Python's command, with some environment variables and without those that choose kernels."""
    unset = [f"--unset={name}" for name in NOT_INHERITED]
    settings = [f"{name}={value}" for name, value in variables.items()]
    return ["env", *unset, *settings, sys.executable]


def command(checkout: Checkout, *arguments: str) -> Callable[[], float]:
    """A run of Python with some arguments, which returns the seconds of the whole process."""

    def run() -> float:
        start = time.perf_counter()
        checkout.run(sys.executable, *arguments)
        return time.perf_counter() - start

    return run


def run_stage(checkout: Checkout, stage: str) -> Peak:
    """Run a stage, and watch its memory."""
    return measure([sys.executable, "-m", f"stages.{stage}"], checkout.path, checkout.env())


def medians(runs: Mapping[Name, Callable[[], float]]) -> dict[Name, float]:
    """Run all in turn, several times, and take the median of each."""
    results: dict[Name, list[float]] = {name: [] for name in runs}
    turns = [name for _ in range(ROUNDS) for name in runs]
    for name in tqdm(turns, desc="runs", leave=False):
        results[name].append(runs[name]())
    return {name: statistics.median(values) for name, values in results.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
