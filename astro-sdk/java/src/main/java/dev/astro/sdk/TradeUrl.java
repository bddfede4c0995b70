package dev.astro.sdk;

import dev.astro.sdk.TradeUrlException.Problem;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A trade URL: lets anybody who has it send offers to its owner.
 *
 * @param partner its owner
 * @param token the secret part: eight letters, digits, {@code -} or {@code _}
 */
public record TradeUrl(SteamId partner, String token) {
    static final Pattern ADDRESS = Pattern.compile(
            "(?i:(?:https?://)?(?:www\\.)?steamcommunity\\.com/)tradeoffer/new/?\\?([^#]*)(?:#.*)?", Pattern.DOTALL);
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{8}");
    private static final Pattern ACCOUNT_ID = Pattern.compile("[0-9]{1,10}");

    /**
     * A trade URL of these parts.
     *
     * @throws TradeUrlException if the token is none
     */
    public TradeUrl {
        if (partner == null) {
            throw new TradeUrlException(Problem.PARTNER_INVALID);
        }
        if (token == null || !TOKEN.matcher(token).matches()) {
            throw new TradeUrlException(Problem.TOKEN_INVALID);
        }
    }

    /**
     * Parses {@code https://steamcommunity.com/tradeoffer/new/?partner=…&token=…}, also without its scheme.
     *
     * @throws TradeUrlException if it leads elsewhere, or a part is missing
     */
    public static TradeUrl parse(String text) {
        Matcher address = ADDRESS.matcher(SteamId.withoutWhiteSpace(text));
        if (!address.matches()) {
            throw new TradeUrlException(Problem.NOT_A_TRADE_URL);
        }
        String query = address.group(1);
        return new TradeUrl(partner(value(query, "partner")), value(query, "token"));
    }

    private static SteamId partner(String accountId) {
        if (accountId == null || !ACCOUNT_ID.matcher(accountId).matches()) {
            return null;
        }
        try {
            return SteamId.ofAccountId(Long.parseLong(accountId));
        } catch (SteamIdException nobody) {
            return null;
        }
    }

    /** The first value with this name, as it is written; null if there is none. */
    static String value(String query, String name) {
        for (String pair : query.split("&")) {
            if (pair.startsWith(name + "=")) {
                return pair.substring(name.length() + 1);
            }
        }
        return null;
    }

    /** The whole address, secret included. */
    public String url() {
        return "https://steamcommunity.com/tradeoffer/new/?partner=" + partner.accountId() + "&token=" + token;
    }

    /** The owner, without the secret. */
    @Override
    public String toString() {
        return "TradeUrl[partner=" + partner + ", token=<redacted>]";
    }
}
