// Package astro is the client of Astro, the item platform for gaming communities.
//
//	client, err := astro.New(astro.WithEndpoint("https://astro.example"), astro.WithAPIKey(key))
//	answer, err := client.Items.Get(ctx, &astro.GetItemRequest{ItemId: id})
//
// Calls that may be repeated are sent again when the server is away or asks to come back later: with
// growing random pauses until the deadline. A request that takes a request_id
// and has none gets one, so that the server recognises the repetition. What fails is an [*Error].
package astro

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
)

// DefaultEndpoint is where a server listens unless it is told otherwise.
const DefaultEndpoint = "http://127.0.0.1:50051"

const (
	// The longest wait for a connection.
	connectTimeout = 10 * time.Second
	// How long an attempt waits for a connection that failed before and is tried again for it.
	reconnectTimeout = 250 * time.Millisecond
	// How long a connection with open calls may be quiet until it is tried, and the wait for an answer.
	keepAliveInterval = 30 * time.Second
	keepAliveTimeout  = 20 * time.Second
	// The largest message that is read: several times what a server puts into a page.
	messageBytesMax = 16 << 20
	// The server sends a checkpoint every 15 s; a log that is quiet for three of them is not connected.
	watchIdleDefault = 45 * time.Second
)

// errClosed is why the calls of a closed client end.
var errClosed = errors.New("the client is closed")

// Client is a connection to an Astro server, for any number of goroutines. Close it at the end.
//
// It connects at the first call, and again whenever the connection is lost.
type Client struct {
	Services
	connection *connection
}

// New makes a client. What no option gives comes from the environment: the endpoint from
// ASTRO_ENDPOINT (default [DefaultEndpoint]), the key from ASTRO_API_KEY.
//
// It connects nowhere; its only error is a [*ConfigError].
func New(options ...Option) (*Client, error) {
	var config config
	for _, option := range options {
		option(&config)
	}
	connection, err := config.connection()
	if err != nil {
		return nil, err
	}
	return &Client{newServices(connection), connection}, nil
}

// Close ends the client's calls and watches with [ErrCancelled]. It may be called more than once and
// always answers nil.
func (c *Client) Close() error {
	c.connection.close()
	// The only error is that it was closed before.
	_ = c.connection.grpc.Close()
	return nil
}

// connection is what the services of a client share.
type connection struct {
	grpc *grpc.ClientConn
	// A function, so that no way of printing a client finds the key.
	authorization func() string
	watchIdle     time.Duration
	closed        context.Context
	close         context.CancelFunc
}

func (c *config) connection() (*connection, error) {
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	endpoint, err := c.parseEndpoint()
	if err != nil {
		return nil, err
	}
	credentials, err := c.credentials(endpoint)
	if err != nil {
		return nil, err
	}
	userAgent, err := c.fullUserAgent()
	if err != nil {
		return nil, err
	}
	channel, err := grpc.NewClient("dns:///"+endpoint.address(),
		grpc.WithTransportCredentials(credentials),
		grpc.WithUserAgent(userAgent),
		// What is sent again is decided in this package alone.
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax)),
		// A peer that vanished without a word is noticed, on a stream too that may be quiet.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepAliveInterval, Timeout: keepAliveTimeout,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: pauseFirst, Multiplier: 2, Jitter: 0.2, MaxDelay: pauseMax,
			},
			MinConnectTimeout: connectTimeout,
		}),
	)
	if err != nil {
		return nil, endpointInvalid(endpoint.text)
	}
	connection := &connection{
		grpc:          channel,
		authorization: func() string { return "Bearer " + key },
		watchIdle:     watchIdleDefault,
	}
	if c.watchIdle > 0 {
		connection.watchIdle = c.watchIdle
	}
	connection.closed, connection.close = context.WithCancel(context.Background())
	return connection, nil
}

// scope is a context that ends with the client too. Its cause is then errClosed.
func (c *connection) scope(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if c.closed.Err() != nil {
		cancel(errClosed)
	}
	stop := context.AfterFunc(c.closed, func() { cancel(errClosed) })
	return ctx, func(cause error) {
		stop()
		cancel(cause)
	}
}

// reconnect tries a connection that failed at once. By itself it would first pause, and refuse all
// attempts meanwhile.
func (c *connection) reconnect(ctx context.Context) {
	if c.grpc.GetState() != connectivity.TransientFailure {
		return
	}
	c.grpc.ResetConnectBackoff()
	ctx, cancel := context.WithTimeout(ctx, reconnectTimeout)
	defer cancel()
	c.grpc.WaitForStateChange(ctx, connectivity.TransientFailure)
}
