#!/bin/sh
# Holds two items for ten minutes, and lets them go.
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

reserved=$(astro --fail-with-body "$api/items:reserve" \
  --json '{"filter": {}, "count": 2, "ttlSeconds": 600}')
reservation=$(printf '%s' "$reserved" | jq -r .reservation.id)
astro --fail-with-body -X POST "$api/reservations/$reservation:release" | jq -r .reservation.id
