//! Rules of routes.

use std::collections::HashMap;

use prost_reflect::{Cardinality, Kind, MessageDescriptor, MethodDescriptor};

use super::Report;
use crate::model::{PUBLIC_PACKAGES, Route, routes};
use crate::schema::Schema;

/// What every path begins with.
const START: &str = "/api/";

/// Every public RPC has a route, each leads to one RPC alone, and names what its request has.
pub(super) fn rules(report: &mut Report, schema: &Schema) {
    let mut taken: HashMap<(String, String), String> = HashMap::new();
    for service in schema.files().flat_map(|file| file.services().collect::<Vec<_>>()) {
        let file = service.parent_file();
        for method in service.methods() {
            let subject = format!("{}.{}", service.name(), method.name());
            let routes = routes(&method);
            let wanted = PUBLIC_PACKAGES.contains(&service.package_name());
            if wanted && routes.is_empty() && !method.is_client_streaming() {
                report.add(&file, method.path(), &subject, "has no http option");
            }
            for route in routes {
                if let Some(problem) = problem(&method, &route) {
                    report.add(&file, method.path(), &subject, &problem);
                }
                let place = (route.verb.clone(), route.nameless());
                if let Some(first) = taken.insert(place, subject.clone()) {
                    let problem = format!("has the route {} {} of {first}", route.verb, route.path);
                    report.add(&file, method.path(), &subject, &problem);
                }
            }
        }
    }
}

/// What is wrong with one route by itself.
fn problem(method: &MethodDescriptor, route: &Route) -> Option<String> {
    let Route { verb, path, body } = route;
    if verb.is_empty() {
        return Some("has an http option without a verb".to_owned());
    }
    if !path.starts_with(START) {
        return Some(format!("has the route {path}, which does not begin with {START}"));
    }
    if method.is_client_streaming() {
        return Some(format!("has the route {path}, but its caller sends a stream"));
    }
    let input = method.input();
    for field in route.fields() {
        if !is_plain(&input, field) {
            return Some(format!("has the route {path}, whose {{{field}}} no path can carry"));
        }
    }
    if matches!(verb.as_str(), "GET" | "DELETE") && !body.is_empty() {
        return Some(format!("has the route {path}, whose verb {verb} has no body"));
    }
    let there = body.is_empty() || body == "*" || input.get_field_by_name(body).is_some();
    (!there).then(|| format!("has the route {path}, whose body {body} its request does not have"))
}

/// Whether the field is there and has one value that text can be.
fn is_plain(message: &MessageDescriptor, path: &str) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(field) = message.get_field_by_name(name) else { return false };
    if field.cardinality() == Cardinality::Repeated {
        return false;
    }
    match (field.kind(), rest) {
        (Kind::Message(inner), Some(rest)) => is_plain(&inner, rest),
        (Kind::Message(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    }
}
