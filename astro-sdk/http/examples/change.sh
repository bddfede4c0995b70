#!/bin/sh
# Changes an item as it was seen, and not if somebody else changed it since: change.sh ITEM_ID
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

etag=$(astro -o /dev/null -w '%header{etag}' "$api/items/$1")
change() {
  astro -X PATCH "$api/items/$1?updateMask=labels" -H "if-match: $etag" --json "{
    \"labels\": {\"shelf\": \"$2\"}
  }"
}
change "$1" 3 | jq -r .item.labels.shelf
# The etag is that of the item as it was.
change "$1" 4 | jq -r .reason
