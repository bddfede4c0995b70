// Giveaway pays out a giveaway once, whatever happens in between.
//
//	go run giveaway.go GIVEAWAY_ID COUNT TRADE_URL
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"astro.dev/sdk"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: giveaway GIVEAWAY_ID COUNT TRADE_URL")
		os.Exit(2)
	}
	code, err := giveaway(context.Background(), os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// giveaway reserves the prizes, assigns them and follows them; it answers the exit code.
func giveaway(ctx context.Context, giveawayID, countText, tradeURLText string) (int, error) {
	count, err := strconv.Atoi(countText)
	if err != nil {
		return 0, err
	}
	winner, err := astro.ParseTradeURL(tradeURLText)
	if err != nil {
		return 0, err
	}
	client, err := astro.New()
	if err != nil {
		return 0, err
	}
	defer client.Close()

	// [start: errors]
	reserved, err := client.Items.Reserve(ctx, &astro.ReserveItemsRequest{
		Filter: &astro.ItemFilter{TradableNow: true},
		Count:  int32(count),
	})
	var refused *astro.Error
	if errors.As(err, &refused) && refused.Reason == astro.ReasonNotEnoughItems {
		fmt.Printf("not enough items: found %s\n", refused.Metadata["found"])
		return 3, nil
	}
	if err != nil {
		return 0, err
	}
	// [end: errors]

	assigned, err := client.Assignments.Create(ctx, &astro.CreateAssignmentRequest{
		UserId:         winner.Partner().SteamID64(),
		ReservationId:  reserved.Reservation.Id,
		AssignmentType: "giveaway",
		ExternalSystem: "example.giveaway",
		// The external id lets it happen once.
		ExternalId: giveawayID,
		TradeUrl:   winner.URL(),
	})
	if err != nil {
		return refuse(ctx, client, reserved.Reservation.Id, err)
	}
	fmt.Printf("assignment %s\n", assigned.Assignment.Id)
	return follow(ctx, client, assigned.Assignment, winner.Partner())
}

// refuse gives the prizes back, since they were not assigned.
func refuse(ctx context.Context, client *astro.Client, reservationID string, err error) (int, error) {
	_, releaseErr := client.Items.ReleaseReservation(ctx, &astro.ReleaseReservationRequest{ReservationId: reservationID})
	var refused *astro.Error
	if errors.As(err, &refused) && refused.Reason == astro.ReasonExternalIdExists && releaseErr == nil {
		fmt.Printf("paid before: assignment %s\n", refused.Metadata["assignment_id"])
		return 0, nil
	}
	return 0, errors.Join(err, releaseErr)
}

// follow tells each state until the prizes are delivered, or will not be.
func follow(ctx context.Context, client *astro.Client, assignment *astro.Assignment, winner astro.SteamID) (int, error) {
	state := astro.AssignmentStateUnspecified
	// [start: watch]
	changes := client.Assignments.Watch(ctx, &astro.WatchAssignmentRequest{AssignmentId: assignment.Id})
	defer changes.Close()
	for !isDelivered(state) && changes.Next() {
		if now := changes.Value().State; now != state {
			state = now
			fmt.Printf("state %s\n", name(state))
		}
	}
	if err := changes.Err(); err != nil {
		return 0, err
	}
	// [end: watch]
	if isDelivered(state) {
		fmt.Printf("delivered %d items to %s\n", assignment.TotalItemsCount, winner)
		return 0, nil
	}
	fmt.Printf("ended %s\n", name(state))
	return 1, nil
}

func isDelivered(state astro.AssignmentState) bool {
	return state == astro.AssignmentStateDelivered || state == astro.AssignmentStateSettled
}

func name(state astro.AssignmentState) string {
	return strings.TrimPrefix(state.String(), "ASSIGNMENT_STATE_")
}
