package dev.astro.sdk;

/** A text or number that is not a {@link SteamId}. */
public final class SteamIdException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Problem {
        /** It has none of the known forms. A custom address ({@code …/id/name}) does not tell the number. */
        NOT_AN_ID(
                "not a Steam id: write 7656119…, STEAM_0:…, [U:1:…] or"
                        + " https://steamcommunity.com/profiles/7656119… (an address with /id/ does not tell the number)"),
        /** It is the id of something else than a person: a group, a game server, nobody. */
        NOT_A_PERSON("not the Steam id of a person's account");

        private final String message;

        Problem(String message) {
            this.message = message;
        }
    }

    private final Problem problem;

    SteamIdException(Problem problem) {
        super(problem.message);
        this.problem = problem;
    }

    /** Why. */
    public Problem problem() {
        return problem;
    }
}
