"""Runs one lifecycle node as a process: command line, autostart, signals, clean end."""

import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from textwrap import fill, indent
from typing import Any, ClassVar, TypeAlias

import cv2
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.timer import Timer
from rclpy.utilities import try_shutdown

from i2t_ros.backends.cores import usable_cores
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.nodes.lifecycle.logs import LogForwarding
from i2t_ros.nodes.lifecycle.spinning import STOP_LIMIT, SpinningThread
from i2t_ros.nodes.lifecycle.startup import KNOWN_ERRORS, explained, start_ros
from i2t_ros.nodes.lifecycle.surroundings import STEADY_CLOCK, Surroundings
from i2t_ros.nodes.parameters.declaration import declare, meant
from i2t_ros.nodes.signals import Ending
from i2t_ros.options import Option

EXIT_FAILED = 1
EXIT_USAGE = 2
SIGNAL_PERIOD = 0.2
"""Seconds between two checks for a signal."""
SWITCH_INTERVAL = 0.0001
"""Seconds after which a Python thread makes way for a waiting one. A thread that an image has woken
waits for the executor to build its next wait set: 0.7 ms with Python's default of 5 ms, and 0.4 ms
with this value."""

Transition: TypeAlias = Callable[[LifecycleState], TransitionCallbackReturn]


