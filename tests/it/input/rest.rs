//! Refused requests about everything but items and assignments.

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::*;
use prost_types::{FieldMask, Timestamp};

use super::table::Table;
use super::values::{self, NO_PEOPLE, TOKEN};

/// SteamID of a person.
const SOMEBODY: u64 = 76_561_197_961_265_729;

pub(crate) fn events(table: &mut Table<'_>) {
    let facts = table.facts;
    let names = ["*", "", ".*", "Item.*", "item*", "item.%", "item.*.*", "a b", "\0"];
    let unheard_of = ["item", "assign.*", "item.recieved"];
    let types: Vec<Vec<String>> = names
        .iter()
        .chain(&unheard_of)
        .map(|name| vec![(*name).to_owned()])
        .chain([vec!["item.received".to_owned(); 51], vec!["a".repeat(65)]])
        .collect();
    let tokens = ["x".to_owned(), "%".to_owned(), "\0".to_owned(), "A".repeat(9_000)];
    let mut listed = table
        .rpc::<ListEventsRequest>("EventService/ListEvents")
        .org(|q| &mut q.org_id)
        .bad("types", types.clone(), |q, types| q.types = types)
        .bad("page_size", [-1, i32::MIN], |q, size| q.page_size = size)
        .bad("wait_seconds", [-1, 21, i32::MIN, i32::MAX], |q, wait| q.wait_seconds = wait)
        .bad("assignment_id", values::ids(), |q, id| q.assignment_id = id)
        .bad("item_id", values::ids(), |q, id| q.item_id = id)
        .bad("user_id", values::NO_PEOPLE, |q, id| q.user_id = id)
        .bad("bot_id", values::ids(), |q, id| q.bot_id = id)
        .bad("source", values::texts(100), |q, source| q.source = source)
        .bad("severities", [vec![0], vec![9], vec![1; 101]], |q, some| q.severities = some)
        .bad("start_time", values::times(), |q, time| q.start_time = Some(time))
        .bad("end_time", values::times(), |q, time| q.end_time = Some(time))
        .refused("resume_token", ErrorReason::ResumeTokenExpired, |q| {
            q.resume_token.clone_from(&facts.expired_token);
        });
    for token in tokens.clone() {
        let reason = ErrorReason::ResumeTokenInvalid;
        listed = listed.refused("resume_token", reason, |q| q.resume_token = token);
    }
    let mut watched = table
        .rpc::<WatchEventsRequest>("EventService/WatchEvents")
        .org(|q| &mut q.org_id)
        .bad("types", types, |q, types| q.types = types)
        .refused("resume_token", ErrorReason::ResumeTokenExpired, |q| {
            q.start = Some(Start::ResumeToken(facts.expired_token.clone()));
        });
    for token in tokens {
        let reason = ErrorReason::ResumeTokenInvalid;
        watched = watched.refused("resume_token", reason, |q| {
            q.start = Some(Start::ResumeToken(token));
        });
    }
}

pub(crate) fn donations(table: &mut Table<'_>) {
    fn filter(q: &mut ListDonationsRequest) -> &mut DonationFilter {
        q.filter.get_or_insert_default()
    }
    table.rpc::<GetDonationRequest>("DonationService/GetDonation").id(
        "donation_id",
        ErrorReason::DonationNotFound,
        |q| &mut q.donation_id,
    );
    table
        .rpc::<ListDonationsRequest>("DonationService/ListDonations")
        .org(|q| &mut q.org_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token)
        .bad("filter.states", [0, 8, -1, i32::MAX], |q, state| filter(q).states = vec![state])
        .bad("filter.states", [101], |q, count| filter(q).states = vec![1; count])
        .bad("filter.user_id", NO_PEOPLE, |q, id| filter(q).user_id = id)
        .bad("filter.bot_id", values::ids(), |q, id| filter(q).bot_id = id);
}

/// Rates that no key has.
const RATES: [i32; 4] = [-1, 100_001, i32::MIN, i32::MAX];

