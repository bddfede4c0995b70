#!/bin/sh
# Gives a VIP one item a month, once: vip.sh MONTH STEAM_ID
set -eu
api=$ASTRO_ENDPOINT/api/v1

# curl with the key, by way of its standard input: others on the machine see arguments.
astro() {
  printf 'authorization: Bearer %s\n' "$ASTRO_API_KEY" | curl -sS --header @- "$@"
}

reserved=$(astro --fail-with-body "$api/items:reserve" --json '{"filter": {}, "count": 1}')
reservation=$(printf '%s' "$reserved" | jq -r .reservation.id)

# No second assignment has the same external id, ever.
answer=$(astro "$api/assignments" --json "{
  \"userId\": \"$2\", \"reservationId\": \"$reservation\", \"assignmentType\": \"vip\",
  \"externalSystem\": \"vip\", \"externalId\": \"$1 $2\"
}")
case $(printf '%s' "$answer" | jq -r .reason) in
  null) echo "$2 gets $(printf '%s' "$answer" | jq -r '.assignment.items[0].itemId')" ;;
  EXTERNAL_ID_EXISTS)
    astro --fail-with-body -X POST "$api/reservations/$reservation:release" >/dev/null
    echo "$2 had it before"
    ;;
  *) printf '%s\n' "$answer" && exit 1 ;;
esac
