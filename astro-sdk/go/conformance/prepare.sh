#!/usr/bin/env bash
# Packs the module as a proxy serves it, and builds the driver and the example stories with that.
set -euo pipefail
root=$1
work=$2
sdk="$(cd "$(dirname "$0")/.." && pwd)"
# shellcheck source=environment.sh
source "$sdk/conformance/environment.sh"

rm -rf "$work/proxy" "$work/build" "$work/bin" "$work/mod/astro.dev" "$work/mod/cache/download/astro.dev"
mkdir -p "$work/proxy" "$work/build" "$work/bin"
cd "$work"
version="$(sed -n 's/^const version = "\(.*\)"$/\1/p' "$sdk/services.gen.go")"
go run "$sdk/conformance/pack/main.go" "$sdk" "$root/LICENSE" "v$version" "$work/proxy"

cp "$sdk"/conformance/*.go "$sdk/conformance/go.mod" "$sdk/go.sum" "$work/build"
for story in "$root"/examples/*/*.go; do
  name="$(basename "$story" .go)"
  mkdir "$work/build/$name"
  cp "$story" "$work/build/$name"
done
cd "$work/build"
go mod edit -require "astro.dev/sdk@v$version"
go build -o "$work/bin/" ./...
