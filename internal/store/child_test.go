package store

import (
	"context"
	"fmt"
	"os"
)

// child is what the test binary does when a test starts it as another process.
func child(args []string) int {
	if err := runChild(context.Background(), args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runChild(ctx context.Context, args []string) error {
	return fmt.Errorf("unknown: %q", args)
}
