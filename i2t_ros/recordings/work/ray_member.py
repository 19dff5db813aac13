"""What a machine of a Ray cluster does for the one that leads: duties, in a process of its own."""

import hashlib
import os
import platform
import socket
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

import cv2

from i2t_ros.errors import BackendError, I2tError, SourceMissingError
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.recordings.copies import usual_copies
from i2t_ros.recordings.storage import is_url, local_path
from i2t_ros.recordings.work.places import PLAN
from i2t_ros.recordings.work.store import open_store
from i2t_ros.recordings.work.worker import Advance, Duty, Worker
from i2t_ros.resources import version

SAME = ("numpy", "onnxruntime", "openvino", "ai-edge-litert", "pillow", "av")
"""Distributions that change what is computed; beside them i2t_ros, Python and OpenCV count."""


def versions() -> dict[str, str]:
    """Return what must be the same on every machine, so that all compute the same."""
    found = {
        "i2t_ros": version(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "opencv": cv2.__version__,
    }
    for name in SAME:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def digest_of(plan: bytes) -> str:
    """Return a short text that tells plans apart."""
    return hashlib.sha256(plan).hexdigest()


def member_class() -> type:
    """Return the class of the actors.

    Ray takes a class that is made in a function along as it is, instead of importing it. So it also
    works where i2t_ros is missing or is an older one, and can say so. It must import what it needs
    itself, and its methods take and return what Python brings.
    """

    class Member:
        """Has one thread that does duties, and another one that tells how far they are."""

        def __init__(self) -> None:
            self.hand: Any = None
            self.at = 0, 0  # number of the duty, and its images so far

        def begin(self, folder: str, digest: str, cwd: str, recordings: list[str]) -> Any:
            """Return the machine's name and versions, or an error: its code and its text."""
            try:
                from i2t_ros.installation import use_packages  # noqa: PLC0415

                use_packages()
                from i2t_ros.recordings.work.ray_member import Hand  # noqa: PLC0415
            except ImportError as error:
                return "absent", str(error)
            return Hand.begin(self, folder, digest, cwd, recordings)

        def do(self, number: int, duty: Any) -> Any:
            """Do a duty; return the number of its images, or an error: its code and its text."""
            return self.hand.do(self, number, duty)

        def count(self) -> Any:
            """Return the number of the duty that it is at, and how many images are done."""
            return self.at

        def end(self) -> None:
            """Remove what this machine has copied."""
            self.hand.end()

    return Member


class Hand:
    """The part of an actor that needs this package."""

    def __init__(self, folder: str, digest: str, cwd: str, recordings: Sequence[str]) -> None:
        """Check what must be there; raises I2tError and OSError."""
        cv2.setNumThreads(1)
        if os.path.isdir(cwd):
            os.chdir(cwd)  # names of recordings may be relative, and are told as they are
        self._check(folder, digest)
        for path in map(local_path, recordings):
            if not is_url(path) and not os.path.exists(path):
                raise SourceMissingError(
                    f"{path} is not there; recordings must be where all machines find them by the "
                    "same name: on storage that they share, or at s3://"
                )
        self._worker = Worker(folder)

    def _check(self, folder: str, digest: str) -> None:
        try:
            found = digest_of(open_store(folder).read(PLAN))
        except FileNotFoundError:
            found = ""
        if found != digest:
            raise BackendError(
                f"{folder} is not the same folder as on the machine that leads; --out must be on "
                "storage that all machines share, or at s3://"
            )

    @classmethod
    def begin(
        cls, member: Any, folder: str, digest: str, cwd: str, recordings: Sequence[str]
    ) -> tuple[str, Any]:
        """Give an actor its hand; return what Member.begin returns."""
        try:
            member.hand = cls(folder, digest, cwd, recordings)
        except I2tError as error:
            return error.code, f"{socket.gethostname()}: {error}"
        except OSError as error:
            return "", f"{socket.gethostname()}: {error}"
        with needed_for("--ray", how_to_install("ray")):
            import ray  # noqa: PLC0415
        node = ray.get_runtime_context().get_node_id()
        return "ready", (socket.gethostname(), node, versions())

    def do(self, member: Any, number: int, duty: Duty) -> tuple[str, Any]:
        """Return what Member.do returns."""
        member.at = number, 0

        def advance(images: int) -> None:
            member.at = number, member.at[1] + images

        return self._done(duty, advance) or ("done", member.at[1])

    def _done(self, duty: Duty, advance: Advance) -> tuple[str, str] | None:
        try:
            self._worker.do(duty, advance)
        except I2tError as error:
            return error.code, f"{error} (on {socket.gethostname()})"
        except OSError as error:
            return "", f"{error} (on {socket.gethostname()})"
        return None

    def end(self) -> None:
        """Release what is held of recordings, and remove the copies that no other actor holds."""
        self._worker.close()
        usual_copies().clear()
