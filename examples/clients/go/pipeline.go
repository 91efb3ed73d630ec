package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc/status"

	pb "example.com/bank/gesta/v1"
)

const (
	// Beyond about a hundred commands a frame's own cost no longer shows.
	frameCommandsMax = 100
	// One aggregate lets 1,000 commands wait and refuses more as OVERLOADED; half leaves others room.
	unansweredMax = 500
)

// pipeline makes n deposits of one heller over one stream, with as many of them unanswered at once
// as the server's window allows. It returns the position of the last one.
func pipeline(
	ctx context.Context, client pb.CommandServiceClient, account string, n int,
) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream on every path
	stream, err := client.ExecuteStream(ctx)
	if err != nil {
		return 0, err
	}
	var last int64
	window, sent, answered := 0, 0, 0 // nothing may be sent before the first frame says how much
	for answered < n {
		for sent < n && sent-answered < window {
			count := min(frameCommandsMax, n-sent, window-(sent-answered))
			if err := stream.Send(depositFrame(account, count)); err != nil {
				break // Recv knows the reason
			}
			sent += count
		}
		frame, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		if frame.GetDraining() {
			return 0, errors.New("the server is stopping")
		}
		if frame.GetWindow() > 0 {
			window = min(int(frame.GetWindow()), unansweredMax)
		}
		for _, result := range frame.GetResults() {
			answered++
			if last, err = check(result, answered); err != nil {
				return 0, err
			}
		}
	}
	return last, finish(stream)
}

// check returns the position of a result. One aggregate's results come in the order sent.
func check(result *pb.ExecuteResult, number int) (int64, error) {
	if result.GetError() != nil {
		return 0, status.ErrorProto(result.GetError())
	}
	if result.GetNumber() != int64(number) {
		return 0, fmt.Errorf("waited for result %d, got %d", number, result.GetNumber())
	}
	return result.GetResponse().GetPosition(), nil
}

// finish says that no commands follow; without it the stream would count as broken.
func finish(stream pb.CommandService_ExecuteStreamClient) error {
	if err := stream.Send(&pb.ExecuteStreamRequest{End: true}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if frame, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("expected the end of the stream, got %v (%w)", frame, err)
	}
	return nil
}

func depositFrame(account string, count int) *pb.ExecuteStreamRequest {
	commands := make([]*pb.ExecuteRequest, count)
	for i := range commands {
		commands[i] = newCommand(account, "deposit", map[string]any{"amount": 1})
	}
	return &pb.ExecuteStreamRequest{Commands: commands}
}
