//! The wire of organisations.
use super::rules::DonationRules;
use super::{NewOrg, Org, Setting, ops};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::page::Cursor;
use crate::kernel::{Error, OrgId, Page, Result, SteamId, limits};
use crate::wire;
use astro_sdk::v1;
use astro_sdk::v1::organization_service_server::OrganizationService;
use astro_sdk::v1::{
    CreateOrganizationRequest, CreateOrganizationResponse, GetOrganizationRequest,
    GetOrganizationResponse, ListOrganizationsRequest, ListOrganizationsResponse, Organization,
    UpdateOrganizationRequest, UpdateOrganizationResponse,
};
use tonic::{Request, Response, Status};

/// Serves organisations.
#[derive(Debug, Clone)]
pub struct Organizations(pub Gate);

#[tonic::async_trait]
impl OrganizationService for Organizations {
    async fn create_organization(
        &self,
        request: Request<CreateOrganizationRequest>,
    ) -> Result<Response<CreateOrganizationResponse>, Status> {
        unary(request, |call| self.0.mutate(call, |r| &r.request_id, create)).await
    }

    async fn update_organization(
        &self,
        request: Request<UpdateOrganizationRequest>,
    ) -> Result<Response<UpdateOrganizationResponse>, Status> {
        unary(request, |call| self.0.mutate(call, |r| &r.request_id, update)).await
    }

    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<GetOrganizationResponse>, Status> {
        unary(request, |call| self.0.read(call, get)).await
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        unary(request, |call| self.0.read(call, list)).await
    }
}

fn create(
    conn: &mut Conn,
    context: &Context,
    request: CreateOrganizationRequest,
) -> Result<CreateOrganizationResponse> {
    let new = NewOrg {
        slug: request.slug,
        display_name: request.display_name,
        donation_keyword: request.donation_keyword,
        donation_app_ids: request.donation_app_ids,
        claim_ttl_seconds: request.claim_ttl_seconds,
        review_unknown_items: request.review_unknown_items,
    };
    let org = ops::create(conn, &context.caller, new, context.now)?;
    Ok(CreateOrganizationResponse { organization: Some(to_wire(org)) })
}

fn update(
    conn: &mut Conn,
    context: &Context,
    request: UpdateOrganizationRequest,
) -> Result<UpdateOrganizationResponse> {
    let wanted =
        request.organization.ok_or_else(|| Error::invalid("organization", "is required"))?;
    if !wanted.id.is_empty() {
        OrgId::parse("organization.id", &wanted.id)?;
    }
    let mask = request.update_mask.unwrap_or_default().paths;
    if mask.is_empty() {
        return Err(Error::invalid("update_mask", "is required"));
    }
    limits::count("update_mask", mask.len(), MASK_PATHS.len())?;
    let settings: Result<Vec<_>> = mask.iter().map(|path| setting(path, &wanted)).collect();
    let org = ops::update(conn, &context.caller, &wanted.id, settings?, context.now)?;
    Ok(UpdateOrganizationResponse { organization: Some(to_wire(org)) })
}

/// What an update mask may name.
const MASK_PATHS: [&str; 9] = [
    "display_name",
    "donation_keyword",
    "donation_app_ids",
    "claim_ttl_seconds",
    "adopt_unknown_items",
    "donation_rules",
    "friend_invites",
    "offer_ttl_seconds",
    "cancel_unknown_offers",
];

