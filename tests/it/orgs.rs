//! Settings of an organisation: changed by name, and followed at once.

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use prost_types::FieldMask;

on_each_database!(a_setting_that_is_named_changes_and_no_other);

/// Changes the named settings of the app's organisation.
pub(crate) async fn set(app: &App, paths: &[&str], organization: Organization) -> Organization {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let request = UpdateOrganizationRequest {
        organization: Some(Organization { id: app.org_id.clone(), ..organization }),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    };
    let answer = app.admin.raw().organizations().update_organization(request).await;
    answer.unwrap().into_inner().organization.unwrap()
}

/// Changes the rules for donations of the app's organisation.
pub(crate) async fn set_rules(app: &App, rules: DonationRules) {
    let organization = Organization { donation_rules: Some(rules), ..Default::default() };
    set(app, &["donation_rules"], organization).await;
}

async fn a_setting_that_is_named_changes_and_no_other(backend: Backend) {
    let app = App::start(backend).await;
    let request = GetOrganizationRequest { org_id: app.org_id.clone() };
    let before =
        app.admin.raw().organizations().get_organization(request).await.unwrap().into_inner();
    let before = before.organization.unwrap();
    assert!(before.friend_invites && before.cancel_unknown_offers);
    assert_eq!(before.offer_ttl_seconds, 259_200);
    let rules = DonationRules {
        items_per_day_max: 50,
        junk_names: vec!["Crate*".to_owned()],
        denied_user_ids: vec![76_561_197_961_265_729],
        thanks: "Thank you".to_owned(),
        ..Default::default()
    };
    let wanted = Organization {
        display_name: "not named".to_owned(),
        donation_keyword: "gift".to_owned(),
        donation_rules: Some(rules.clone()),
        offer_ttl_seconds: 86_400,
        ..Default::default()
    };
    let paths = ["donation_keyword", "donation_rules", "friend_invites", "offer_ttl_seconds"];
    let after = set(&app, &paths, wanted.clone()).await;
    let expected = Organization {
        donation_keyword: "gift".to_owned(),
        donation_rules: Some(rules),
        friend_invites: false,
        offer_ttl_seconds: 86_400,
        update_time: after.update_time,
        ..before.clone()
    };
    assert_eq!(after, expected);
    assert_ne!(after.update_time, before.update_time);
    let log = app.events().await;
    let event = log.iter().find(|event| event.event_type == "org.updated").unwrap();
    let facts = format!("{:?}", event.event_data);
    assert!(paths.iter().all(|path| facts.contains(path)), "{facts}");
    assert!(!facts.contains("display_name"), "{facts}");
    assert_eq!(set(&app, &paths, wanted).await, after, "the same again changes nothing");
    assert_eq!(app.events().await.len(), log.len());
    // Empty and 0 are the defaults, as in CreateOrganization.
    let defaults = set(&app, &paths, Organization::default()).await;
    assert_eq!((&*defaults.donation_keyword, defaults.offer_ttl_seconds), ("donation", 259_200));
    assert_eq!(defaults.donation_rules, Some(DonationRules::default()));
}
