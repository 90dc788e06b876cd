"""A real Spark cluster on the loopback: a master, two workers and a Spark Connect server from the pyspark wheel."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
WORKERS = 2
# What a worker may lend to executors; it takes none of it itself.
WORKER_MEMORY = "2g"
START_SECONDS = 180
STOP_SECONDS = 5
# Processes that live for a minute are not worth the second compiler's work: a third of the time remains.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# Small tables must reach both workers too: no partition is merged away, and every port is one that is free.
CONF = {
    "spark.connect.grpc.binding.address": LOOPBACK,
    "spark.connect.grpc.binding.port": "0",
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.extraJavaOptions": JAVA,
    "spark.driver.host": LOOPBACK,
    "spark.driver.memory": "768m",
    "spark.executor.cores": "1",
    "spark.executor.extraJavaOptions": JAVA,
    "spark.executor.memory": "768m",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.shuffle.partitions": str(WORKERS),
    "spark.ui.port": "0",
    "spark.ui.showConsoleProgress": "false",
}


@dataclass(frozen=True)
class Daemon:
    """A process of the cluster: it and what it started are one group, ended together."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, pattern: str) -> str:
        """What the log says in a pattern's group, as soon as it says it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.log.read_text(errors="replace")):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        last = self.log.read_text(errors="replace")[-3000:]
        raise AssertionError(f"{self.log.stem} never wrote {pattern!r}. It wrote last:\n{last}")

    def stop(self) -> None:
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        # Executors are in the group of their worker, and some outlive its SIGTERM.
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@dataclass(frozen=True)
class Cluster:
    """A running cluster: where clients connect, and what its master and its driver tell of it."""

    remote: str
    master_page: str
    driver_page: str

    def workers(self) -> set[str]:
        """The pages of the workers that the master counts as alive."""
        workers = _json(f"{self.master_page}/json/")["workers"]
        return {worker["webuiaddress"] for worker in workers if worker["state"] == "ALIVE"}

    def tasks_by_worker(self) -> Counter[str]:
        """How many tasks ended well on each worker, known by the page on which its executor's log is shown."""
        (application,) = _json(f"{self.driver_page}/api/v1/applications")
        executors = _json(f"{self.driver_page}/api/v1/applications/{application['id']}/executors")
        tasks: Counter[str] = Counter()
        for executor in executors:
            if executor["id"] != "driver":
                tasks[executor["executorLogs"]["stdout"].split("/logPage")[0]] += executor["completedTasks"]
        return tasks


def missing() -> str | None:
    """Why no cluster can be started here, or nothing."""
    if shutil.which("java") is None:
        return "No Java is installed; Spark needs 17 or newer."
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed; it is among the development dependencies."
    return None


@contextmanager
def spark_cluster(folder: Path, conf: Mapping[str, str] = CONF) -> Iterator[Cluster]:
    """A cluster that lives for a with block; its logs and its scratch files lie in a folder."""
    with ExitStack() as daemons:
        master = daemons.enter_context(_daemon(folder, "master", MASTER, "--host", LOOPBACK, *_ports()))
        address = master.wait_for(r"Starting Spark master at (spark://[\d.:]+)")
        workers = [
            daemons.enter_context(_daemon(folder, f"worker{number}", WORKER, *_worker(folder, number), address))
            for number in range(WORKERS)
        ]
        driver = daemons.enter_context(
            _daemon(folder, "connect", "org.apache.spark.deploy.SparkSubmit", *_submit(address, conf))
        )
        for worker in workers:
            worker.wait_for(r"(Successfully registered) with master")
        remote = driver.wait_for(r"Spark Connect server started at: (?:\S*?)([\d.]+:\d+)")
        yield Cluster(f"sc://{remote}", _page(master, "MasterUI"), _page(driver, "SparkUI"))


def _page(daemon: Daemon, name: str) -> str:
    port = daemon.wait_for(rf"service '{name}' on port (\d+)")
    return f"http://{LOOPBACK}:{port}"


def _ports() -> tuple[str, ...]:
    return ("--port", "0", "--webui-port", "0")


def _worker(folder: Path, number: int) -> tuple[str, ...]:
    work = folder / f"work{number}"
    return ("--host", LOOPBACK, *_ports(), "--cores", "1", "--memory", WORKER_MEMORY, "--work-dir", str(work))


def _submit(master: str, conf: Mapping[str, str]) -> tuple[str, ...]:
    settings = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    return ("--master", master, "--class", CONNECT, "--name", "sightline-test", *settings, "spark-internal")


@contextmanager
def _daemon(folder: Path, name: str, *command: str) -> Iterator[Daemon]:
    log = folder / f"{name}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [_spark_home() / "bin" / "spark-class", *command],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    daemon = Daemon(process, log)
    try:
        yield daemon
    finally:
        daemon.stop()


def _spark_home() -> Path:
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SPARK_HOME": str(_spark_home()),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_LAUNCHER_OPTS": JAVA,
    } | {name: os.environ[name] for name in ("JAVA_HOME", "TZ") if name in os.environ}


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)
