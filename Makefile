# `make help` lists the targets. Each sets up what it needs, once: a virtual environment in .venv,
# with the versions that requirements.txt (to run), requirements-dev.txt (to test and lint),
# requirements-bench.txt, requirements-notebook.txt and requirements-sweep.txt pin.

PYTHON ?= python3
UPGRADE ?= 1
# What the user writes in these is a name, to make and to the shell, whatever it looks like.
NAMES := PYTHON BASE REV SEEDS OVER SAMPLES CLUSTER APPLY NAME YES FROM SIZE SHAPE LABEL TITLE NOUN \
  SHARE SEED BROKEN STROKES INVERT REPLACE PICTURES MODEL VERSION REVS VOTES
$(foreach name,$(NAMES),$(eval override $(name) := $$(value $(name))))
export $(NAMES)

BIN := .venv/bin
# The many processes of the tests keep what they compile, whatever the environment says.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
UV_COMPILE := uv pip compile --quiet $(if $(value UPGRADE),--upgrade) --universal --fork-strategy fewest \
  --python-version 3.11 --generate-hashes --custom-compile-command "make lock" pyproject.toml --group pipeline
# DVC runs a stage as `python -m stages.NAME`: let that find the virtual environment's Python, and
# neither it nor pip follow settings that are meant for another one.
export PATH := $(CURDIR)/$(BIN):$(value PATH)
export PIP_USER := 0
unexport PYTHONHOME PYTHONPATH

.PHONY: help repro demo import predict compare explorer record ablation labels influence sweep notebook test test-slow test-long bench bench-labels verify release site picture lint lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: .venv/runtime .dvc/plots.html ## Rebuild everything from MNIST
	@grep -qs no_scm .dvc/config.local || git rev-parse || \
	  { echo "DVC expects a Git repository: run git init, or, to do without" \
	  "Git: $(BIN)/dvc config --local core.no_scm true"; exit 2; }
	@$(BIN)/dvc repro
	@$(BIN)/dvc metrics show reports/evaluate.json
	@echo "Reports: reports/confusion.md, reports/explorer.html"

# In a copy of the working tree, with a DVC of its own.
demo: .venv/runtime ## The same on digits that the project draws itself, in demo/
	@rm -rf demo && $(BIN)/python -m tools.checkouts demo
	@sed -e 's/^\( *source:\).*/\1 synthetic/' -e 's|^\( *corrections:\).*|\1 data/corrections.csv|' \
	  params.yaml > demo/params.yaml && echo set,index,label > demo/data/corrections.csv
	@cd demo && ../$(BIN)/dvc config --local core.no_scm true && ../$(BIN)/dvc repro
	@cd demo && ../$(BIN)/python -m tools.plots_template
	@cd demo && ../$(BIN)/dvc metrics show reports/evaluate.json
	@echo "Reports: demo/reports/confusion.md, demo/reports/explorer.html"

# nnlib/importing.md says what it takes and what the variables mean.
import: .venv/runtime ## Import labelled images of your own: FROM=folder
	@test -n "$$FROM" || { echo "From where? For example: make import FROM=pictures"; exit 2; }
	@$(BIN)/python -m stages.importing $${SIZE:+--size="$$SIZE"} $${SHAPE:+--shape="$$SHAPE"} \
	  $${LABEL:+--label="$$LABEL"} $${TITLE:+--title="$$TITLE"} $${NOUN:+--noun="$$NOUN"} \
	  $${SHARE:+--share="$$SHARE"} $${SEED:+--seed="$$SEED"} $${BROKEN:+--broken="$$BROKEN"} \
	  $${STROKES:+--strokes="$$STROKES"} $${INVERT:+--invert="$$INVERT"} \
	  $${REPLACE:+--replace="$$REPLACE"} -- "$$FROM"

