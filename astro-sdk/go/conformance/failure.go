package main

import (
	"errors"
	"maps"

	"astro.dev/sdk"
	"google.golang.org/genproto/googleapis/rpc/code"
)

// families of errors, as errors.Is tells them apart.
var families = map[string]error{
	"Cancelled":          astro.ErrCancelled,
	"Unknown":            astro.ErrUnknown,
	"InvalidArgument":    astro.ErrInvalidArgument,
	"DeadlineExceeded":   astro.ErrDeadlineExceeded,
	"NotFound":           astro.ErrNotFound,
	"AlreadyExists":      astro.ErrAlreadyExists,
	"PermissionDenied":   astro.ErrPermissionDenied,
	"ResourceExhausted":  astro.ErrResourceExhausted,
	"FailedPrecondition": astro.ErrFailedPrecondition,
	"Aborted":            astro.ErrAborted,
	"OutOfRange":         astro.ErrOutOfRange,
	"Unimplemented":      astro.ErrUnimplemented,
	"Internal":           astro.ErrInternal,
	"Unavailable":        astro.ErrUnavailable,
	"DataLoss":           astro.ErrDataLoss,
	"Unauthenticated":    astro.ErrUnauthenticated,
}

// problems of Steam ids and trade URLs.
var problems = map[error]object{
	astro.ErrNotASteamID:     {"kind": "steam_id", "problem": "not_an_id"},
	astro.ErrNotAPerson:      {"kind": "steam_id", "problem": "not_a_person"},
	astro.ErrNotATradeURL:    {"kind": "trade_url", "problem": "not_a_trade_url"},
	astro.ErrTradeURLPartner: {"kind": "trade_url", "problem": "partner_invalid"},
	astro.ErrTradeURLToken:   {"kind": "trade_url", "problem": "token_invalid"},
}

// failure tells an error, with what came before it.
func failure(err error, before object) object {
	told := object{"message": err.Error(), "shown": shown(err)}
	var failed *astro.Error
	var config *astro.ConfigError
	switch {
	case errors.As(err, &failed):
		tellCall(told, failed)
	case errors.As(err, &config):
		told["kind"], told["problem"] = "config", config.Problem
	default:
		problem, known := problems[err]
		if !known {
			fail(err)
		}
		maps.Copy(told, problem)
	}
	maps.Copy(told, before)
	return object{"error": told}
}

func tellCall(told object, failed *astro.Error) {
	told["kind"] = "call"
	told["code"] = code.Code(failed.Code).String()
	told["message"] = failed.Message
	told["reason"] = failed.Reason
	told["metadata"] = failed.Metadata
	for name, family := range families {
		if errors.Is(failed, family) {
			told["type"] = name
		}
	}
	violations := []object{}
	for _, found := range failed.FieldViolations {
		violations = append(violations, object{"field": found.Field, "description": found.Description})
	}
	told["field_violations"] = violations
	if failed.RetryDelay != 0 {
		told["retry_delay_ms"] = failed.RetryDelay.Milliseconds()
	}
	if failed.RequestID != "" {
		told["request_id"] = failed.RequestID
	}
}
