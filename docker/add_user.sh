#!/bin/sh
# Adds the user of an image: add_user.sh ID. Its folders for models and results exist, so that volumes belong to it.
set -eu
id=$1
case "$id" in
"" | 0* | *[!0-9]*)
    echo "USER_ID: expected the number of a user other than root, got '$id'" >&2
    exit 1
    ;;
esac
# Ubuntu's images have a user "ubuntu" with the usual ID.
if there=$(getent passwd "$id"); then
    userdel --remove "${there%%:*}" 2>/dev/null
fi
useradd --uid "$id" --user-group --groups video --create-home i2t
install --directory --owner i2t --group i2t /home/i2t/.cache /home/i2t/.cache/i2t_ros /home/i2t/.local /home/i2t/.local/share \
    /home/i2t/.local/share/i2t_ros
