//! What is told of people, and who may be given something.

use std::collections::BTreeSet;
use std::time::Duration;

use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::{UserProfile, UserProfiles};
use astro_sdk::v1::*;
use astro_sdk::{Client, Code, Error, new_request_id};
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::Behaviour;

use crate::puppet::Puppet;

on_each_database!(
    what_a_bot_tells_of_a_person_is_kept_as_far_as_it_is_steams,
    a_bots_account_is_promised_nothing,
    a_name_that_turns_the_direction_of_writing_is_refused,
    each_person_is_on_one_page_though_several_were_met_in_the_same_moment,
    one_person_of_two_organisations_is_on_one_page_for_each,
    people_are_found_by_a_part_of_their_name_as_it_is_written,
    people_of_another_organisation_are_never_shown,
);

async fn user(app: &App, user_id: u64) -> User {
    let request = GetUserRequest { user_id, ..Default::default() };
    app.client.raw().users().get_user(request).await.unwrap().into_inner().user.unwrap()
}

async fn what_a_bot_tells_of_a_person_is_kept_as_far_as_it_is_steams(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let request = SetTradeUrlRequest { trade_url: winner.trade_url(), ..Default::default() };
    app.client.raw().users().set_trade_url(request).await.unwrap();
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let picture =
        "https://avatars.steamstatic.com/fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb_full.jpg";
    let page = "https://steamcommunity.com/id/winner/";
    let id = winner.steam_id.0;
    let good = UserProfile {
        steam_id: id,
        display_name: "Zoë 👩\u{200d}👧".to_owned(),
        avatar_url: picture.to_owned(),
        profile_url: page.to_owned(),
        country_code: "DE".to_owned(),
        ..Default::default()
    };
    let evil = UserProfile {
        display_name: format!("\u{202e}nimda\u{2066}\n{}", "x".repeat(10_000)),
        avatar_url: "https://evil.example/a.jpg".to_owned(),
        profile_url: "http://steamcommunity.com/id/winner/".to_owned(),
        country_code: "<b".to_owned(),
        ..good.clone()
    };
    let mut tell = async |profile: &UserProfile| {
        let profiles = vec![profile.clone()];
        bot.report(Report::UserProfiles(UserProfiles { profiles })).await;
        bot.committed().await.unwrap();
        user(&app, id).await
    };
    let kept = tell(&good).await;
    assert_eq!(kept.display_name, good.display_name);
    assert_eq!((&*kept.avatar_url, &*kept.profile_url, &*kept.country_code), (picture, page, "DE"));
    let kept = tell(&evil).await;
    assert_eq!((&*kept.avatar_url, &*kept.profile_url, &*kept.country_code), ("", "", ""));
    assert_eq!(kept.display_name.chars().count(), 100);
    assert!(kept.display_name.starts_with("nimdaxxx"), "{:?}", kept.display_name);
    let wrong = [
        "https://steamcommunity.com.evil.example/id/winner",
        "https://steamcommunity.com@evil.example/",
        "https://evil.example\\.steamcommunity.com/",
        "javascript:alert(1)",
    ];
    for address in wrong {
        let (avatar_url, profile_url) = (address.to_owned(), address.to_owned());
        let kept = tell(&UserProfile { avatar_url, profile_url, ..good.clone() }).await;
        assert_eq!((&*kept.avatar_url, &*kept.profile_url), ("", ""), "{address}");
    }
}

async fn a_bots_account_is_promised_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let spare = app.person("spare", Behaviour::IGNORE);
    let (own, further) = (app.bot_account.steam_id.0, app.further_bot("other bot").await);
    let other = further.account.steam_id.0;
    let check = |error: Error, field: &str, bot: u64| {
        assert_eq!(error.code, Code::InvalidArgument, "{error}");
        assert_eq!(error.metadata.get("field").map(String::as_str), Some(field), "{error}");
        assert!(error.to_string().contains(&bot.to_string()), "{error}");
    };
    for bot in [own, other] {
        let trade_url = String::new();
        let to_bot =
            CreateAssignmentRequest { user_id: bot, trade_url, ..app.prize(&pool, &winner) };
        let next = CreateAssignmentRequest {
            runner_up_user_ids: vec![spare.steam_id.0, bot],
            ..app.prize(&pool, &winner)
        };
        for (request, field) in [(to_bot, "user_id"), (next, "runner_up_user_ids")] {
            let refused = app.client.raw().assignments().create_assignment(request).await;
            check(refused.map_err(Error::from).unwrap_err(), field, bot);
        }
    }
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    let assignment = app.assign(&pool, &winner).await;
    let request = ReassignAssignmentRequest {
        assignment_id: assignment.id.clone(),
        user_id: own,
        request_id: new_request_id(),
        ..Default::default()
    };
    let refused = app.client.raw().assignments().reassign_assignment(request).await;
    check(refused.map_err(Error::from).unwrap_err(), "user_id", own);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Queued);
}

