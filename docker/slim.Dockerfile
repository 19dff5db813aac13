# syntax=docker/dockerfile:1
# The small image: ROS 2 from PyPI's wheels, which are for x86-64 alone, Jazzy or Kilted. docs/containers.md explains all images.
#   docker build -f docker/slim.Dockerfile -t i2t_ros:slim .
ARG BASE=debian:12-slim
ARG ROS_DISTRO=jazzy

FROM ${BASE} AS python
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
# What builds the package stays in this stage; /opt/i2t is what runs it.
RUN python3 -m venv /opt/build && python3 -m venv /opt/i2t
WORKDIR /src
# Before the sources, so that a change of these does not install everything again.
COPY pyproject.toml ./
COPY tools/requirements.py tools/
ARG ROS_DISTRO
RUN /opt/build/bin/python tools/requirements.py ${ROS_DISTRO} build > /opt/build/requirements.txt \
    && /opt/build/bin/pip install --no-cache-dir --use-pep517 -r /opt/build/requirements.txt
# Extras of pyproject.toml: "web ocr tracking".
ARG EXTRAS=web
RUN /opt/i2t/bin/python tools/requirements.py ${ROS_DISTRO} run ${EXTRAS} > /opt/i2t/requirements.txt \
    && /opt/i2t/bin/pip install --no-cache-dir -r /opt/i2t/requirements.txt
COPY CMakeLists.txt LICENSE README.md package.xml setup.py ./
COPY action action
COPY cmake cmake
COPY config config
COPY msg msg
COPY scripts scripts
COPY srv srv
COPY underlay underlay
COPY i2t_ros i2t_ros
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/i2t/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python
COPY docker/add_user.sh docker/entrypoint.sh /opt/docker/
ARG USER_ID=1000
RUN /opt/docker/add_user.sh ${USER_ID} && mv /opt/docker/entrypoint.sh /ros_entrypoint.sh
COPY --from=build /opt/i2t /opt/i2t
ARG ROS_DISTRO
ENV ROS_DISTRO=${ROS_DISTRO} PATH=/opt/i2t/bin:$PATH HOME=/home/i2t
# By number, so that Kubernetes can tell that it is not root.
USER ${USER_ID}
WORKDIR /home/i2t
ENTRYPOINT ["/ros_entrypoint.sh"]
CMD ["detector_node"]
# The first start may download a model.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s CMD ["/ros_entrypoint.sh", "i2t", "health"]
