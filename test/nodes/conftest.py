"""Real nodes as real processes, and a peer that talks to them over real topics."""

import pytest
from rclpy.node import Node
from ros_nodes import Peer, node_processes, own_domain


@pytest.fixture(scope="session", autouse=True)
def ros():
    with own_domain():
        yield


@pytest.fixture
def node(ros):
    """Return a node that nobody spins yet."""
    node = Node("spun")
    yield node
    node.destroy_node()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def start(peer, tmp_path):
    """Return a function that starts a node process; see node_processes."""
    with node_processes(peer, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared_peer(ros):
    """Return a peer for all tests of a module; they only call services with it."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def start_once(shared_peer, tmp_path_factory):
    """Return a function that starts a node process for all tests of a module.

    Every test of such a module leaves the node as it has found it, and starts none of its name.
    """
    with node_processes(shared_peer, tmp_path_factory.mktemp("nodes")) as start:
        yield start
