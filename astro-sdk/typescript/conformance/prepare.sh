#!/usr/bin/env bash
# Packs the SDK as npm would publish it, and installs that package with the driver and the examples.
# Usage: prepare.sh ROOT WORK; builds in WORK from copies and leaves the sources as they are.
set -euo pipefail
root=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")
source="$root/astro-sdk/typescript"
# What an earlier run installed stays while the lockfiles are the same.
export npm_config_audit=false npm_config_fund=false npm_config_ignore_scripts=true npm_config_update_notifier=false

# Goes to the folder and installs what its lockfile says, unless that is there.
install() {
  cd "$1"
  if ! cmp -s package-lock.json node_modules/.installed.json; then
    npm ci
    cp package-lock.json node_modules/.installed.json
  fi
}

sdk="$work/sdk"
mkdir -p "$sdk"
rm -rf "$sdk/src" "$sdk/dist" "$sdk"/*.tgz
cp -r "$source"/{package.json,package-lock.json,tsconfig.json,README.md,REFERENCE.md,src} "$root/LICENSE" "$sdk/"
install "$sdk"
npm run build
npm pack

app="$work/app"
rm -rf "$app/conformance" "$app/examples" "$app/tests" "$app/dist"
mkdir -p "$app/conformance" "$app/tests"
cp "$source"/conformance/*.ts "$app/conformance/"
cp "$source"/tests/*.ts "$app/tests/"
cp "$source"/conformance/{package.json,package-lock.json,tsconfig.json} "$app/"
for example in "$root"/examples/*/*.ts; do
  story="$app/examples/$(basename "$(dirname "$example")")"
  mkdir -p "$story"
  cp "$example" "$story/"
done
install "$app"
# After the lockfile's packages, so that it takes those; not named in the lockfile itself, since it
# is made anew each time.
rm -rf node_modules/@astro-platform
npm install --no-save --no-package-lock "$sdk"/*.tgz
./node_modules/.bin/tsc --project .
