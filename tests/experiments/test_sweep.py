"""Sweeps, on this machine's cores and on a cluster, with what can happen to one."""

import json
import logging
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

pytest.importorskip("distributed", reason="Dask is not installed: make .venv/sweep")

import dask
from distributed import Client

from experiments.sweep import __main__ as command
from experiments.sweep import cluster, worker
from experiments.sweep.__main__ import main
from experiments.sweep.cluster import check_versions, open_cluster
from experiments.sweep.runs import choose_workers
from experiments.sweep.worker import DataSets, environment, train
from experiments.trials import (
    Fold,
    Trial,
    data_in,
    load_once,
    network_path,
    read_result,
    run_trials,
    trial_digest,
)
from nnlib.base.errors import UserError
from nnlib.data.datasets import TRAIN
from stages import PINNED
from stages.params import Params, read_params
from tests.conftest import needs_promise
from tests.markdown import table
from tools.checkouts import ROOT

OVER = ("train.hidden_size=10,5", "train.learning_rate=0.5,1", "train.validation=200")
SHORT = "train.iterations=60"
SWEEP = (sys.executable, "-m", "experiments.sweep", "--seeds", "2")
NETWORK_TOOLS = ("unshare", "nsenter", "ip")
needs_network = pytest.mark.skipif(
    not all(map(shutil.which, NETWORK_TOOLS)), reason=f"needs {', '.join(NETWORK_TOOLS)}"
)
DASK = Path(sys.executable).with_name("dask")  # the script, which does not see its folder
WORKER = (sys.executable, "-m", "experiments.sweep.worker")
PLAIN = (sys.executable, "-m", "dask", "worker")
ONE = ("--nworkers=1", "--host=127.0.0.1", "--no-dashboard")
TWO = ("--nworkers=2", "--host=127.0.0.1", "--no-dashboard")


def trials(checkout):
    """When each result was written, by its file."""
    return {
        path: path.stat().st_mtime_ns
        for path in (checkout.path / "data/trials").glob("[0-9a-f]*.json")
    }


