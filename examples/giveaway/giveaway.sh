#!/bin/sh
# Pays out a giveaway once, whatever happens in between.
#
#     sh giveaway.sh GIVEAWAY_ID COUNT TRADE_URL
#
# Needs curl and jq, and no SDK.
set -eu

if [ $# -ne 3 ]; then
  echo 'usage: giveaway GIVEAWAY_ID COUNT TRADE_URL' >&2
  exit 2
fi
giveaway_id=$1 count=$2 trade_url=$3
api=${ASTRO_ENDPOINT:-http://127.0.0.1:50051}/api/v1
folder=$(mktemp -d)
watch=
trap '[ -z "$watch" ] || kill "$watch" 2>/dev/null || :; rm -r "$folder"' EXIT
trap 'exit 130' INT TERM

# The key stands in no argument, since others on the machine see those.
printf 'header = "authorization: Bearer %s"\n' "$ASTRO_API_KEY" >"$folder/curl"

# get PATH: the answer, or the error, is in $folder/answer.
get() {
  call "$1"
}

# post PATH BODY: the same. A call that curl sends again has the same key, and happens once.
post() {
  call "$1" --header 'content-type: application/json' --data "$2" \
    --header "idempotency-key: $1 $giveaway_id $$ $(date +%s)"
}

call() {
  path=$1
  shift
  curl --config "$folder/curl" --silent --show-error --fail-with-body --max-time 30 \
    --retry 5 --retry-connrefused --output "$folder/answer" "$@" "$api/$path" 2>"$folder/problem"
}

# What jq finds in the answer.
answer() {
  jq --raw-output "$1" "$folder/answer"
}

# [start: errors]
reason() {
  if [ -s "$folder/answer" ]; then answer .reason; fi
}

fact() {
  answer ".details[] | .metadata.$1? // empty"
}

refused() {
  cat "$folder/problem" >&2
  if [ -s "$folder/answer" ]; then answer .message >&2; fi
  exit 1
}

if ! post items:reserve "$(jq -n --arg count "$count" \
  '{filter: {tradableNow: true}, count: $count | tonumber}')"; then
  [ "$(reason)" = NOT_ENOUGH_ITEMS ] || refused
  echo "not enough items: found $(fact found)"
  exit 3
fi
# [end: errors]
reservation=$(answer .reservation.id)
partner=$(printf '%s' "$trade_url" | sed -n 's/.*[?&]partner=\([0-9]*\).*/\1/p')
user=$((76561197960265728 + partner))

# The external id lets that happen once.
if ! post assignments "$(jq -n --arg user "$user" --arg reservation "$reservation" \
  --arg giveaway "$giveaway_id" --arg url "$trade_url" '{
    userId: $user, reservationId: $reservation, assignmentType: "giveaway",
    externalSystem: "example.giveaway", externalId: $giveaway, tradeUrl: $url
  }')"; then
  mv "$folder/answer" "$folder/refusal"
  post "reservations/$reservation:release" '{}' || refused
  mv "$folder/refusal" "$folder/answer"
  [ "$(reason)" = EXTERNAL_ID_EXISTS ] || refused
  echo "paid before: assignment $(fact assignment_id)"
  exit 0
fi
assignment=$(answer .assignment.id)
echo "assignment $assignment"

# [start: watch]
# Tells each state until the prizes are delivered, or will not be. A line is {"result":…} or
# {"error":…}; an empty one says only that the stream is there.
mkfifo "$folder/changes"
state=
is_over() {
  case $state in *_DELIVERED | *_SETTLED | *_CANCELLED | *_EXPIRED | *_FAILED | *_REVERSED) ;; *) false ;; esac
}
until is_over; do
  # A connection that is lost is opened again, and begins with the state as it is.
  get "assignments/$assignment" || refused
  curl --config "$folder/curl" --silent --no-buffer "$api/assignments/$assignment:watch" \
    >"$folder/changes" &
  watch=$!
  while ! is_over && read -r line; do
    now=$(printf '%s' "$line" | jq --raw-output '.result.assignment.state // empty')
    if [ -n "$now" ] && [ "$now" != "$state" ]; then
      state=$now
      echo "state ${state#ASSIGNMENT_STATE_}"
    fi
  done <"$folder/changes"
  kill "$watch" 2>/dev/null || true
done
# [end: watch]
# Who connects again late finds the delivery settled.
case $state in
  *_DELIVERED | *_SETTLED) echo "delivered $count items to $user" ;;
  *)
    echo "ended ${state#ASSIGNMENT_STATE_}"
    exit 1
    ;;
esac
