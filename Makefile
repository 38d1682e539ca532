# Thin names over CMake. Plain `make` leaves the release command at build/release/uncork.
CMAKE ?= cmake
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local

all: build/release/uncork

build/release/uncork: FORCE
	@tools/check_deps.sh build
	@$(CMAKE) --preset release >/dev/null
	@$(CMAKE) --build --preset release -j $(JOBS)

# What people run first; both install what is missing.
demo:
	@./demo
test:
	@./test

# One preset's tests: make check-dev, check-asan, check-tsan, ...
check-%:
	@tools/check_deps.sh test
	@$(CMAKE) --preset $* >/dev/null
	@$(CMAKE) --build --preset $* -j $(JOBS)
	@ctest --test-dir build/$* --output-on-failure -j $(JOBS)

# The C tests on 64-bit Arm, its NEON rows with them, under qemu-user: for correctness, not for speed.
neon:
	@command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null || { \
	  echo "make neon needs gcc-aarch64-linux-gnu, qemu-user and the -dev packages of tools/check_deps.sh for arm64" >&2; exit 1; }
	@$(CMAKE) --preset neon >/dev/null
	@$(CMAKE) --build --preset neon -j $(JOBS)
	@UNCORK_TEST_EMULATOR=qemu-aarch64 ctest --test-dir build/neon --output-on-failure -j $(JOBS) -R '^test_'

# Every torchvision model against genuine torch: minutes, needs a Python with torch and torchvision.
SLOW_PYTHON ?= python3
test-slow: build/release/uncork
	@$(SLOW_PYTHON) tests/slow/torch_models.py build/release/uncork
	@$(SLOW_PYTHON) tests/slow/torch_detection.py build/release/uncork
	@$(SLOW_PYTHON) tests/slow/zoo_models.py build/release/uncork
	@$(SLOW_PYTHON) tests/slow/recipe_python.py build/release/uncork

mission: build/release/uncork
	@tests/mission/run.sh build/release/uncork

# Every vector of a folder of genuine libraries' results: what fails, and how many hold.
VECTORS ?= ../shared/vectors/preprocess
vectors: build/release/uncork
	@$(CMAKE) --build --preset release --target vectors >/dev/null && build/release/vectors $(VECTORS)

# Every container's mutations 10,000 times, then each fuzz target for SECONDS.
SECONDS ?= 60
fuzz:
	@tools/check_deps.sh test
	@$(CMAKE) --preset asan >/dev/null
	@$(CMAKE) --build --preset asan -j $(JOBS) --target test_container_mutation test_pickle_hostile test_onnx_hostile test_image_hostile
	UC_MUTATIONS=10000 build/asan/test_container_mutation
	UC_MUTATIONS=10000 build/asan/test_pickle_hostile
	UC_MUTATIONS=10000 build/asan/test_onnx_hostile
	UC_MUTATIONS=5000 build/asan/test_image_hostile
	@fuzz/run.sh $(SECONDS)

bench: build/release/uncork
	@bench/run.sh

# docs/sklearn.md, docs/ops-tensorflow.md and docs/errors.md, from tables and what their tests find.
docs: build/release/uncork
	@UC_TABLE=build/estimators.tsv build/release/test_estimators >/dev/null
	@tools/gen_sklearn_table.py build/estimators.tsv >build/sklearn.md && mv build/sklearn.md docs/sklearn.md
	@rm -f build/tf_cases.tsv; UC_TABLE=build/tf_cases.tsv build/release/test_tensorflow_ops >/dev/null
	@tools/gen_tf_table.py build/tf_cases.tsv >build/tf.md && mv build/tf.md docs/ops-tensorflow.md
	@$(CMAKE) --build --preset release --target list_errors >/dev/null && build/release/list_errors >build/errors.md && \
	  mv build/errors.md docs/errors.md

# Every case of the onnx wheel's backend suite through libuncork; writes docs/conformance.md and docs/ops.md.
build/conformance-venv/made: tests/conformance/requirements.txt
	@python3 -m venv build/conformance-venv
	@build/conformance-venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
conformance: build/release/uncork build/conformance-venv/made
	@$(CMAKE) --build --preset release --target list_ops >/dev/null && build/release/list_ops >build/ops.tsv
	@build/conformance-venv/bin/python tests/conformance/run.py --jobs $(JOBS) --markdown docs/conformance.md \
	  --results build/conformance/results.tsv; code=$$?; \
	  build/conformance-venv/bin/python tools/gen_ops_table.py build/ops.tsv build/conformance/results.tsv >build/ops.md && \
	  mv build/ops.md docs/ops.md && exit $$code

# Networks of torch and torchvision with random weights, exported and compared with torch. PYTHON has torch,
# torchvision, onnx and onnxscript.
torch-models: build/release/uncork
	@"$${PYTHON:-python3}" tests/conformance/torch_models.py

format:
	@clang-format -i $$(git ls-files '*.c' '*.h' '*.inc')

check: FORCE
	@tools/check_layers.py
	@tools/check_size.py

install: build/release/uncork
	@$(CMAKE) --install build/release --prefix $(PREFIX)

clean:
	@rm -rf build

FORCE:
.PHONY: all demo test neon mission vectors fuzz bench docs conformance torch-models format check install clean FORCE
