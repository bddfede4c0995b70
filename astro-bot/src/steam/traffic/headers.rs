//! Which headers a request carries. Steam's firewall answers 429 to those it does not like, and
//! changes its mind, so the headers are data: `headers.json`, or a file of the operator.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail, ensure};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::host::Host;

const BUILT_IN: &str = include_str!("headers.json");
/// The client makes these itself: what they say must be true of the very request.
const NOT_YOURS: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "referer",
    "transfer-encoding",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// Headers, by the profile's name.
    profiles: BTreeMap<String, BTreeMap<String, String>>,
    /// The profile's name, by host and beginning of the path.
    routes: BTreeMap<String, String>,
}

/// The headers of each endpoint.
#[derive(Debug)]
pub(crate) struct Headers {
    /// Host and beginning of the path, the longest first.
    routes: Vec<(String, HeaderMap)>,
}

impl Headers {
    /// Those of this file, or the ones built in.
    ///
    /// # Errors
    /// What is wrong with the file, naming the field.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Self::parse(BUILT_IN) };
        let about = || format!("header profiles {}", path.display());
        let text = std::fs::read_to_string(path).with_context(about)?;
        Self::parse(&text).with_context(about)
    }

    /// The headers of a request to this path.
    pub(crate) fn of(&self, host: Host, path: &str) -> HeaderMap {
        let target = format!("{}{path}", host.name());
        let route = self.routes.iter().find(|(prefix, _)| target.starts_with(prefix));
        // `parse` has seen to it that each host has one.
        route.map(|(_, headers)| headers.clone()).unwrap_or_default()
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let document: Document = serde_json::from_str(text)?;
        let mut profiles = BTreeMap::new();
        for (name, headers) in &document.profiles {
            profiles.insert(name, read_profile(name, headers)?);
        }
        let mut routes = Vec::new();
        for (prefix, profile) in document.routes {
            let field = format!("routes.\"{prefix}\"");
            ensure!(
                Host::ALL.iter().any(|host| prefix.starts_with(&host.root())),
                "{field}: does not begin with {} or {}",
                Host::Api.root(),
                Host::Community.root()
            );
            let Some(headers) = profiles.get(&profile) else {
                bail!("{field}: there is no profile \"{profile}\"");
            };
            routes.push((prefix, headers.clone()));
        }
        for root in Host::ALL.map(Host::root) {
            ensure!(
                routes.iter().any(|(prefix, _)| *prefix == root),
                "routes.\"{root}\": missing; it holds where no longer one does"
            );
        }
        routes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self { routes })
    }
}

fn read_profile(profile: &str, headers: &BTreeMap<String, String>) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let field = format!("profiles.{profile}.{name}");
        let Ok(name) = name.parse::<HeaderName>() else {
            bail!("{field}: not the name of a header");
        };
        ensure!(!NOT_YOURS.contains(&name.as_str()), "{field}: the bot sets this header itself");
        let value = value.replace("{version}", env!("CARGO_PKG_VERSION"));
        let Ok(value) = HeaderValue::from_str(&value) else {
            bail!("{field}: not the value of a header");
        };
        map.insert(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(headers: &Headers, host: Host, path: &str) -> String {
        headers.of(host, path)["user-agent"].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_built_in_profiles_are_honest_where_steam_lets_them_be() {
        let headers = Headers::load(None).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let api = agent(&headers, Host::Api, "/IEconService/GetTradeOffers/v1/");
        assert_eq!(api, format!("Astro/{version}"));
        assert!(agent(&headers, Host::Community, "/tradeoffer/new/send").starts_with("Mozilla/"));
        assert!(agent(&headers, Host::Community, "/mobileconf/getlist").starts_with("okhttp/"));
        let inventory = headers.of(Host::Community, "/inventory/1/440/2");
        assert!(inventory.contains_key("accept-language"));
    }

    /// A document with these profiles and routes.
    fn parse(profiles: &str, routes: &str) -> anyhow::Result<Headers> {
        let json = format!(
            r#"{{"profiles": {{"a": {{"user-agent": "A"}}{profiles}}}, "routes": {{
                "api.steampowered.com/": "a", "steamcommunity.com/": "a"{routes}}}}}"#
        );
        Headers::parse(&json)
    }

    #[test]
    fn a_file_replaces_the_built_in_profiles() {
        let route = r#", "steamcommunity.com/inventory/": "b""#;
        let headers = parse(r#", "b": {"user-agent": "B", "x-y": "z"}"#, route).unwrap();
        assert_eq!(agent(&headers, Host::Api, "/x"), "A");
        assert_eq!(agent(&headers, Host::Community, "/inventory/1/440/2"), "B");
        assert_eq!(agent(&headers, Host::Community, "/mobileconf/getlist"), "A");
        let path = std::env::temp_dir().join("no-such-folder/profiles.json");
        let error = format!("{:#}", Headers::load(Some(&path)).unwrap_err());
        assert!(error.contains("profiles.json"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (profiles, routes, expected) in [
            ("", r#", "steamcommunity.com/x": "b""#, r#"routes."steamcommunity.com/x": there is"#),
            ("", r#", "example.org/": "a""#, r#"routes."example.org/": does not begin with"#),
            (r#", "b": {"no name": "x"}"#, "", "profiles.b.no name: not the name"),
            (r#", "b": {"accept": "a\nb"}"#, "", "profiles.b.accept: not the value"),
            (r#", "b": {"Cookie": "x"}"#, "", "profiles.b.Cookie: the bot sets"),
            (r#", "b": {"accept": 5}"#, "", "invalid type"),
        ] {
            let error = format!("{:#}", parse(profiles, routes).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        let error = Headers::parse(r#"{"profiles": {}, "routes": {}}"#).unwrap_err().to_string();
        assert!(error.contains(r#"routes."api.steampowered.com/": missing"#), "{error}");
        let error = Headers::parse(r#"{"profile": {}}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `profile`"), "{error}");
    }
}
