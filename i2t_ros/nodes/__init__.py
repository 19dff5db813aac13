"""ROS 2 nodes: the only package here that imports ROS."""

import os

# NumPy's OpenBLAS starts a thread for each core when it is imported, and each then looks for work
# for 0.2 s of processor time; nothing here gives them any. It reads this with that import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
