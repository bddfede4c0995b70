//! What is told of people, and who may be given something.

use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::{UserProfile, UserProfiles};
use astro_sdk::v1::*;
use astro_sdk::{Code, Error, new_request_id};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::puppet::Puppet;

on_each_database!(
    what_a_bot_tells_of_a_person_is_kept_as_far_as_it_is_steams,
    a_bots_account_is_promised_nothing,
    a_name_that_turns_the_direction_of_writing_is_refused,
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
