"""Starts i2t_ros; `ros2 launch i2t_ros i2t.launch.py --show-args` lists the arguments.

An argument that is not given keeps the node's default. The arguments that are named after
parameters, and their descriptions, come from the nodes' tables of parameters.

One default differs: a launched detector_node downloads nothing, because what a robot does at boot
must not depend on its network. Use `i2t models fetch` to get models beforehand.

Everything is checked before the first process is started, and what was started ends with launch.
"""

import dataclasses
import shutil
import signal

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.logging import get_logger
from launch_ros.actions import Node

from i2t_ros.nodes.launch_plan import declared, plan, remarks
from i2t_ros.nodes.processes import dds_profile
from i2t_ros.nodes.signals import SIGNALS


class AwaitedNode(Node):
    """A process that launch ends, and waits for, before it ends itself.

    If an action fails, also one of a launch file that includes this one, launch forgets the
    processes that were started along with it.
    """

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity] | None:
        """Start the process."""
        actions = super().execute(context)
        ended = self.get_asyncio_future()
        if ended is not None:  # None if launch is ending already
            context.add_completion_future(ended)
        return actions


class SafelyStartedNode(AwaitedNode):
    """A node of ours, started with blocked signals, until it has its handlers; see nodes/start.py.

    Python would greet one that comes earlier with a traceback.
    """

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity] | None:
        """Start the process between two calls that the event loop makes in this order."""
        loop = context.asyncio_loop
        loop.call_soon(signal.pthread_sigmask, signal.SIG_BLOCK, SIGNALS)
        actions = super().execute(context)
        loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, SIGNALS)
        return actions


def start(context: LaunchContext) -> list[Node]:
    """Return the processes that the arguments ask for."""
    given = context.launch_configurations
    for line in remarks(given):
        get_logger("i2t.launch.py").warning(line)
    # A debugger that launch is asked to start before each of them has its own ways with signals.
    bare = not given.get("launch-prefix")
    # launch leaves its processes behind when it is killed, and on SIGTERM: setpriv, of util-linux,
    # has the kernel send them SIGINT then.
    prefix = "setpriv --pdeathsig INT" if bare and shutil.which("setpriv") else None
    nodes = []
    for program in plan(given):
        kind = SafelyStartedNode if bare and program.package == "i2t_ros" else AwaitedNode
        label = program.executable
        nodes.append(kind(**dataclasses.asdict(program), exec_name=label, prefix=prefix))
    return nodes


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in declared().items()
            ),
            *(SetEnvironmentVariable(name, path) for name, path in dds_profile().items()),
            OpaqueFunction(function=start),
        ]
    )
