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
if [ "$only" != lint ]; then # servers are fetched while the text is read; nothing is left half installed
  scripts/services.sh </dev/null &
  installing=$!
  trap 'wait' EXIT
fi
step "format" "$bin/ruff" format --check --quiet .
step "lint" "$bin/ruff" check --quiet .
step "types" "$bin/mypy" --no-error-summary
step "import contracts" "$bin/lint-imports" --no-cache
[ "$only" = lint ] || step "services" wait "$installing"
# Tests wait for servers half of the time: half as many again as there are processors keep them busy.
workers=$((($(nproc 2>/dev/null || echo 2) * 3 + 1) / 2))
[ "$only" = lint ] || step "tests" "$bin/pytest" -rs --numprocesses "$workers" --dist worksteal
