"""Sweeps, on this machine's cores and on a cluster, with what can happen to one."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest

pytest.importorskip("distributed", reason="Dask is not installed: make .venv/sweep")

from experiments.sweep.cluster import check_versions
from experiments.sweep.on_worker import Trainers
from experiments.sweep.runs import pinning_of
from experiments.trials.trial import (
    Trial,
    code_digest,
    data_in,
    parse_result,
    read_result,
    trial_digest,
)
from nnlib.base.errors import UserError
from nnlib.data.datasets import SYNTHETIC
from stages import PINNED
from stages.params import Params, read_params
from tests.markdown import table

OVER = ("train.hidden_size=10,5", "train.learning_rate=0.5,1", "train.validation=200")
SHORT = "train.iterations=60"
SWEEP = (sys.executable, "-m", "experiments.sweep", "--seeds", "2")
NETWORK_TOOLS = ("unshare", "nsenter", "ip")
needs_network = pytest.mark.skipif(
    not all(map(shutil.which, NETWORK_TOOLS)), reason=f"needs {', '.join(NETWORK_TOOLS)}"
)
DASK = (sys.executable, "-m", "dask")


def trials(checkout):
    """When each result was written, by its file."""
    return {
        path: path.stat().st_mtime_ns
        for path in (checkout.path / "data/trials").glob("[0-9a-f]*.json")
    }


def table_alone(checkout, *overrides):
    """The table that a sweep on this machine's cores writes, of which nothing is kept."""
    checkout.run(*SWEEP, *overrides)
    table = (checkout.path / "reports/sweep.csv").read_bytes()
    (checkout.path / "reports/sweep.csv").unlink()
    for path in trials(checkout):
        path.unlink()
    return table


def is_no_folder_left(checkout):
    return not any(path.is_dir() for path in (checkout.path / "data/trials").iterdir())


