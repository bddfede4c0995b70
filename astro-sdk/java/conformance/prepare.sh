#!/usr/bin/env bash
# Builds the SDK's jar, deploys it to a repository in the work folder, and builds the driver and the
# example stories with what that repository gives. Use: prepare.sh ROOT WORK
set -euo pipefail
root=$1 work=$2
java=$root/astro-sdk/java

# Maven with a store of its own, so that no jar of another build is taken.
options=(--batch-mode --quiet -Dmaven.repo.local="$work/m2" -Dastro.repository="file://$work/repo")

# Without the network, and with it only when the store lacks something.
maven() {
  mvn "${options[@]}" --offline -Daether.offline.protocols=file "$@" >"$work/maven.log" 2>&1 ||
    mvn "${options[@]}" "$@"
}

mkdir -p "$work"
rm -rf "$work/sdk" "$work/driver" "$work/repo" "$work/m2/dev/astro"
mkdir -p "$work/sdk" "$work/driver/src/main/java"

cp -r "$java/pom.xml" "$java/src" "$work/sdk"
# Offline, Maven deploys nowhere.
mvn "${options[@]}" -f "$work/sdk/pom.xml" deploy -DaltDeploymentRepository="astro::file://$work/repo"

cp "$java/conformance/pom.xml" "$work/driver"
cp "$java"/conformance/src/*.java "$root"/examples/*/*.java "$work/driver/src/main/java"
maven -f "$work/driver/pom.xml" compile

# Arguments of java: @WORK/run CLASS
{
  echo "--add-opens java.base/java.util=ALL-UNNAMED"
  echo "-classpath \"$work/driver/target/classes:$(cat "$work/driver/target/classpath")\""
} >"$work/run"
