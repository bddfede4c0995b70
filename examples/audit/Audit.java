import dev.astro.sdk.Client;
import dev.astro.sdk.NotFoundException;
import dev.astro.v1.Item;
import dev.astro.v1.ItemHistoryEntry;
import dev.astro.v1.ItemState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Prints where an item is, and how it came there. */
public final class Audit {
    private Audit() {}

    public static void main(String[] args) {
        if (args.length != 1) {
            System.err.println("usage: audit ITEM_ID");
            System.exit(2);
        }
        System.exit(audit(args[0]));
    }

    private static int audit(String itemId) {
        // [start: first-call]
        try (Client client = Client.fromEnv()) {
            Item item = client.items().get(request -> request.setItemId(itemId)).getItem();
            System.out.println(item.getItemName() + ": " + name(item.getState()));
            // [end: first-call]
            List<ItemHistoryEntry> history = new ArrayList<>();
            // [start: list]
            for (ItemHistoryEntry entry : client.items().listHistory(request -> request.setItemId(itemId))) {
                history.add(entry);
            }
            // [end: list]
            Collections.reverse(history);
            for (ItemHistoryEntry entry : history) {
                System.out.println(entry.getEventType() + " " + name(entry.getFromState())
                        + " -> " + name(entry.getToState()) + " " + entry.getSource());
            }
            return 0;
        } catch (NotFoundException error) {
            System.out.println("no such item");
            return 3;
        }
    }

    private static String name(ItemState state) {
        return state == ItemState.ITEM_STATE_UNSPECIFIED ? "-" : state.name().replace("ITEM_STATE_", "");
    }
}
