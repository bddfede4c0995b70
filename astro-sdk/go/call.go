package astro

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The deadline of a call that sets none.
const timeoutDefault = 30 * time.Second

// CallOption is a setting of one call.
type CallOption func(*callSettings)

type callSettings struct {
	timeout time.Duration
}

// WithTimeout sets how long a call may take with all its attempts and pauses; for a list, each page.
//
// A deadline of the call's context holds as well. Without either it is 30 s.
func WithTimeout(timeout time.Duration) CallOption {
	return func(s *callSettings) { s.timeout = timeout }
}

// NewRequestID makes an idempotency key (UUIDv4) for a request's request_id.
//
// Make one for each thing to be done, and use it again when the same thing is tried again. A call
// without one gets its own.
func NewRequestID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		// No machine that Go supports is without random numbers.
		panic(err)
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// method is what the contract says about an RPC.
type method struct {
	path string
	// Whether it may be sent again when its answer got lost.
	mayRepeat bool
	// The request's field request_id, 0 if it has none.
	requestID protoreflect.FieldNumber
}

// call asks for one answer.
func call[Response proto.Message](
	ctx context.Context, c *connection, m method, request proto.Message, options []CallOption,
) (Response, error) {
	ctx, cancel := c.scope(ctx)
	defer cancel(nil)
	ctx, stop := withDeadline(ctx, options)
	defer stop()
	request, requestID := withRequestID(m, request)
	var response Response
	err := c.attempts(ctx, m, func(ctx context.Context) error {
		response = newMessage[Response]()
		return c.grpc.Invoke(ctx, m.path, request, response)
	})
	if err != nil {
		var none Response
		return none, failure(ctx, err, requestID)
	}
	return response, nil
}

func withDeadline(ctx context.Context, options []CallOption) (context.Context, context.CancelFunc) {
	var settings callSettings
	for _, option := range options {
		option(&settings)
	}
	if _, has := ctx.Deadline(); settings.timeout == 0 && !has {
		settings.timeout = timeoutDefault
	}
	if settings.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, settings.timeout)
}

// attempts tries until it succeeds, or may not be tried again.
func (c *connection) attempts(ctx context.Context, m method, try func(context.Context) error) error {
	return c.attemptsUntil(ctx, time.Time{}, m, try)
}

// attemptsUntil is attempts, for which no pause goes beyond the given time, if there is one.
func (c *connection) attemptsUntil(
	ctx context.Context, until time.Time, m method, try func(context.Context) error,
) error {
	for number := 1; ; number++ {
		err := c.attempt(ctx, number, try)
		if err == nil {
			return nil
		}
		pause, again := pauseAfter(err, number)
		isLate := !until.IsZero() && !time.Now().Add(pause).Before(until)
		if !again || !m.mayRepeat || isLate || endsTooLate(ctx, pause) {
			return err
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

func (c *connection) attempt(ctx context.Context, number int, try func(context.Context) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.reconnect(ctx)
	return try(metadata.AppendToOutgoingContext(ctx,
		"authorization", c.authorization(), "astro-attempt", strconv.Itoa(number)))
}

// endsTooLate says whether a pause would only turn a telling error into DEADLINE_EXCEEDED.
func endsTooLate(ctx context.Context, pause time.Duration) bool {
	deadline, has := ctx.Deadline()
	return has && !time.Now().Add(pause).Before(deadline)
}

// sleep answers false when the context ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// withRequestID gives a request_id to a copy of a request that can have one and has none, so that the
// server recognises the call when it is sent again. It answers the request_id too.
func withRequestID(m method, request proto.Message) (proto.Message, string) {
	if m.requestID == 0 {
		return request, ""
	}
	field := request.ProtoReflect().Descriptor().Fields().ByNumber(m.requestID)
	if id := request.ProtoReflect().Get(field).String(); id != "" {
		return request, id
	}
	id := NewRequestID()
	request = copyOf(request)
	request.ProtoReflect().Set(field, protoreflect.ValueOfString(id))
	return request, id
}

// copyOf is a message that can be changed without the program's own changing; an empty one for nil.
func copyOf[Message proto.Message](message Message) Message {
	copied := message.ProtoReflect().New().Interface()
	proto.Merge(copied, message)
	return copied.(Message)
}

func newMessage[Message proto.Message]() Message {
	var none Message
	return none.ProtoReflect().New().Interface().(Message)
}
