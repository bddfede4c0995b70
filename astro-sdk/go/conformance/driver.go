package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"astro.dev/sdk"
	"google.golang.org/protobuf/proto"
)

// driver has what steps refer to by name.
type driver struct {
	mutex   sync.Mutex
	clients map[string]*astro.Client
	kept    map[string]proto.Message
	calls   map[string]*started
	watches map[string]reflect.Value
}

// started is a call in the background.
type started struct {
	cancel context.CancelFunc
	answer chan object
}

func newDriver() *driver {
	return &driver{
		clients: map[string]*astro.Client{},
		kept:    map[string]proto.Message{},
		calls:   map[string]*started{},
		watches: map[string]reflect.Value{},
	}
}

// end closes what is open.
func (d *driver) end() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, client := range d.clients {
		client.Close()
	}
}

// begin does what must happen before the next step, and answers what may take long.
func (d *driver) begin(asked *step) func() object {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch asked.Op {
	case "hello":
		return done(object{"language": "go", "flavour": "sync", "version": version()})
	case "open":
		answer := d.open(asked)
		return func() object { return answer }
	case "close":
		// One that could not be made is closed.
		if client, made := d.clients[asked.Client]; made {
			client.Close()
		}
		return done(object{})
	case "call":
		return d.call(context.Background(), asked)
	case "start":
		return d.start(asked)
	case "finish":
		call := found(d.calls, *asked.Call)
		return func() object { return <-call.answer }
	case "cancel":
		return d.cancel(asked)
	case "list":
		return d.list(asked, "items")
	case "pages":
		return d.list(asked, "pages")
	case "watch":
		return d.watch(asked)
	case "next":
		watch := found(d.watches, *asked.Watch)
		return func() object { return next(watch, asked.Count) }
	case "position":
		watch := found(d.watches, *asked.Watch)
		return func() object { return position(watch) }
	case "peek":
		message := found(d.kept, asked.From)
		return func() object { return ok(peek(message, asked.Path)) }
	case "json":
		message := found(d.kept, asked.From)
		return func() object { return ok(object{"text": string(toJSON(message))}) }
	case "rounded":
		return d.rounded(asked)
	case "steam_id":
		return func() object { return steamID(asked.Text) }
	case "trade_url":
		return func() object { return tradeURL(asked.Text) }
	default:
		fail("unknown op " + asked.Op)
		return nil
	}
}

func done(result object) func() object { return func() object { return ok(result) } }

func ok(result object) object { return object{"ok": result} }

// version is that of the SDK in this program.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "astro.dev/sdk" {
			return module.Version
		}
	}
	return ""
}

func found[T any](named map[string]T, name string) T {
	thing, ok := named[name]
	if !ok {
		fail("nothing is called " + name)
	}
	return thing
}

func (d *driver) client(asked *step) *astro.Client { return found(d.clients, asked.Client) }

func (d *driver) open(asked *step) object {
	for name, value := range asked.Env {
		before, was := os.LookupEnv(name)
		if value == nil {
			os.Unsetenv(name)
		} else {
			os.Setenv(name, *value)
		}
		if was {
			defer os.Setenv(name, before)
		} else {
			defer os.Unsetenv(name)
		}
	}
	options := options(asked)
	client, err := astro.New(options...)
	if err != nil {
		return failure(err, nil)
	}
	d.clients[asked.Client] = client
	return ok(object{"shown": shown(client) + shown(options)})
}

func options(asked *step) []astro.Option {
	var options []astro.Option
	if asked.Endpoint != nil {
		options = append(options, astro.WithEndpoint(*asked.Endpoint))
	}
	if asked.APIKey != nil {
		options = append(options, astro.WithAPIKey(*asked.APIKey))
	}
	if asked.AllowInsecure {
		options = append(options, astro.WithAllowInsecure())
	}
	if asked.CA != nil {
		options = append(options, astro.WithCACertificate([]byte(*asked.CA)))
	}
	if asked.Certificate != nil || asked.Key != nil {
		options = append(options, astro.WithClientCertificate(bytes(asked.Certificate), bytes(asked.Key)))
	}
	if asked.UserAgent != nil {
		options = append(options, astro.WithUserAgent(*asked.UserAgent))
	}
	if asked.WatchIdle != nil {
		options = append(options, astro.WithWatchIdle(milliseconds(*asked.WatchIdle)))
	}
	return options
}

