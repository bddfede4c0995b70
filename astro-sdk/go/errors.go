package astro

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is a refused or failed call, with its details.
//
// A program branches on the code (errors.Is(err, [ErrNotFound])) and the Reason; a person reads the
// message.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Message is for people.
	Message string
	// Reason within the code: ReasonItemNotFound. Empty when the answer is not Astro's own, such as a
	// broken connection. A newer server may send reasons that have no constant here.
	Reason string
	// Metadata are facts that belong to the reason: item_id, state, …
	Metadata map[string]string
	// FieldViolations are the fields of the request that are wrong.
	FieldViolations []FieldViolation
	// RetryDelay is how long to wait before trying again; 0 if the server did not say.
	RetryDelay time.Duration
	// RequestID is the request_id that the call carried; empty if it cannot have one.
	RequestID string
}

// FieldViolation is one wrong field of a request.
type FieldViolation struct {
	// Field is its path: filter.states.
	Field string
	// Description says what is wrong with it.
	Description string
}

// Error is the message with the reason.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = e.Code.String()
	}
	if e.Reason == "" {
		return text
	}
	return text + " (" + e.Reason + ")"
}

// Is makes errors.Is work with the errors of codes, such as [ErrNotFound], and for calls that their
// context ended with [context.Canceled] and [context.DeadlineExceeded].
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == codes.Canceled
	case context.DeadlineExceeded:
		return e.Code == codes.DeadlineExceeded
	}
	code, ok := target.(codeError)
	return ok && codes.Code(code) == e.Code
}

// codeError stands for all errors with one gRPC code.
type codeError codes.Code

func (c codeError) Error() string { return "astro: " + codes.Code(c).String() }

// One error for each gRPC code, for errors.Is.
const (
	ErrCancelled          = codeError(codes.Canceled)
	ErrUnknown            = codeError(codes.Unknown)
	ErrInvalidArgument    = codeError(codes.InvalidArgument)
	ErrDeadlineExceeded   = codeError(codes.DeadlineExceeded)
	ErrNotFound           = codeError(codes.NotFound)
	ErrAlreadyExists      = codeError(codes.AlreadyExists)
	ErrPermissionDenied   = codeError(codes.PermissionDenied)
	ErrResourceExhausted  = codeError(codes.ResourceExhausted)
	ErrFailedPrecondition = codeError(codes.FailedPrecondition)
	ErrAborted            = codeError(codes.Aborted)
	ErrOutOfRange         = codeError(codes.OutOfRange)
	ErrUnimplemented      = codeError(codes.Unimplemented)
	ErrInternal           = codeError(codes.Internal)
	ErrUnavailable        = codeError(codes.Unavailable)
	ErrDataLoss           = codeError(codes.DataLoss)
	ErrUnauthenticated    = codeError(codes.Unauthenticated)
)

// domain is what Astro's own reasons belong to.
const domain = "astro.dev"

// failure is what the program gets for err, which ended a call with this context.
func failure(ctx context.Context, err error, requestID string) *Error {
	if context.Cause(ctx) == errClosed {
		return &Error{Code: codes.Canceled, Message: errClosed.Error(), RequestID: requestID}
	}
	found := status.Convert(err)
	if errors.Is(err, ctx.Err()) {
		found = status.FromContextError(ctx.Err())
	}
	failure := &Error{Code: found.Code(), Message: found.Message(), RequestID: requestID}
	for _, detail := range found.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.Domain == domain {
				failure.Reason = detail.Reason
				failure.Metadata = detail.Metadata
			}
		case *errdetails.BadRequest:
			for _, wrong := range detail.FieldViolations {
				failure.FieldViolations = append(failure.FieldViolations, FieldViolation{wrong.Field, wrong.Description})
			}
		case *errdetails.RetryInfo:
			failure.RetryDelay = detail.RetryDelay.AsDuration()
		}
	}
	return failure
}
