#!/bin/sh
# Checks for what pip cannot bring: Python itself with venv and headers, and a C++ compiler. Names what is missing with the
# command that installs it, and runs that command when it may (as root, on Debian or Ubuntu).
set -eu
python=${1:-python3}

missing() {
    packages=""
    command -v "$python" >/dev/null 2>&1 || { echo "python3 python3-venv python3-dev g++"; return; }
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # Debian's headers and venv are for Debian's own Python; another Python has to bring its own.
    "$python" -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python$version-venv"
    "$python" -c 'import os, sysconfig
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null ||
        packages="$packages python$version-dev"
    command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || packages="$packages g++"
    echo "$packages"
}

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "i2t_ros: the ROS 2 wheels on PyPI are for Linux x86-64, this is $(uname -sm)." >&2
    echo "On this machine use an installed ROS 2: see 'On a robot' in README.md." >&2
    exit 1
fi
if command -v "$python" >/dev/null 2>&1 &&
    ! "$python" -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info < (3, 15))'; then
    echo "i2t_ros: Python 3.10 to 3.14 is needed, $python is $("$python" --version 2>&1)." >&2
    echo "Name another one: make PYTHON=python3.12 ..." >&2
    exit 1
fi
packages=$(missing)
[ -n "$packages" ] || exit 0
command="apt-get install --yes --no-install-recommends$(printf ' %s' $packages)"
echo "i2t_ros: missing on this machine: $(echo $packages)" >&2
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Install them with the package manager of this system (the names are Debian's)." >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "Install them with: sudo $command" >&2
    exit 1
fi
echo "Installing them: $command" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
$command
packages=$(missing)
[ -z "$packages" ] || { echo "i2t_ros: still missing: $packages" >&2; exit 1; }
