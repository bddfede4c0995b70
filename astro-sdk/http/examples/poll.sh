#!/bin/sh
# Waits for the next event, 20 s at most: poll.sh RESUME_TOKEN
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

astro --fail-with-body --get "$api/events" -d types=item.reserved -d waitSeconds=20 \
  --data-urlencode "resumeToken=$1" | jq -r '(.events[] | .eventType), .resumeToken'
