#!/usr/bin/env bash
# Checks the types of SDK, driver and examples, and the SDK's own tests: lint.sh ROOT WORK
set -euo pipefail
root=$1 work=$2
sdk=$root/astro-sdk/python
export PYTHONDONTWRITEBYTECODE=1

check() {
    "$work/venv/bin/mypy" --strict --cache-dir "$work/mypy" "$@"
}

# The package from its sources, then what uses it against the package as it was installed.
(cd "$sdk/src" && check --package astro_sdk)
(cd "$sdk/conformance" && check ./*.py)
(cd "$sdk/tests" && check ./*.py)
for story in "$root"/examples/*/*.py; do
    check "$story"
done

# Written beside the sources otherwise.
copy=$work/compiled
rm -rf "$copy"
mkdir -p "$copy"
cp -r "$sdk/src" "$sdk/conformance" "$root/examples" "$copy"
unset PYTHONDONTWRITEBYTECODE
"$work/venv/bin/python" -W error -m compileall -q "$copy"

for environment in "$work/venv" "$work/oldest"; do
    if [ -d "$environment" ]; then
        (cd "$sdk/tests" && "$environment/bin/python" -B -W error -m unittest)
    fi
done
