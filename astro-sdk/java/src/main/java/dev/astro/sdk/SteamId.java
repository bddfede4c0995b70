package dev.astro.sdk;

import dev.astro.sdk.SteamIdException.Problem;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The SteamID64 of one person's account.
 *
 * <p>Only individual accounts of the public universe exist here: groups, game servers and the account 0
 * cannot trade.
 *
 * @param steamId64 76561197960265729 to 76561202255233023
 */
public record SteamId(long steamId64) implements Comparable<SteamId> {
    /** What every individual account in the public universe adds to its account id. */
    private static final long INDIVIDUAL_BASE = 76561197960265728L;

    private static final long ACCOUNT_ID_MAX = 0xffff_ffffL;
    private static final Pattern PROFILE = Pattern.compile(
            "(?i:(?:https?://)?(?:www\\.)?steamcommunity\\.com/)(?:profiles/([^/?#]*).*)?.*", Pattern.DOTALL);
    private static final Pattern STEAM2 = Pattern.compile("STEAM_[01]:([01]):([0-9]+)");
    private static final Pattern STEAM3 = Pattern.compile("\\[U:1:([0-9]+)]|U:1:([0-9]+)");
    private static final String WHITE_SPACE = "\t\n\u000b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
            + "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");

    /**
     * The account with this SteamID64.
     *
     * @throws SteamIdException if it is not an individual account
     */
    public SteamId {
        long accountId = steamId64 - INDIVIDUAL_BASE;
        if (accountId < 1 || accountId > ACCOUNT_ID_MAX) {
            throw new SteamIdException(Problem.NOT_A_PERSON);
        }
    }

    /**
     * The account with this account id, the number in {@code [U:1:…]} and in trade URLs.
     *
     * @param accountId 1 to 4294967295
     * @throws SteamIdException if it is another number
     */
    public static SteamId ofAccountId(long accountId) {
        if (accountId < 1 || accountId > ACCOUNT_ID_MAX) {
            throw new SteamIdException(Problem.NOT_A_PERSON);
        }
        return new SteamId(INDIVIDUAL_BASE + accountId);
    }

    /**
     * Parses {@code 76561198000000000}, {@code STEAM_0:1:…}, {@code [U:1:…]}, {@code U:1:…}, profile
     * addresses ({@code https://steamcommunity.com/profiles/…}) and trade URLs, of which it takes the owner.
     *
     * @throws SteamIdException if it is none of these, or not a person's account
     */
    public static SteamId parse(String text) {
        String id = withoutWhiteSpace(text);
        Matcher tradeUrl = TradeUrl.ADDRESS.matcher(id);
        if (tradeUrl.matches()) {
            String partner = TradeUrl.value(tradeUrl.group(1), "partner");
            return ofAccountId(uint32(partner == null ? "" : partner));
        }
        Matcher profile = PROFILE.matcher(id);
        if (profile.matches()) {
            // Another address, such as /id/name, does not tell the number.
            id = profile.group(1) == null ? "" : profile.group(1);
        }
        Matcher steam2 = STEAM2.matcher(id);
        if (steam2.matches()) {
            return ofAccountId(uint32(steam2.group(2)) * 2 + Long.parseLong(steam2.group(1)));
        }
        Matcher steam3 = STEAM3.matcher(id);
        if (steam3.matches()) {
            return ofAccountId(uint32(steam3.group(1) != null ? steam3.group(1) : steam3.group(2)));
        }
        return new SteamId(number(id));
    }

    /** The account id: 1 to 4294967295. */
    public long accountId() {
        return steamId64 - INDIVIDUAL_BASE;
    }

    /** As games write it: {@code STEAM_1:1:43351236}. */
    public String steam2() {
        return "STEAM_1:" + accountId() % 2 + ":" + accountId() / 2;
    }

    /** As newer games write it: {@code [U:1:86702473]}. */
    public String steam3() {
        return "[U:1:" + accountId() + "]";
    }

    /** Address of the person's profile. */
    public String profileUrl() {
        return "https://steamcommunity.com/profiles/" + steamId64;
    }

    @Override
    public int compareTo(SteamId other) {
        return Long.compare(steamId64, other.steamId64);
    }

    /** The SteamID64. */
    @Override
    public String toString() {
        return Long.toString(steamId64);
    }

    /** The text without Unicode's white space around it; Java's own leaves no-break spaces. */
    static String withoutWhiteSpace(String text) {
        int begin = 0;
        int end = text.length();
        while (begin < end && WHITE_SPACE.indexOf(text.charAt(begin)) >= 0) {
            begin++;
        }
        while (end > begin && WHITE_SPACE.indexOf(text.charAt(end - 1)) >= 0) {
            end--;
        }
        return text.substring(begin, end);
    }

    private static long uint32(String digits) {
        long number = number(digits);
        if (number > ACCOUNT_ID_MAX || number < 0) {
            throw new SteamIdException(Problem.NOT_AN_ID);
        }
        return number;
    }

    /** An unsigned number of 64 bits. */
    private static long number(String digits) {
        if (NUMBER.matcher(digits).matches()) {
            try {
                return Long.parseUnsignedLong(digits);
            } catch (NumberFormatException tooLong) {
                // Told below.
            }
        }
        throw new SteamIdException(Problem.NOT_AN_ID);
    }
}
