import dev.astro.sdk.AstroException;
import dev.astro.sdk.Client;
import dev.astro.sdk.Reason;
import dev.astro.sdk.SteamId;
import dev.astro.v1.Item;
import dev.astro.v1.ItemFilter;
import dev.astro.v1.ItemState;
import java.util.List;
import java.util.stream.Stream;

/** Gives each VIP one item a month. */
public final class Vip {
    private static final ItemFilter FREE = ItemFilter.newBuilder()
            .addStates(ItemState.ITEM_STATE_AVAILABLE)
            .setTradableNow(true)
            .build();

    private final Client client;

    private Vip(Client client) {
        this.client = client;
    }

    public static void main(String[] args) {
        if (args.length < 2) {
            System.err.println("usage: vip MONTH STEAM_ID...");
            System.exit(2);
        }
        List<SteamId> members = Stream.of(args).skip(1).map(SteamId::parse).toList();
        boolean allServed = true;
        try (Client client = Client.fromEnv()) {
            for (SteamId member : members) {
                allServed &= new Vip(client).serve(args[0], member);
            }
        }
        System.exit(allServed ? 0 : 3);
    }

    /** Whether the member has this month's item now. */
    private boolean serve(String month, SteamId member) {
        for (Item item : client.items().list(request -> request.setFilter(FREE))) {
            try {
                assign(month, member, item);
                System.out.println(member + " gets " + item.getItemName());
                return true;
            } catch (AstroException error) {
                switch (error.reason()) {
                    case Reason.EXTERNAL_ID_EXISTS -> {
                        System.out.println(member + " had it before");
                        return true;
                    }
                    case Reason.ITEM_NOT_AVAILABLE -> {
                        // Somebody else was faster: the next one.
                    }
                    default -> throw error;
                }
            }
        }
        System.out.println(member + " waits: no item left");
        return false;
    }

    private void assign(String month, SteamId member, Item item) {
        client.assignments().create(request -> request.setUserId(member.steamId64())
                .addItemIds(item.getId())
                .setAssignmentType("vip")
                .setExternalSystem("example.vip")
                .setExternalId(month + "/" + member));
    }
}
