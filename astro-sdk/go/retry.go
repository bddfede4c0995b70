package astro

import (
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// Attempts at one call in all, if the server says that it is full.
	attemptsMax = 4
	// The upper bound of the first pause; doubled for each later one.
	pauseFirst = 100 * time.Millisecond
	// The upper bound of all pauses that the server did not ask for.
	pauseMax = 5 * time.Second
	// The longest pause that the server may ask for; beyond it the caller is to decide.
	pauseAskedMax = 60 * time.Second
)

// pauseAfter is the pause before the next attempt after so many, the last of which failed with err;
// false: there is no next one.
func pauseAfter(err error, attempts int) (time.Duration, bool) {
	asked, isAsked := askedPause(err)
	switch status.Code(err) {
	case codes.Unavailable:
		// For as long as the call has time: a server that is started anew costs no call.
	case codes.ResourceExhausted:
		// Without a time to come back at, more calls would only add to the load.
		if !isAsked || attempts >= attemptsMax {
			return 0, false
		}
	default:
		return 0, false
	}
	if asked > pauseAskedMax {
		return 0, false
	}
	if isAsked {
		return asked, true
	}
	return backoffAfter(attempts), true
}

// backoffAfter is the pause after so many failures in a row: random between 0 and a bound that
// doubles, so that many clients do not come back at the same moment.
func backoffAfter(failures int) time.Duration {
	bound := min(pauseFirst<<min(failures-1, 16), pauseMax)
	return rand.N(bound)
}

// askedPause is the pause that the server asked for, if it did.
func askedPause(err error) (time.Duration, bool) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.RetryDelay != nil {
			return info.RetryDelay.AsDuration(), true
		}
	}
	return 0, false
}
