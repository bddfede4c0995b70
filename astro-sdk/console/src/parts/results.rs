//! What became of each of several things.

use maud::{Markup, html};

use super::table::{Column, sheet};
use crate::desk::Desk;
use crate::words::fill;

/// One of several things that a form acted on.
pub(crate) struct Line {
    /// The thing, as a link to it.
    pub what: Markup,
    /// Why it was refused; none if it was done.
    pub wrong: Option<String>,
    /// How it is now.
    pub now: Markup,
}

/// How many went well, and each of them. What was done stays done, whatever was refused beside it.
/// `title` has a place for how many were done, and one for how many there are.
pub(crate) fn results(desk: &Desk, title: &str, kind: &'static str, lines: &[Line]) -> Markup {
    let t = desk.t;
    let good = lines.iter().filter(|line| line.wrong.is_none()).count();
    html! {
        p.callout.bad[good < lines.len()] role="status" { (fill(title, &[&good, &lines.len()])) }
        (sheet(t.results, &[Column(kind, ""), Column(t.result, "")], html! {
            @for line in lines {
                tr {
                    td { (line.what) }
                    td {
                        @if let Some(text) = &line.wrong { span.bad-text { "✕ " (text) } br; }
                        @else { span.good-text { "✓ " (t.result_done) } " " }
                        (line.now)
                    }
                }
            }
        }))
    }
}
