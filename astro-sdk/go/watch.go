package astro

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Watch follows what happens on the server, across lost connections. It is for one goroutine, except
// for Close.
//
//	events := client.Events.Watch(ctx, &astro.WatchEventsRequest{})
//	defer events.Close()
//	for events.Next() {
//		fmt.Println(events.Value().EventDescription)
//	}
//	if err := events.Err(); err != nil {
//		return err
//	}
//
// Once the server answered, a stream that breaks is opened again for as long as it takes. A watch ends
// when its context or Close cancels it, when the server says that it is over, or with an error that
// trying again cannot mend.
type Watch[Entry proto.Message] struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	// Answers what the next message tells; io.EOF when the watch is over.
	read func(context.Context) ([]Entry, error)
	// Answers the tokens before and after the last message; false before the first.
	places func() (before, after string, is bool)
	rest   []Entry
	value  Entry
	err    error
	ended  bool
}

// Next waits for the next entry; false at the end.
func (w *Watch[Entry]) Next() bool {
	for !w.ended {
		if err := w.ctx.Err(); err != nil {
			w.end(err)
			break
		}
		if len(w.rest) > 0 {
			w.value, w.rest = w.rest[0], w.rest[1:]
			return true
		}
		entries, err := w.read(w.ctx)
		if err != nil {
			w.end(err)
			break
		}
		w.rest = entries
	}
	return false
}

// Position is the resume token that goes on after what Next went to so far, for a program to store at
// the very start, before the first event, for which it does not wait. It is empty for a stream without
// tokens.
func (w *Watch[Entry]) Position() (string, error) {
	before, after, isOpen := w.places()
	if !isOpen && !w.ended {
		entries, err := w.read(w.ctx)
		if err != nil {
			w.end(err)
			return "", w.err
		}
		w.rest = entries
		before, after, _ = w.places()
	}
	if len(w.rest) > 0 {
		return before, nil
	}
	return after, nil
}

// Value is the entry that Next waited for.
func (w *Watch[Entry]) Value() Entry { return w.value }

// Err is the [*Error] that ended the watch; nil when it was cancelled or is over.
func (w *Watch[Entry]) Err() error { return w.err }

// Close cancels the watch: a Next that waits answers false at once. It may be called at any time, more
// than once, and by any goroutine.
func (w *Watch[Entry]) Close() { w.cancel(nil) }

func (w *Watch[Entry]) end(err error) {
	w.ended = true
	isCancelled := w.ctx.Err() == context.Canceled && context.Cause(w.ctx) != errClosed
	if err != io.EOF && !isCancelled {
		w.err = failure(w.ctx, err, "")
	}
	w.cancel(nil)
}

// watchMethod is what the contract says about a watch.
type watchMethod[Request, Message, Entry proto.Message] struct {
	method
	entries func(Message) []Entry
	// The token that goes on after a message, and how to go on; nil if the stream begins with the state
	// as it is.
	token func(Message) string
	goOn  func(Request, string)
}

func watch[Request, Message, Entry proto.Message](
	ctx context.Context, c *connection, m *watchMethod[Request, Message, Entry], request Request,
) *Watch[Entry] {
	follower := &follower[Request, Message, Entry]{connection: c, method: m, request: copyOf(request)}
	ctx, cancel := c.scope(ctx)
	return &Watch[Entry]{ctx: ctx, cancel: cancel, read: follower.read, places: follower.places}
}

// follower opens a stream, again and again.
type follower[Request, Message, Entry proto.Message] struct {
	connection *connection
	method     *watchMethod[Request, Message, Entry]
	request    Request
	stream     *stream
	// Whether the server ever answered; before, a failure is the program's to see.
	answered bool
	// Failures since the last message.
	failures int
	last     Entry
	// The token before the last message.
	before string
}

func (f *follower[Request, Message, Entry]) places() (before, after string, is bool) {
	return f.before, f.place(), f.answered
}

// place is the token that the request begins after.
func (f *follower[Request, Message, Entry]) place() string {
	message := f.request.ProtoReflect()
	if field := message.Descriptor().Fields().ByName("resume_token"); field != nil {
		return message.Get(field).String()
	}
	return ""
}

