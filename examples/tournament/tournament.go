// Tournament gives the winners one prize each: all of them, or none.
//
//	go run tournament.go TOURNAMENT_ID STEAM_ID...
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
		fmt.Fprintln(os.Stderr, "usage: tournament TOURNAMENT_ID STEAM_ID...")
		os.Exit(2)
	}
	code, err := run(context.Background(), os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// tournament is one payout.
type tournament struct {
	client *astro.Client
	id     string
	// In the order of places.
	winners      []astro.SteamID
	reservations []string
	assignments  []string
}

func run(ctx context.Context, id string, texts []string) (int, error) {
	t := tournament{id: id}
	for _, text := range texts {
		winner, err := astro.ParseSteamID(text)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", text, err)
		}
		t.winners = append(t.winners, winner)
	}
	var err error
	if t.client, err = astro.New(); err != nil {
		return 0, err
	}
	defer t.client.Close()

	err = t.reserve(ctx)
	var refused *astro.Error
	if errors.As(err, &refused) && refused.Reason == astro.ReasonNotEnoughItems {
		fmt.Printf("nobody gets anything: %d of %d prizes\n", len(t.reservations), len(t.winners))
		return 3, t.undo(ctx)
	}
	if err != nil {
		return 0, errors.Join(err, t.undo(ctx))
	}
	if err := t.assign(ctx); err != nil {
		fmt.Printf("nobody gets anything: %s\n", reason(err))
		return 1, t.undo(ctx)
	}
	for place, winner := range t.winners {
		fmt.Printf("place %d: %s assignment %s\n", place+1, winner, t.assignments[place])
	}
	return 0, nil
}

// reserve holds one prize for each place.
func (t *tournament) reserve(ctx context.Context) error {
	for range t.winners {
		reserved, err := t.client.Items.Reserve(ctx, &astro.ReserveItemsRequest{
			Filter: &astro.ItemFilter{TradableNow: true},
			Count:  1,
		})
		if err != nil {
			return err
		}
		t.reservations = append(t.reservations, reserved.Reservation.Id)
	}
	return nil
}

// assign gives each winner the prize of the place.
func (t *tournament) assign(ctx context.Context) error {
	for place, winner := range t.winners {
		assigned, err := t.client.Assignments.Create(ctx, &astro.CreateAssignmentRequest{
			UserId:         winner.SteamID64(),
			ReservationId:  t.reservations[place],
			AssignmentType: "tournament",
			ExternalSystem: "example.tournament",
			ExternalId:     fmt.Sprintf("%s/%d", t.id, place+1),
		})
		if err != nil {
			return err
		}
		t.assignments = append(t.assignments, assigned.Assignment.Id)
	}
	return nil
}

// undo cancels the assignments and releases the reservations that became none.
func (t *tournament) undo(ctx context.Context) error {
	var failures []error
	for _, id := range t.assignments {
		_, err := t.client.Assignments.Cancel(ctx, &astro.CancelAssignmentRequest{AssignmentId: id})
		failures = append(failures, err)
	}
	for _, id := range t.reservations[len(t.assignments):] {
		_, err := t.client.Items.ReleaseReservation(ctx, &astro.ReleaseReservationRequest{ReservationId: id})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// reason is Astro's reason for an error, or what it says.
func reason(err error) string {
	var refused *astro.Error
	if errors.As(err, &refused) && refused.Reason != "" {
		return refused.Reason
	}
	return err.Error()
}