fn update_key(table: &mut Table<'_>) {
    fn key(q: &mut UpdateApiKeyRequest) -> &mut ApiKey {
        q.api_key.get_or_insert_default()
    }
    fn masked<'a>(q: &'a mut UpdateApiKeyRequest, path: &str) -> &'a mut ApiKey {
        q.update_mask = Some(FieldMask { paths: vec![path.to_owned()] });
        key(q)
    }
    table
        .rpc::<UpdateApiKeyRequest>("AccessService/UpdateApiKey")
        .bad("api_key", [()], |q, ()| q.api_key = None)
        .bad("api_key.id", ["", "x", "abcdef\0hijkm"], |q, id| key(q).id = id.to_owned())
        .refused("api_key.id", ErrorReason::ApiKeyNotFound, |q| {
            key(q).id = "abcdefghijkm".to_owned();
        })
        .text("api_key.display_name", 100, |q| &mut key(q).display_name)
        .bad("api_key.display_name", ["", "  "], |q, name| key(q).display_name = name.to_owned())
        .bad("api_key.read_rate", RATES, |q, rate| masked(q, "read_rate").read_rate = rate)
        .bad("api_key.write_rate", RATES, |q, rate| masked(q, "write_rate").write_rate = rate)
        .bad("api_key.stream_rate", RATES, |q, rate| masked(q, "stream_rate").stream_rate = rate)
        .bad("update_mask", ["", "id", "scopes", "read_rate "], |q, path| {
            masked(q, path);
        })
        .bad("update_mask", [0, 5], |q, count| {
            q.update_mask = Some(FieldMask { paths: vec!["read_rate".to_owned(); count] });
        })
        .request_id(|q| &mut q.request_id);
}

