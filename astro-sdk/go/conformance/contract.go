package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"astro.dev/sdk"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// method is one of the SDK's.
type method struct{ reflect.Value }

// methodOf finds the SDK's method for astro.v1.ItemService/GetItem: client.Items.Get, by the rule S1.
func methodOf(client *astro.Client, full string) (method, error) {
	service, name, _ := strings.Cut(full[strings.LastIndex(full, ".")+1:], "/")
	noun := words(strings.TrimSuffix(service, "Service"))
	plural := strings.Split(strings.TrimSuffix(strings.Join(noun, " "), "s")+"s", " ")
	accessor := strings.Join(plural, "")
	verb := words(name)
	rest := withoutNoun(withoutNoun(verb[1:], plural), noun)
	short := verb[0] + strings.Join(rest, "")
	found := reflect.ValueOf(client).Elem().FieldByName(accessor)
	if !found.IsValid() {
		return method{}, fmt.Errorf("the client has no %s", accessor)
	}
	function := found.MethodByName(short)
	if !function.IsValid() {
		return method{}, fmt.Errorf("client.%s has no %s", accessor, short)
	}
	return method{function}, nil
}

// words of a name: "GetItem" is Get, Item.
func words(name string) []string {
	var found []string
	for _, letter := range name {
		if unicode.IsUpper(letter) {
			found = append(found, "")
		}
		found[len(found)-1] += string(letter)
	}
	return found
}

func withoutNoun(rest, noun []string) []string {
	if len(rest) < len(noun) || strings.Join(rest[:len(noun)], "") != strings.Join(noun, "") {
		return rest
	}
	return rest[len(noun):]
}

func (m method) call(ctx context.Context, request proto.Message, options []astro.CallOption) []reflect.Value {
	arguments := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(request)}
	for _, option := range options {
		arguments = append(arguments, reflect.ValueOf(option))
	}
	return m.Call(arguments)
}

// requestField is the Go type of one value at a dotted path of the request.
func (m method) requestField(path string) reflect.Type {
	kind := m.Type().In(1).Elem()
	for _, name := range strings.Split(path, ".") {
		kind = fieldOf(kind, name).Type
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
			kind = kind.Elem()
		}
	}
	return kind
}

// fieldOf is the field with this name in the contract.
func fieldOf(message reflect.Type, name string) reflect.StructField {
	for _, field := range reflect.VisibleFields(message) {
		for _, part := range strings.Split(field.Tag.Get("protobuf"), ",") {
			if part == "name="+name {
				return field
			}
		}
	}
	fail("no field " + name)
	return reflect.StructField{}
}

// request is what is embedded, with the JSON merged into it.
func (d *driver) request(m method, asked *step) proto.Message {
	request := reflect.New(m.Type().In(1).Elem()).Interface().(proto.Message)
	for _, part := range asked.Embed {
		message := request.ProtoReflect()
		field := message.Descriptor().Fields().ByName(protoreflect.Name(part.To))
		message.Set(field, at(found(d.kept, part.From), part.Path))
	}
	if len(asked.Request) > 0 {
		given := request.ProtoReflect().New().Interface()
		if err := protojson.Unmarshal(asked.Request, given); err != nil {
			fail(err)
		}
		proto.Merge(request, given)
	}
	for name, texts := range asked.People {
		setPeople(request.ProtoReflect(), protoreflect.Name(name), texts)
	}
	return request
}

// setPeople gives the Steam ids that these texts name.
func setPeople(message protoreflect.Message, name protoreflect.Name, texts any) {
	field := message.Descriptor().Fields().ByName(name)
	list, isList := texts.([]any)
	if !isList {
		message.Set(field, person(texts))
	}
	for _, text := range list {
		message.Mutable(field).List().Append(person(text))
	}
}

func person(text any) protoreflect.Value {
	id, err := astro.ParseSteamID(text.(string))
	if err != nil {
		fail(err)
	}
	return protoreflect.ValueOfUint64(id.SteamID64())
}

func toJSON(message proto.Message) json.RawMessage {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		fail(err)
	}
	return text
}

// at is the value at a dotted path of a message: fields, and places in lists.
func at(message proto.Message, path string) protoreflect.Value {
	value := protoreflect.ValueOfMessage(message.ProtoReflect())
	for _, part := range strings.Split(path, ".") {
		switch inside := value.Interface().(type) {
		case protoreflect.Message:
			field := inside.Descriptor().Fields().ByName(protoreflect.Name(part))
			if field == nil {
				fail("no field " + part)
			}
			value = inside.Get(field)
		case protoreflect.List:
			place, err := strconv.Atoi(part)
			if err != nil || place >= inside.Len() {
				fail("no place " + part)
			}
			value = inside.Get(place)
		default:
			fail("nothing is inside of " + path)
		}
	}
	return value
}

func peek(message proto.Message, path string) object {
	value := at(message, path).Interface()
	kind := "integer"
	switch value.(type) {
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case float32, float64:
		kind = "number"
	}
	return object{"type": kind, "text": fmt.Sprint(value)}
}
