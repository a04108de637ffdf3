// Requests as the bridge sends them, one JSON object per line -> what a Knative broker makes of each.
//
// A broker's ingress turns the request into an event and validates it, and its filter writes the event into a new
// request: both are done here with the broker's own library, the second over a real connection, since net/http
// refuses some headers only when it sends them.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// Request is one line of the input.
type Request struct {
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	BodyBase64 string            `json:"body_base64"`
}

// Reading is one line of the output.
type Reading struct {
	Attributes map[string]any `json:"attributes,omitempty"`
	// Data is the event's data in base64, byte for byte.
	Data string `json:"data"`
	// Forwarded holds the attributes that the next receiver reads.
	Forwarded map[string]any `json:"forwarded,omitempty"`
	Error     string         `json:"error,omitempty"`
}

func main() {
	next := newReceiver()
	defer next.server.Close()
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 0 {
			if err := encoder.Encode(read(line, next)); err != nil {
				fatal(err)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			fatal(err)
		}
	}
}

func read(line []byte, next *receiver) Reading {
	request, err := parse(line)
	if err != nil {
		fatal(err)
	}
	received, err := toEvent(request)
	if err != nil {
		return Reading{Error: err.Error()}
	}
	reading := Reading{Attributes: attributes(received), Data: base64.StdEncoding.EncodeToString(received.Data())}
	forwarded, err := next.send(received)
	if err != nil {
		reading.Error = "cannot be sent on: " + err.Error()
		return reading
	}
	reading.Forwarded = attributes(forwarded)
	return reading
}

func parse(line []byte) (*http.Request, error) {
	var request Request
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	body := request.Body
	if request.BodyBase64 != "" {
		bytes, err := base64.StdEncoding.DecodeString(request.BodyBase64)
		if err != nil {
			return nil, err
		}
		body = string(bytes)
	}
	parsed := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for name, value := range request.Headers {
		parsed.Header.Set(name, value)
	}
	return parsed, nil
}

func toEvent(request *http.Request) (*event.Event, error) {
	message := cehttp.NewMessageFromHttpRequest(request)
	received, err := binding.ToEvent(request.Context(), message)
	if err != nil {
		return nil, err
	}
	if err := received.Validate(); err != nil {
		return nil, err
	}
	return received, nil
}

func attributes(received *event.Event) map[string]any {
	all := map[string]any{
		"specversion": received.SpecVersion(),
		"id":          received.ID(),
		"source":      received.Source(),
		"type":        received.Type(),
	}
	optional := map[string]string{
		"subject":         received.Subject(),
		"datacontenttype": received.DataContentType(),
		"dataschema":      received.DataSchema(),
	}
	for name, value := range optional {
		if value != "" {
			all[name] = value
		}
	}
	if !received.Time().IsZero() {
		all["time"] = received.Time().Format(time.RFC3339Nano)
	}
	for name, value := range received.Extensions() {
		all[name] = value
	}
	return all
}

// receiver is whoever gets the event next.
type receiver struct {
	server *httptest.Server
	events chan *event.Event
	errors chan error
}

func newReceiver() *receiver {
	next := &receiver{events: make(chan *event.Event, 1), errors: make(chan error, 1)}
	next.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		received, err := toEvent(request)
		if err != nil {
			answer.WriteHeader(http.StatusBadRequest)
			next.errors <- err
			return
		}
		answer.WriteHeader(http.StatusAccepted)
		next.events <- received
	}))
	return next
}

func (next *receiver) send(sent *event.Event) (*event.Event, error) {
	request, err := http.NewRequest(http.MethodPost, next.server.URL, nil)
	if err != nil {
		return nil, err
	}
	if err := cehttp.WriteRequest(context.Background(), binding.ToMessage(sent), request); err != nil {
		return nil, err
	}
	answer, err := next.server.Client().Do(request)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	select {
	case received := <-next.events:
		return received, nil
	case err := <-next.errors:
		return nil, fmt.Errorf("the next receiver refuses it: %w", err)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
