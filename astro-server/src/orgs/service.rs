//! The wire of organisations.
use super::{NewOrg, Org, ops};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::kernel::page::Cursor;
use crate::kernel::{Page, Result};
use crate::wire;
use astro_sdk::v1::organization_service_server::OrganizationService;
use astro_sdk::v1::{
    CreateOrganizationRequest, CreateOrganizationResponse, GetOrganizationRequest,
    GetOrganizationResponse, ListOrganizationsRequest, ListOrganizationsResponse, Organization,
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
        self.0.mutate(request, |r| &r.request_id, create).await
    }

    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<GetOrganizationResponse>, Status> {
        self.0.read(request, get).await
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        self.0.read(request, list).await
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
    let scope = context.caller.org.map(|id| id.to_string()).unwrap_or_default();
    let query: [&[u8]; 2] = [b"ListOrganizations", scope.as_bytes()];
    let page = Page::parse(&context.sealer, request.page_size, &request.page_token, &query)?;
    let mut orgs = ops::list(conn, &context.caller, &page)?;
    let next_page_token =
        page.cut(&context.sealer, &mut orgs, |org| Cursor { key: org.slug.clone(), id: org.id.0 });
    let organizations = orgs.into_iter().map(to_wire).collect();
    Ok(ListOrganizationsResponse { organizations, next_page_token })
}

fn to_wire(org: Org) -> Organization {
    Organization {
        id: org.id.to_string(),
        slug: org.slug,
        display_name: org.display_name,
        donation_keyword: org.donation_keyword,
        donation_app_ids: org.donation_app_ids,
        claim_ttl_seconds: i32::try_from(org.claim_ttl.as_secs()).unwrap_or(i32::MAX),
        adopt_unknown_items: org.adopt_unknown_items,
        create_time: Some(wire::timestamp(org.created_at)),
        update_time: Some(wire::timestamp(org.updated_at)),
    }
}
