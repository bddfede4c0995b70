#!/usr/bin/env bash
# Builds the package and installs it from that into an environment: prepare.sh ROOT WORK
set -euo pipefail
root=$1 work=$2
sdk=$root/astro-sdk/python
here=$sdk/conformance

# An environment with exactly these packages, kept from the last time if it had the same.
venv() {
    local wanted
    wanted=$(python3 --version && cat "$2")
    if [ "$wanted" != "$(cat "$1/wanted.txt" 2>/dev/null)" ]; then
        rm -rf "$1"
        python3 -m venv "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
        printf '%s\n' "$wanted" >"$1/wanted.txt"
    fi
}

package() {
    "$1/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$work"/dist/*.whl
}

# From a copy with the licence, as it is published.
rm -rf "$work/source" "$work/dist"
mkdir -p "$work/source"
cp -r "$sdk/pyproject.toml" "$sdk/README.md" "$sdk/src" "$work/source"
cp "$root/LICENSE" "$work/source"

venv "$work/venv" "$here/requirements.txt"
"$work/venv/bin/python" -m build --no-isolation --outdir "$work/dist" "$work/source" &>"$work/build.log" ||
    { cat "$work/build.log" >&2; exit 1; }
package "$work/venv"

# The oldest grpcio that the package takes exists for Python 3.12 and older.
if python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
    venv "$work/oldest" "$here/oldest.txt"
    package "$work/oldest"
else
    rm -rf "$work/oldest"
    echo "not tried with grpcio 1.60: it does not exist for this Python" >&2
fi
