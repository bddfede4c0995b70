package astro

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// What every individual account in the public universe adds to its account id.
const individualBase = 76561197960265728

// Where profiles and trade URLs are.
const steamSite = "steamcommunity.com/"

// Where trade URLs lead there.
const tradeURLPath = "tradeoffer/new"

var (
	// ErrNotASteamID is the error of a text that has none of the known forms. A custom address (…/id/name)
	// does not tell the number.
	ErrNotASteamID = errors.New("astro: not a Steam id: write 7656119…, STEAM_0:…, [U:1:…] or https://steamcommunity.com/profiles/7656119… (an address with /id/ does not tell the number)")
	// ErrNotAPerson is the error of an id of something else than a person: a group, a game server, nobody.
	ErrNotAPerson = errors.New("astro: not the Steam id of a person's account")

	// ErrNotATradeURL is the error of an address that leads elsewhere.
	ErrNotATradeURL = errors.New("astro: not a trade URL: it looks like https://steamcommunity.com/tradeoffer/new/?partner=…&token=…")
	// ErrTradeURLPartner is the error of a trade URL whose partner is missing or is not a person's account id.
	ErrTradeURLPartner = errors.New("astro: the trade URL has no valid partner; copy it whole")
	// ErrTradeURLToken is the error of a trade URL whose token is missing or is not eight letters, digits, - or _.
	ErrTradeURLToken = errors.New("astro: the trade URL has no valid token; copy it whole")
)

// SteamID is the SteamID64 of one person's account: 76561197960265729 to 76561202255233023.
//
// [ParseSteamID] makes one. Only individual accounts of the public universe exist here: groups, game
// servers and the account 0 cannot trade.
type SteamID uint64

// ParseSteamID parses 76561198000000000, STEAM_0:1:…, [U:1:…], U:1:…, profile addresses
// (https://steamcommunity.com/profiles/…) and trade URLs, of which it takes the owner. Its errors are [ErrNotASteamID] and [ErrNotAPerson].
func ParseSteamID(text string) (SteamID, error) {
	text = strings.TrimSpace(text)
	path, isAddress := pathOnSteam(text)
	if !isAddress {
		return parseID(text)
	}
	if query, isTradeURL := tradeQuery(path); isTradeURL {
		account, err := parseNumber(parameter(query, "partner"), 32)
		if err != nil {
			return 0, err
		}
		return personWith(account)
	}
	id, isProfile := strings.CutPrefix(path, "profiles/")
	if !isProfile {
		return 0, ErrNotASteamID
	}
	if end := strings.IndexAny(id, "/?#"); end >= 0 {
		id = id[:end]
	}
	return parseID(id)
}

// SteamID64 is the id as requests take it.
func (s SteamID) SteamID64() uint64 { return uint64(s) }

// AccountID is the number in [U:1:…] and in trade URLs: 1 and up.
func (s SteamID) AccountID() uint32 { return uint32(s - individualBase) }

// String is the SteamID64.
func (s SteamID) String() string { return strconv.FormatUint(uint64(s), 10) }

// Steam2 is the form STEAM_1:1:….
func (s SteamID) Steam2() string {
	return fmt.Sprintf("STEAM_1:%d:%d", s.AccountID()&1, s.AccountID()>>1)
}

// Steam3 is the form [U:1:…].
func (s SteamID) Steam3() string { return fmt.Sprintf("[U:1:%d]", s.AccountID()) }

// ProfileURL is the address of the account's profile.
func (s SteamID) ProfileURL() string { return "https://steamcommunity.com/profiles/" + s.String() }

func parseID(text string) (SteamID, error) {
	if rest, ok := strings.CutPrefix(text, "STEAM_"); ok {
		return parseSteam2(rest)
	}
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			bare = inner
		}
	}
	if account, ok := strings.CutPrefix(bare, "U:1:"); ok {
		number, err := parseNumber(account, 32)
		if err != nil {
			return 0, err
		}
		return personWith(number)
	}
	number, err := parseNumber(text, 64)
	if err != nil {
		return 0, err
	}
	if number < individualBase {
		return 0, ErrNotAPerson
	}
	return personWith(number - individualBase)
}

