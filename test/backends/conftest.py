"""A Triton server for the tests of this folder."""

import os
from pathlib import Path

import pytest
from ports import free_port
from project import ROOT
from triton_process import serving


@pytest.fixture(scope="session")
def triton_python():
    """Return the Python that has a Triton server, or skip."""
    named = os.environ.get("I2T_TRITON_PYTHON")
    python = Path(named) if named else ROOT / ".venv-triton" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no Triton server ({python}): tools/setup_triton.sh installs one")
    return python


@pytest.fixture(scope="session")
def triton(triton_python, shared):
    """Return the addresses of a running server, by protocol."""
    http, grpc = free_port(), free_port()
    with serving(triton_python, shared / "models" / "yolox_nano.onnx", http, grpc):
        yield {"http": f"http://127.0.0.1:{http}", "grpc": f"grpc://127.0.0.1:{grpc}"}