func (f *follower[Request, Message, Entry]) read(ctx context.Context) ([]Entry, error) {
	for {
		message := newMessage[Message]()
		err := f.receive(ctx, message)
		if err == nil {
			f.answered, f.failures = true, 0
			return f.told(message), nil
		}
		f.stream = nil
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == io.EOF && f.method.goOn == nil || err != io.EOF && !(f.answered && mayMend(err)) {
			return nil, err
		}
		f.failures++
		pause, isAsked := askedPause(err)
		if !isAsked {
			pause = backoffAfter(f.failures)
		}
		if !sleep(ctx, pause) {
			return nil, ctx.Err()
		}
	}
}

// told is what a message says that the program does not know.
func (f *follower[Request, Message, Entry]) told(message Message) []Entry {
	entries := f.method.entries(message)
	f.before = f.place()
	if f.method.goOn != nil {
		// Taken before the entries are handed out: all of them are here already, so a connection lost
		// meanwhile neither repeats nor skips one.
		if token := f.method.token(message); token != "" {
			f.method.goOn(f.request, token)
		}
		return entries
	}
	var fresh []Entry
	for _, entry := range entries {
		if !proto.Equal(entry, f.last) {
			f.last = entry
			fresh = append(fresh, entry)
		}
	}
	return fresh
}

// receive waits for a message, after opening a stream if there is none.
func (f *follower[Request, Message, Entry]) receive(ctx context.Context, message Message) error {
	if f.stream != nil {
		return f.stream.receive(message)
	}
	open := func(ctx context.Context) error {
		stream := &stream{}
		stream.ctx, stream.cancel = context.WithCancelCause(ctx)
		if f.method.goOn != nil {
			stream.idle = f.connection.watchIdle
		}
		err := stream.open(f.connection.grpc, f.method.path, f.request, message)
		if err == nil {
			f.stream = stream
		}
		if err == io.EOF && f.method.goOn != nil {
			// A log has no end: one that ends before it began did not open.
			return status.Error(codes.Unavailable, "the stream ended")
		}
		return err
	}
	if f.answered {
		return f.connection.attempt(ctx, f.failures, open)
	}
	// A watch has no deadline; to open it has the time of a call.
	return f.connection.attemptsUntil(ctx, time.Now().Add(timeoutDefault), f.method.method, open)
}

// errSilent is why a stream of the log is given up that has been quiet for too long.
var errSilent = errors.New("the stream fell silent")

// stream is one stream of answers. It is over with the first error.
type stream struct {
	grpc   grpc.ClientStream
	ctx    context.Context
	cancel context.CancelCauseFunc
	// The longest silence; 0: any.
	idle time.Duration
}

// open begins the stream and waits for its first message.
func (s *stream) open(channel *grpc.ClientConn, path string, request, message proto.Message) error {
	return s.limit(func() error {
		opened, err := channel.NewStream(s.ctx, &grpc.StreamDesc{ServerStreams: true}, path)
		if err != nil {
			return err
		}
		// When the stream is over already, receiving says why.
		if err := opened.SendMsg(request); err != nil && err != io.EOF {
			return err
		}
		if err := opened.CloseSend(); err != nil {
			return err
		}
		s.grpc = opened
		return opened.RecvMsg(message)
	})
}

func (s *stream) receive(message proto.Message) error {
	return s.limit(func() error { return s.grpc.RecvMsg(message) })
}

// limit gives the stream up when wait takes longer than it may be silent, or fails.
func (s *stream) limit(wait func() error) error {
	if s.idle > 0 {
		timer := time.AfterFunc(s.idle, func() { s.cancel(errSilent) })
		defer timer.Stop()
	}
	err := wait()
	if err == nil {
		return nil
	}
	s.cancel(nil)
	if context.Cause(s.ctx) == errSilent {
		return status.Error(codes.Unavailable, errSilent.Error())
	}
	return err
}

// mayMend says whether a stream that ended like this is worth opening again: the server is away or
// busy, or the connection broke, which shows as a status without one of Astro's reasons.
func mayMend(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable:
		return true
	case codes.ResourceExhausted:
		// What grpc says of a message that is larger than it reads.
		return !strings.Contains(status.Convert(err).Message(), "message larger than max")
	case codes.Unknown, codes.Internal, codes.Canceled, codes.DeadlineExceeded:
		return failure(context.Background(), err, "").Reason == ""
	default:
		return false
	}
}

// present is the entry, if there is one.
func present[Entry comparable](entry Entry) []Entry {
	var none Entry
	if entry == none {
		return nil
	}
	return []Entry{entry}
}
