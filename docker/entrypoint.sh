#!/bin/bash
# Runs a command with ROS sourced, where the image has ROS from apt. Health checks and `docker exec` need it, too:
#   docker exec CONTAINER /ros_entrypoint.sh ros2 topic list
set -e
for prefix in "/opt/ros/$ROS_DISTRO" /opt/i2t; do
    if [ -f "$prefix/setup.bash" ]; then
        # shellcheck source=/dev/null
        . "$prefix/setup.bash"
    fi
done
# Shared memory for whole images; the name that the Fast DDS of this release reads. A profile of the user's own stays.
if [ -z "$FASTRTPS_DEFAULT_PROFILES_FILE$FASTDDS_DEFAULT_PROFILES_FILE" ]; then
    case "$ROS_DISTRO" in
    humble | jazzy) variable=FASTRTPS_DEFAULT_PROFILES_FILE ;;
    *) variable=FASTDDS_DEFAULT_PROFILES_FILE ;;
    esac
    export "$variable=/opt/i2t/share/i2t_ros/config/fastdds.xml"
fi
exec "$@"
