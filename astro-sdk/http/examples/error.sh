#!/bin/sh
# An error is an object too: its code is HTTP's, its reason is what a program branches on.
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

astro "$api/items/0199d2c6-0000-7000-8000-000000000000" |
  jq -r '"\(.code) \(.status) \(.reason): \(.message)"'