def table_alone(checkout, *overrides):
    """The table that a sweep on this machine's cores writes, of which nothing is kept."""
    checkout.run(*SWEEP, *overrides)
    table = (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes()
    (checkout.path / "reports/sweeps/last/sweep.csv").unlink()
    for path in trials(checkout):
        path.unlink()
    return table


def is_no_folder_left(checkout):
    """Whether there is none, within ten seconds: workers go on when a sweep has ended."""
    deadline = time.monotonic() + 10
    while any(path.is_dir() for path in (checkout.path / "data/trials").iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def running(checkout, *command, folder=None):
    """A process in the checkout, which is killed in the end with all that it has started."""
    process = subprocess.Popen(
        command,
        cwd=folder or checkout.path,
        env=checkout.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):  # the test has ended it
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.communicate()


@contextmanager
def scheduler(checkout, port="0"):
    """A scheduler, which does not have the project, and its address."""
    command = (DASK, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    with running(checkout, *command, folder=checkout.path.parent) as process:
        lines = iter(process.stdout.readline, "")
        address = next(filter(None, (re.search(r"tcp://127\.0\.0\.1:\d+", line) for line in lines)))
        yield process, address[0]


def workers(checkout, address):
    return running(checkout, *WORKER, address, *TWO)


def training(process):
    """The processes that train, which a worker or a sweep has started."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any("spawn_main" in argument for argument in child.cmdline()):
                found.append(child)
    return found


@pytest.mark.slow
def test_a_sweep(checkout):
    output = checkout.run(*SWEEP, *OVER, SHORT)
    assert checkout.run("git", "status", "--porcelain") == ""
    found = pd.read_csv(checkout.path / "reports/sweeps/last/sweep.csv", keep_default_na=False)
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
    report = (checkout.path / "reports/sweeps/last/sweep.md").read_text()
    first, *_ = table("| train.hidden_size |", report)
    assert first[0] == str(units)
    assert first[2].startswith(f"{100 * smallest:.2f}%")
    assert "Warning" not in report
    assert report.count(".png)") == 4
    html = (checkout.path / "reports/sweeps/last/sweep.html").read_text()
    assert html.count('src="data:image/png;base64,') == 4


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "-a", "a b", "a\n"])
def test_a_name_that_is_no_folders_is_refused(capsys, monkeypatch, name):
    monkeypatch.setattr("sys.argv", ["sweep", f"--name={name}", OVER[0]])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "--name: letters, digits" in capsys.readouterr().err


@pytest.mark.slow
def test_a_report_is_replaced_by_one_of_its_name(checkout):
    committed = checkout.path / "reports/sweeps/size-and-rate/sweep.md"
    before = committed.read_text()
    checkout.run(*SWEEP, "--name", "rates", "train.learning_rate=0.5,1", SHORT)
    rates = checkout.path / "reports/sweeps/rates/sweep.md"
    kept = rates.read_text()
    output = checkout.run(*SWEEP, "--name", "size-and-rate", "train.hidden_size=5,10", SHORT)
    assert "Report: reports/sweeps/size-and-rate/sweep.html, " in output
    assert rates.read_text() == kept
    assert "train.hidden_size" in committed.read_text() != before
    assert checkout.run("git", "status", "--porcelain").splitlines() == [
        f" {kind} reports/sweeps/size-and-rate/{name}"
        for kind, name in (
            *(("M", "effects.png"), ("M", "front.png"), ("M", "learning.png"), ("D", "map.png")),
            *(("M", "sweep.csv"), ("M", "sweep.md")),
        )
    ]


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was(checkout):
    checkout.run(*SWEEP, *OVER, SHORT)
    table = (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes()
    before = trials(checkout)
    assert len(before) == 8
    assert is_no_folder_left(checkout)

    params = checkout.path / "params.yaml"
    params.write_text(params.read_text().replace("train:\n", "train: # as in the notebook\n"))
    turned = ("train.learning_rate=1,0.5", "train.hidden_size=5,10", *OVER[2:], SHORT)
    output = checkout.run(*SWEEP, "--apply", "best", *turned)
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == table
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
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == table


@pytest.mark.slow
def test_the_best_is_set_as_it_was_trained(checkout):
    texts = (
        *("train.optimizer={name: adam}", "+train.optimizer.beta2=0.9,0.99"),
        *("train.schedule.warmup=2,3", "train.schedule={name: step, every: 20, warmup: 4}"),
    )
    quoted = [f"'{text}'" for text in (*texts, SHORT)]
    output = checkout.run(*SWEEP, "--apply", "best", *quoted)
    for beta2 in (0.9, 0.99):
        names = (f"optimizer.beta2={beta2:g} schedule.warmup={warmup}" for warmup in (2, 3))
        same = "note: these are the same training, which is done once: "
        assert f"{same}{'; '.join(names)}\n" in output
    assert len(trials(checkout)) == 4
    beta2 = re.search(r"Best: optimizer.beta2=(\S+)", output)[1]
    assert f"optimizer={{name: adam}} optimizer.beta2={beta2} " in output
    train = read_params(Params, checkout.path / "params.yaml").train
    assert (train.optimizer.name, train.optimizer.beta2) == ("adam", float(beta2))
    assert train.schedule.model_dump() == {"name": "step", "every": 20, "factor": 0.1, "warmup": 4}
    kept = json.loads(next(iter(trials(checkout))).read_text())
    assert kept["params"]["schedule"] == train.schedule.model_dump()


def test_seeds_beyond_the_largest_are_refused_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["train"]["seed"] = 2**32 - 2
    Path("params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.setattr(command, "run_settings", lambda *arguments: sys.exit("trains"))
    arguments = Namespace(overrides=["train.hidden_size=5,6"], samples=None, cluster=None, yes=True)
    with pytest.raises(UserError, match=r"params.yaml: train.seed: 3 seeds from 4294967294 on"):
        command.sweep(Namespace(**vars(arguments), seeds=3))
    with pytest.raises(SystemExit, match="trains"):
        command.sweep(Namespace(**vars(arguments), seeds=2))


@pytest.mark.slow
def test_settings_that_diverge_are_left_out(checkout):
    checkout.run(*SWEEP, "train.weight_decay=0,1e6", SHORT)
    found = pd.read_csv(checkout.path / "reports/sweeps/last/sweep.csv")
    failed = found["train.weight_decay"] == 1e6
    assert found["failure"][failed].str.startswith("the training diverges").all()
    assert found["test_accuracy"].isna().tolist() == failed.tolist()
    report = (checkout.path / "reports/sweeps/last/sweep.md").read_text()
    assert "1 setting could not be trained with every seed" in report
    assert "**Warning:** no training samples were held out" in report

    (checkout.path / "reports/sweeps/last/stale.png").touch()
    output = checkout.run(*SWEEP, "--apply", "best", "train.weight_decay=1e5,1e6", SHORT, ok=False)
    assert "no setting could be trained with every seed" in output
    assert (
        "**No setting could be trained"
        in (checkout.path / "reports/sweeps/last/sweep.md").read_text()
    )
    assert not list((checkout.path / "reports/sweeps/last").glob("*.png"))


def _has_workers(process):
    """Whether one was started at least: as they are imported, packages too start processes."""
    children = psutil.Process(process.pid).children()
    return any("multiprocessing" in part for child in children for part in _command(child))


def _command(process):
    with suppress(psutil.Error):  # it has ended
        return process.cmdline()
    return []


@pytest.mark.slow
@pytest.mark.parametrize("send", [os.killpg, os.kill])
def test_ctrl_c_as_the_workers_start_is_not_lost(checkout, send):
    process = checkout.start(*SWEEP, *OVER, "train.iterations=8000")
    while process.poll() is None and not _has_workers(process):
        time.sleep(0.01)
    send(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert is_no_folder_left(checkout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("send", "number"),
    [
        (os.killpg, signal.SIGINT),  # as Ctrl-C does
        (os.kill, signal.SIGINT),
        (os.kill, signal.SIGTERM),
        (os.kill, signal.SIGHUP),
    ],
)
def test_a_signal_leaves_what_is_done(checkout, send, number):
    process = checkout.start(*SWEEP, *OVER, "train.iterations=8000")
    lock = checkout.path / "data/locks/sweep"
    while process.poll() is None and not lock.exists():
        time.sleep(0.01)
    said = checkout.run(*SWEEP, *OVER, ok=False)
    assert f"error: another process ({process.pid}) is working on the sweep in this folder" in said
    while process.poll() is None and not trials(checkout):
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    send(process.pid, number)
    output, _ = process.communicate()
    assert process.returncode == 128 + number
    assert "Traceback" not in output
    assert 1 <= len(trials(checkout)) < 8
    assert is_no_folder_left(checkout)
    assert is_gone(children)


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
            first, _ = training(nanny)
            first.kill()
            first.wait()
            for each in training(nanny):  # a new one too, if it is there already
                each.kill()
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
        assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected
        assert kept.items() <= trials(checkout).items()
        # what workers have trained is kept there too, until somebody asks
        broken, *others = trials(checkout)
        broken.write_text("{}")
        for path in others:
            path.unlink()
        before = trials(host)
        checkout.run(*SWEEP, "--cluster", address, *OVER, "train.iterations=3000")
        assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected
        assert trials(host) == before
        assert len(trials(checkout)) == 8
        assert broken.read_text() != "{}"
        assert is_no_folder_left(host)


@pytest.fixture
def make_copy(tmp_path):
    """Copies a checkout without what it has trained."""

    def make_copy(checkout, name="host"):
        copy = checkout.copy_to(tmp_path / name)
        for path in trials(copy):
            path.unlink()
        return copy

    return make_copy


def change_code(checkout):
    functions = checkout.path / "nnlib/network/functions.py"
    functions.write_text(functions.read_text() + "# changed\n")


def refusals(output):
    """Why each worker was refused."""
    return re.findall(r"^warning: the worker tcp://\S+ is refused: (.*)", output, re.MULTILINE)


@pytest.mark.slow
def test_what_a_cluster_lacks_is_said_in_a_line(checkout, make_copy, tmp_path):
    def complaint(address):
        output = checkout.run(*SWEEP, "--cluster", address, *OVER, SHORT, ok=False)
        (line,) = output.splitlines()
        return line

    with scheduler(checkout) as (_, address):
        host = make_copy(checkout)
        functions = host.path / "nnlib/network/functions.py"
        before = functions.read_text()
        change_code(host)
        with workers(host, address):
            assert re.search(r"of the worker tcp://\S+, it has other code", complaint(address))
            # what counts is the code that was there when it was started
            functions.write_text(before)
            assert re.search(r"of the worker tcp://\S+, it has other code", complaint(address))
        with running(checkout, *PLAIN, address, *ONE, folder=tmp_path):
            assert re.search(
                r"of the worker tcp://\S+, it cannot train: .*No module named 'experiments'.*; "
                r"start it in the project's folder: .venv/bin/python -m experiments.sweep.worker",
                complaint(address),
            )
    assert "no scheduler of Dask answers at" in complaint("tcp://127.0.0.1:1")


@pytest.fixture
def serve():
    """Starts a server that says something to whoever connects, and returns its port."""
    with ExitStack() as stack:

        def serve(said):
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer():
                with suppress(OSError):  # closed
                    while True:
                        connection, _ = server.accept()
                        stack.enter_context(connection).sendall(said)

            threading.Thread(target=answer, daemon=True).start()
            return server.getsockname()[1]

        yield serve


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "it accepts the connection, and says nothing"),
        (b"HTTP/1.1 400 Bad Request\r\n", "it is another kind of server"),
        (bytes(64), "it is another kind of server"),
    ],
)
def test_another_server_than_a_scheduler_is_left(serve, monkeypatch, said, reason):
    monkeypatch.setattr(cluster, "SECONDS", 0.5)
    monkeypatch.setattr(logging, "disable", lambda: None)
    address = f"tcp://127.0.0.1:{serve(said)}"
    expected = f"no scheduler of Dask answers at {address}: {reason}"
    with pytest.raises(UserError, match=expected), open_cluster(address, 1):
        pass


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "takes the credentials of its cluster: set DASK_CONFIG as"),
        (
            {"ca-file": "none.pem", "client.cert": "of_us.pem"},
            "the credentials of Dask's configuration, none.pem, of_us.pem: .*No such file",
        ),
    ],
)
def test_tls_that_is_not_set_up_is_said(monkeypatch, config, reason):
    monkeypatch.setattr(logging, "disable", lambda: None)
    config = {f"distributed.comm.tls.{name}": value for name, value in config.items()}
    with (
        dask.config.set(config),
        pytest.raises(UserError, match=reason),
        open_cluster("tls://127.0.0.1:8786", 1),
    ):
        pass


@pytest.mark.slow
def test_workers_that_cannot_start_are_said_in_a_line(checkout, tmp_path):
    (tmp_path / "file").touch()
    temporary = f"DASK_TEMPORARY_DIRECTORY={tmp_path / 'file'}"
    output = checkout.run("env", temporary, *SWEEP, *OVER, SHORT, ok=False)
    (line,) = output.splitlines()
    assert "error: Dask cannot start workers on this machine: [Errno 20] Not a directory: " in line


# As another user, asks what listens at some ports who it is, with and without TLS. Whoever gets an
# answer can have any code run there.
INTRUDER = """
import asyncio, os, sys
from distributed import Security, rpc

async def ask(port, scheme, security):
    arguments = security.get_connection_args("client")
    async with rpc(f"{scheme}://127.0.0.1:{port}", connection_args=arguments) as server:
        try:
            print(port, "is a", (await asyncio.wait_for(server.identity(), 5))["type"])
        except Exception as error:
            print(port, repr(error))

async def ask_all():
    ways = {"tcp": Security(), "tls": Security.temporary()}
    await asyncio.gather(*(ask(port, *way) for port in sys.argv[1:] for way in ways.items()))

if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
asyncio.run(ask_all())
"""


@pytest.mark.slow
def test_nobody_else_on_this_machine_can_run_code(checkout):
    with scheduler(checkout) as (_, open_to_all):
        sweep = checkout.start(*SWEEP, *OVER, "train.iterations=20000")
        while sweep.poll() is None and len(training(sweep)) < 2:
            time.sleep(0.01)
        ports = {
            str(each.laddr.port)
            for process in (psutil.Process(sweep.pid), *training(sweep))
            for each in process.net_connections()
            if each.status == psutil.CONN_LISTEN
        }
        control = open_to_all.rpartition(":")[2]
        said = checkout.run(sys.executable, "-c", INTRUDER, control, *ports)
        assert sweep.poll() is None
        sweep.kill()
        sweep.communicate()
    assert len(ports) >= 4  # of the scheduler, the nannies and the workers
    assert re.findall(r"(\d+) is a \w+", said) == [control]


@pytest.mark.slow
def test_workers_that_do_not_fit_are_refused_from_the_start(checkout, make_copy, tmp_path):
    expected = table_alone(checkout, *OVER, SHORT)
    host = make_copy(checkout)
    full = make_copy(checkout, "full")
    shutil.rmtree(full.path / "data/trials")
    (full.path / "data/trials").touch()  # where a folder is needed
    with (
        scheduler(host) as (_, address),
        running(host, *WORKER, address, *ONE),
        running(full, *WORKER, address, *ONE),
        # which has imported NumPy before it could be pinned
        running(host, *PLAIN, address, *ONE),
        running(checkout, *PLAIN, address, *ONE, folder=tmp_path),
    ):
        with Client(address) as client:
            client.wait_for_workers(4, timeout=60)
        output = checkout.run(*SWEEP, "--cluster", address, *OVER, SHORT)
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected
    assert is_no_folder_left(host)
    for reason in ("not started as `python -m", "No module named 'experiments'", "Not a directory"):
        (_,) = [each for each in refusals(output) if reason in each]


@pytest.mark.slow
def test_workers_that_join_late_and_do_not_fit_are_refused(checkout, make_copy, tmp_path):
    over = ("train.hidden_size=range(10,18)", "train.iterations=1500")
    expected = table_alone(checkout, *over)
    host = make_copy(checkout)
    other = make_copy(checkout, "other")
    change_code(other)
    with scheduler(host) as (_, address), running(host, *WORKER, address, *ONE):
        sweep = checkout.start(*SWEEP, "--cluster", address, *over)
        while sweep.poll() is None and not trials(checkout):
            time.sleep(0.01)
        with (
            running(other, *WORKER, address, *TWO),
            running(host, "env", "UNPINNED=1", *WORKER, address, *ONE),
            running(host, *PLAIN, address, *ONE, folder=tmp_path),
        ):
            output, _ = sweep.communicate()
    assert sweep.returncode == 0, output
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected
    reasons = ["No module na", "it computes ", "it has other", "it has other"]
    assert sorted(each[:12] for each in refusals(output)) == reasons


# Prints how the workers of a cluster compute, and what they would have Dask do with their memory.
ASK = """
import json, sys
from experiments.sweep.cluster import ask_workers, open_cluster
from experiments.sweep.runs import choose_workers
from experiments.sweep.worker import environment

def kernels():
    import os
    from threadpoolctl import threadpool_info
    found = {(each["architecture"], each["num_threads"]) for each in threadpool_info()}
    return [*found, os.environ.get("MALLOC_TRIM_THRESHOLD_")]

with open_cluster(sys.argv[1] or None, 2) as client:
    wanted, refused = choose_workers(ask_workers(client, environment))
    print(json.dumps([wanted.pinned, refused, *client.run(kernels).values()]))
"""


@pytest.mark.slow
@needs_promise
def test_workers_compute_as_the_stages_do(checkout):
    with scheduler(checkout) as (_, address), workers(checkout, address):
        for where in ("", address):
            pinned, refused, *found = json.loads(checkout.run(sys.executable, "-c", ASK, where))
            assert pinned is True
            assert not refused
            assert found
            assert all(each == [["Haswell", 1], None] for each in found)


def test_workers_that_do_not_fit_are_told_apart():
    ours = environment()._replace(pinned=PINNED)
    unpinned = ours._replace(pinned=not PINNED)
    changed = ours._replace(code="0" * 64)
    old = ours._replace(packages=ours.packages | {"dask": "2025.1.0"})
    wanted, refused = choose_workers({"a": ours, "b": unpinned, "c": changed, "d": old})
    assert wanted == ours
    assert refused.keys() == {"b", "c", "d"}
    assert "computes in another way" in refused["b"]
    assert "other code" in refused["c"]
    assert "dask 2025.1.0, and this machine 20" in refused["d"]
    # the results are known as theirs, whoever asks
    assert choose_workers({"a": unpinned}) == (unpinned, {})
    # but for networks, which are looked for as this process's own
    with pytest.raises(UserError, match="the worker a, it computes in another way"):
        choose_workers({"a": unpinned}, [PINNED])
    with pytest.raises(UserError, match="the worker c, it has other code"):
        choose_workers({"c": changed, "d": old})
    with pytest.raises(UserError, match="the worker e, it cannot train: No module named 'nnlib'"):
        choose_workers({"e": ModuleNotFoundError("No module named 'nnlib'")})


@pytest.mark.slow
def test_a_worker_trains_on_what_it_is_sent(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Params, "params.yaml")
    trial = Trial("unit", params.train.model_copy(update={"iterations": 20}))
    data = data_in(Path("data/raw"))
    digest = trial_digest(trial, data)
    plugin = DataSets([data])
    there = plugin.on_worker(data)
    wanted = environment()

    there.raw.mkdir(parents=True)
    (there.raw / TRAIN.images).write_bytes(b"broken")
    plugin.setup(None)
    assert data_in(there.raw) == there
    result, network = train(trial, there, digest, wanted, False)
    assert result == read_result(digest, trial)
    assert network is None
    # with its network, which was not kept
    _, network = train(trial, there, digest, wanted, True)
    assert network == network_path(digest).read_bytes()
    # arrays that another code has made are not taken
    with monkeypatch.context() as patch:
        patch.setattr(worker, "code_digest", lambda: "0" * 64)
        assert plugin.on_worker(data).raw.parent != there.raw.parent

    # but only where all is alike that it depends on
    assert (
        "other code" in train(trial, there, digest, wanted._replace(code="another"), False).reason
    )

    # what it needs is there again, though another worker of the machine has removed it
    shutil.rmtree("data/trials")
    load_once.cache_clear()
    assert train(trial, there, digest, wanted, False).result.losses == result.losses

    plugin.teardown(None)
    assert not there.raw.parent.exists()


@pytest.mark.slow
def test_networks_come_back_from_a_cluster(checkout, make_copy, monkeypatch):
    monkeypatch.chdir(checkout.path)
    params = read_params(Params, "params.yaml").train.model_copy(update={"iterations": 200})
    other = params.model_copy(update={"seed": 2})
    trials = [
        Trial("unit", params),
        *(Trial("unit", params, fold=Fold(number, 3)) for number in range(3)),
        *(Trial("unit", each, left_out=7) for each in (params, other)),
    ]
    data = data_in(Path("data/raw"))
    paths = [network_path(trial_digest(trial, data)) for trial in trials]
    alone = [each.model_dump(exclude={"seconds"}) for each in run_trials(trials, data)]
    run_trials(trials, data, keep_networks=True)
    expected = [path.read_bytes() for path in paths]
    assert len(set(expected)) == len(trials)

    host = make_copy(checkout)
    shutil.rmtree("data/trials")
    monkeypatch.setattr(logging, "disable", lambda: None)
    with scheduler(host) as (_, address), workers(host, address):
        with Client(address) as client:
            client.wait_for_workers(2, timeout=60)

        def run_there():
            found = run_trials(trials, data, keep_networks=True, cluster=address)
            assert [each.model_dump(exclude={"seconds"}) for each in found] == alone
            assert [path.read_bytes() for path in paths] == expected

        run_there()
        # what is missing or broken here is not trained again there
        kept = {path: path.stat().st_mtime_ns for path in host.path.glob("data/trials/*.npz")}
        assert len(kept) == len(trials)
        paths[0].unlink()
        paths[1].write_bytes(expected[2])
        run_there()
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        (host.path / paths[0]).write_bytes(b"broken")
        paths[0].unlink()
        run_there()
    # nor is a cluster asked for what is here
    run_there()


@pytest.mark.slow
def test_a_worker_removes_what_killed_ones_have_left(checkout):
    left = checkout.path / "data/trials/sets-0-1/raw"
    left.mkdir(parents=True)
    with (
        scheduler(checkout) as (_, address),
        Client(address) as client,
        workers(checkout, address),
    ):
        client.wait_for_workers(2, timeout=60)
        assert is_no_folder_left(checkout)
        left.mkdir(parents=True)
        with workers(checkout, address):
            client.wait_for_workers(4, timeout=60)
            assert left.exists()  # the first may be using it


@pytest.mark.slow
def test_a_sweep_ends_if_the_scheduler_has_lost_it(checkout, make_copy):
    host = make_copy(checkout)
    with ExitStack() as stack:
        process, address = stack.enter_context(scheduler(host))
        stack.enter_context(workers(host, address))
        command = (*SWEEP, "--cluster", address, *OVER, "train.iterations=3000")
        sweep = checkout.start(*command)
        while sweep.poll() is None and len(trials(checkout)) < 2:
            time.sleep(0.01)
        process.kill()
        process.wait()
        kept = trials(checkout)
        stack.enter_context(scheduler(host, port=address.rpartition(":")[2]))
        output, _ = sweep.communicate(timeout=60)
        assert sweep.returncode == 1
        assert re.fullmatch(
            r"error: the scheduler at .* is gone; what is done is kept: .*\n", output
        )
        stack.enter_context(workers(host, address))
        checkout.run(*command)
    assert kept.items() <= trials(checkout).items()


def is_gone(processes):
    """Whether all of them end within ten seconds."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


@pytest.mark.slow
def test_what_a_killed_sweep_leaves_running_ends(checkout, make_copy):
    long = ("train.hidden_size=50,60,70,80,90", "train.iterations=20000")
    alone = checkout.start(*SWEEP, *long)
    while alone.poll() is None and len(training(alone)) < 2:
        time.sleep(0.01)
    children = psutil.Process(alone.pid).children(recursive=True)
    alone.kill()
    alone.communicate()
    assert is_gone(children)

    host = make_copy(checkout)
    with scheduler(host) as (_, address), workers(host, address) as nanny:
        sweep = checkout.start(*SWEEP, "--cluster", address, *long)
        while sweep.poll() is None and len(trials(checkout)) < 1:
            time.sleep(0.01)
        sweep.kill()
        sweep.communicate()
        # each worker ends the training that it has begun, and begins no other
        kept = len(trials(host))
        processes = training(nanny)
        deadline = time.monotonic() + 120
        while len(trials(host)) == kept or any(each.cpu_percent(1) > 10 for each in processes):
            assert time.monotonic() < deadline
        assert len(trials(host)) <= 5
        assert training(nanny) == processes
        # and keeps no data
        assert not list(host.path.glob("data/trials/sets-*"))


def test_another_version_of_the_scheduler_is_named():
    ours = {"dask": "2026.8.0", "python": "3.11.7.final.0"}
    versions = {"client": {"packages": ours}, "scheduler": {"packages": ours}}
    check_versions(versions)
    versions["scheduler"] = {"packages": ours | {"dask": "2025.1.0"}}
    with pytest.raises(UserError, match=r"the scheduler has dask 2025.* and this .* 2026"):
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
                output, _ = sweep.communicate()
                assert sweep.returncode == 0, output
                break
            time.sleep(rng.uniform(0.5, 6))
            target = targets.pop()
            if target == "worker":
                while not (children := psutil.Process(nanny.pid).children(recursive=True)):
                    time.sleep(0.01)
                rng.choice(children).kill()
            else:
                (killed_scheduler if target == "scheduler" else sweep).kill()
                output, _ = sweep.communicate()
                assert "Traceback" not in output
    assert len(targets) < 3
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected
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
"$3" -m experiments.sweep.worker tcp://10.9.0.1:8786 --nworkers 1 --no-dashboard &
cd "$2"
nsenter --net --target $far \\
  "$3" -m experiments.sweep.worker tcp://10.9.0.1:8786 --nworkers 1 --no-dashboard &
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
    assert (checkout.path / "reports/sweeps/last/sweep.csv").read_bytes() == expected


# A sweep whose trainings take a millisecond; all else is as in earnest. Prints what it took.
SIMULATION = """
import json, resource, time
from experiments.sweep import __main__ as command, runs
from experiments.sweep.worker import Outcome
from experiments.trials import Success

def train(trial, data, digest, wanted, keep_network):
    time.sleep(0.001)
    luck = int(digest[:8], 16) / 2**32
    result = Success(
        test_accuracy=0.94 + 0.01 * luck,
        validation_accuracy=None,
        losses=tuple(1 + luck / (1 + epoch) for epoch in range(17)),
        seconds=2 + luck,
    )
    return Outcome(result, None)

def report(*arguments):
    start = time.perf_counter()
    best = original(*arguments)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - start, "megabytes": memory}))
    return best

if __name__ == "__main__":
    runs.train = train
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
    assert len(pd.read_csv(checkout.path / "reports/sweeps/last/sweep.csv")) == 100_000
