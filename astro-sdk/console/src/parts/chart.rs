//! Charts: bars as SVG without a style, their numbers as a table beneath.

use maud::{Markup, html};

use crate::desk::Desk;
use crate::words::spaced;

/// Height of the picture, in its own units.
const HEIGHT: u64 = 60;
/// Room of a bar.
const STEP: u64 = 12;

/// A bar: what it stands for, and how much.
pub(crate) struct Bar {
    pub label: String,
    pub value: u64,
}

/// Bars over time.
pub(crate) fn bars(desk: &Desk, id: &str, title: &str, bars: &[Bar]) -> Markup {
    if bars.iter().all(|bar| bar.value == 0) {
        return html! { p.note { (title) ": 0" } };
    }
    let top = bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1);
    let width = STEP * u64::try_from(bars.len()).unwrap_or(1).max(1);
    let name = format!("{id}-name");
    html! {
        figure.chart {
            figcaption id=(name) { (title) " · " (desk.t.at_most) " " (spaced(top)) }
            svg role="img" aria-labelledby=(name) viewBox=(format!("0 0 {width} {HEIGHT}"))
                preserveAspectRatio="none" {
                @for (at, bar) in bars.iter().enumerate() {
                    @let tall = (bar.value * HEIGHT / top).max(u64::from(bar.value > 0));
                    @let x = STEP * u64::try_from(at).unwrap_or_default() + 1;
                    rect x=(x) y=(HEIGHT - tall) width=(STEP - 2) height=(tall) {
                        title { (bar.label) ": " (spaced(bar.value)) }
                    }
                }
            }
            div.ends {
                span { (bars.first().map_or("", |bar| bar.label.as_str())) }
                span { (bars.last().map_or("", |bar| bar.label.as_str())) }
            }
            details {
                summary { (desk.t.as_table) }
                table aria-labelledby=(name) {
                    tbody {
                        @for bar in bars.iter().filter(|bar| bar.value > 0) {
                            tr { th scope="row" { (bar.label) } td.right { (spaced(bar.value)) } }
                        }
                    }
                }
            }
        }
    }
}
