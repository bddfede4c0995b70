package dev.astro.sdk;

/** A text that is not a {@link TradeUrl}. */
public final class TradeUrlException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Problem {
        /** It leads elsewhere. */
        NOT_A_TRADE_URL(
                "not a trade URL: it looks like https://steamcommunity.com/tradeoffer/new/?partner=…&token=…"),
        /** Its {@code partner} is missing or is not a person's account id. */
        PARTNER_INVALID("the trade URL has no valid partner; copy it whole"),
        /** Its {@code token} is missing or is not eight letters, digits, {@code -} or {@code _}. */
        TOKEN_INVALID("the trade URL has no valid token; copy it whole");

        private final String message;

        Problem(String message) {
            this.message = message;
        }
    }

    private final Problem problem;

    TradeUrlException(Problem problem) {
        super(problem.message);
        this.problem = problem;
    }

    /** Why. */
    public Problem problem() {
        return problem;
    }
}
