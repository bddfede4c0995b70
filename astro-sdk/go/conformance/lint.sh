#!/usr/bin/env bash
# go vet on the SDK, the driver and the example stories, as prepare.sh has put them; gofmt on the sources.
set -euo pipefail
root=$1
work=$2
sdk="$(cd "$(dirname "$0")/.." && pwd)"
# shellcheck source=environment.sh
source "$sdk/conformance/environment.sh"

cd "$work/build"
go vet ./... astro.dev/sdk/...
unformatted="$(gofmt -l "$sdk" "$root"/examples/*/*.go)"
if [ -n "$unformatted" ]; then
  printf 'gofmt would change:\n%s\n' "$unformatted" >&2
  exit 1
fi
