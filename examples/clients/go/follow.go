package main

import (
	"context"
	"errors"
	"fmt"

	pb "example.com/bank/gesta/v1"
)

// follow subscribes after a token, counts the account's events by type up to a position, and checks
// that their versions run from 1 without a gap. The server skips everybody else's events.
func follow(
	ctx context.Context, client pb.EventServiceClient, account, after string, until int64,
) (map[string]int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a subscription has no end of its own
	stream, err := client.Subscribe(ctx, &pb.SubscribeRequest{
		Start: &pb.SubscribeRequest_AfterToken{AfterToken: after},
		Filter: &pb.EventFilter{Items: []*pb.EventFilterItem{
			{AggregateTypes: []string{"BankAccount"}, IdPrefix: account},
		}},
	})
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for version := int64(1); ; {
		frame, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if frame.GetDraining() != nil {
			return nil, errors.New("the server is stopping")
		}
		for _, event := range frame.GetBatch().GetEvents() {
			if event.GetVersion() != version {
				return nil, fmt.Errorf("waited for version %d, got %v", version, event)
			}
			version++
			counts[event.GetEventType()]++
			if event.GetPosition() >= until {
				return counts, nil
			}
		}
	}
}
