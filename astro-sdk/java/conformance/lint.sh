#!/usr/bin/env bash
# Compiles the SDK, its driver and the example stories with every warning as an error, and checks the
# Javadoc of all but the messages. Use: lint.sh ROOT WORK
set -euo pipefail
root=$1 work=$2
java=$root/astro-sdk/java
dependencies=$(cat "$work/driver/target/classpath")
# As prepare.sh had them made.
messages=$work/sdk/target/generated-sources/protobuf
strict=(-Xlint:all -Werror --release 17 -encoding UTF-8)

rm -rf "$work/lint"
mkdir -p "$work/lint"
find "$messages" -name '*.java' >"$work/lint/messages"
find "$java/src/main/java" "$java/src/main/gen" -name '*.java' >"$work/lint/sdk"
find "$java/conformance/src" "$root/examples" -name '*.java' >"$work/lint/programs"

javac "${strict[@]}" -d "$work/lint/classes" -classpath "$dependencies" "@$work/lint/messages"
javac "${strict[@]}" -Xdoclint:all,-missing -d "$work/lint/classes" \
  -classpath "$work/lint/classes:$dependencies" "@$work/lint/sdk"
javac "${strict[@]}" -d "$work/lint/programs.classes" \
  -classpath "$work/lint/classes:$dependencies" "@$work/lint/programs"
