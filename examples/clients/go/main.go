// Command bank drives gesta's example bank from outside Python: it opens an account, pays in, is
// refused, pipelines deposits over one stream, and reads back what it wrote by a subscription. It
// exits with 1 at the first answer that is not what the contract promises.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "example.com/bank/gesta/v1"
)

// A minute is far more than the run takes; it bounds every call, so that nothing hangs.
const runTimeout = time.Minute

func main() {
	server := flag.String("server", "127.0.0.1:50051", "the server's `address`")
	deposits := flag.Int("deposits", 1000, "how many deposits to pipeline")
	flag.Parse()
	if *deposits < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	if err := run(ctx, *server, *deposits); err != nil {
		fmt.Fprintln(os.Stderr, "bank:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server string, deposits int) error {
	conn, err := grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()

	// The token stands for the end of the log as it is now: all that we write comes after it.
	info, err := pb.NewServerServiceClient(conn).GetServerInfo(ctx, &pb.GetServerInfoRequest{})
	if err != nil {
		return fmt.Errorf("asking %s what it is: %w", server, err)
	}
	fmt.Printf("server      gesta %s at %s\n", info.GetServerVersion(), server)

	account := "go-" + uuid.NewString()
	commands := pb.NewCommandServiceClient(conn)
	for _, step := range []func(context.Context, pb.CommandServiceClient, string) error{
		openAccount, depositTwiceWithOneID, withdrawTooMuch,
	} {
		if err := step(ctx, commands, account); err != nil {
			return err
		}
	}
	began := time.Now()
	last, err := pipeline(ctx, commands, account, deposits)
	if err != nil {
		return fmt.Errorf("pipelining: %w", err)
	}
	fmt.Printf("pipelined   %d deposits in %d ms\n", deposits, time.Since(began).Milliseconds())

	events := pb.NewEventServiceClient(conn)
	counts, err := follow(ctx, events, account, info.GetToken(), last)
	if err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	fmt.Printf("subscribed  %d AccountOpened, %d MoneyDeposited\n",
		counts["AccountOpened"], counts["MoneyDeposited"])
	if len(counts) != 2 || counts["AccountOpened"] != 1 || counts["MoneyDeposited"] != deposits+1 {
		return fmt.Errorf("wrote 1 AccountOpened and %d MoneyDeposited, read %v", deposits+1, counts)
	}
	return nil
}
