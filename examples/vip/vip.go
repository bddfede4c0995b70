// Vip gives each member one item a month.
//
//	go run vip.go MONTH STEAM_ID...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"astro.dev/sdk"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: vip MONTH STEAM_ID...")
		os.Exit(2)
	}
	code, err := vip(context.Background(), os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// vip gives each member the next free item; it answers the exit code.
func vip(ctx context.Context, month string, texts []string) (int, error) {
	members := make([]astro.SteamID, len(texts))
	for place, text := range texts {
		member, err := astro.ParseSteamID(text)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", text, err)
		}
		members[place] = member
	}
	client, err := astro.New()
	if err != nil {
		return 0, err
	}
	defer client.Close()

	items := client.Items.List(ctx, &astro.ListItemsRequest{
		Filter: &astro.ItemFilter{
			States:      []astro.ItemState{astro.ItemStateAvailable},
			TradableNow: true,
		},
	})
	code := 0
	isLeft := items.Next()
	for _, member := range members {
		given := false
		for isLeft && !given {
			var isTaken bool
			given, isTaken, err = give(ctx, client, items.Value(), month, member)
			if err != nil {
				return 0, err
			}
			if isTaken {
				isLeft = items.Next()
			}
		}
		if err := items.Err(); err != nil {
			return 0, err
		}
		if !given {
			fmt.Printf("%s waits: no item left\n", member)
			code = 3
		}
	}
	return code, nil
}

// give assigns the item to a member who has none this month. It answers whether the member has one
// now, and whether the item is taken.
func give(ctx context.Context, client *astro.Client, item *astro.Item, month string, member astro.SteamID) (given, isTaken bool, err error) {
	_, err = client.Assignments.Create(ctx, &astro.CreateAssignmentRequest{
		UserId:         member.SteamID64(),
		ItemIds:        []string{item.Id},
		AssignmentType: "vip",
		ExternalSystem: "example.vip",
		// The external id lets it happen once a month.
		ExternalId: fmt.Sprintf("%s/%s", month, member),
	})
	var refused *astro.Error
	switch {
	case err == nil:
		fmt.Printf("%s gets %s\n", member, item.ItemName)
		return true, true, nil
	case errors.As(err, &refused) && refused.Reason == astro.ReasonExternalIdExists:
		fmt.Printf("%s had it before\n", member)
		return true, false, nil
	case errors.As(err, &refused) && refused.Reason == astro.ReasonItemNotAvailable:
		// Somebody was faster.
		return false, true, nil
	default:
		return false, false, err
	}
}
