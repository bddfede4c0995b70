//! How a program does what a page does: by HTTP, at a shell, in Rust.

use maud::{Markup, html};

use crate::desk::Desk;

/// The ways to do one thing.
pub(crate) struct Ways<'a> {
    pub verb: &'a str,
    /// Path and query of the HTTP route.
    pub path: &'a str,
    /// JSON of the request's body; empty for none.
    pub body: &'a str,
    /// What follows `astro`.
    pub command: &'a str,
    /// A line of Rust.
    pub rust: &'a str,
    /// Address of the thing as JSON, within the console.
    pub json: &'a str,
}

/// They fold out below the page. The key is named by its variable and never shown.
pub(crate) fn by_sdk(desk: &Desk, ways: &Ways) -> Markup {
    let t = desk.t;
    let verb = if ways.verb == "GET" { String::new() } else { format!(" -X {}", ways.verb) };
    let body = if ways.body.is_empty() {
        String::new()
    } else {
        format!(
            " \\\n  -H 'content-type: application/json' -d '{}'",
            ways.body.replace('\'', "'\\''")
        )
    };
    let curl = format!(
        "curl{verb} -H \"authorization: Bearer $ASTRO_API_KEY\" \\\n  '{}{}'{body}",
        desk.app.endpoint(),
        ways.path.replace('\'', "%27"),
    );
    html! {
        details.by-sdk {
            summary { (t.by_sdk) }
            p.note { (t.by_sdk_note) }
            h2 { "HTTP" } pre data-copy tabindex="0" { code { (curl) } }
            h2 { (t.at_a_shell) } pre data-copy tabindex="0" { code { "astro " (ways.command) } }
            h2 { "Rust" } pre data-copy tabindex="0" { code { (ways.rust) } }
            @if !ways.json.is_empty() { p { a href=(desk.to(ways.json)) { (t.as_json) } } }
        }
    }
}
