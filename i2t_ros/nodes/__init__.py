"""ROS 2 nodes: only this subpackage and launch/ import ROS."""

import os

from i2t_ros.installation import use_packages

# When NumPy is imported, its OpenBLAS starts a thread for each core, and each thread looks for work
# for 0.2 s of CPU time. Nothing here uses them. OpenBLAS reads the variable at that import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

use_packages()  # nodes, the i2t command and launch files come by here first