class ManagedNode(LifecycleNode, ABC):
    """A lifecycle node that the runner can run.

    program     its name, also that of the program
    table       its parameters
    configured  whether the parameters that are read at configuration can no longer change

    interruptible  in a transition, what takes long goes into ``with self.interruptible()``: a
                   signal interrupts that, and waits for the end of everything else
    """

    program: ClassVar[str]
    table: ClassVar[Sequence[Option]]

    def __init__(self, **options: Any) -> None:
        """Join the ROS graph, declare the parameters, and forward the package's logs to the node's.

        Raises InvalidRequestError for an invalid parameter.
        """
        self.interruptible: Callable[[], AbstractContextManager[None]] = nullcontext
        # Held during a transition: the end of the node comes in another thread than its timers.
        self._changing = threading.RLock()
        # rclpy turns an exception in a transition into a failure, and does not log it.
        for transition in ("configure", "activate", "deactivate", "cleanup", "shutdown", "error"):
            setattr(self, f"on_{transition}", self._logged(transition))
        for transition in ("configure", "activate", "deactivate", "cleanup", "shutdown"):
            trigger = getattr(self, f"trigger_{transition}")
            setattr(self, f"trigger_{transition}", self._undisturbed(trigger))
        super().__init__(self.program, **options)
        for service in self.services:
            if service.srv_type is ChangeState:
                service.callback = self._refused_meanwhile(service.callback)
        self._forwarding = LogForwarding(self.get_logger())
        self.ended = threading.Event()
        self.exit_code = 0
        self.configured = False
        for option in self.table:
            declare(self, option)
        self._warn_of_misspelled()
        self.take_parameters(self.values)
        self.add_on_set_parameters_callback(self._change_parameters)
        self._surroundings = Surroundings(self)
        self.every(Surroundings.PERIOD, self._surroundings.look)

    def _warn_of_misspelled(self) -> None:
        """Name values that were given for parameters that do not exist: rclpy drops them silently.

        rclpy has no public way to them; without this attribute nothing is found.
        """
        given = getattr(self, "_parameter_overrides", {})
        unknown = [name for name in given if not self.has_parameter(name)]
        if unknown:
            # Seldom needed, and it knows the parameters of all nodes.
            from i2t_ros.nodes.parameters.tables import misspelled  # noqa: PLC0415

            for line in misspelled(unknown):
                self.get_logger().warning(line)

    @property
    def troubles(self) -> list[str]:
        """What is wrong around the node now: another one of its name, no time."""
        return self._surroundings.troubles

    @property
    def values(self) -> dict[str, Any]:
        """The values of the parameters, by name."""
        return {option.name: self.get_parameter(option.name).value for option in self.table}

    def take_parameters(self, values: dict[str, Any]) -> None:
        """Apply the values of live parameters; raise an I2tError to refuse them."""

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all of them or none, as rclpy does, to what is meant; see Option.meant."""
        options = {option.name: option for option in self.table}
        try:
            for each in parameter_list:
                if not self.has_parameter(each.name):
                    raise InvalidRequestError(f"{self.get_name()} has no parameter {each.name!r}")
            changes = [
                meant(options[each.name], each) if each.name in options else each
                for each in parameter_list
            ]
        except I2tError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return super().set_parameters_atomically(changes)

    def _change_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        """Take all changes or refuse all.

        A value that is the present one is always allowed: `ros2 param load` gives all of them.
        """
        values = self.values
        new = {change.name: change.value for change in changes}
        try:
            for option in self.table:
                value = new.get(option.name, values[option.name])
                if value == values[option.name]:
                    continue
                if self.configured and option.changes == "configure":
                    raise InvalidRequestError(
                        f"{option.name} is read when the node is configured; deactivate and clean "
                        "up the node, set it, and configure it again"
                    )
                option.check(value)
                values[option.name] = value
            self.take_parameters(values)
        except I2tError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def end(self, *, failed: bool = False) -> None:
        """End the process as a signal would; any thread may call this. A failure stays one."""
        self.exit_code = self.exit_code or (EXIT_FAILED if failed else 0)
        self.ended.set()

    def _logged(self, transition: str) -> Transition:
        callback: Transition = getattr(self, f"on_{transition}")

        def logged(state: LifecycleState) -> TransitionCallbackReturn:
            try:
                return callback(state)
            except Exception as error:
                known = isinstance(error, KNOWN_ERRORS)
                if known and transition in ("configure", "activate"):
                    self.get_logger().fatal(f"cannot {transition}: {explained(error)}")
                    return TransitionCallbackReturn.FAILURE
                self.get_logger().fatal(f"{transition}: {traceback.format_exc()}")
                raise

        return logged

    def _undisturbed(self, trigger: Callable[[], Any]) -> Callable[[], Any]:
        """Return a trigger of a transition during which no other one is accepted."""

        def alone() -> Any:
            with self._changing:
                return trigger()

        return alone

    def _refused_meanwhile(self, change: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return a service's callback that changes nothing while another thread does.

        In the midst of a transition its own end is one that may be asked for, by its label.
        """

        def when_free(request: Any, response: Any) -> Any:
            if not self._changing.acquire(blocking=False):
                self.get_logger().warning("change_state: refused, as the state is changing already")
                return response
            try:
                return change(request, response)
            finally:
                self._changing.release()

        return when_free

    def every(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` at this interval, except during a transition."""

        def between_changes() -> None:
            if self._changing.acquire(blocking=False):
                try:
                    callback()
                finally:
                    self._changing.release()

        # With use_sim_time the node's own clock stands still until somebody publishes /clock.
        return self.create_timer(seconds, between_changes, clock=STEADY_CLOCK)

    def end_work(self) -> None:
        """Release everything, as a transition would.

        Does not wait for a transition that takes long, such as a slow download.
        """
        if not self._changing.acquire(timeout=STOP_LIMIT):
            self.get_logger().error(f"not waiting for a transition of over {STOP_LIMIT:g} s")
            return
        try:
            self.release()
        finally:
            self._changing.release()

    def destroy_node(self) -> None:
        """Leave the ROS graph."""
        self._forwarding.close()
        super().destroy_node()

    @abstractmethod
    def release(self) -> None:
        """Release threads, backends and sockets. May be called more than once."""

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release what was configured."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    on_shutdown = on_error = on_cleanup


def run_lifecycle_node(kind: type[ManagedNode]) -> int:
    """Run a node until a signal ends it, or until it ends by itself.

    Returns 0, 1 if the node failed, or 2 for a wrong command line.
    """
    name = kind.program
    if {"-h", "--help"} & set(sys.argv):
        sys.stdout.write(usage(kind))
        return 0
    try:
        unknown = start_ros(sys.argv)
    except InvalidRequestError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return EXIT_USAGE
    if unknown:
        sys.stderr.write(
            f"{name}: unexpected argument {unknown[0]!r}. Parameters are given as "
            f"--ros-args -p name:=value; {name} --help lists them.\n"
        )
        try_shutdown()
        return EXIT_USAGE
    sys.setswitchinterval(SWITCH_INTERVAL)
    cv2.setNumThreads(usable_cores().number)  # before 4.10, OpenCV ignores a quota of cgroup v2
    node: ManagedNode | None = None
    ending = Ending()
    try:
        ending.handle()
        node = kind()
        node.interruptible = ending.interruptible
        return _run(node, ending)
    except KNOWN_ERRORS as error:
        sys.stderr.write(f"{name}: {explained(error)}\n")
        return EXIT_FAILED
    finally:
        if node is not None:
            node.destroy_node()
        try_shutdown()


def _run(node: ManagedNode, ending: Ending) -> int:
    """Spin the node in a thread, activate it, wait for a signal, and end it."""
    spinning = SpinningThread(node)
    try:
        return _live(node, spinning, ending)
    except KeyboardInterrupt:
        return 0
    finally:
        try:
            node.end_work()
        finally:
            spinning.close()


def _live(node: ManagedNode, spinning: SpinningThread, ending: Ending) -> int:
    """Activate the node and wait for its end; return its exit code."""
    if node.values["autostart"]:
        for transition in (node.trigger_configure, node.trigger_activate):
            done = transition() == TransitionCallbackReturn.SUCCESS
            if ending.came:  # while nothing could be interrupted, or something swallowed that
                return 0
            if not done:
                return EXIT_FAILED
    # With a time limit, because the kernel may give the signal to another thread. Python then
    # runs the handler in this thread, but only once its wait ends.
    while not ending.came and not node.ended.wait(SIGNAL_PERIOD):
        if not spinning.is_alive():
            node.get_logger().fatal("the executor has ended, so the node ends, too")
            node.end(failed=True)
    return node.exit_code


def usage(kind: type[ManagedNode]) -> str:
    """Return the text of ``--help``."""
    name = kind.program
    lines = [
        (sys.modules[kind.__module__].__doc__ or "").strip(),
        "",
        f"usage: {name} [--ros-args -p NAME:=VALUE ... -r FROM:=TO ... --params-file FILE]",
        f"   or: ros2 run i2t_ros {name} --ros-args ...",
        "",
        "parameters (default; * may change while it runs):",
    ]
    for option in kind.table:
        more = f" One of: {', '.join(option.choices)}." if option.choices else ""
        live, default = "*" * (option.changes == "live"), option.shown.strip("()")
        lines.append(f"  {option.name}{live} ({default})")
        lines.append(indent(fill(f"{option.text}.{more}", 90), " " * 6))
    return "\n".join(lines) + "\n"
