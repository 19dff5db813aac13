"""What /mcp and `i2t mcp` say alike: the tools and errors, as the SDK has them."""

import functools

from mcp import MCPError
from mcp import types as protocol

from i2t_ros.bridges.http.mcp.definitions import TOOLS

NAME = "i2t_ros"


@functools.cache
def listed_tools() -> protocol.ListToolsResult:
    """Return the tools as the protocol has them.

    They are made once: their schemas take 10 ms, and the SDK asks for them at nearly every call.
    """
    every = [
        protocol.Tool(
            name=name,
            title=tool.title,
            description=tool.text,
            input_schema=tool.input_schema(),
            output_schema=tool.output_schema(),
            annotations=protocol.ToolAnnotations(title=tool.title, read_only_hint=True),
        )
        for name, tool in TOOLS.items()
    ]
    return protocol.ListToolsResult(tools=every)


def unknown_tool(name: str) -> MCPError:
    """Return the error of a name that no tool has."""
    return MCPError(
        protocol.INVALID_PARAMS, f"unknown tool {name[:80]!r}; tools are {', '.join(TOOLS)}"
    )


def failed(code: str, message: str) -> protocol.CallToolResult:
    """Return an error that the model gets to read."""
    text = protocol.TextContent(text=f"{code}: {message}")
    return protocol.CallToolResult(content=[text], is_error=True)