# MODEL=record takes the network of that experiment, or of any revision.
predict: .venv/runtime ## Classify pictures of your own: PICTURES="photo.jpg folder/"
	@test -n "$$PICTURES" || { echo "Which? For example: make predict PICTURES=photo.jpg"; exit 2; }
	@$(BIN)/python -m experiments.predict $${MODEL:+--model "$$MODEL"} -- "$$PICTURES"

# With SEEDS=5, also train both with five seeds.
compare: .venv/runtime ## Compare the revision BASE, sample by sample, with REV or the workspace
	@test -n "$$BASE" || { echo "Which revision? For example: make compare BASE=HEAD~1"; exit 2; }
	@$(BIN)/python -m experiments.compare $${SEEDS:+--seeds "$$SEEDS"} -- "$$BASE" $${REV:+"$$REV"}

explorer: .venv/runtime ## Explore two networks in one page: REVS="HEAD record"
	@test -n "$$REVS" || { echo 'Of which revisions? For example: make explorer REVS="HEAD record"'; exit 2; }
	@$(BIN)/python -m experiments.explorer -- "$$REVS"

# As the experiment `record`: a quarter of an hour, and with SEEDS=5 more than an hour.
record: .venv/runtime ## Train the best network known, and report on it
	@$(BIN)/python -m experiments.record $${SEEDS:+--seeds "$$SEEDS"}

# An hour on two cores.
ablation: .venv/runtime ## Say what each change of the record's recipe is worth
	@$(BIN)/python -m experiments.record.ablation $${SEEDS:+--seeds "$$SEEDS"}

# Ten minutes on two cores, or those of the Dask cluster whose scheduler is at CLUSTER=tcp://...; then
# reports/labels.html takes votes, and VOTES=a.csv,b.csv merges them. SEEDS=1 trains fewer networks.
labels: .venv/runtime $(if $(value CLUSTER),.venv/sweep) ## Find labels that may be wrong, and merge VOTES=a.csv,b.csv on them
	@$(BIN)/python -m experiments.labels $${SEEDS:+--seeds "$$SEEDS"} $${CLUSTER:+--cluster "$$CLUSTER"} \
	  $${VOTES:+--votes "$$VOTES"}

# A quarter of an hour on two cores.
influence: .venv/runtime ## Say what the doubtful labels of the training set did to the network
	@$(BIN)/python -m experiments.labels.influence $${SEEDS:+--seeds "$$SEEDS"}

# On all cores or on the Dask cluster whose scheduler is at CLUSTER=tcp://...; SEEDS=5 trains each with
# five seeds, SAMPLES=40 draws 40 settings from intervals, APPLY=best sets the best in params.yaml, and
# NAME=rates keeps the report in reports/sweeps/rates rather than in reports/sweeps/last.
sweep: .venv/sweep ## Try many settings: OVER="train.hidden_size=25,50 train.learning_rate=0.1,0.2"
	@test -n "$$OVER" || { echo "Over what? For example: make sweep OVER=train.hidden_size=25,50"; exit 2; }
	@$(BIN)/python -m experiments.sweep $${SEEDS:+--seeds "$$SEEDS"} $${SAMPLES:+--samples "$$SAMPLES"} \
	  $${CLUSTER:+--cluster "$$CLUSTER"} $${APPLY:+--apply "$$APPLY"} \
	  $${NAME:+--name "$$NAME"} $$(test "$$YES" != 1 || echo --yes) -- "$$OVER"

# On what `make repro` has written; with other parameters than the committed ones, it writes
# reports/notebook-workspace.ipynb.
notebook: .venv/notebook ## Run the course, and write it as reports/notebook.ipynb
	@$(BIN)/python -m tools.notebook
	@echo "To open it in Jupyter: $(BIN)/python -m pip install jupyterlab, and then" \
	  "$(BIN)/jupyter lab reports"

test: .venv/dev ## Run the tests, in three minutes on two cores
	@$(PYTEST)

