#!/bin/sh
# Reserves a prize, gives it to a person and follows the delivery: giveaway.sh NAME STEAM_ID
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

# The same key has the same answer for a week, so that curl may send it again, and you may too.
reserved=$(astro --fail-with-body --retry 5 --retry-connrefused "$api/items:reserve" \
  -H "idempotency-key: $1 reserve" --json '{"filter": {"tradableNow": true}, "count": 1}')
reservation=$(printf '%s' "$reserved" | jq -r .reservation.id)

assigned=$(astro --fail-with-body --retry 5 --retry-connrefused "$api/assignments" \
  -H "idempotency-key: $1 assign" --json "{
    \"userId\": \"$2\", \"reservationId\": \"$reservation\", \"assignmentType\": \"giveaway\"
  }")
id=$(printf '%s' "$assigned" | jq -r .assignment.id)

# A line each, until it is over: {"result":…} or, as the last, {"error":…}.
astro --no-buffer "$api/assignments/$id:watch" |
  jq -r --unbuffered '.result.assignment.state // .error.message'
