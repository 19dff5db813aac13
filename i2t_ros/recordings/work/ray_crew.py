"""Processes of the machines of a Ray cluster that do the duties of a job side by side."""

import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from i2t_ros.errors import BackendError, BackendUnavailableError, error_from_code
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.recordings.storage import is_url, local_path
from i2t_ros.recordings.work.crew import DEATHS, after_death
from i2t_ros.recordings.work.plan import Plan
from i2t_ros.recordings.work.ray_member import digest_of, member_class, versions
from i2t_ros.recordings.work.worker import Advance, Duty

PERIOD = 0.5
"""Seconds between two questions how far a duty is."""
PATIENCE = 10.0
"""Seconds without a process to work with, after which that is said."""
CONNECT_LIMIT = 5.0
"""Seconds for the cluster's port to answer."""
END_LIMIT = 10.0
"""Seconds for processes to tidy up."""

Say = Callable[[str], None]
"""Is told what people should know while they wait."""


class RayCrew:
    """A crew (see work.crew.Crew) on a Ray cluster. A context manager that ends it.

    Each process is an actor that takes one CPU of the cluster, and does one duty after the other
    with models that are loaded once. If it dies, or its machine does, another one goes on.
    """

    def __init__(self, address: str, folder: str, plan: Plan, number: int, say: Say) -> None:
        """Connect to nothing yet; raises BackendMissingError.

        address  as ray.init() takes it: "auto", "host:6379", "ray://host:10001"
        folder   of the results
        number   of processes; 0: one for each CPU of the cluster
        """
        # What its own libraries would say on the terminal; each is heeded when it is imported.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        with needed_for("--ray", how_to_install("ray")):
            import ray  # noqa: PLC0415
        self._ray: Any = ray
        self._address = address
        self._folder = folder if is_url(folder) else os.path.abspath(local_path(folder))
        self._plan = plan
        self._number = number
        self._say = say
        self._members: list[_Member] = []
        self._unborn = 0  # actors that died before they could do anything, one after the other
        self._heard = 0.0  # when there was an actor to work with, for the last time

    def __enter__(self) -> "RayCrew":
        """Connect; raises BackendUnavailableError."""
        _check_port(self._address)
        try:
            self._ray.init(
                address=self._address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                configure_logging=True,
            )
        except (OSError, RuntimeError, ValueError) as error:  # other versions are a RuntimeError
            raise BackendUnavailableError(f"--ray {self._address}: {_line(error)}") from error
        self._class = self._ray.remote(member_class()).options(
            num_cpus=1, max_concurrency=2, max_restarts=0, scheduling_strategy="SPREAD"
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all processes of this crew and leave the cluster.

        If all is done, each machine removes its copies; else the next command goes on with them.
        """
        idle = [member for member in self._members if member.begun is None]
        if kind is None and idle:
            with suppress(self._ray.exceptions.RayError):
                self._ray.get([member.actor.end.remote() for member in idle], timeout=END_LIMIT)
        for member in self._members:
            self._end(member)
        self._members.clear()
        self._ray.shutdown()

    def do(
        self, duties: Iterable[Duty], advance: Advance, skip: Callable[[Duty], None]
    ) -> Iterator[Duty]:
        """See Crew."""
        waiting, deaths = deque(duties), Counter[str]()
        self._heard = time.monotonic()
        while waiting or any(member.duty for member in self._members):
            self._hire(len(waiting))
            self._give(waiting)
            ready = self._wait()
            for member in list(self._members):
                duty = member.duty
                try:
                    if self._hear(member, ready, advance) and duty is not None:
                        yield duty
                except self._ray.exceptions.RayTaskError:  # a fault of this package
                    raise
                except self._ray.exceptions.RayError as error:
                    again = self._bury(member, error, deaths, skip)
                    waiting.extendleft(again)

    def _hire(self, waiting: int) -> None:
        """Start actors for duties that wait; each begins when the cluster has a free CPU."""
        most = self._number or self._cpus("cluster_resources") or 1
        free = sum(member.duty is None for member in self._members)
        while len(self._members) < most and free < waiting:
            actor = self._class.remote()
            recordings = list(self._plan.job.recordings)
            digest = digest_of(self._plan.to_json())
            begun = actor.begin.remote(self._folder, digest, os.getcwd(), recordings)
            self._members.append(_Member(actor, begun))
            free += 1

    def _give(self, waiting: "deque[Duty]") -> None:
        """Give each actor that has nothing to do a duty."""
        for member in self._members:
            if waiting and member.begun is None and member.duty is None:
                member.give(waiting.popleft())

    def _wait(self) -> set[Any]:
        """Wait until an actor has something to say, or for PERIOD; return what there is to get."""
        refs = [ref for member in self._members for ref in member.refs()]
        ready, _ = self._ray.wait(refs, timeout=PERIOD)
        now = time.monotonic()
        if any(member.begun is None for member in self._members):
            self._heard = now
        elif now - self._heard > PATIENCE:
            total, free = self._cpus("cluster_resources"), self._cpus("available_resources")
            self._say(
                f"--ray {self._address}: waiting for a process to start; of {total} CPUs of the "
                f"cluster, {free} are free"
            )
            self._heard = float("inf")  # it is said once
        return {*ready}

    def _cpus(self, which: str) -> int:
        return int(getattr(self._ray, which)().get("CPU", 0))

    def _hear(self, member: "_Member", ready: set[Any], advance: Advance) -> bool:
        """Hear what an actor has to say; return whether its duty is done.

        Raises the error of the duty, and RayError if the actor is dead.
        """
        if member.begun in ready:
            member.node = _welcome(*self._ray.get(member.begun))
            member.begun, self._unborn = None, 0
        elif member.doing in ready:
            kind, images = self._ray.get(member.doing)
            if kind != "done":
                raise _error(kind, images)
            advance(images - member.told)
            member.rest()
            return True
        elif member.counting in ready:
            number, images = self._ray.get(member.counting)
            member.counting = None
            if number == member.number:
                advance(images - member.told)
                member.told = images
        return False

    def _bury(
        self,
        member: "_Member",
        error: Exception,
        deaths: Counter[str],
        skip: Callable[[Duty], None],
    ) -> list[Duty]:
        """Deal with an actor that has died; return what another one must do."""
        self._members.remove(member)
        self._end(member)
        duty = member.duty
        if duty is None:
            self._unborn += 1
            if self._unborn >= DEATHS:
                raise BackendError(f"{self._unborn} processes have ended at once: {_line(error)}")
            return []
        if member.node not in {each["NodeID"] for each in self._ray.nodes() if each["Alive"]}:
            return [duty]  # its machine has gone, and that is not the duty's fault
        return [after_death(duty, deaths, _line(error), skip)]

    def _end(self, member: "_Member") -> None:
        with suppress(Exception):  # whatever is wrong with the cluster, others must be ended too
            self._ray.kill(member.actor)


class _Member:
    """One actor and what it is at. What Ray will have for us is None if nothing is to come."""

    def __init__(self, actor: Any, begun: Any) -> None:
        self.actor = actor
        self.begun: Any = begun  # whether it can work
        self.doing: Any = None  # the end of its duty
        self.counting: Any = None  # how far it is
        self.node = ""
        self.duty: Duty | None = None
        self.number = 0  # of the duty, among its own
        self.told = 0  # images of the duty of which people know
        self._asked = 0.0

    def refs(self) -> list[Any]:
        """Ask how far it is if that is due; return what it may have to say."""
        now = time.monotonic()
        if self.doing is not None and self.counting is None and now - self._asked > PERIOD:
            self._asked = now
            self.counting = self.actor.count.remote()
        return [each for each in (self.begun, self.doing, self.counting) if each is not None]

    def give(self, duty: Duty) -> None:
        """Have it do a duty."""
        self.duty, self.told, self._asked = duty, 0, time.monotonic()
        self.number += 1
        self.doing = self.actor.do.remote(self.number, duty)

    def rest(self) -> None:
        """Know that its duty is done."""
        self.duty = self.doing = self.counting = None


def _welcome(kind: str, value: Any) -> str:
    """Check what an actor says of its machine, and return the node's id.

    Raises I2tError and OSError if it cannot do what this machine does.
    """
    here = versions()
    if kind == "absent":
        raise BackendError(
            f"a machine of the cluster lacks i2t_ros, or has another version of it ({value}); all "
            f"need the same: {how_to_install('ray')}, version {here['i2t_ros']}"
        )
    if kind != "ready":
        raise _error(kind, value)
    name, node, there = value
    for package, version in here.items():
        if there.get(package) != version:
            raise BackendError(
                f"{name}: expected {package} {version}, as on the machine that leads, got "
                f"{there.get(package)}; with other versions, results would differ"
            )
    return str(node)


def _error(code: str, message: str) -> Exception:
    return error_from_code(code, message) if code else OSError(message)


def _line(error: Exception) -> str:
    """Return what an error of Ray says, in one line."""
    return " ".join(str(error).split())


def _check_port(address: str) -> None:
    """Raise BackendUnavailableError if nothing listens: Ray itself would wait for a minute."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_LIMIT).close()
    except (OSError, OverflowError) as error:
        raise BackendUnavailableError(
            f"--ray {address}: no cluster answers there ({error}); `ray start --head` starts one "
            "and prints its address"
        ) from error