func bytes(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

// milliseconds is the longest time of all for a negative number, and for one that Go cannot say.
func milliseconds(number int64) time.Duration {
	if number < 0 || number > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(number) * time.Millisecond
}

// shown is every text form of a thing.
func shown(thing any) string {
	text := fmt.Sprintf("%s\n%v\n%+v\n%#v\n", thing, thing, thing, thing)
	marshalled, _ := json.Marshal(thing)
	return text + string(marshalled)
}

func (d *driver) call(ctx context.Context, asked *step) func() object {
	method, err := methodOf(d.client(asked), asked.Method)
	if err != nil {
		return func() object { return unsupported(err) }
	}
	request := d.request(method, asked)
	return func() object {
		results := method.call(ctx, request, callOptions(asked))
		if len(results) != 2 {
			return unsupported(fmt.Errorf("%s is not a plain call", asked.Method))
		}
		if err, failed := results[1].Interface().(error); failed {
			return failure(err, nil)
		}
		response := results[0].Interface().(proto.Message)
		if asked.Keep != "" {
			d.mutex.Lock()
			defer d.mutex.Unlock()
			d.kept[asked.Keep] = response
		}
		return ok(object{"response": toJSON(response)})
	}
}

func unsupported(err error) object { return object{"unsupported": err.Error()} }

func callOptions(asked *step) []astro.CallOption {
	if asked.Timeout == nil {
		return nil
	}
	return []astro.CallOption{astro.WithTimeout(milliseconds(*asked.Timeout))}
}

// rounded is refused by the compiler where no value of this type may be written.
func (d *driver) rounded(asked *step) func() object {
	method, err := methodOf(d.client(asked), asked.Method)
	if err != nil {
		return func() object { return unsupported(err) }
	}
	if reflect.TypeFor[float64]().AssignableTo(method.requestField(asked.Path)) {
		return done(object{})
	}
	return done(object{"refused": "types"})
}

func (d *driver) start(asked *step) func() object {
	ctx, cancel := context.WithCancel(context.Background())
	call := &started{cancel: cancel, answer: make(chan object, 1)}
	work := d.call(ctx, asked)
	go func() { call.answer <- work() }()
	d.calls[*asked.Call] = call
	return done(object{})
}

func (d *driver) cancel(asked *step) func() object {
	if asked.Call != nil {
		found(d.calls, *asked.Call).cancel()
		return done(object{})
	}
	watch := found(d.watches, *asked.Watch)
	return func() object {
		waited := make(chan object)
		go func() { waited <- next(watch, 1) }()
		watch.Interface().(interface{ Close() }).Close()
		return <-waited
	}
}

// list takes entries or pages.
func (d *driver) list(asked *step, what string) func() object {
	method, err := methodOf(d.client(asked), asked.Method)
	if err != nil {
		return func() object { return unsupported(err) }
	}
	request := d.request(method, asked)
	return func() object {
		list := method.call(context.Background(), request, callOptions(asked))[0]
		if !list.MethodByName("Pages").IsValid() {
			return unsupported(fmt.Errorf("%s is not a list", asked.Method))
		}
		if what == "pages" {
			list = list.MethodByName("Pages").Call(nil)[0]
		}
		limit := -1
		if asked.Limit != nil {
			limit = *asked.Limit
		}
		taken, _, err := take(list, limit)
		if err != nil {
			return failure(err, object{what: taken})
		}
		return ok(object{what: taken})
	}
}

func (d *driver) watch(asked *step) func() object {
	method, err := methodOf(d.client(asked), asked.Method)
	if err != nil {
		return func() object { return unsupported(err) }
	}
	watch := method.call(context.Background(), d.request(method, asked), nil)[0]
	if !watch.MethodByName("Close").IsValid() {
		return func() object { return unsupported(fmt.Errorf("%s is not a watch", asked.Method)) }
	}
	d.watches[*asked.Watch] = watch
	return done(object{})
}

func next(watch reflect.Value, count int) object {
	items, ended, err := take(watch, count)
	if err != nil {
		return failure(err, object{"items": items})
	}
	result := object{"items": items}
	if ended {
		result["ended"] = true
	}
	return ok(result)
}

func position(watch reflect.Value) object {
	token, err := watch.Interface().(interface{ Position() (string, error) }).Position()
	if err != nil {
		return failure(err, nil)
	}
	return ok(object{"token": token})
}

// take goes so many steps, all of them if the number is negative.
func take(iterator reflect.Value, limit int) (taken []json.RawMessage, ended bool, err error) {
	steps := iterator.Interface().(interface {
		Next() bool
		Err() error
	})
	taken = []json.RawMessage{}
	for limit < 0 || len(taken) < limit {
		if !steps.Next() {
			return taken, true, steps.Err()
		}
		value := iterator.MethodByName("Value").Call(nil)[0]
		taken = append(taken, toJSON(value.Interface().(proto.Message)))
	}
	return taken, false, nil
}
