#!/bin/bash
# Packs the SDK as a registry gets it, and builds the driver and the examples against the unpacked
# package: a workspace of their own in the work folder, with the project's versions and its target
# folder, so that dependencies are built once.
set -euo pipefail
root=$1 work=$2
target=${CARGO_TARGET_DIR:-$root/target}

cargo package --quiet --offline --manifest-path "$root/Cargo.toml" --package astro-sdk \
    --no-verify --allow-dirty --target-dir "$work/package"
rm -rf "$work/astro-sdk" "$work/driver" "$work/bin"
mkdir -p "$work/astro-sdk" "$work/driver" "$work/bin"
# The times in a package are all the same: cargo would take new files for old ones.
tar -xzmf "$work"/package/package/astro-sdk-*.crate -C "$work/astro-sdk" --strip-components 1

cp -r "$root/astro-sdk/rust/conformance/src" "$work/driver/src"
sed "s#\"../../../examples/#\"$root/examples/#" "$root/astro-sdk/rust/conformance/Cargo.toml" \
    > "$work/driver/Cargo.toml"
sed -e '/^members = \[/,/^\]/c members = ["driver"]\nexclude = ["astro-sdk"]' \
    -e 's#path = "astro-sdk/rust"#path = "astro-sdk"#' "$root/Cargo.toml" > "$work/Cargo.toml"
cp "$root/Cargo.lock" "$work/Cargo.lock"

cargo build --quiet --offline --manifest-path "$work/driver/Cargo.toml" --bins --examples \
    --target-dir "$target"
cp "$target/debug/astro-sdk-driver" "$work/bin/"
for story in "$root"/examples/*/*.rs; do
    if [ -e "$story" ]; then cp "$target/debug/examples/$(basename "$story" .rs)" "$work/bin/"; fi
done
