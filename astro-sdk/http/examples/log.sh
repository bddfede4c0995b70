#!/bin/sh
# Follows the log, from its beginning or from where one was: log.sh [LAST_EVENT_ID]
set -eu
exec curl -sS --no-buffer --config - ${1:+-H "last-event-id: $1"} <<EOF
url = "$ASTRO_ENDPOINT/api/v1/events:watch?fromEarliest=true"
header = "authorization: Bearer $ASTRO_API_KEY"
header = "accept: text/event-stream"
EOF
