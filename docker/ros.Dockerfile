# syntax=docker/dockerfile:1
# On a ROS 2 of apt's, for x86-64 and arm64. docs/containers.md explains all images.
#   docker build -f docker/ros.Dockerfile -t i2t_ros:jazzy .
#   docker build -f docker/ros.Dockerfile -t i2t_ros:gpu --build-arg KIND=gpu .
#   docker build -f docker/ros.Dockerfile -t i2t_ros:jetson --build-arg KIND=jetson .           # on the Jetson
ARG KIND=cpu
ARG ROS_DISTRO=jazzy
# JetPack 6 with jetson-inference; Ubuntu 22.04, and so Humble.
ARG L4T_BASE=dustynv/jetson-inference:r36.3.0

FROM ros:${ROS_DISTRO}-ros-base AS cpu
ENV I2T_SETUP="--engine onnxruntime"

# CUDA and cuDNN come with pip, the driver from the host, through NVIDIA's container toolkit.
FROM ros:${ROS_DISTRO}-ros-base AS gpu
ENV I2T_SETUP="--engine onnxruntime --packages onnxruntime-gpu[cuda,cudnn]" \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

# jetson-inference is there already. Its OpenCV is NVIDIA's, with GStreamer: apt's would take its place.
FROM ${L4T_BASE} AS jetson
ENV ROS_DISTRO=humble I2T_SETUP="--engine none" ROSDEP_SKIP="python3-opencv opencv-data cv_bridge"
COPY docker/add_ros.sh /opt/docker/
RUN /opt/docker/add_ros.sh

# hadolint ignore=DL3006
FROM ${KIND} AS dependencies
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /ws
COPY package.xml src/i2t_ros/
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-pip python3-venv \
    && rosdep update --rosdistro "${ROS_DISTRO}" \
    && rosdep install --from-paths src --ignore-src --yes --rosdistro "${ROS_DISTRO}" --skip-keys "${ROSDEP_SKIP:-}" \
    && rm -rf /var/lib/apt/lists/*

FROM dependencies AS workspace
COPY CMakeLists.txt LICENSE README.md pyproject.toml setup.py src/i2t_ros/
COPY action src/i2t_ros/action
COPY config src/i2t_ros/config
COPY msg src/i2t_ros/msg
COPY scripts src/i2t_ros/scripts
COPY srv src/i2t_ros/srv
COPY i2t_ros src/i2t_ros/i2t_ros
RUN . "/opt/ros/${ROS_DISTRO}/setup.bash" \
    && colcon build --merge-install --install-base /opt/i2t --cmake-args -DBUILD_TESTING=OFF

FROM dependencies
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY docker/add_user.sh docker/entrypoint.sh /opt/docker/
ARG USER_ID=1000
RUN /opt/docker/add_user.sh ${USER_ID} && mv /opt/docker/entrypoint.sh /ros_entrypoint.sh
COPY --from=workspace /opt/i2t /opt/i2t
ENV PATH=/opt/i2t/lib/i2t_ros:$PATH HOME=/home/i2t I2T_VENV=/opt/i2t/venv
# What rosdep has no key for, and what EXTRAS and TASKS name: EXTRAS=web,history TASKS=text,tracking.
ARG EXTRAS=web
ARG TASKS=detect
RUN echo "${I2T_SETUP}" \
    | PIP_NO_CACHE_DIR=1 xargs /ros_entrypoint.sh i2t setup --tasks "${TASKS}" --extras "${EXTRAS}"
# By number, so that Kubernetes can tell that it is not root.
USER ${USER_ID}
WORKDIR /home/i2t
ENTRYPOINT ["/ros_entrypoint.sh"]
CMD ["detector_node"]
# The first start may download a model.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s CMD ["/ros_entrypoint.sh", "i2t", "health"]
