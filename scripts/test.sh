#!/usr/bin/env bash
# Everything that must hold, cheapest first; stops at the first that does not.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

step() {
  local name=$1
  shift
  echo "== $name"
  "$@" </dev/null && return
  local code=$?
  echo "make test stopped at \"$name\" (exit $code): $*" >&2
  exit "$code"
}

only=${1:-all}
[ "$only" = lint ] || step services scripts/services.sh
step "format" "$bin/ruff" format --check --quiet .
step "lint" "$bin/ruff" check --quiet .
step "types" "$bin/mypy" --no-error-summary
step "import contracts" "$bin/lint-imports" --no-cache

# Many tests drive real servers and terminals against the clock. What fails beside thousands of others
# is asked once more, alone; it is named, and fails the run when it fails again.
all_tests() {
  "$bin/pytest" --numprocesses auto --dist worksteal && return
  local code=$?
  [ "$code" -eq 1 ] || return "$code" # 1: tests failed; anything else is no test's fault
  echo "== once more, one after the other, what failed beside the others:"
  "$bin/pytest" --last-failed --verbose
}
[ "$only" = lint ] || step "tests" all_tests
