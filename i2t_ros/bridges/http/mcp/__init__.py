"""Tools for agents (Model Context Protocol): what a robot's cameras show, for models without eyes.

``definitions`` says what there is, and ``talking`` says it as the SDK does. ``looking`` and
``waiting`` do it, ``endpoint`` serves it as /mcp, and ``proxy`` is the command `i2t mcp`, which
brings it to programs that start their tools.
The SDK is an extra: ``pip install 'i2t_ros[web,mcp]'``. docs/mcp.md is for users.
"""
