#!/bin/sh
# Make .venv-triton/, an environment with a real Triton Inference Server for the tests of
# i2t_ros/backends/triton.py; without it those tests are skipped. Does nothing the second time.
#
# Triton's Python models need an interpreter with a shared library, which the distribution's own
# has, and NumPy 1.26: hence an environment of its own.
set -eu
cd "$(dirname "$0")/.."
folder=.venv-triton
packages="nvidia-pytriton==0.7.0 onnxruntime==1.23.2"

if [ -f "$folder/made_with" ] && [ "$(cat "$folder/made_with")" = "$packages" ]; then
    exit 0
fi
rm -rf "$folder"
${I2T_SYSTEM_PYTHON:-/usr/bin/python3} -m venv "$folder"
# shellcheck disable=SC2086  # a list
"$folder/bin/pip" install --quiet $packages
echo "$packages" > "$folder/made_with"
