//! Which RPC a verb and a path mean.

use std::collections::HashMap;

use astro_sdk::methods::{METHODS, Method, Route};
use percent_encoding::percent_decode_str;
use prost_reflect::{DescriptorPool, MessageDescriptor};

/// An RPC by one of its routes.
#[derive(Debug)]
pub(crate) struct Target {
    /// RPC.
    pub(crate) method: &'static Method,
    /// Route.
    pub(crate) route: &'static Route,
    /// Its request.
    pub(crate) input: MessageDescriptor,
    /// What it answers.
    pub(crate) output: MessageDescriptor,
}

/// All routes, as a tree of the paths' segments.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    targets: Vec<Target>,
    root: Node,
}

/// A place in the tree. A custom verb (`:cancel`) is a segment of its own.
#[derive(Debug, Default)]
struct Node {
    named: HashMap<&'static str, Node>,
    any: Option<Box<Node>>,
    /// Verbs that end here, with the places of their targets.
    ends: Vec<(&'static str, usize)>,
}

/// What a path leads to.
pub(crate) enum Found<'a> {
    /// An RPC, with the values of the path's fields in their order.
    Target(&'a Target, Vec<String>),
    /// Other verbs than this one.
    Verbs(Vec<&'static str>),
}

impl Routes {
    /// Those of the contract.
    ///
    /// # Errors
    /// The RPC whose messages `pool` does not have.
    pub(crate) fn new(pool: &DescriptorPool) -> anyhow::Result<Self> {
        let mut routes = Self::default();
        for method in METHODS.iter().filter(|method| !method.routes.is_empty()) {
            let service = pool.get_service_by_name(method.service);
            let found = service.and_then(|s| s.methods().find(|m| m.name() == method.name));
            let found = found.ok_or_else(|| anyhow::anyhow!("{} is not described", method.path))?;
            for route in method.routes {
                routes.add(Target { method, route, input: found.input(), output: found.output() });
            }
        }
        Ok(routes)
    }

    fn add(&mut self, target: Target) {
        let mut node = &mut self.root;
        for segment in segments(target.route.path) {
            node = if segment.starts_with('{') {
                node.any.get_or_insert_default()
            } else {
                node.named.entry(segment).or_default()
            };
        }
        node.ends.push((target.route.verb, self.targets.len()));
        self.targets.push(target);
    }

    /// What `path` leads to by `verb`; nothing if it leads nowhere.
    pub(crate) fn find(&self, verb: &str, path: &str) -> Option<Found<'_>> {
        let whole: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (last, before) = whole.split_last()?;
        // An id with a colon is tried after the custom verb.
        let split = last.rfind(':').map(|at| last.split_at(at));
        let parted = split.map(|(name, custom)| [before, &[name, custom]].concat());
        let tries = [parted, Some(whole.clone())];
        let (node, values) = tries.iter().flatten().find_map(|path| {
            let mut values = Vec::new();
            let node = self.root.walk(path, &mut values)?;
            (!node.ends.is_empty()).then_some((node, values))
        })?;
        let end = node.ends.iter().find(|(has, _)| *has == verb);
        Some(match end.and_then(|(_, at)| self.targets.get(*at)) {
            Some(target) => Found::Target(target, values),
            None => Found::Verbs(node.ends.iter().map(|(verb, _)| *verb).collect()),
        })
    }
}

impl Node {
    fn walk<'n>(&'n self, path: &[&str], values: &mut Vec<String>) -> Option<&'n Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        if let Some(found) = self.named.get(*first).and_then(|node| node.walk(rest, values)) {
            return Some(found);
        }
        let any = self.any.as_ref().filter(|_| !first.is_empty() && !first.starts_with(':'))?;
        let value = percent_decode_str(first).decode_utf8().ok()?.into_owned();
        values.push(value);
        let found = any.walk(rest, values);
        if found.is_none() {
            values.pop();
        }
        found
    }
}

/// The segments of a route's path, with its custom verb as the last.
fn segments(path: &'static str) -> impl Iterator<Item = &'static str> {
    let (path, custom) = match path.rfind(':') {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    let custom = Some(custom).filter(|custom| !custom.is_empty());
    path.trim_start_matches('/').split('/').chain(custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let pool = DescriptorPool::decode(astro_sdk::file_descriptor_set()).unwrap();
        Routes::new(&pool).unwrap()
    }

    #[track_caller]
    fn check(verb: &str, path: &str, name: &str, expected: &[&str]) {
        let routes = routes();
        let Some(Found::Target(target, values)) = routes.find(verb, path) else {
            panic!("{verb} {path} leads nowhere")
        };
        assert_eq!(target.method.name, name);
        assert_eq!(values, expected);
    }

    #[test]
    fn a_path_leads_to_its_rpc_with_the_values_of_its_fields() {
        check("GET", "/api/v1/items", "ListItems", &[]);
        check("GET", "/api/v1/items/a%20b", "GetItem", &["a b"]);
        check("GET", "/api/v1/items/a/history", "ListItemHistory", &["a"]);
        check("PATCH", "/api/v1/items/a", "UpdateItem", &["a"]);
        check("POST", "/api/v1/items:reserve", "ReserveItems", &[]);
        check("POST", "/api/v1/assignments/a:cancel", "CancelAssignment", &["a"]);
        check("POST", "/api/assignments", "CreateAssignment", &[]);
        check("GET", "/api/v1/users/STEAM_0:1:2", "GetUser", &["STEAM_0:1:2"]);
    }

    #[test]
    fn a_verb_that_a_path_does_not_have_is_told_those_that_it_has() {
        let routes = routes();
        let Some(Found::Verbs(mut verbs)) = routes.find("PUT", "/api/v1/items/a") else {
            panic!("it has none")
        };
        verbs.sort_unstable();
        assert_eq!(verbs, ["GET", "PATCH"]);
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/",
            "",
            "api/v1/items",
            "/api/v1",
            "/api/v1/items/",
            "/api/v1//items",
            "/api/v1/items/a/",
            "/api/v1/items/../items",
            "/api/v1/items/%ff",
            "/api/v1/items/:",
        ] {
            assert!(routes().find("GET", path).is_none(), "{path}");
        }
    }
}
