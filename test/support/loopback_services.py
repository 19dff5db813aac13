"""Servers that others write, as processes on the loopback: S3-compatible storage, databases."""

import contextlib
import getpass
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from glob import glob
from pathlib import Path

import pytest
from ports import free_port

TIME_LIMIT = 60.0


def read_until(stream, pattern, limit=TIME_LIMIT):
    """Return the match in what a process says; fail after ``limit`` seconds."""
    found = []

    def read():
        for line in stream:
            match = re.search(pattern, line)
            if match:
                found.append(match)
                break

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(limit)
    assert found, f"no line with {pattern} within {limit} s"
    return found[0]


@contextlib.contextmanager
def s3_server():
    """Run moto's server; yield its URL."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        pytest.skip("no S3-compatible server: pip install 'moto[server,s3]'")
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    rest = threading.Thread(target=deque, args=(process.stderr, 0), daemon=True)
    try:
        url = read_until(process.stderr, r"http://127\.0\.0\.1:\d+")[0]
        rest.start()  # it writes a line for each request, and would wait if nobody read them
        yield url
    finally:
        process.kill()
        process.wait()
        if rest.ident is not None:
            rest.join()
        process.stderr.close()


def postgres_program(name):
    """Return the path of one of PostgreSQL's programs; Debian keeps them off the PATH."""
    debian = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return shutil.which(name) or (debian[-1] if debian else None)


@contextlib.contextmanager
def postgres(folder):
    """Run a PostgreSQL server with its data in ``folder``; yield its URL for SQLAlchemy."""
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    if initdb is None or server is None:
        pytest.skip("no PostgreSQL on this machine: apt install postgresql")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("no driver for PostgreSQL: pip install psycopg[binary]")
    # It refuses to run as root, which containers often are.
    user = "nobody" if os.getuid() == 0 else None
    if user:
        for path in [folder, *folder.parents][: -len(Path(tempfile.gettempdir()).parts)]:
            path.chmod(0o755)
        shutil.chown(folder, user)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "i2t", "-A", "trust", "-N"],
        check=True, capture_output=True, user=user, cwd="/",
    )  # fmt: skip
    port = free_port()
    command = [server, "-D", data, "-p", str(port), "-k", data, "-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen(
        [*command, "-c", "fsync=off"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, user=user, cwd="/",
    )  # fmt: skip
    try:
        read_until(process.stderr, "ready to accept connections")
        yield f"postgresql+psycopg://i2t@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)  # on SIGTERM it waits for its clients
        process.communicate(timeout=TIME_LIMIT)


@contextlib.contextmanager
def mariadb(folder):
    """Run a MariaDB server with its data in ``folder``; yield its URL for SQLAlchemy."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if install is None or server is None:
        pytest.skip("no MariaDB on this machine: apt install mariadb-server-core")
    if importlib.util.find_spec("pymysql") is None:
        pytest.skip("no driver for MariaDB: pip install pymysql")
    data, port = folder / "data", free_port()
    user = [f"--user={getpass.getuser()}"]
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
         "--auth-root-authentication-method=normal", *user],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    # Old defaults: nothing in the table may depend on the server's character set.
    command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", *user,
               "--bind-address=127.0.0.1", f"--socket={data}/socket", f"--pid-file={data}/pid",
               "--character-set-server=latin1", "--innodb-flush-log-at-trx-commit=0"]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    try:
        read_until(process.stderr, "ready for connections")
        import pymysql  # noqa: PLC0415

        with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
            connection.cursor().execute("CREATE DATABASE robot")
        yield f"mysql://root@127.0.0.1:{port}/robot"
    finally:
        process.terminate()
        process.communicate(timeout=TIME_LIMIT)
