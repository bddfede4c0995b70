//! `astro orgs update`, `astro donations` and `astro bots list`.

use astro_sdk::v1::*;

use crate::program::astro;
use crate::stub::{Stub, one};

/// An organisation.
const ID: &str = "0197b3a0-0000-7000-8000-000000000002";

#[tokio::test]
async fn an_update_names_what_is_given_and_keeps_the_other_rules() {
    let stub = Stub::default();
    let rules = DonationRules {
        items_per_day_max: 5,
        denied_user_ids: vec![76_561_198_046_968_201],
        ..DonationRules::default()
    };
    let found = Organization {
        id: ID.into(),
        donation_rules: Some(rules),
        display_name: "Not sent".into(),
        ..Organization::default()
    };
    let answer = GetOrganizationResponse { organization: Some(found) };
    stub.answer("OrganizationService/GetOrganization", one(answer));
    let after = Organization { id: ID.into(), ..Organization::default() };
    let answer = UpdateOrganizationResponse { organization: Some(after) };
    stub.answer("OrganizationService/UpdateOrganization", one(answer));
    let arguments = [
        "orgs",
        "update",
        ID,
        "--keyword",
        "gift",
        "--app",
        "440,730",
        "--friend-invites",
        "false",
        "--claim-ttl",
        "3600",
        "--junk",
        "Crate*",
        "--deny",
        "STEAM_0:1:43351237",
        "--thanks",
        "Thank you",
    ];
    let run = astro(&stub, &arguments).await;
    assert_eq!((run.code, run.out.as_str()), (0, &*format!("id  {ID}\n")), "{run:?}");
    let requests: Vec<UpdateOrganizationRequest> =
        stub.requests("OrganizationService/UpdateOrganization");
    let mut paths = requests[0].update_mask.clone().unwrap().paths;
    paths.sort();
    let named = [
        "claim_ttl_seconds",
        "donation_app_ids",
        "donation_keyword",
        "donation_rules",
        "friend_invites",
    ];
    assert_eq!(paths, named);
    let sent = Organization {
        id: ID.into(),
        donation_keyword: "gift".into(),
        donation_app_ids: vec![440, 730],
        claim_ttl_seconds: 3600,
        donation_rules: Some(DonationRules {
            items_per_day_max: 5,
            junk_names: vec!["Crate*".into()],
            denied_user_ids: vec![76_561_198_046_968_201, 76_561_198_046_968_203],
            thanks: "Thank you".into(),
            ..DonationRules::default()
        }),
        ..Organization::default()
    };
    assert_eq!(requests[0].organization, Some(sent));
    assert!(!requests[0].request_id.is_empty());
}

#[tokio::test]
async fn an_update_without_rules_reads_nothing_first() {
    let stub = Stub::default();
    let answer = UpdateOrganizationResponse::default();
    stub.answer("OrganizationService/UpdateOrganization", one(answer));
    let run = astro(&stub, &["orgs", "update", "--any-app"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<UpdateOrganizationRequest> =
        stub.requests("OrganizationService/UpdateOrganization");
    assert_eq!(requests[0].update_mask.clone().unwrap().paths, ["donation_app_ids"]);
    assert_eq!(requests[0].organization, Some(Organization::default()));
}

#[tokio::test]
async fn donations_are_listed_with_what_their_donors_are_told() {
    let stub = Stub::default();
    let donation = Donation {
        id: "d".into(),
        state: DonationState::Declined.into(),
        decline_reason: DeclineReason::Junk.into(),
        status_message: "\"Crate\" is not taken".into(),
        ..Donation::default()
    };
    let answer =
        ListDonationsResponse { donations: vec![donation.clone()], next_page_token: String::new() };
    stub.answer("DonationService/ListDonations", one(answer));
    let arguments =
        ["donations", "list", "--state", "declined,reversed", "--donor", "STEAM_0:1:43351236"];
    let run = astro(&stub, &arguments).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("\"Crate\" is not taken"), "{run:?}");
    let requests: Vec<ListDonationsRequest> = stub.requests("DonationService/ListDonations");
    let filter = requests[0].filter.clone().unwrap();
    assert_eq!((filter.states, filter.user_id), (vec![5, 7], 76_561_198_046_968_201));
    let answer = GetDonationResponse { donation: Some(donation) };
    stub.answer("DonationService/GetDonation", one(answer));
    let run = astro(&stub, &["donations", "get", "d"]).await;
    assert!(run.out.contains("JUNK"), "{run:?}");
}

fn two_organizations() -> Stub {
    let stub = Stub::default();
    let named = |id: &str, slug: &str| Organization {
        id: id.into(),
        slug: slug.into(),
        ..Organization::default()
    };
    // On two pages.
    let first = ListOrganizationsResponse {
        organizations: vec![named("0197b3a0-0000-7000-8000-000000000001", "another")],
        next_page_token: "2".into(),
    };
    let second = ListOrganizationsResponse {
        organizations: vec![named(ID, "my-community")],
        next_page_token: String::new(),
    };
    stub.answer("OrganizationService/ListOrganizations", one(first));
    stub.answer("OrganizationService/ListOrganizations", one(second));
    stub
}

#[tokio::test]
async fn an_organisation_is_named_by_its_short_name_wherever_one_is() {
    let stub = two_organizations();
    stub.answer("ItemService/ListItems", one(ListItemsResponse::default()));
    let run = astro(&stub, &["items", "list", "--org", "my-community"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<ListItemsRequest> = stub.requests("ItemService/ListItems");
    assert_eq!(requests[0].org_id, ID);
    let stub = two_organizations();
    stub.answer("OrganizationService/GetOrganization", one(GetOrganizationResponse::default()));
    let run = astro(&stub, &["orgs", "get", "my-community"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<GetOrganizationRequest> =
        stub.requests("OrganizationService/GetOrganization");
    assert_eq!(requests[0].org_id, ID);
    let stub = two_organizations();
    stub.answer(
        "OrganizationService/UpdateOrganization",
        one(UpdateOrganizationResponse::default()),
    );
    let run = astro(&stub, &["orgs", "update", "my-community", "--keyword", "gift"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<UpdateOrganizationRequest> =
        stub.requests("OrganizationService/UpdateOrganization");
    assert_eq!(requests[0].organization.clone().unwrap().id, ID);
}

#[tokio::test]
async fn an_id_is_taken_as_it_is_and_an_unknown_name_is_told() {
    let stub = Stub::default();
    stub.answer("ItemService/ListItems", one(ListItemsResponse::default()));
    let run = astro(&stub, &["items", "list", "--org", ID]).await;
    assert_eq!(run.code, 0, "nobody is asked for an id: {run:?}");
    let stub = two_organizations();
    let run = astro(&stub, &["items", "list", "--org", "nobody"]).await;
    let expected =
        "error: no organisation has the id or short name \"nobody\"; see `astro orgs list`\n";
    assert_eq!((run.code, run.err.as_str()), (3, expected));
    let stub = two_organizations();
    stub.answer(
        "OrganizationService/CreateOrganization",
        one(CreateOrganizationResponse::default()),
    );
    let run = astro(&stub, &["orgs", "create", "nobody", "--org", "nobody"]).await;
    assert_eq!(run.code, 0, "what is not used is not looked up: {run:?}");
}
