// Conformance does what the runner asks, through the SDK's public API: one JSON object a line in, one
// out. See astro-sdk/conformance/DRIVER.md.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// step is one line of the runner's.
type step struct {
	ID            json.RawMessage    `json:"id"`
	Op            string             `json:"op"`
	Client        string             `json:"client"`
	Endpoint      *string            `json:"endpoint"`
	APIKey        *string            `json:"api_key"`
	AllowInsecure bool               `json:"allow_insecure"`
	CA            *string            `json:"ca_pem"`
	Certificate   *string            `json:"cert_pem"`
	Key           *string            `json:"key_pem"`
	UserAgent     *string            `json:"user_agent"`
	WatchIdle     *int64             `json:"watch_idle_ms"`
	Env           map[string]*string `json:"env"`
	Method        string             `json:"method"`
	Request       json.RawMessage    `json:"request"`
	Timeout       *int64             `json:"timeout_ms"`
	Keep          string             `json:"keep"`
	Embed         []embed            `json:"embed"`
	People        map[string]any     `json:"people"`
	Call          *string            `json:"call"`
	Watch         *string            `json:"watch"`
	Limit         *int               `json:"limit"`
	Count         int                `json:"count"`
	From          string             `json:"from"`
	Path          string             `json:"path"`
	Text          string             `json:"text"`
}

// embed puts a message of a kept one into a request.
type embed struct {
	From string `json:"from"`
	Path string `json:"path"`
	To   string `json:"to"`
}

// object is a JSON object.
type object map[string]any

func main() {
	driver := newDriver()
	input := bufio.NewReader(os.Stdin)
	var output sync.Mutex
	var working sync.WaitGroup
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			fail(err)
		}
		var asked step
		if err := json.Unmarshal(line, &asked); err != nil {
			fail(err)
		}
		answer := driver.begin(&asked)
		working.Add(1)
		go func() {
			defer working.Done()
			answered := answer()
			answered["id"] = asked.ID
			text, err := json.Marshal(answered)
			if err != nil {
				fail(err)
			}
			output.Lock()
			defer output.Unlock()
			fmt.Println(string(text))
		}()
	}
	driver.end()
	working.Wait()
}

// fail ends the driver: it cannot do what it was asked, which says nothing about the SDK.
func fail(problem any) {
	fmt.Fprintln(os.Stderr, "driver:", problem)
	os.Exit(1)
}
