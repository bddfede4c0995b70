//! A client with the manners of a browser, and the worlds the tests begin with.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use steam_sim::{
    Account, AssetId, Behaviour, ItemSpec, NewAccount, OfferId, Options, Sim, SimTime, SteamId,
    confirmation_key,
};
use tokio_rustls::rustls::crypto::ring;

pub(crate) const API: &str = "https://api.steampowered.com";
pub(crate) const COMMUNITY: &str = "https://steamcommunity.com";
pub(crate) const KEY: &str = "Mann Co. Supply Crate Key";
pub(crate) const SOON: Duration = Duration::from_secs(20);
const SESSION_ID: &str = "0123456789abcdef01234567";
pub(crate) const START: i64 = 1_700_000_000;

/// A bot, a person and a client which is logged in as the bot.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) bot: Account,
    pub(crate) alice: Account,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let options = Options { start_time: Some(SimTime(START * 1000)), ..options };
        let sim = Sim::start(options).await.unwrap();
        let bot = sim.add_account(NewAccount::named("bot")).unwrap();
        let alice = sim.add_account(NewAccount::named("alice")).unwrap();
        let client = Client::of(&sim, &bot).await;
        Self { sim, bot, alice, client }
    }

    pub(crate) fn keys(&self, owner: &Account, count: usize) -> Vec<AssetId> {
        self.sim.give_items(owner.steam_id, 440, 2, &[ItemSpec::named(KEY)], count)
    }

    pub(crate) fn behave(&self, who: &Account, behaviour: Behaviour) {
        self.sim.set_behaviour(who.steam_id, behaviour).unwrap();
    }

    /// Sends an offer to alice by her trade token, and expects success.
    pub(crate) async fn send(&self, give: &[AssetId], ask: &[AssetId]) -> OfferId {
        let response = self.client.send(&self.alice, give, ask, "hello").await;
        let body = body(response, StatusCode::OK).await;
        body["tradeofferid"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn state(&self, id: OfferId) -> u8 {
        self.sim.look(|books| books.offer(id).unwrap().state.number())
    }

    /// The ids of what somebody has now.
    pub(crate) fn has(&self, who: &Account) -> Vec<AssetId> {
        self.sim
            .look(|books| books.assets_of(who.steam_id).iter().map(|asset| asset.key.id).collect())
    }

    #[track_caller]
    pub(crate) fn assert_conserved(&self) {
        assert_eq!(self.sim.books().audit(), Vec::<String>::new());
    }
}

pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) account: Account,
    pub(crate) access_token: String,
}

pub(crate) fn http(sim: &Sim) -> reqwest::Client {
    builder(sim).build().unwrap()
}

pub(crate) fn builder(sim: &Sim) -> reqwest::ClientBuilder {
    trusting([reqwest::Certificate::from_pem(sim.ca_pem().as_bytes()).unwrap()])
        .proxy(reqwest::Proxy::all(sim.proxy_url()).unwrap())
        .user_agent("Mozilla/5.0 (X11; Linux x86_64) Test/1.0")
}

/// A client for what the simulator answers without TLS.
pub(crate) fn plain() -> reqwest::Client {
    trusting([]).build().unwrap()
}

/// A client that trusts no authority but these.
fn trusting<const N: usize>(certificates: [reqwest::Certificate; N]) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| ring::default_provider().install_default().unwrap());
    reqwest::Client::builder().tls_certs_only(certificates)
}

impl Client {
    /// A client with a session made from a minted refresh token.
    pub(crate) async fn of(sim: &Sim, account: &Account) -> Self {
        let http = http(sim);
        let refresh = sim.mint_refresh_token(account.steam_id);
        let fields = [("refresh_token", refresh), ("steamid", account.steam_id.to_string())];
        let url = format!("{API}/IAuthenticationService/GenerateAccessTokenForApp/v1/");
        let response = http.post(url).form(&fields).send().await.unwrap();
        let body = body(response, StatusCode::OK).await;
        let access_token = body["response"]["access_token"].as_str().unwrap().to_owned();
        Self { http, account: account.clone(), access_token }
    }