@contextmanager
def running(checkout, *command, env=None):
    """A process in the checkout, which is killed in the end with all that it has started."""
    process = subprocess.Popen(
        [*DASK, *command],
        cwd=checkout.path,
        env=checkout.env() | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with_children = [process, *psutil.Process(process.pid).children(recursive=True)]
        for each in with_children:
            each.kill()
        process.communicate()


@contextmanager
def scheduler(checkout, port=0):
    """A scheduler, and its address."""
    with running(checkout, "scheduler", "--host", "127.0.0.1", f"--port={port}") as process:
        lines = iter(process.stdout.readline, "")
        address = next(filter(None, (re.search(r"tcp://127\.0\.0\.1:\d+", line) for line in lines)))
        yield process, address[0]


def workers(checkout, address, *options, **env):
    command = ("worker", address, "--nworkers=2", "--nthreads=1", "--host=127.0.0.1")
    return running(checkout, *command, *options, env=env)


@pytest.mark.slow
def test_a_sweep(checkout):
    checkout.run("git", "add", "--all")
    output = checkout.run(*SWEEP, *OVER, SHORT)
    found = pd.read_csv(checkout.path / "reports/sweep.csv", keep_default_na=False)
    assert len(found) == 8
    assert found["failure"].eq("").all()
    combinations = found.groupby(["train.hidden_size", "train.learning_rate"], sort=False)
    assert list(combinations.groups) == [(5, 0.5), (5, 1), (10, 0.5), (10, 1)]

    # as the training stage does it
    checkout.set_params(
        {
            "train.hidden_size": 10,
            "train.learning_rate": 1,
            "train.validation": 200,
            "train.iterations": 60,
            "train.seed": 2,
        }
    )
    checkout.run("dvc", "repro", "evaluate")
    last = found.iloc[-1]
    metrics = {
        name: json.loads((checkout.path / f"reports/{name}.json").read_text())
        for name in ("train", "evaluate")
    }
    assert last["test_accuracy"] == metrics["evaluate"]["test"]["accuracy"]
    assert last["validation_accuracy"] == metrics["train"]["validation"]["accuracy"]

    errors = 1 - combinations["validation_accuracy"].mean()
    (units, rate), smallest = errors.idxmin(), errors.min()
    best = f"hidden_size={units} learning_rate={rate:g}"
    assert f"Best: {best}, validation error {100 * smallest:.2f}%" in output
    report = (checkout.path / "reports/sweep.md").read_text()
    first, *_ = table("| train.hidden_size |", report)
    assert first[0] == str(units)
    assert first[2].startswith(f"{100 * smallest:.2f}%")
    assert "Warning" not in report
    assert report.count("](sweep/") == 4
    html = (checkout.path / "reports/sweep.html").read_text()
    assert html.count('src="data:image/png;base64,') == 4


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was(checkout):
    checkout.run(*SWEEP, *OVER, SHORT)
    table = (checkout.path / "reports/sweep.csv").read_bytes()
    before = trials(checkout)
    assert len(before) == 8
    assert is_no_folder_left(checkout)

    params = checkout.path / "params.yaml"
    params.write_text(params.read_text().replace("train:\n", "train: # as in the notebook\n"))
    turned = ("train.learning_rate=1,0.5", "train.hidden_size=5,10", *OVER[2:], SHORT)
    output = checkout.run(*SWEEP, "--apply", "best", *turned)
    assert (checkout.path / "reports/sweep.csv").read_bytes() == table
    assert trials(checkout) == before
    best = re.search(r"Best: hidden_size=(\d+)", output)[1]
    assert f"  hidden_size: {best}\n" in params.read_text()
    assert "  iterations: 60\n" in params.read_text()
    assert "train: # as in the notebook\n" in params.read_text()

    # the same training, asked for by another command
    next(iter(before)).unlink()
    checkout.run(*SWEEP, *OVER, SHORT)
    after = trials(checkout)
    assert after.keys() == before.keys()
    assert sum(after[path] != before[path] for path in before) == 1
    assert (checkout.path / "reports/sweep.csv").read_bytes() == table


@pytest.mark.slow
def test_settings_that_diverge_are_left_out(checkout):
    checkout.run(*SWEEP, "train.learning_rate=0.5,1e6", SHORT)
    found = pd.read_csv(checkout.path / "reports/sweep.csv")
    failed = found["train.learning_rate"] == 1e6
    assert found["failure"][failed].str.startswith("the training diverges").all()
    assert found["test_accuracy"].isna().tolist() == failed.tolist()
    report = (checkout.path / "reports/sweep.md").read_text()
    assert "1 setting could not be trained with every seed" in report
    assert "**Warning:** no training samples were held out" in report

    (checkout.path / "reports/sweep/stale.png").touch()
    output = checkout.run(*SWEEP, "--apply", "best", "train.learning_rate=1e5,1e6", SHORT, ok=False)
    assert "no setting could be trained with every seed" in output
    assert "**No setting could be trained" in (checkout.path / "reports/sweep.md").read_text()
    assert not (checkout.path / "reports/sweep").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_what_is_done(checkout):
    process = checkout.start(*SWEEP, *OVER, "train.iterations=5000")
    while process.poll() is None and not trials(checkout):
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert 1 <= len(trials(checkout)) < 8
    assert is_no_folder_left(checkout)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert len(gone) == len(children)


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_whatever_dies(checkout, tmp_path, make_copy):
    expected = table_alone(checkout, *OVER, "train.iterations=3000")

    host = make_copy(checkout)  # with a folder of its own, as on another machine
    with scheduler(host) as (process, address):
        command = (*SWEEP, "--cluster", address, *OVER, "train.iterations=3000")
        with workers(host, address) as nanny:
            sweep = checkout.start(*command)
            while sweep.poll() is None and len(trials(checkout)) < 2:
                time.sleep(0.01)
            # the process that trains, and a worker with the one of its own
            training = [
                child
                for child in psutil.Process(nanny.pid).children(recursive=True)
                if "experiments.trials.trainer" in child.cmdline()
            ]
            training[0].kill()
            training[-1].parent().kill()
            while sweep.poll() is None and len(trials(checkout)) < 4:
                time.sleep(0.01)
            process.kill()
            output, _ = sweep.communicate()
            assert sweep.returncode == 1
            assert "is gone; what is done is kept" in output
            assert "Traceback" not in output
    kept = trials(checkout)
    assert len(kept) >= 4
    with scheduler(host) as (_, address), workers(host, address):
        checkout.run(*SWEEP, "--cluster", address, *OVER, "train.iterations=3000")
        assert (checkout.path / "reports/sweep.csv").read_bytes() == expected
        assert kept.items() <= trials(checkout).items()
        # what workers have trained is kept there too, until somebody asks
        broken, *others = trials(checkout)
        broken.write_text("{}")
        for path in others:
            path.unlink()
        before = trials(host)
        checkout.run(*SWEEP, "--cluster", address, *OVER, "train.iterations=3000")
        assert (checkout.path / "reports/sweep.csv").read_bytes() == expected
        assert trials(host) == before
        assert len(trials(checkout)) == 8
        assert broken.read_text() != "{}"
        assert is_no_folder_left(host)


@pytest.fixture
def make_copy(tmp_path):
    """Copies a checkout without what it has trained."""

    def make_copy(checkout):
        copy = checkout.copy_to(tmp_path / "host")
        for path in trials(copy):
            path.unlink()
        return copy

    return make_copy


@pytest.mark.slow
def test_what_a_cluster_lacks_is_said_in_a_line(checkout, make_copy):
    def complaint(address):
        output = checkout.run(*SWEEP, "--cluster", address, *OVER, SHORT, ok=False)
        (line,) = output.splitlines()
        return line

    with scheduler(checkout) as (_, address):
        host = make_copy(checkout)
        functions = host.path / "nnlib/network/functions.py"
        functions.write_text(functions.read_text() + "# changed\n")
        with workers(host, address):
            assert re.search(r"error: the worker tcp://\S+ has other code", complaint(address))
        (host.path / "experiments/trials/trainer.py").unlink()
        with workers(host, address):
            assert re.search(
                r"error: a worker cannot train: .*make .venv/sweep", complaint(address)
            )
    assert "no scheduler answers at" in complaint("tcp://127.0.0.1:1")


@pytest.mark.slow
def test_a_worker_has_others_train(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Params, "params.yaml")
    trial = Trial("unit", params.train.model_copy(update={"iterations": 20}))
    data = data_in(Path("data/raw"), SYNTHETIC)
    raw = Path("data/trials/sets-x/raw")
    request = {
        "source": "synthetic",
        "raw": str(raw),
        "scaling": "unit",
        "train": trial.params.model_dump(),
        "digest": trial_digest(trial, data),
    }
    files = {str(raw / name): (data.raw / name).read_bytes() for name in SYNTHETIC.files}
    trainers = Trainers(files)
    trainers.setup(None)
    assert trainers.hello == {"code": code_digest(), "pinned": PINNED}
    answer = json.loads(trainers.ask(json.dumps(request)))
    assert parse_result(answer["result"]) == read_result(request["digest"])

    # it is trained on its own data, and known by them
    refused = json.loads(trainers.ask(json.dumps(request | {"digest": "another"})))
    assert refused == {"error": "the code, the data or the way to compute is not that of the sweep"}

    # a crash is its own, and another takes its place, even if what it needs is gone
    with pytest.raises(RuntimeError, match="the process that trained has ended, with 1"):
        trainers.ask("no request")
    shutil.rmtree("data/trials")
    assert json.loads(trainers.ask(json.dumps(request)))["result"]
    trainers.processes[-1].kill()
    trainers.processes[-1].wait()
    assert json.loads(trainers.ask(json.dumps(request)))["result"]
    trainers.teardown(None)
    assert all(process.returncode is not None for process in trainers.processes)
    assert not raw.parent.exists()


def test_workers_that_compute_otherwise_are_named():
    def pinning(*pinned):
        found = {
            f"tcp://10.0.0.{host}:1": {"code": code_digest(), "pinned": each}
            for host, each in enumerate(pinned)
        }
        return pinning_of(SimpleNamespace(run=lambda *_: found), SimpleNamespace(name="trainers"))

    assert pinning(True, True) is True
    assert pinning(False) is False  # the results are known as theirs, whoever asks
    with pytest.raises(UserError, match=r"the same: tcp://10\.0\.0\.1:1 \(UNPINNED=1"):
        pinning(True, False, True)


def test_other_versions_are_named():
    ours = {"dask": "2026.8.0", "python": "3.11.7.final.0"}
    theirs = ours | {"dask": "2025.1.0"}
    versions = {
        "client": {"packages": ours},
        "scheduler": {"packages": ours},
        "workers": {"tcp://10.0.0.2:1": {"packages": ours}},
    }
    check_versions(versions)
    versions["workers"]["tcp://10.0.0.3:1"] = {"packages": theirs}
    with pytest.raises(UserError, match=r"tcp://10\.0\.0\.3:1 has dask 2025.* and this .* 2026"):
        check_versions(versions)


@pytest.mark.long
def test_forty_kills_change_nothing(checkout, make_copy):
    """Of workers, the scheduler and the sweep itself in turn, at random moments."""
    over = ("train.hidden_size=range(2,42)", "train.learning_rate=0.5,1", "train.iterations=9000")
    expected = table_alone(checkout, *over)
    host = make_copy(checkout)

    rng = random.Random(1)  # noqa: S311
    targets = ["worker", "scheduler", "sweep"] * 14
    seen = {}
    with ExitStack() as stack:
        sweep = None
        while sweep is None or sweep.poll() != 0:
            if sweep is None or sweep.poll() is not None:
                stack.close()
                killed_scheduler, address = stack.enter_context(scheduler(host))
                nanny = stack.enter_context(workers(host, address))
                sweep = checkout.start(*SWEEP, "--cluster", address, *over)
            seen = trials(checkout) | trials(host) | seen  # when each was first seen
            if not targets:
                sweep.communicate()
                assert sweep.returncode == 0
                break
            time.sleep(rng.uniform(0.5, 6))
            target = targets.pop()
            if target == "worker":
                children = psutil.Process(nanny.pid).children(recursive=True)
                rng.choice(children).kill()
            else:
                (killed_scheduler if target == "scheduler" else sweep).kill()
                output, _ = sweep.communicate()
                assert "Traceback" not in output
    assert len(targets) < 3
    assert (checkout.path / "reports/sweep.csv").read_bytes() == expected
    after = trials(checkout) | trials(host)
    assert {path: after[path] for path in seen} == seen


NETWORK = """
set -e
ip link set lo up
unshare --net sleep infinity & far=$!
trap 'kill $(jobs -p)' EXIT
sleep 0.5
ip link add near type veth peer name far netns $far
ip address add 10.9.0.1/24 dev near && ip link set near up
nsenter --net --target $far ip address add 10.9.0.2/24 dev far
nsenter --net --target $far ip link set far up
cd "$1"
"$3" -m dask scheduler --host 10.9.0.1 --port 8786 --no-dashboard &
"$3" -m dask worker tcp://10.9.0.1:8786 --nthreads 1 --no-dashboard &
cd "$2"
nsenter --net --target $far "$3" -m dask worker tcp://10.9.0.1:8786 --nthreads 1 --no-dashboard &
sleep 8
(sleep 5; ip link set near down; echo CUT; sleep 30; ip link set near up; echo BACK) &
cd "$1"
shift 3
"$@"
"""


@pytest.mark.long
@needs_network
def test_a_host_that_is_cut_off_changes_nothing(checkout, make_copy):
    over = ("train.hidden_size=range(20,40)", "train.learning_rate=0.5,1", "train.iterations=12000")
    expected = table_alone(checkout, *over)
    host = make_copy(checkout)
    cluster = ("bash", "-c", NETWORK, "bash", checkout.path, host.path, sys.executable)
    sweep = (*SWEEP, "--cluster", "tcp://10.9.0.1:8786", *over)
    output = checkout.run("unshare", "--user", "--map-root-user", "--net", *cluster, *sweep)
    assert output.index("CUT") < output.index("BACK") < output.index("Best: ")
    assert trials(host)
    assert (checkout.path / "reports/sweep.csv").read_bytes() == expected


# A sweep whose trainings take a millisecond; all else is as in earnest. Prints what it took.
SIMULATION = """
import json, resource, sys, time
from distributed import WorkerPlugin
import stages
from experiments.sweep import __main__ as command, on_worker
from experiments.trials.trial import code_digest

class Trainers(WorkerPlugin):
    def __init__(self, files):
        self.name, self.hello = "simulated", {"code": code_digest(), "pinned": stages.PINNED}
    def setup(self, worker):
        pass
    def ask(self, request):
        time.sleep(0.001)
        asked = json.loads(request)
        luck = int(asked["digest"][:8], 16) / 2**32
        result = {
            "scaling": asked["scaling"],
            **asked["train"],
            "test_accuracy": 0.94 + 0.01 * luck,
            "validation_accuracy": None,
            "losses": [1 + luck / (1 + epoch) for epoch in range(17)],
            "seconds": 2 + luck,
        }
        return json.dumps({"result": json.dumps(result, indent=2)})

def report(*arguments):
    start = time.perf_counter()
    best = original(*arguments)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - start, "megabytes": memory}))
    return best

if __name__ == "__main__":
    on_worker.Trainers = Trainers
    original, command.report = command.report, report
    command.main()
"""


@pytest.mark.long
def test_a_hundred_thousand_trials(checkout):
    """Of which the scheduler, which is in the same process, and the report make little."""
    overrides = ("train.hidden_size=range(1,201)", "train.learning_rate=range(0.001,0.101,0.001)")
    (checkout.path / "simulation.py").write_text(SIMULATION)
    options = ("--yes", "--seeds", "5", *overrides)
    output = checkout.run(sys.executable, "-m", "simulation", *options)
    took = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert took["megabytes"] < 1000
    assert took["seconds"] < 60
    assert len(pd.read_csv(checkout.path / "reports/sweep.csv")) == 100_000
