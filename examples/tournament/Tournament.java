import dev.astro.sdk.AstroException;
import dev.astro.sdk.Client;
import dev.astro.sdk.Reason;
import dev.astro.sdk.SteamId;
import dev.astro.v1.Assignment;
import dev.astro.v1.ItemFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Gives a prize to each place of a tournament: all of them or none. */
public final class Tournament {
    private final Client client;
    private final String id;
    private final List<SteamId> winners;
    private final List<String> reservations = new ArrayList<>();
    private final List<Assignment> assignments = new ArrayList<>();

    private Tournament(Client client, String id, List<SteamId> winners) {
        this.client = client;
        this.id = id;
        this.winners = winners;
    }

    public static void main(String[] args) {
        if (args.length < 2) {
            System.err.println("usage: tournament TOURNAMENT_ID STEAM_ID...");
            System.exit(2);
        }
        List<SteamId> winners = Stream.of(args).skip(1).map(SteamId::parse).toList();
        int code;
        try (Client client = Client.fromEnv()) {
            code = new Tournament(client, args[0], winners).run();
        }
        System.exit(code);
    }

    private int run() {
        try {
            while (reservations.size() < winners.size()) {
                reserve();
            }
        } catch (AstroException error) {
            giveBack();
            if (!error.reason().equals(Reason.NOT_ENOUGH_ITEMS)) {
                throw error;
            }
            System.out.println("nobody gets anything: " + reservations.size() + " of " + winners.size() + " prizes");
            return 3;
        }
        try {
            while (assignments.size() < winners.size()) {
                assign();
            }
        } catch (AstroException error) {
            giveBack();
            System.out.println("nobody gets anything: " + error.reason());
            return 1;
        }
        for (int place = 1; place <= winners.size(); place++) {
            String assignmentId = assignments.get(place - 1).getId();
            System.out.println("place " + place + ": " + winners.get(place - 1) + " assignment " + assignmentId);
        }
        return 0;
    }

    private void reserve() {
        reservations.add(client.items()
                .reserve(request -> request.setFilter(ItemFilter.newBuilder().setTradableNow(true)).setCount(1))
                .getReservation()
                .getId());
    }

    /** The prize of the next place. */
    private void assign() {
        int index = assignments.size();
        assignments.add(client.assignments()
                .create(request -> request.setUserId(winners.get(index).steamId64())
                        .setReservationId(reservations.get(index))
                        .setAssignmentType("tournament")
                        .setExternalSystem("example.tournament")
                        .setExternalId(id + "/" + (index + 1)))
                .getAssignment());
    }

    private void giveBack() {
        for (Assignment made : assignments) {
            client.assignments().cancel(request -> request.setAssignmentId(made.getId()));
        }
        for (String unused : reservations.subList(assignments.size(), reservations.size())) {
            client.items().releaseReservation(request -> request.setReservationId(unused));
        }
    }
}
