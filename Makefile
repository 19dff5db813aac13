# make demo   from nothing to a sentence: environment, build, node, photo, request, picture
# make test   lint, types, tests; test-all: the slow tests as well, such as builds for pip and colcon
# make run    detector_node until Ctrl-C; ARGS="-p language:=es" are ROS arguments
# make bench  what each part costs beside the bare model; ARGS=--gate: what has a target, in two minutes
# make fuzz   hostile input to every parser; MINUTES=30 in all, TARGET=http alone, SEED=12 as before
# make clean  remove what make made
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
SOURCES := $(shell find i2t_ros config msg srv scripts underlay cmake -type f -not -name '*.pyc') \
	CMakeLists.txt package.xml setup.py

.PHONY: demo test test-all run bench fuzz clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@$(BIN)/python tools/demo.py $(IMAGE)

run: $(VENV)/.installed
	@FASTRTPS_DEFAULT_PROFILES_FILE=$${FASTRTPS_DEFAULT_PROFILES_FILE:-$(CURDIR)/config/fastdds.xml} \
	$(BIN)/detector_node $(if $(ARGS),--ros-args $(ARGS))

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

$(VENV)/.requirements: pyproject.toml tools/requirements.py tools/check_system.sh
	@sh tools/check_system.sh $(PYTHON)
	@echo "setting up $(VENV) (some 300 MB of packages the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(call require,build run demo web)
	@touch $@

$(VENV)/.test: $(VENV)/.requirements
	@echo "adding what the tests need ..."
	@$(call require,test history s3)
	@touch $@

# Installs lists of requirements out of pyproject.toml.
require = $(BIN)/python tools/requirements.py $(1) > $(VENV)/requirements.txt && $(PIP) install --use-pep517 -r $(VENV)/requirements.txt

clean:
	rm -rf $(VENV) build out bench/out test/fuzz/out *.egg-info