    /// A community request with everything a browser adds.
    pub(crate) fn community(&self, method: Method, path: &str) -> RequestBuilder {
        let Self { account, access_token, .. } = self;
        let cookie = format!(
            "sessionid={SESSION_ID}; steamLoginSecure={}%7C%7C{access_token}",
            account.steam_id
        );
        self.http
            .request(method, format!("{COMMUNITY}{path}"))
            .header("cookie", cookie)
            .header("origin", COMMUNITY)
            .header("referer", format!("{COMMUNITY}/tradeoffer/new/?partner=1"))
            .header("accept-language", "en-US,en;q=0.9")
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, String)]) -> Response {
        let mut form = vec![("sessionid", SESSION_ID.to_owned())];
        form.extend_from_slice(fields);
        self.community(Method::POST, path).form(&form).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.community(Method::GET, path).send().await.unwrap()
    }

    /// A read of `IEconService`: the `response` object.
    pub(crate) async fn api(&self, method: &str, query: &[(&str, &str)]) -> Value {
        self.web_api(&format!("IEconService/{method}"), query).await["response"].take()
    }

    /// A read of the Web API, such as `ISteamUser/GetPlayerBans`: the whole answer.
    pub(crate) async fn web_api(&self, method: &str, query: &[(&str, &str)]) -> Value {
        body(self.ask(method, query).await, StatusCode::OK).await
    }

    pub(crate) async fn ask(&self, method: &str, query: &[(&str, &str)]) -> Response {
        let url = format!("{API}/{method}/v1/");
        let request = self.http.get(url).query(&[("access_token", &self.access_token)]);
        request.query(query).send().await.unwrap()
    }

    pub(crate) fn offer_form(
        &self,
        to: &Account,
        give: &[AssetId],
        ask: &[AssetId],
        message: &str,
    ) -> Vec<(&'static str, String)> {
        let assets = |ids: &[AssetId]| ids.iter().map(|id| asset(440, 2, *id)).collect();
        self.trade_form(to, assets(give), assets(ask), message)
    }

    /// The form of an offer of assets which [`asset`] names.
    pub(crate) fn trade_form(
        &self,
        to: &Account,
        give: Vec<Value>,
        ask: Vec<Value>,
        message: &str,
    ) -> Vec<(&'static str, String)> {
        let side = |assets| json!({"assets": assets, "currency": [], "ready": false});
        let (me, them): (Value, Value) = (side(give), side(ask));
        let trade = json!({"newversion": true, "version": 2, "me": me, "them": them});
        let token = json!({"trade_offer_access_token": to.trade_token});
        vec![
            ("serverid", "1".to_owned()),
            ("partner", to.steam_id.to_string()),
            ("tradeoffermessage", message.to_owned()),
            ("captcha", String::new()),
            ("trade_offer_create_params", token.to_string()),
            ("json_tradeoffer", trade.to_string()),
        ]
    }

    pub(crate) async fn send(
        &self,
        to: &Account,
        give: &[AssetId],
        ask: &[AssetId],
        message: &str,
    ) -> Response {
        self.post("/tradeoffer/new/send", &self.offer_form(to, give, ask, message)).await
    }

    pub(crate) async fn accept(&self, id: OfferId, from: SteamId) -> Response {
        let fields = [
            ("serverid", "1".to_owned()),
            ("tradeofferid", id.to_string()),
            ("partner", from.to_string()),
            ("captcha", String::new()),
        ];
        self.post(&format!("/tradeoffer/{id}/accept"), &fields).await
    }

    /// The query of a `/mobileconf` call, signed for `tag`.
    pub(crate) fn signed(&self, time: i64, tag: &str) -> Vec<(&'static str, String)> {
        let key = confirmation_key(&self.account.identity_secret, time, tag).unwrap();
        vec![
            ("p", self.account.device_id()),
            ("a", self.account.steam_id.to_string()),
            ("k", key),
            ("t", time.to_string()),
            ("m", "react".to_owned()),
            ("tag", tag.to_owned()),
        ]
    }

    pub(crate) async fn confirmations(&self, now: i64) -> Vec<Value> {
        let request = self.community(Method::GET, "/mobileconf/getlist");
        let response = request.query(&self.signed(now, "list")).send().await.unwrap();
        let body = body(response, StatusCode::OK).await;
        assert_eq!(body["success"], true, "{body}");
        body["conf"].as_array().unwrap().clone()
    }

    pub(crate) async fn press(&self, now: i64, op: &str, confirmation: &Value) -> Value {
        let mut query = self.signed(now, op);
        query.push(("op", op.to_owned()));
        query.push(("cid", confirmation["id"].as_str().unwrap().to_owned()));
        query.push(("ck", confirmation["nonce"].as_str().unwrap().to_owned()));
        let request = self.community(Method::GET, "/mobileconf/ajaxop").query(&query);
        body(request.send().await.unwrap(), StatusCode::OK).await
    }

    /// Allows the confirmation of one offer.
    pub(crate) async fn confirm(&self, now: i64, offer: OfferId) {
        let list = self.confirmations(now).await;
        let of_offer = |it: &&Value| it["creator_id"] == offer.to_string();
        let confirmation = list.iter().find(of_offer).expect("the offer waits for the phone");
        assert_eq!(self.press(now, "allow", confirmation).await, json!({"success": true}));
    }
}

/// An asset as `json_tradeoffer` names it.
pub(crate) fn asset(app: u32, context: u64, id: AssetId) -> Value {
    json!({"appid": app, "contextid": context.to_string(), "amount": 1, "assetid": id})
}

/// The JSON of an answer with this status.
pub(crate) async fn body(response: Response, status: StatusCode) -> Value {
    let (got, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The `strError` of a refused trade action.
pub(crate) async fn str_error(response: Response) -> String {
    let body = body(response, StatusCode::INTERNAL_SERVER_ERROR).await;
    body["strError"].as_str().unwrap().to_owned()
}
