"""What is written about the nodes is what the parameter table says."""

import pytest
import yaml
from project import ROOT
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters
from write_parameters import as_yaml, with_tables

from i2t_ros.nodes.parameters.declaration import ros_default
from i2t_ros.nodes.parameters.tables import NODES, misspelled

REMAKE = "run `python tools/write_parameters.py`"


@pytest.mark.parametrize("node", NODES)
def test_parameter_files_have_the_defaults_of_the_table(node):
    text = (ROOT / "config" / f"{node}.yaml").read_text()
    assert text == as_yaml(node), REMAKE
    defaults = {option.name: ros_default(option) for option in NODES[node]}
    assert yaml.safe_load(text) == {f"/**/{node}": {"ros__parameters": defaults}}


def test_the_page_of_the_nodes_has_the_tables():
    page = (ROOT / "docs" / "nodes.md").read_text()
    assert page == with_tables(page), REMAKE


@pytest.mark.parametrize("node", NODES)
def test_a_node_starts_with_its_parameter_file_and_has_just_these_parameters(peer, start, node):
    arguments = ["--params-file", str(ROOT / "config" / f"{node}.yaml")]
    start(node, arguments=arguments, autostart="false", ready=False)
    listed = peer.call(ListParameters, f"/{node}/list_parameters", ListParameters.Request())
    names = [name for name in listed.result.names if name != "use_sim_time"]
    names = [name for name in names if not name.startswith(("qos_overrides", "start_type"))]
    assert sorted(names) == sorted(spec.name for spec in NODES[node])
    values = peer.call(
        GetParameters, f"/{node}/get_parameters", GetParameters.Request(names=["autostart"])
    ).values
    assert values[0].bool_value is False
    described = peer.call(
        DescribeParameters, f"/{node}/describe_parameters", DescribeParameters.Request(names=names)
    )
    specs = {spec.name: spec for spec in NODES[node]}
    for descriptor in described.descriptors:
        assert descriptor.description == specs[descriptor.name].text
        assert descriptor.read_only == (specs[descriptor.name].changes == "never")


def test_a_misspelled_parameter_is_named_and_one_of_another_node_is_not(start):
    node = start(arguments=["-p", "langauge:=es", "-p", "tcp_port:=5001"], model="fake")
    assert "unknown parameter langauge: did you mean language?" in node.log()
    assert "tcp_port" not in node.log()


def test_a_parameter_like_no_other_leads_to_the_list():
    assert misspelled(["zzz", "tcp_port"]) == [
        "unknown parameter zzz: --help lists those there are"
    ]