async fn a_name_that_turns_the_direction_of_writing_is_refused(backend: Backend) {
    let app = App::start(backend).await;
    let name = "admin\u{202e}".to_owned();
    let key = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: name.clone(),
        org_id: app.org_id.clone(),
        ..Default::default()
    };
    let refused = app.admin.raw().access().create_api_key(key).await.map_err(Error::from);
    let org = CreateOrganizationRequest {
        slug: "turned".to_owned(),
        display_name: name,
        ..Default::default()
    };
    let other = app.admin.raw().organizations().create_organization(org).await.map_err(Error::from);
    for refused in [refused.map(drop), other.map(drop)] {
        let refused = refused.unwrap_err();
        assert!(refused.is(ErrorReason::FieldInvalid), "{refused}");
        assert!(refused.to_string().contains("display_name"), "{refused}");
    }
}

/// Has this client's organisation meet people of these accounts.
async fn meet(client: &Client, people: std::ops::Range<u32>) {
    for account in people {
        let trade_url = format!(
            "https://steamcommunity.com/tradeoffer/new/?partner={account}&token=token{account:03}"
        );
        let request = SetTradeUrlRequest { trade_url, ..Default::default() };
        client.raw().users().set_trade_url(request).await.unwrap();
    }
}

/// Has all of them be met in the same moment.
fn at_once(app: &App) {
    let mut conn = sql::open(&app.database_url).unwrap();
    let set = "UPDATE users SET created_at = (SELECT min(created_at) FROM users)";
    sql::run(&mut conn, set).unwrap();
}

/// Whom the pages of a list have, one page after the other, and how many pages there are; `between` is
/// done after each.
async fn all_pages(
    client: &Client,
    mut request: ListUsersRequest,
    between: impl AsyncFn(),
) -> (Vec<(String, u64)>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let page = client.raw().users().list_users(request.clone()).await.unwrap().into_inner();
        assert!(page.users.len() <= usize::try_from(request.page_size).unwrap());
        all.extend(page.users.into_iter().map(|user| (user.org_id, user.steam_id)));
        pages += 1;
        if page.next_page_token.is_empty() {
            return (all, pages);
        }
        request.page_token = page.next_page_token;
        between().await;
    }
}

async fn each_person_is_on_one_page_though_several_were_met_in_the_same_moment(backend: Backend) {
    let app = App::start(backend).await;
    meet(&app.client, 1..8).await;
    at_once(&app);
    app.clock.advance(Duration::from_secs(60));
    let newcomers = std::sync::atomic::AtomicU32::new(100);
    // Whoever is met, or seen again, while somebody reads shifts nobody.
    let between = async || {
        let account = newcomers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        meet(&app.client, account..account + 1).await;
        meet(&app.client, 1..8).await;
    };
    let request = ListUsersRequest { page_size: 2, ..Default::default() };
    let (newest_first, pages) = all_pages(&app.client, request.clone(), between).await;
    let ids = |people: &[(String, u64)]| people.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    let account = |id: u64| u32::try_from(id & 0xFFFF_FFFF).unwrap();
    let seen: Vec<u32> = ids(&newest_first).into_iter().map(account).collect();
    assert_eq!((seen, pages), (vec![7, 6, 5, 4, 3, 2, 1], 4));
    let request = ListUsersRequest { order_by: "create_time".to_owned(), ..request };
    let (oldest_first, pages) = all_pages(&app.client, request, async || ()).await;
    let seen: Vec<u32> = ids(&oldest_first).into_iter().map(account).collect();
    assert_eq!((seen, pages), (vec![1, 2, 3, 4, 5, 6, 7, 100, 101, 102], 5));
}