# CI runs them too.
test-slow: .venv/dev ## Run the tests that take more than 3 s of a core each
	@$(PYTEST) -m slow

test-long: .venv/dev ## Run the tests that take minutes each
	@$(PYTEST) -m long --numprocesses 2

# Some 15 minutes, during which the machine should do nothing else.
bench: .venv/bench ## Measure how fast it is, and write reports/benchmark.md
	@$(BIN)/python -m tools.benchmarks

# An hour on two cores.
bench-labels: .venv/bench ## Measure how many planted wrong labels are found, beside cleanlab
	@$(BIN)/python -m experiments.labels.benchmark $${SEEDS:+--seeds "$$SEEDS"}

verify: .venv/runtime ## Rebuild the last commit in a separate folder, and compare
	@$(BIN)/python -m tools.verify

# A tag of the last commit, whose results must be up to date; nothing else changes.
release: .venv/runtime ## Tag the model of the last commit: VERSION=v1.0.0
	@test -n "$$VERSION" || { echo "Which version? For example: make release VERSION=v1.0.0"; exit 2; }
	@$(BIN)/python -m tools.release -- "$$VERSION"

site: .venv/runtime ## Write what is to be published of the reports into site/
	@$(BIN)/python -m tools.site
	@echo "Site: site/index.html"

picture: .venv/dev ## Take README's picture of the explorer; needs Chromium or Chrome
	@$(BIN)/python -m tools.picture

lint: .venv/dev ## Run the checks that pre-commit runs at a commit
	@$(BIN)/pre-commit run --all-files

# With UPGRADE= it keeps the versions that are pinned.
lock: ## Pin the newest versions; needs uv, https://docs.astral.sh/uv/
	$(UV_COMPILE) --output-file requirements.txt
	$(UV_COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(UV_COMPILE) --group bench --constraint requirements-dev.txt --output-file requirements-bench.txt
	$(UV_COMPILE) --group notebook --constraint requirements-dev.txt \
	  --output-file requirements-notebook.txt
	$(UV_COMPILE) --group sweep --constraint requirements-dev.txt --output-file requirements-sweep.txt

clean: ## Remove .venv, demo/ and site/
	rm -rf .venv demo site

# Not a file, so looked at each time: a .venv can lose its Python, and its scripts name its folder.
.PHONY: .venv/python
.venv/python:
	@if [ ! -e .venv ]; then \
	  "$$PYTHON" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, but this is %d.%d. To name another one: make PYTHON=python3.13" % sys.version_info[:2])' && \
	  echo "Setting up .venv; this takes a minute or two" && \
	  "$$PYTHON" -m venv .venv; \
	elif ! (. .venv/bin/activate && [ "$$VIRTUAL_ENV" -ef .venv ] && \
	  "$$VIRTUAL_ENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))') 2>/dev/null; then \
	  echo "The folder .venv cannot be used: it is not whole, it was moved or copied, or its Python is gone" \
	  "or older than 3.11. Remove it, and this command sets up another one: make clean"; exit 2; \
	fi

.venv/runtime: requirements.txt | .venv/python
	@echo "Installing requirements.txt"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	@echo "Installing requirements-dev.txt"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

.venv/bench: requirements-bench.txt .venv/runtime
	@echo "Installing requirements-bench.txt"
	@$(PIP_INSTALL) -r requirements-bench.txt
	@touch $@

.venv/notebook: requirements-notebook.txt .venv/runtime
	@echo "Installing requirements-notebook.txt"
	@$(PIP_INSTALL) -r requirements-notebook.txt
	@touch $@

.venv/sweep: requirements-sweep.txt .venv/runtime
	@echo "Installing requirements-sweep.txt"
	@$(PIP_INSTALL) -r requirements-sweep.txt
	@touch $@

# The page that DVC puts its plots in.
.dvc/plots.html: .venv/runtime tools/plots_template.py tools/plots.html
	@$(BIN)/python -m tools.plots_template
