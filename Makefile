# Every target sets up what it needs; the second time that takes no time. `make help` lists them.
ifeq ($(strip $(ROS_DISTRO)),)
override ROS_DISTRO := jazzy
endif
export ROS_DISTRO

# Everything started from here stays on this machine.
ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
export ROS_AUTOMATIC_DISCOVERY_RANGE

# Left behind when make is started by a process of another environment made from wheels.
ifdef _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
endif

# The first Python that runs and is supported; else any, which then says what is needed. Override: make PYTHON=...
ifeq ($(strip $(PYTHON)),)
wanted := import sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))
override PYTHON := $(shell for python in python3.11 python3.10 python3; do \
	$$python -c '$(wanted)' 2>/dev/null && echo $$python && exit; done; echo python3)
endif

# $(call run,OPTIONS,COMMAND): set up, then run a command of the environment.
run = @$(PYTHON) -c '' || { echo 'error: $(no_python)' >&2; exit 2; }; \
	env=$$($(PYTHON) scripts/setup_env.py $(1)) && exec "$$env"/bin/$(2)
no_python = $(PYTHON) does not start. Install Python 3.10 or 3.11 with its venv and headers, or say: make PYTHON=/path/to/it

.PHONY: help demo sim view test test-slow lint bench docs faults clean distclean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make demo       episodes of Reach over ROS 2 topics, then the first one again in process
demo:
	$(call run,,ros-gym-bridge demo $(ARGS))

## make sim        the simulation node; make sim ARGS="--robot arm --gui"
sim:
	$(call run,,ros-gym-bridge sim $(ARGS))

## make view       a robot on a page in the browser; make view ARGS="--namespace /cell_1"
view:
	$(call run,--extra view,ros-gym-bridge view $(ARGS))

# Most tests wait for other processes, so two files run side by side. On a machine that others use, too, a test of real
# time can be held up: what fails is tried once more, and then listed as RERUN. ARGS="-n 0 --reruns 0" does neither.
## make test       lint, then every test that is not slow; make test ARGS="-k reset"
test: lint
	$(call run,--extra view --extra plot --extra browser,python -m pytest test -m "not slow" \
		-n 2 --dist loadfile --reruns 1 -rR --durations 25 $(ARGS))

## make test-slow  the slow tests, with Stable-Baselines3 and PyTorch
test-slow:
	$(call run,--extra view --extra browser --extra slow --extra bench,python -m pytest test -m slow $(ARGS))

## make lint       ruff and mypy --strict
lint:
	$(call run,--extra view,ruff check .)
	$(call run,--extra view,mypy --strict)

## make bench      speed, as ratios; writes bench/results.json
bench:
	$(call run,--extra bench,python bench/bench.py $(ARGS))

## make docs       the generated tables of docs/
docs:
	$(call run,,python docs/generate.py $(ARGS))

## make faults     docs/faults.md, from a run of the tests that inject faults; takes minutes
faults:
	$(call run,,python docs/faults.py $(ARGS))

## make clean      remove what tests and builds leave; make distclean removes the environments too
clean:
	rm -rf build install log .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find ros_gym_bridge test scripts launch -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv-*
