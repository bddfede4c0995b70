import dev.astro.sdk.Client;
import dev.astro.v1.GetCallerRequest;

public final class First {
    public static void main(String[] args) {
        try (Client client = Client.fromEnv()) {
            GetCallerRequest request = GetCallerRequest.getDefaultInstance();
            System.out.println(client.access().getCaller(request).getApiKey().getOrgId());
        }
    }
}