fn setting(path: &str, wanted: &Organization) -> Result<Setting> {
    Ok(match path {
        "display_name" => Setting::DisplayName(wanted.display_name.clone()),
        "donation_keyword" => Setting::DonationKeyword(wanted.donation_keyword.clone()),
        "donation_app_ids" => Setting::DonationAppIds(wanted.donation_app_ids.clone()),
        "claim_ttl_seconds" => Setting::ClaimTtlSeconds(wanted.claim_ttl_seconds),
        "adopt_unknown_items" => Setting::AdoptUnknownItems(wanted.adopt_unknown_items),
        "donation_rules" => {
            Setting::DonationRules(rules(wanted.donation_rules.clone().unwrap_or_default())?)
        }
        "friend_invites" => Setting::FriendInvites(wanted.friend_invites),
        "offer_ttl_seconds" => Setting::OfferTtlSeconds(wanted.offer_ttl_seconds),
        "cancel_unknown_offers" => Setting::CancelUnknownOffers(wanted.cancel_unknown_offers),
        other => {
            let shown: String = other.chars().take(50).collect();
            let names = MASK_PATHS.join(", ");
            return Err(Error::invalid("update_mask", format!("{shown:?} is none of {names}")));
        }
    })
}

fn rules(rules: v1::DonationRules) -> Result<DonationRules> {
    let field = "organization.donation_rules.items_per_day_max";
    let items_per_day_max = u32::try_from(rules.items_per_day_max)
        .map_err(|_| Error::invalid(field, "must not be negative"))?;
    let field = "organization.donation_rules.denied_user_ids";
    let denied: Result<Vec<_>> =
        rules.denied_user_ids.iter().map(|id| SteamId::parse(field, *id)).collect();
    Ok(DonationRules {
        items_per_day_max,
        value_per_day_max_cents: rules.value_per_day_max_cents,
        item_value_min_cents: rules.item_value_min_cents,
        junk_names: rules.junk_names,
        marketable_only: rules.marketable_only,
        denied_user_ids: denied?,
        thanks: rules.thanks,
    })
}

fn rules_to_wire(rules: DonationRules) -> v1::DonationRules {
    v1::DonationRules {
        items_per_day_max: i32::try_from(rules.items_per_day_max).unwrap_or(i32::MAX),
        value_per_day_max_cents: rules.value_per_day_max_cents,
        item_value_min_cents: rules.item_value_min_cents,
        junk_names: rules.junk_names,
        marketable_only: rules.marketable_only,
        denied_user_ids: rules.denied_user_ids.into_iter().map(SteamId::get).collect(),
        thanks: rules.thanks,
        unknown_fields: Default::default(),
    }
}

fn get(
    conn: &mut Conn,
    context: &Context,
    request: GetOrganizationRequest,
) -> Result<GetOrganizationResponse> {
    let org = ops::home(conn, &context.caller, &request.org_id)?;
    Ok(GetOrganizationResponse { organization: Some(to_wire(org)) })
}

fn list(
    conn: &mut Conn,
    context: &Context,
    request: ListOrganizationsRequest,
) -> Result<ListOrganizationsResponse> {
    let bound = context.caller.reach.to_bytes();
    let query: [&[u8]; 2] = [b"ListOrganizations", &bound];
    let page = Page::parse(&context.sealer, request.page_size, &request.page_token, &query)?;
    let rows = ops::list(conn, &context.caller, &page)?;
    let cursor = |org: &Org| Cursor { key: org.slug.clone(), id: org.id.0 };
    let encode = |org| Ok(to_wire(org));
    let (organizations, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
    Ok(ListOrganizationsResponse { organizations, next_page_token })
}

fn to_wire(org: Org) -> Organization {
    Organization {
        id: org.id.to_string(),
        slug: org.slug,
        display_name: org.display_name,
        donation_keyword: org.donation_keyword,
        donation_app_ids: org.donation_app_ids,
        claim_ttl_seconds: seconds(org.claim_ttl),
        adopt_unknown_items: org.adopt_unknown_items,
        create_time: Some(wire::timestamp(org.created_at)),
        update_time: Some(wire::timestamp(org.updated_at)),
        donation_rules: Some(rules_to_wire(org.donation_rules)),
        friend_invites: org.friend_invites,
        offer_ttl_seconds: seconds(org.offer_ttl),
        cancel_unknown_offers: org.cancel_unknown_offers,
        unknown_fields: Default::default(),
    }
}

fn seconds(span: std::time::Duration) -> i32 {
    i32::try_from(span.as_secs()).unwrap_or(i32::MAX)
}
