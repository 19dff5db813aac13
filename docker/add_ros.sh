#!/bin/sh
# Adds ROS 2 from its apt repository to an Ubuntu that has none, such as NVIDIA's images for Jetson: add_ros.sh
# The variable ROS_DISTRO names the release.
set -eu
source=1.1.0 # release of ros-apt-source, which brings the repository and its key
# shellcheck source=/dev/null
. /etc/os-release
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates curl
curl --fail --location --silent --show-error --output /tmp/source.deb \
    "https://github.com/ros-infrastructure/ros-apt-source/releases/download/$source/ros2-apt-source_$source.${VERSION_CODENAME}_all.deb"
apt-get install --yes --no-install-recommends /tmp/source.deb
apt-get update
apt-get install --yes --no-install-recommends "ros-$ROS_DISTRO-ros-base" build-essential python3-colcon-common-extensions python3-rosdep
rm -rf /tmp/source.deb /var/lib/apt/lists/*
[ -e /etc/ros/rosdep/sources.list.d/20-default.list ] || rosdep init
