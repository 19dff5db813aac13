"""`i2t health`, as the health check of a container asks."""

import pytest
from lifecycle_talk import go_through, in_this_process
from rclpy.executors import SingleThreadedExecutor

from i2t_ros.cli.main import main
from i2t_ros.errors import InvalidRequestError, NotActiveError, TimeLimitError
from i2t_ros.nodes.health import check_active

LIMIT = 30.0


def test_only_an_active_node_is_well(capsys):
    with in_this_process(model="fake") as node:
        with pytest.raises(
            NotActiveError, match=r"^/detector_node: expected active, is unconfigured$"
        ):
            check_active(["/detector_node"], LIMIT)
        go_through(node, "configure", "activate")
        assert main(["health", "--timeout", str(LIMIT)]) == 0
        assert capsys.readouterr().out == "active: /detector_node\n"
        assert main(["health", "/nobody", "--timeout", "0.1"]) == 1
        assert "/nobody: no answer within 0.1 s [time_limit]" in capsys.readouterr().err
        go_through(node, "deactivate")
        assert main(["health", "--timeout", str(LIMIT)]) == 1
        assert (
            "/detector_node: expected active, is inactive [not_active]" in capsys.readouterr().err
        )


def test_a_node_that_hangs_is_not_well(node):
    with pytest.raises(TimeLimitError, match="/spun: no answer"):  # nobody spins it
        check_active(["/spun"], 0.5)


@pytest.mark.parametrize(
    "name", ["", "/", "with space", "/a//b", "trailing/", "~", "{node}", "1a", "a\n", "\udcff"]
)
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(InvalidRequestError, match="name"):
        check_active([name], 0.5)


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0", "1e9"])
def test_a_time_that_would_not_end_or_ends_at_once_is_refused(seconds, capsys):
    assert main(["health", f"--timeout={seconds}"]) == 1
    assert "timeout: expected more than 0 and up to 3600 seconds" in capsys.readouterr().err


def test_asking_leaves_nothing_behind(node):
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    for _ in range(3):
        with pytest.raises(TimeLimitError):
            check_active(["/nobody"], 0.1)
    # A context that was left open would still be seen.
    assert [name for name in node.get_node_names() if "health" in name] == []
    executor.shutdown()