pub(crate) fn keys(table: &mut Table<'_>) {
    let facts = table.facts;
    let (admin, bot) = (ApiKeyKind::Admin.into(), ApiKeyKind::Bot.into());
    let past = Timestamp { seconds: 1_000_000_000, nanos: 0 };
    let scopes = ["", "nonsense", "items", "item.read", "items.*.*", "i*", "**", "items.read\0"];
    table
        .rpc::<CreateApiKeyRequest>("AccessService/CreateApiKey")
        .org(|q| &mut q.org_id)
        .bad("org_id", [admin], |q, kind| q.kind = kind)
        .bad("kind", [0, 4, -1, i32::MAX], |q, kind| q.kind = kind)
        .text("display_name", 100, |q| &mut q.display_name)
        .bad("display_name", ["", "  "], |q, name| q.display_name = name.to_owned())
        .bad("scopes", scopes, |q, scope| q.scopes = vec![scope.to_owned()])
        .bad("scopes", [51], |q, count| q.scopes = vec!["items.read".to_owned(); count])
        .bad("expire_time", values::times(), |q, time| q.expire_time = Some(time))
        .bad("expire_time", [past], |q, time| q.expire_time = Some(time))
        .bad("bot_id", [facts.ids.bot.clone()], |q, id| q.bot_id = id)
        .bad("bot_id", values::ids_and_none(), |q, id| {
            q.kind = bot;
            q.bot_id = id;
        })
        .refused("bot_id", ErrorReason::BotNotFound, |q| {
            q.kind = bot;
            q.bot_id = values::unknown();
        })
        .bad("read_rate", RATES, |q, rate| q.read_rate = rate)
        .bad("write_rate", RATES, |q, rate| q.write_rate = rate)
        .bad("stream_rate", RATES, |q, rate| q.stream_rate = rate);
    update_key(table);
    table
        .rpc::<ListApiKeysRequest>("AccessService/ListApiKeys")
        .org(|q| &mut q.org_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    let mut revoke = table.rpc::<RevokeApiKeyRequest>("AccessService/RevokeApiKey").bad(
        "api_key_id",
        [""],
        |q, id| q.api_key_id = id.to_owned(),
    );
    let unknown = ErrorReason::ApiKeyNotFound;
    revoke = revoke.refused("api_key_id", unknown, |q| q.api_key_id = "abcdefghijkm".to_owned());
    let long = "x".repeat(20_000);
    let uuid = "0199b3a0-0000-7000-8000-000000000000";
    revoke.bad("api_key_id", ["x", "ключ", uuid, "\0", "abcdef\0hijkm", &long], |q, id| {
        q.api_key_id = id.to_owned();
    });
}

pub(crate) fn sessions(table: &mut Table<'_>) {
    table
        .rpc::<CreateSessionRequest>("AccessService/CreateSession")
        .org(|q| &mut q.org_id)
        .text("display_name", 100, |q| &mut q.display_name)
        .bad("scopes", ["", "nonsense", "items.*.*", "items.read\0"], |q, scope| {
            q.scopes = vec![scope.to_owned()];
        })
        .bad("scopes", [51], |q, count| q.scopes = vec!["items.read".to_owned(); count])
        .bad("ttl_seconds", [-1, 1, 59, 43_201, i32::MIN, i32::MAX], |q, ttl| q.ttl_seconds = ttl);
    table
        .rpc::<ListSessionsRequest>("AccessService/ListSessions")
        .org(|q| &mut q.org_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    table
        .rpc::<EndSessionRequest>("AccessService/EndSession")
        .bad("session_id", ["", "x", "\0", "abcdef\0hijkm"], |q, id| q.session_id = id.to_owned())
        .refused("session_id", ErrorReason::SessionNotFound, |q| {
            q.session_id = "abcdefghijkm".to_owned();
        });
}

pub(crate) fn organizations(table: &mut Table<'_>) {
    let slugs = ["", "r", "Red", "röd", "red_7", "red 7", "red\0", "-\n"];
    table
        .rpc::<CreateOrganizationRequest>("OrganizationService/CreateOrganization")
        .bad("slug", slugs, |q, slug| q.slug = slug.to_owned())
        .bad("slug", ["r".repeat(41), "r".repeat(10_000)], |q, slug| q.slug = slug)
        .text("display_name", 100, |q| &mut q.display_name)
        .text("donation_keyword", 100, |q| &mut q.donation_keyword)
        .bad("donation_app_ids", [vec![0], vec![440; 51]], |q, apps| q.donation_app_ids = apps)
        .bad("claim_ttl_seconds", [-1, 1, 59, 31_536_001, i32::MIN, i32::MAX], |q, ttl| {
            q.claim_ttl_seconds = ttl;
        })
        .request_id(|q| &mut q.request_id);
    settings(table);
    table
        .rpc::<GetOrganizationRequest>("OrganizationService/GetOrganization")
        .org(|q| &mut q.org_id);
    table
        .rpc::<ListOrganizationsRequest>("OrganizationService/ListOrganizations")
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
}

fn settings(table: &mut Table<'_>) {
    fn masked<'a>(q: &'a mut UpdateOrganizationRequest, path: &str) -> &'a mut Organization {
        q.update_mask = Some(FieldMask { paths: vec![path.to_owned()] });
        q.organization.get_or_insert_default()
    }
    fn rules(q: &mut UpdateOrganizationRequest) -> &mut DonationRules {
        masked(q, "donation_rules").donation_rules.get_or_insert_default()
    }
    let masks = ["slug", "id", "", "*", "donation_rules.thanks", "create_time", "\0"];
    let unknown = ErrorReason::OrganizationNotFound;
    table
        .rpc::<UpdateOrganizationRequest>("OrganizationService/UpdateOrganization")
        .request_id(|q| &mut q.request_id)
        .bad("organization", [()], |q, ()| q.organization = None)
        .bad("organization.id", values::ids(), |q, id| masked(q, "display_name").id = id)
        .refused("organization.id", unknown, |q| masked(q, "display_name").id = values::unknown())
        .bad("update_mask", [()], |q, ()| q.update_mask = None)
        .bad("update_mask", masks, |q, path| masked(q, path).id.clear())
        .bad("update_mask", [10], |q, count| {
            q.update_mask = Some(FieldMask { paths: vec!["display_name".to_owned(); count] });
        })
        .text("organization.display_name", 100, |q| &mut masked(q, "display_name").display_name)
        .text("organization.donation_keyword", 100, |q| {
            &mut masked(q, "donation_keyword").donation_keyword
        })
        .bad("organization.donation_app_ids", [vec![0], vec![440; 51]], |q, apps| {
            masked(q, "donation_app_ids").donation_app_ids = apps;
        })
        .bad("organization.claim_ttl_seconds", [-1, 59, 31_536_001, i32::MIN], |q, ttl| {
            masked(q, "claim_ttl_seconds").claim_ttl_seconds = ttl;
        })
        .bad("organization.offer_ttl_seconds", [-1, 1, 3599, 1_209_601, i32::MAX], |q, ttl| {
            masked(q, "offer_ttl_seconds").offer_ttl_seconds = ttl;
        })
        .bad("organization.donation_rules.items_per_day_max", [-1, 100_001, i32::MAX], |q, max| {
            rules(q).items_per_day_max = max;
        })
        .bad("organization.donation_rules.value_per_day_max_cents", [-1, i64::MIN], |q, cents| {
            rules(q).value_per_day_max_cents = cents;
        })
        .bad("organization.donation_rules.item_value_min_cents", [-1, i64::MIN], |q, cents| {
            rules(q).item_value_min_cents = cents;
        })
        .bad("organization.donation_rules.junk_names", values::texts(100), |q, name| {
            rules(q).junk_names = vec![name];
        })
        .bad("organization.donation_rules.junk_names", ["", "  "], |q, name| {
            rules(q).junk_names = vec![name.to_owned()];
        })
        .bad("organization.donation_rules.junk_names", [101], |q, count| {
            rules(q).junk_names = vec!["Crate".to_owned(); count];
        })
        .bad(
            "organization.donation_rules.denied_user_ids",
            NO_PEOPLE.into_iter().chain([0]),
            |q, id| rules(q).denied_user_ids = vec![id],
        )
        .bad("organization.donation_rules.denied_user_ids", [1001], |q, count| {
            rules(q).denied_user_ids = vec![SOMEBODY; count];
        })
        .text("organization.donation_rules.thanks", 500, |q| &mut rules(q).thanks);
}

