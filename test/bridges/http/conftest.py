"""What tests of the HTTP listener share."""

import shutil
import subprocess

import pytest


@pytest.fixture
def client(plain_web):
    """Return a client of a listener with its defaults."""
    with plain_web.client() as client:
        yield client


@pytest.fixture
def bridge(web):
    """Return a listener with a camera that shows nothing yet, and is stale soon."""
    bridge = web(stale_time=0.5)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    return bridge


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return the paths of a certificate of this machine, and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return str(folder / "cert.pem"), str(folder / "key.pem")
