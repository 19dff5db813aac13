# make demo   from nothing to a sentence: environment, build, node, photo, request, picture
# make test   lint, types, tests; test-all: the slow tests as well, such as builds for pip and colcon
# make run    detector_node until Ctrl-C; ARGS="-p language:=es" are ROS arguments
# make bench  what each part costs beside the bare model; ARGS=--gate: what has a target, in two minutes
# make fuzz   hostile input to every parser; MINUTES=30 in all, TARGET=http alone, SEED=12 as before
# make clean  remove what make made
# ROS_DISTRO=kilted with any of them: the environment has ROS 2 Kilted instead of Jazzy, until another is named
PYTHON ?= python3
IMAGE ?=
ARGS ?=
MINUTES ?= 30
SEED ?=
TARGET ?=
CASE ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
# The ROS 2 distributions that PyPI has. The command line names one of them. The environment may name any, as after sourcing
# /opt/ros/humble/setup.bash, and counts if it is one of them. Otherwise $(VENV) keeps what it has.
DISTROS := jazzy kilted
HAS := $(or $(file <$(VENV)/.ros_distro),$(if $(wildcard $(VENV)/.requirements),jazzy))
ifeq ($(origin ROS_DISTRO),command line)
$(if $(filter-out $(DISTROS),$(ROS_DISTRO))$(word 2,$(ROS_DISTRO)),$(error ROS_DISTRO: expected $(DISTROS:kilted=or kilted), the ROS 2 distributions \
that PyPI has, got $(ROS_DISTRO). For others use an installed ROS 2: see 'On a robot' in README.md))
endif
DISTRO := $(firstword $(filter $(DISTROS),$(ROS_DISTRO) $(HAS)) jazzy)
PROFILE := $(if $(filter jazzy,$(DISTRO)),FASTRTPS,FASTDDS)_DEFAULT_PROFILES_FILE
# Modules and libraries of a sourced ROS 2 would be taken for those of $(VENV), and its DDS may be one that PyPI does not have.
ifdef AMENT_PREFIX_PATH
empty :=
entries = $(subst :, ,$(1))
export LD_LIBRARY_PATH := $(subst $(empty) ,:,$(strip $(filter-out $(addsuffix /%,$(call entries,$(AMENT_PREFIX_PATH))),\
	$(call entries,$(LD_LIBRARY_PATH)))))
endif
unexport ROS_DISTRO PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH RMW_IMPLEMENTATION
SOURCES := $(shell find i2t_ros config action msg srv scripts underlay cmake -type f -not -name '*.pyc') \
	CMakeLists.txt package.xml setup.py

.PHONY: demo test test-all run bench fuzz clean another_distro
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@$(BIN)/python tools/demo.py $(IMAGE)

run: $(VENV)/.installed
	@test -n "$$FASTRTPS_DEFAULT_PROFILES_FILE$$FASTDDS_DEFAULT_PROFILES_FILE" || export $(PROFILE)=$(CURDIR)/config/fastdds.xml; \
	exec $(BIN)/detector_node $(if $(ARGS),--ros-args $(ARGS))

# Types are checked beside the tests, by test/test_mypy.py.
test test-all: $(VENV)/.installed $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(if $(filter test,$@),-m "not slow")

bench: $(VENV)/.installed $(VENV)/.test
	@$(BIN)/python bench/run.py $(ARGS)

fuzz: $(VENV)/.installed $(VENV)/.test
	@$(BIN)/python test/fuzz/fuzz.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(TARGET),--target $(TARGET)) \
	$(if $(CASE),--case $(CASE)) $(ARGS)

$(VENV)/.installed: $(VENV)/.requirements $(SOURCES)
	@echo "building i2t_ros ..."
	@$(PIP) install --no-deps --no-build-isolation .
	@touch $@

$(VENV)/.requirements: pyproject.toml tools/requirements.py tools/check_system.sh $(if $(filter $(DISTRO),$(HAS)),,another_distro)
	@sh tools/check_system.sh $(PYTHON)
	@echo "setting up $(VENV) with ROS 2 $(DISTRO) (some 300 MB of packages the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(if $(filter $(DISTRO),$(HAS)),,$(remove_ros))
	@$(call require,build run demo web)
	@echo $(DISTRO) > $(VENV)/.ros_distro
	@touch $@

# Removes every ROS wheel, and what was built against it; first the marks, so that an interrupted change is made again.
remove_ros = rm -f $(VENV)/.requirements $(VENV)/.ros_distro && $(BIN)/pip list --format=freeze --disable-pip-version-check | \
	sed -n 's/^\(ros-[^=]*\|i2t.ros\)==.*/\1/p' | xargs --no-run-if-empty $(PIP) uninstall --yes

$(VENV)/.test: $(VENV)/.requirements
	@echo "adding what the tests need ..."
	@$(call require,test history s3)
	@touch $@

# Installs lists of requirements out of pyproject.toml.
require = $(BIN)/python tools/requirements.py $(DISTRO) $(1) > $(VENV)/requirements.txt && $(PIP) install --use-pep517 -r $(VENV)/requirements.txt

clean:
	rm -rf $(VENV) build out bench/out test/fuzz/out *.egg-info
