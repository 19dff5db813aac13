"""The parameters of each node, and what is done with them."""

from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for

with needed_for("i2t_ros", how_to_install()):  # launch files begin here, too
    import msgspec  # noqa: F401
