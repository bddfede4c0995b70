//! Routes: how HTTP and JSON reach an RPC.

use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use serde::Serialize;

/// Full name of the method option that carries the routes.
pub const ROUTES_OPTION: &str = "astro.options.v1.http";

/// One way by which HTTP reaches an RPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Verb: `GET`; empty when the option has none, which [`crate::lint`] reports.
    pub verb: String,
    /// Path, in which braces name fields of the request: `/api/v1/items/{item_id}`.
    pub path: String,
    /// Field of the request that the body is, `*` for the whole request, empty for no body.
    pub body: String,
}

impl Route {
    /// The fields that the path names, from the request inwards: `item.id`.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
    }

    /// The path with empty braces: two routes that differ in names alone are one.
    pub fn nameless(&self) -> String {
        let mut parts = self.path.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = |part: &str| part.split_once('}').map_or("", |(_, rest)| rest).to_owned();
        parts.fold(first, |all, part| all + "{}" + &rest(part))
    }
}

/// The routes of `method`, the usual one first.
pub fn routes(method: &MethodDescriptor) -> Vec<Route> {
    let pool = method.parent_pool();
    let Some(extension) = pool.get_extension_by_name(ROUTES_OPTION) else { return Vec::new() };
    let options = method.options();
    let routes = options.get_extension(&extension);
    let routes = routes.as_list().unwrap_or_default().iter().filter_map(Value::as_message);
    routes.map(route).collect()
}

fn route(rule: &DynamicMessage) -> Route {
    let text = |name| match rule.get_field_by_name(name).map(|value| value.into_owned()) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let pattern = rule.descriptor().oneofs().next();
    let mut fields = pattern.into_iter().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    let chosen = fields.find(|field| rule.has_field(field));
    let verb = chosen.as_ref().map(|field| field.name().to_ascii_uppercase());
    let path = chosen.as_ref().map(|field| text(field.name()));
    Route { verb: verb.unwrap_or_default(), path: path.unwrap_or_default(), body: text("body") }
}
