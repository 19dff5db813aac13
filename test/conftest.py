"""What every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of weights and photos that are too large, or not ours, to be committed."""
    folder = Path(os.environ.get("I2T_SHARED") or Path(__file__).parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared test data at {folder}; I2T_SHARED names another folder")
    return folder