async fn one_person_of_two_organisations_is_on_one_page_for_each(backend: Backend) {
    let app = App::start(backend).await;
    let (other, stranger) = app.another_org("stranger").await;
    meet(&app.client, 1..5).await;
    meet(&stranger, 1..5).await;
    at_once(&app);
    for order in ["create_time", "create_time desc"] {
        let order_by = order.to_owned();
        let request = ListUsersRequest { page_size: 3, order_by, ..Default::default() };
        let (all, pages) = all_pages(&app.admin, request, async || ()).await;
        let different: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!((all.len(), different.len(), pages), (8, 8, 3), "{order}: {all:?}");
    }
    // The same person alone, in both.
    let id = 76_561_197_960_265_728_u64 + 3;
    let filter = Some(UserFilter { text: id.to_string(), ..Default::default() });
    let request = ListUsersRequest { page_size: 1, filter, ..Default::default() };
    let (found, pages) = all_pages(&app.admin, request, async || ()).await;
    let homes: BTreeSet<&str> = found.iter().map(|(org, _)| org.as_str()).collect();
    assert_eq!(homes, [other.as_str(), app.org_id.as_str()].into());
    assert!(found.iter().all(|(_, user)| *user == id) && pages == 2, "{found:?}");
}

async fn people_are_found_by_a_part_of_their_name_as_it_is_written(backend: Backend) {
    let app = App::start(backend).await;
    let names = ["100%", "100 percent", "under_score", "underscore", "back\\slash", "ANNA", "x'y"];
    meet(&app.client, 1..9).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let base = 76_561_197_960_265_728_u64;
    let profiles = names.iter().zip(1..).map(|(name, account)| UserProfile {
        steam_id: base + account,
        display_name: (*name).to_owned(),
        ..Default::default()
    });
    bot.report(Report::UserProfiles(UserProfiles { profiles: profiles.collect() })).await;
    bot.committed().await.unwrap();
    let find = async |text: &str| {
        let filter = Some(UserFilter { text: text.to_owned(), ..Default::default() });
        let request = ListUsersRequest { filter, ..Default::default() };
        let page = app.client.raw().users().list_users(request).await.unwrap().into_inner();
        assert!(page.next_page_token.is_empty());
        page.users.into_iter().map(|user| user.display_name).collect::<Vec<_>>()
    };
    for (text, found) in [
        ("%", vec!["100%"]),
        ("_", vec!["under_score"]),
        ("\\", vec!["back\\slash"]),
        ("'", vec!["x'y"]),
        ("%_\\", vec![]),
        ("nn", vec!["ANNA"]),
        ("aNnA", vec!["ANNA"]),
        ("100", vec!["100 percent", "100%"]),
        ("Nobody", vec![]),
    ] {
        assert_eq!(find(text).await, found, "{text:?}");
    }
    // The eighth was never named, and is found by the number, which is no part of any name.
    let eighth = (base + 8).to_string();
    assert_eq!(find(&eighth).await, [""]);
    assert_eq!(find(&format!(" {eighth} ")).await, [""]);
    assert_eq!(find(&eighth[..16]).await, Vec::<String>::new());
    assert_eq!(find(&(base + 9).to_string()).await, Vec::<String>::new());
}

async fn people_of_another_organisation_are_never_shown(backend: Backend) {
    let app = App::start(backend).await;
    let (_, stranger) = app.another_org("stranger").await;
    meet(&app.client, 1..4).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let pool = app.pool_of(1).await;
    let prize = CreateAssignmentRequest { trade_url: String::new(), ..app.prize(&pool, &winner) };
    app.client.raw().assignments().create_assignment(prize).await.unwrap();
    meet(&stranger, 3..6).await;
    let list = async |client: &Client, text: &str, has_trade_url: bool| {
        let filter = Some(UserFilter { text: text.to_owned(), has_trade_url });
        let request = ListUsersRequest { page_size: 500, filter, ..Default::default() };
        let page = client.raw().users().list_users(request).await.unwrap().into_inner();
        page.users.into_iter().map(|user| user.steam_id).collect::<BTreeSet<u64>>()
    };
    let base = 76_561_197_960_265_728_u64;
    assert_eq!(list(&stranger, "", false).await, [base + 3, base + 4, base + 5].into());
    for (account, found) in [(1, false), (3, true), (5, true)] {
        let text = (base + account).to_string();
        assert_eq!(list(&stranger, &text, false).await.len(), usize::from(found), "{account}");
    }
    assert!(list(&stranger, &winner.steam_id.0.to_string(), false).await.is_empty());
    // The winner and the donor have no trade URL.
    let (all, with) = (list(&app.client, "", false).await, list(&app.client, "", true).await);
    assert_eq!(with, [base + 1, base + 2, base + 3].into());
    assert!(all.contains(&winner.steam_id.0) && all.len() == 5, "{all:?}");
}
