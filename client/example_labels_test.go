package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Somebody corrects what the model said; the ledger keeps it for the next training.
func ExampleClient_CreateLabels() {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	open := func(ctx context.Context) (*ledger.Ledger, error) {
		return ledger.Open(ctx, filepath.Join(dir, "labels.db"))
	}
	addr, stop := startServer(serve.Config{Labels: serve.Labels{Open: open}})
	defer stop()

	c, err := client.Dial(addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()

	corrections := []*parleyv1.NewLabel{
		{Text: "The transfer fee was a record.", Head: "topic", Label: "sport", Annotator: "ada", Selection: parleyv1.Selection_SELECTION_CORRECTION},
		{Text: "The striker sold her shares.", Head: "topic", Label: "mony", Annotator: "ada", Selection: parleyv1.Selection_SELECTION_CORRECTION},
		{Text: "   ", Head: "topic", Label: "money", Annotator: "ada"},
	}
	for outcome, err := range c.CreateLabels(ctx, slices.Values(corrections)) {
		switch {
		case err != nil:
			log.Fatal(err)
		case outcome.Err != nil:
			fmt.Println("refused:", outcome.Err)
		default:
			fmt.Println(outcome.Created.GetNumber(), outcome.Created.GetWarning())
		}
	}
	for event, err := range c.ListLabels(ctx, &parleyv1.ListLabelsRequest{Annotator: "ada"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.GetNumber(), event.GetText(), event.GetLabel())
	}
	// Output:
	// 1 LABEL_WARNING_UNSPECIFIED
	// 2 LABEL_WARNING_UNKNOWN_LABEL
	// refused: rpc error: code = InvalidArgument desc = text: the text is empty
	// 1 The transfer fee was a record. sport
	// 2 The striker sold her shares. mony
}
