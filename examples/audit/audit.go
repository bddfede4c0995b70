// Audit tells where an item is and how it got there.
//
//	go run audit.go ITEM_ID
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"astro.dev/sdk"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: audit ITEM_ID")
		os.Exit(2)
	}
	err := audit(context.Background(), os.Args[1])
	var refused *astro.Error
	if errors.As(err, &refused) && refused.Reason == astro.ReasonItemNotFound {
		fmt.Println("no such item")
		os.Exit(3)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// audit prints the item and every movement of it, oldest first.
func audit(ctx context.Context, itemID string) error {
	// [start: first-call]
	// The endpoint and the key come from ASTRO_ENDPOINT and ASTRO_API_KEY.
	client, err := astro.New()
	if err != nil {
		return err
	}
	defer client.Close()

	answer, err := client.Items.Get(ctx, &astro.GetItemRequest{ItemId: itemID})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", answer.Item.ItemName, name(answer.Item.State))
	// [end: first-call]

	var movements []string
	// [start: list]
	// The list turns its pages by itself, newest entry first.
	history := client.Items.ListHistory(ctx, &astro.ListItemHistoryRequest{ItemId: itemID})
	for history.Next() {
		entry := history.Value()
		movements = append(movements, fmt.Sprintf("%s %s -> %s %s",
			entry.EventType, name(entry.FromState), name(entry.ToState), entry.Source))
	}
	if err := history.Err(); err != nil {
		return err
	}
	// [end: list]
	for last := len(movements) - 1; last >= 0; last-- {
		fmt.Println(movements[last])
	}
	return nil
}

// name is the state's name; a dash for none.
func name(state astro.ItemState) string {
	if state == astro.ItemStateUnspecified {
		return "-"
	}
	return strings.TrimPrefix(state.String(), "ITEM_STATE_")
}
