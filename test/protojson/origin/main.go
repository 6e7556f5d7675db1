// An origin on connect-go that answers every call with the messages it got, for any service of a FileDescriptorSet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type message = dynamicpb.Message

func main() {
	descriptors := flag.String("descriptors", "", "file with a FileDescriptorSet")
	protoOnly := flag.Bool("proto-only", false, "refuse every codec but proto with HTTP 415")
	flag.Parse()
	log.SetFlags(0)

	files, err := readFiles(*descriptors)
	if err != nil {
		log.Fatalf("Cannot serve %s as it must be a FileDescriptorSet: %v", *descriptors, err)
	}
	mux := http.NewServeMux()
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		registerTypes(file)
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				path, handler := echo(methods.Get(j))
				mux.Handle(path, handler)
			}
		}
		return true
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatalf("Cannot listen on the loopback address: %v", err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Handler: door(mux, *protoOnly), Protocols: &protocols}
	go func() {
		// The parent's end is this process's end.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(server.Serve(listener))
}

func readFiles(path string) (*protoregistry.Files, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := new(descriptorpb.FileDescriptorSet)
	if err := proto.Unmarshal(data, set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(set)
}

// registerTypes lets Any and extensions resolve: connect-go's codecs know the global registry alone.
func registerTypes(in interface {
	Messages() protoreflect.MessageDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}) {
	for i := range in.Extensions().Len() {
		_ = protoregistry.GlobalTypes.RegisterExtension(dynamicpb.NewExtensionType(in.Extensions().Get(i)))
	}
	for i := range in.Messages().Len() {
		descriptor := in.Messages().Get(i)
		if _, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName()); err != nil {
			_ = protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(descriptor))
		}
		registerTypes(descriptor)
	}
}

// door turns other codecs away where asked to. connect-go refuses bidirectional calls over HTTP/1.1, though half-duplex
// ones work there; so all calls pass for HTTP/2.
func door(next http.Handler, protoOnly bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if protoOnly && !strings.HasSuffix(r.Header.Get("Content-Type"), "proto") {
			http.Error(w, "this origin speaks proto alone", http.StatusUnsupportedMediaType)
			return
		}
		if r.ProtoMajor == 1 {
			r.ProtoMajor, r.ProtoMinor = 2, 0
		}
		next.ServeHTTP(w, r)
	})
}

func echo(method protoreflect.MethodDescriptor) (string, http.Handler) {
	path := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
	options := []connect.HandlerOption{
		connect.WithSchema(method),
		connect.WithRequestInitializer(func(_ connect.Spec, m any) error {
			*m.(*message) = *dynamicpb.NewMessage(method.Input())
			return nil
		}),
	}
	switch {
	case method.IsStreamingClient() && method.IsStreamingServer():
		return path, connect.NewBidiStreamHandler(path, func(_ context.Context, stream *connect.BidiStream[message, message]) error {
			var all []*message
			for {
				m, err := stream.Receive()
				if errors.Is(err, io.EOF) {
					return sendAll(stream.Send, all)
				}
				if err != nil {
					return err
				}
				all = append(all, m)
			}
		}, options...)
	case method.IsStreamingClient():
		return path, connect.NewClientStreamHandler(path, func(_ context.Context, stream *connect.ClientStream[message]) (*connect.Response[message], error) {
			var all []*message
			for stream.Receive() {
				all = append(all, stream.Msg())
			}
			if err := stream.Err(); err != nil {
				return nil, err
			}
			return connect.NewResponse(gather(method.Output(), all)), nil
		}, options...)
	case method.IsStreamingServer():
		return path, connect.NewServerStreamHandler(path, func(_ context.Context, request *connect.Request[message], stream *connect.ServerStream[message]) error {
			return sendAll(stream.Send, spread(request.Msg))
		}, options...)
	default:
		return path, connect.NewUnaryHandler(path, func(_ context.Context, request *connect.Request[message]) (*connect.Response[message], error) {
			return connect.NewResponse(request.Msg), nil
		}, options...)
	}
}

func sendAll(send func(*message) error, all []*message) error {
	for _, m := range all {
		if err := send(m); err != nil {
			return err
		}
	}
	return nil
}

// gather puts messages into the first field of a batch.
func gather(batch protoreflect.MessageDescriptor, all []*message) *message {
	gathered := dynamicpb.NewMessage(batch)
	list := gathered.Mutable(batch.Fields().Get(0)).List()
	for _, m := range all {
		list.Append(protoreflect.ValueOfMessage(m))
	}
	return gathered
}

// spread is the inverse of gather.
func spread(batch *message) []*message {
	list := batch.Get(batch.Descriptor().Fields().Get(0)).List()
	all := make([]*message, list.Len())
	for i := range all {
		all[i] = list.Get(i).Message().Interface().(*message)
	}
	return all
}
