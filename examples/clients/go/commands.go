package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "example.com/bank/gesta/v1"
)

func openAccount(ctx context.Context, client pb.CommandServiceClient, account string) error {
	request := newCommand(account, "open", map[string]any{"initial_deposit": 1000})
	// An account that exists already would be somebody else's: must_exist = false refuses that.
	request.Precondition = &pb.ExecuteRequest_MustExist{MustExist: false}
	response, err := client.Execute(ctx, request)
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	fmt.Printf("opened      %s with %s\n", account, response.GetReply())
	return nil
}

// The command id makes a command safe to repeat: the second answer is the first one, remembered.
func depositTwiceWithOneID(
	ctx context.Context, client pb.CommandServiceClient, account string,
) error {
	request := newCommand(account, "deposit", map[string]any{"amount": 500})
	first, err := client.Execute(ctx, request)
	if err != nil {
		return fmt.Errorf("depositing: %w", err)
	}
	again, err := client.Execute(ctx, request)
	if err != nil {
		return fmt.Errorf("depositing again: %w", err)
	}
	if first.GetReplayed() || !again.GetReplayed() || first.GetPosition() != again.GetPosition() ||
		!bytes.Equal(first.GetReply(), again.GetReply()) {
		return fmt.Errorf("one command id, two answers: %v and %v", first, again)
	}
	var balance struct{ Balance int64 }
	if err := json.Unmarshal(first.GetReply(), &balance); err != nil || balance.Balance != 1500 {
		return fmt.Errorf("1,000 and 500 make %s (%v)", first.GetReply(), err)
	}
	fmt.Printf("deposited   %s, asked twice, done once\n", first.GetReply())
	return nil
}

// A refusal by the domain carries its own reason, under the aggregate type as ErrorInfo's domain.
func withdrawTooMuch(ctx context.Context, client pb.CommandServiceClient, account string) error {
	_, err := client.Execute(ctx, newCommand(account, "withdraw", map[string]any{"amount": 1501}))
	refusal := status.Convert(err)
	if refusal.Code() != codes.FailedPrecondition {
		return fmt.Errorf("withdrawing too much was not refused as it should be: %v", err)
	}
	for _, detail := range refusal.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if ok && info.GetDomain() == "BankAccount" && info.GetReason() == "INSUFFICIENT_FUNDS" &&
			info.GetMetadata()["outcome"] == "NOT_DONE" {
			fmt.Printf("refused     %s/%s %v\n", info.GetDomain(), info.GetReason(), info.GetMetadata())
			return nil
		}
	}
	return fmt.Errorf("the refusal does not say INSUFFICIENT_FUNDS: %v", refusal.Details())
}

func newCommand(account, command string, arguments map[string]any) *pb.ExecuteRequest {
	encoded, err := json.Marshal(arguments)
	if err != nil {
		panic(err) // numbers and strings only: cannot fail
	}
	id := uuid.Must(uuid.NewV7()) // time-ordered, which the server's log likes best
	return &pb.ExecuteRequest{
		AggregateType: "BankAccount",
		AggregateId:   account,
		Command:       command,
		Arguments:     encoded,
		CommandId:     id[:],
	}
}