pub(crate) fn bots_and_syncs(table: &mut Table<'_>) {
    let unknown = ErrorReason::BotNotFound;
    table
        .rpc::<RegisterBotRequest>("BotService/RegisterBot")
        .org(|q| &mut q.org_id)
        .bad("steam_id", NO_PEOPLE.into_iter().chain([0]), |q, id| q.steam_id = id)
        .text("display_name", 100, |q| &mut q.display_name)
        .request_id(|q| &mut q.request_id);
    table
        .rpc::<ListBotsRequest>("BotService/ListBots")
        .org(|q| &mut q.org_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    table.rpc::<GetBotRequest>("BotService/GetBot").id("bot_id", unknown, |q| &mut q.bot_id);
    table
        .rpc::<RemoveBotRequest>("BotService/RemoveBot")
        .id("bot_id", unknown, |q| &mut q.bot_id)
        // It has the items of all the others.
        .refused("bot_id", ErrorReason::BotInUse, |_| {})
        .request_id(|q| &mut q.request_id);
    table
        .rpc::<PauseBotRequest>("BotService/PauseBot")
        .id("bot_id", unknown, |q| &mut q.bot_id)
        .request_id(|q| &mut q.request_id);
    table
        .rpc::<StartSyncRequest>("SyncService/StartSync")
        .id("bot_id", unknown, |q| &mut q.bot_id)
        .request_id(|q| &mut q.request_id);
    table.rpc::<GetSyncRequest>("SyncService/GetSync").id(
        "sync_id",
        ErrorReason::SyncNotFound,
        |q| &mut q.sync_id,
    );
    table
        .rpc::<ListSyncsRequest>("SyncService/ListSyncs")
        .org(|q| &mut q.org_id)
        .bad("bot_id", values::ids(), |q, id| q.bot_id = id)
        .refused("bot_id", unknown, |q| q.bot_id = values::unknown())
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    table
        .rpc::<ListDiscrepanciesRequest>("SyncService/ListDiscrepancies")
        .org(|q| &mut q.org_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    let vanished = DiscrepancyResolution::Vanished.into();
    // What can be adopted is an unknown asset, what can be withdrawn an unknown offer, and this is a
    // missing asset.
    let adopt = DiscrepancyResolution::Adopt.into();
    let cancel = DiscrepancyResolution::CancelOffer.into();
    table
        .rpc::<ResolveDiscrepancyRequest>("SyncService/ResolveDiscrepancy")
        .id("discrepancy_id", ErrorReason::DiscrepancyNotFound, |q| &mut q.discrepancy_id)
        .bad("resolution", [0, vanished, adopt, cancel, 99, -1], |q, to| q.resolution = to)
        .text("note", 500, |q| &mut q.note)
        .request_id(|q| &mut q.request_id);
}

pub(crate) fn users(table: &mut Table<'_>) {
    table
        .rpc::<GetUserRequest>("UserService/GetUser")
        .org(|q| &mut q.org_id)
        .bad("user_id", NO_PEOPLE.into_iter().chain([0]), |q, id| q.user_id = id)
        .refused("user_id", ErrorReason::UserNotFound, |q| q.user_id += 90_000);
    let orders = ["display_name", "create_time asc", "last_seen_time", "create_time  desc"];
    table
        .rpc::<ListUsersRequest>("UserService/ListUsers")
        .org(|q| &mut q.org_id)
        .text("filter.text", 100, |q| &mut q.filter.get_or_insert_default().text)
        .bad("order_by", orders, |q, order| q.order_by = order.to_owned())
        .page(
            |q| &mut q.page_size,
            |q| {
                q.order_by = "create_time".to_owned();
                &mut q.page_token
            },
        );
    let someone = format!("https://steamcommunity.com/tradeoffer/new/?partner=1&token={TOKEN}");
    table
        .rpc::<SetTradeUrlRequest>("UserService/SetTradeUrl")
        .org(|q| &mut q.org_id)
        .bad("user_id", NO_PEOPLE, |q, id| q.user_id = id)
        .bad("trade_url", values::trade_urls(), |q, url| q.trade_url = url)
        .bad("trade_url", [String::new(), someone], |q, url| q.trade_url = url)
        .request_id(|q| &mut q.request_id);
}

pub(crate) fn reports(table: &mut Table<'_>) {
    table.rpc::<GetOverviewRequest>("ReportService/GetOverview").org(|q| &mut q.org_id);
    let at = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
    table
        .rpc::<ListReportRowsRequest>("ReportService/ListReportRows")
        .org(|q| &mut q.org_id)
        .bad("dimension", [0, 99, -1], |q, dimension| q.dimension = dimension)
        .bad("start_time", values::times(), |q, time| q.start_time = Some(time))
        .bad("end_time", values::times(), |q, time| q.end_time = Some(time))
        // The day after the end, and more days than a report has.
        .bad("start_time", [(86_400, 86_399), (0, 3660 * 86_400)], |q, (start, end)| {
            (q.start_time, q.end_time) = (Some(at(start)), Some(at(end)));
        })
        .bad("of_dimension", [0, 99, ReportDimension::Week.into()], |q, of| q.of_dimension = of)
        .bad("of_dimension", [ReportDimension::Game], |q, dimension| {
            q.dimension = dimension.into();
        })
        .bad("of_key", [""], |q, key| q.of_key = key.to_owned())
        .text("of_key", 100, |q| &mut q.of_key)
        .bad("order_by", ["items", "key desc", "items desc", "; DROP"], |q, order| {
            q.order_by = order.to_owned();
        })
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
}