// parseSteam2 parses X:Y:Z after STEAM_: the universe, which old games write as 0, the lowest bit, the
// rest.
func parseSteam2(text string) (SteamID, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || !isBit(parts[0]) || !isBit(parts[1]) {
		return 0, ErrNotASteamID
	}
	high, err := parseNumber(parts[2], 32)
	if err != nil {
		return 0, err
	}
	if parts[1] == "1" {
		return personWith(2*high + 1)
	}
	return personWith(2 * high)
}

func isBit(text string) bool { return text == "0" || text == "1" }

// parseNumber takes digits only; strconv refuses signs as well.
func parseNumber(text string, bits int) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, ErrNotASteamID
	}
	return number, nil
}

func personWith(account uint64) (SteamID, error) {
	if account == 0 || account > math.MaxUint32 {
		return 0, ErrNotAPerson
	}
	return SteamID(individualBase + account), nil
}

// pathOnSteam is what follows steamcommunity.com/, with or without a scheme before it.
func pathOnSteam(text string) (string, bool) {
	rest, isSecure := cutIgnoringCase(text, "https://")
	if !isSecure {
		rest, _ = cutIgnoringCase(text, "http://")
	}
	rest, _ = cutIgnoringCase(rest, "www.")
	return cutIgnoringCase(rest, steamSite)
}

func cutIgnoringCase(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// tradeQuery is the query of a trade URL; other addresses have none.
func tradeQuery(path string) (string, bool) {
	rest, isTradeURL := strings.CutPrefix(path, tradeURLPath)
	query, hasQuery := strings.CutPrefix(strings.TrimPrefix(rest, "/"), "?")
	query, _, _ = strings.Cut(query, "#")
	return query, isTradeURL && hasQuery
}

// TradeURL lets anybody who has it send offers to its owner. However it is printed, its token is left
// out; [TradeURL.URL] has it.
type TradeURL struct {
	partner SteamID
	token   string
}

// ParseTradeURL parses https://steamcommunity.com/tradeoffer/new/?partner=…&token=…, also without its
// scheme. Its errors are
// [ErrNotATradeURL], [ErrTradeURLPartner] and [ErrTradeURLToken].
func ParseTradeURL(text string) (TradeURL, error) {
	path, ok := pathOnSteam(strings.TrimSpace(text))
	if !ok {
		return TradeURL{}, ErrNotATradeURL
	}
	query, ok := tradeQuery(path)
	if !ok {
		return TradeURL{}, ErrNotATradeURL
	}
	account, err := parseNumber(parameter(query, "partner"), 32)
	if err != nil {
		return TradeURL{}, ErrTradeURLPartner
	}
	partner, err := personWith(account)
	if err != nil {
		return TradeURL{}, ErrTradeURLPartner
	}
	token := parameter(query, "token")
	if len(token) != 8 || strings.ContainsFunc(token, isNotOfToken) {
		return TradeURL{}, ErrTradeURLToken
	}
	return TradeURL{partner, token}, nil
}

// Partner is its owner.
func (t TradeURL) Partner() SteamID { return t.partner }

// Token is the secret part: eight letters, digits, - or _.
func (t TradeURL) Token() string { return t.token }

// URL is the whole address, secret included.
func (t TradeURL) URL() string {
	return fmt.Sprintf("https://%s%s/?partner=%d&token=%s", steamSite, tradeURLPath, t.partner.AccountID(), t.token)
}

// Format prints the address without its token, whatever the verb.
func (t TradeURL) Format(state fmt.State, _ rune) {
	t.token = "<redacted>"
	_, _ = io.WriteString(state, t.URL())
}

// parameter is the first value with this name, as it is written.
func parameter(query, name string) string {
	for _, pair := range strings.Split(query, "&") {
		if key, value, ok := strings.Cut(pair, "="); ok && key == name {
			return value
		}
	}
	return ""
}

func isNotOfToken(letter rune) bool {
	return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", letter)
}
