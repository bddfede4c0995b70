import dev.astro.sdk.AstroException;
import dev.astro.sdk.Client;
import dev.astro.sdk.Reason;
import dev.astro.sdk.TradeUrl;
import dev.astro.sdk.Watch;
import dev.astro.v1.Assignment;
import dev.astro.v1.AssignmentState;
import dev.astro.v1.ItemFilter;
import dev.astro.v1.Reservation;

/** Gives items to the winner of a giveaway, once, and waits until they are delivered. */
public final class Giveaway {
    private final Client client;

    private Giveaway(Client client) {
        this.client = client;
    }

    public static void main(String[] args) {
        if (args.length != 3) {
            System.err.println("usage: giveaway GIVEAWAY_ID COUNT TRADE_URL");
            System.exit(2);
        }
        int code;
        try (Client client = Client.fromEnv()) {
            code = new Giveaway(client).run(args[0], Integer.parseInt(args[1]), TradeUrl.parse(args[2]));
        }
        System.exit(code);
    }

    private int run(String giveawayId, int count, TradeUrl winner) {
        // [start: errors]
        Reservation reservation;
        try {
            reservation = client.items()
                    .reserve(request -> request.setFilter(ItemFilter.newBuilder().setTradableNow(true)).setCount(count))
                    .getReservation();
        } catch (AstroException error) {
            if (!error.reason().equals(Reason.NOT_ENOUGH_ITEMS)) {
                throw error;
            }
            System.out.println("not enough items: found " + error.metadata().get("found"));
            return 3;
        }
        // [end: errors]
        Assignment assignment;
        try {
            assignment = client.assignments()
                    .create(request -> request.setUserId(winner.partner().steamId64())
                            .setReservationId(reservation.getId())
                            .setAssignmentType("giveaway")
                            .setExternalSystem("example.giveaway")
                            .setExternalId(giveawayId)
                            .setTradeUrl(winner.url()))
                    .getAssignment();
        } catch (AstroException error) {
            client.items().releaseReservation(request -> request.setReservationId(reservation.getId()));
            if (!error.reason().equals(Reason.EXTERNAL_ID_EXISTS)) {
                throw error;
            }
            System.out.println("paid before: assignment " + error.metadata().get("assignment_id"));
            return 0;
        }
        System.out.println("assignment " + assignment.getId());
        return follow(assignment, winner);
    }

    private int follow(Assignment assignment, TradeUrl winner) {
        AssignmentState state = AssignmentState.ASSIGNMENT_STATE_UNSPECIFIED;
        // [start: watch]
        try (Watch<Assignment> watch =
                client.assignments().watch(request -> request.setAssignmentId(assignment.getId()))) {
            for (Assignment now : watch) {
                if (now.getState() != state) {
                    state = now.getState();
                    System.out.println("state " + name(state));
                }
                if (isDelivered(state)) {
                    // Leaving the block closes the watch.
                    break;
                }
            }
        }
        // [end: watch]
        if (isDelivered(state)) {
            System.out.println(
                    "delivered " + assignment.getTotalItemsCount() + " items to " + winner.partner());
            return 0;
        }
        System.out.println("ended " + name(state));
        return 1;
    }

    private static boolean isDelivered(AssignmentState state) {
        return state == AssignmentState.ASSIGNMENT_STATE_DELIVERED
                || state == AssignmentState.ASSIGNMENT_STATE_SETTLED;
    }

    private static String name(AssignmentState state) {
        return state.name().replace("ASSIGNMENT_STATE_", "");
    }
}
