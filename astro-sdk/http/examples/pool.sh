#!/bin/sh
# What is free in the pool, page by page.
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

token=
while :; do
  page=$(astro --fail-with-body --get "$api/items" \
    -d filter.states=ITEM_STATE_AVAILABLE -d pageSize=2 --data-urlencode "pageToken=$token")
  printf '%s' "$page" | jq -r '.items[] | "\(.id) \(.itemName)"'
  token=$(printf '%s' "$page" | jq -r .nextPageToken)
  [ -n "$token" ] || break
done
