//! What the control API says of itself.

use axum::Json;
use serde_json::{Map, Value};

/// What can be asked, and what is to be told with it.
const ROUTES: &[(&str, &str)] = &[
    ("GET /accounts", "all accounts with their secrets"),
    (
        "POST /accounts",
        "make one: {name, persona?, steam_id?, password?, shared_secret?, \
            identity_secret?, trade_token?, behaviour?, inventory_private?, economy_ban?, hold_days?, \
            standing?: {level?, limited?, profile_private?, inventory_cap?, new_device?, renamed?, \
            community_banned?, vac_bans?, game_bans?, days_since_last_ban?}}",
    ),
    ("GET /accounts/{name or id}", "one account, with the login code its phone shows"),
    (
        "PATCH /accounts/{name or id}",
        "{password?, trade_token?, inventory_private?, \
            economy_ban?, hold_days?, trade_ban_until?, standing?}",
    ),
    ("POST /scene", "{accounts, items, friends}"),
    (
        "POST /items",
        "{owner, app?, context?, count?, items: [{market_hash_name, tradable?, \
            type?, amount?, fields?}]}",
    ),
    ("POST /inventory?owner=", "a document saved from Steam's /inventory, or an array of pages"),
    ("POST /stacks/amount", "{owner, asset, amount}: the same asset with other units"),
    ("POST /stacks/split", "{owner, asset, amount}: gives the new asset"),
    ("POST /stacks/merge", "{owner, into, from}"),
    ("POST /stacks/arrivals", "{app, merge}: whether units that arrive join a stack of their kind"),
    ("POST /stacks/give", "{from, to, asset, amount, message?}: a gift of a part"),
    ("POST /friends, DELETE /friends", "[name or id, name or id]"),
    ("POST /invites", "{from, to}: an invitation to be friends"),
    ("GET /relationships?one=&other=", "how one stands to the other"),
    (
        "POST /relationships",
        "{one, other, relationship: none|blocked|request_recipient|friend|\
            request_initiator|ignored|ignored_friend}: one direction",
    ),
    (
        "POST /behaviour",
        "{account, answer: ignore|accept|decline|counter, after_secs?, \
            invites?: ignore|accept, invites_after_secs?}",
    ),
    ("POST /donate", "{from, to, assets, message}"),
    ("POST /offers", "{from, to, give, ask, message}"),
    ("POST /offers/counter", "{offer, give, ask, message}: its recipient answers with another"),
    ("POST /offers/roll-back", "{offer}: gives the items which Steam holds for it back"),
    ("POST /invites/follow", "{account, token}: opens the link of a quick invitation"),
    (
        "POST /trades/reverse",
        "{account}: takes its protected trades back; gives the trades which \
            returned the items",
    ),
    ("GET /economy/image/{name}/{size}, GET /{name}.jpg", "a picture of an item, or of a person"),
    ("POST /trade-token", "{account}: a new token for its trade URL"),
    ("POST /notifications/read", "{account}"),
    ("POST /tokens", "{account}: a refresh token"),
    ("POST /tokens/revoke", "{account, refresh?: bool, sessions?: bool}"),
    (
        "POST /openid",
        "{account, return_to}: it signs in to another site; gives the url which \
            brings it back there",
    ),
    (
        "POST /faults",
        "{matcher: {method?, host?, path?, account?}, kind: {effect_then: closed|\
            status500|status502|str_error16|empty200} | {fail: {status, body?, eresult?}} | drop | \
            {delay: seconds} | {eresult: n} | truncate | {with: {headers: {name: value}, kind}}, \
            when?: {times: n} | {every: k} | {for: seconds} | \
            {chance: {one_in, seed}}}",
    ),
    (
        "POST /quirks/offers",
        "{offers?: {id?, from?, to?, message?, state?}, lie: glitched | \
            {state: {state, trade?}} | hidden | lagging | no_escrow_end | no_new_asset_ids | \
            no_confirmation, reads?: 1}",
    ),
    (
        "POST /quirks/inventories",
        "{owner?, app?, lie: overlap | {empty: {total?}} | {partial: \
            {assets, total?}} | {error: {eresult}}, reads?: 1}",
    ),
    ("DELETE /quirks", "remove all"),
    (
        "POST /maintenance, DELETE /maintenance",
        "{from?, until}: Unix seconds in which all hosts \
            answer 503",
    ),
    (
        "POST /rate-limits, DELETE /rate-limits",
        "{window_secs, per_host, inventory, \
            retry_after?}",
    ),
    ("POST /proxy", "{closed: bool}: a closed proxy leads nowhere"),
    ("POST /logins/confirm", "{account}: approves its logins on the phone"),
    ("POST /logins/rotate", "{polls}: so many give the login a new client id"),
    ("DELETE /faults", "remove all, and open all holds"),
    ("POST /holds", "a matcher: keeps answers back; gives its number"),
    ("GET /holds/{number}?wait_secs=", "how many answers it keeps back"),
    ("POST /holds/{number}/release", "lets them go"),
    ("GET /clock, POST /clock/advance", "{secs}"),
    ("POST /clock/skew", "{secs}: how wrong QueryTime is"),
    ("GET /books?account=", "assets, offers, trades, offers per message, violations"),
    ("GET /journal?path=&method=&account=&after=", "requests without their secrets"),
];

pub(super) async fn index() -> Json<Value> {
    let routes = ROUTES.iter().map(|(route, what)| ((*route).to_owned(), Value::from(*what)));
    Json(Value::Object(routes.collect::<Map<_, _>>()))
}
