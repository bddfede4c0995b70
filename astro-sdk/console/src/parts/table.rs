//! Tables, tabs and pages of a list.

use maud::{Markup, html};

use crate::desk::Desk;

/// The heading of a column: what it says, and the class of the column.
pub(crate) struct Column(pub &'static str, pub &'static str);

/// A table with a name for those who hear it.
pub(crate) fn sheet(label: &str, columns: &[Column], rows: Markup) -> Markup {
    table(label, columns, html! {}, &[rows])
}

/// A table whose rows can be chosen.
pub(crate) fn choosing(desk: &Desk, label: &str, columns: &[Column], rows: Markup) -> Markup {
    table(label, columns, pick_all(desk), &[rows])
}

/// Rows that have something in common, and what that is.
pub(crate) struct Group {
    pub heading: Markup,
    pub rows: Markup,
}

/// A table in groups, each under its heading; its rows can be chosen if `choosing`.
pub(crate) fn grouped(
    desk: &Desk,
    label: &str,
    columns: &[Column],
    choosing: bool,
    groups: &[Group],
) -> Markup {
    let first = if choosing {
        pick_all(desk)
    } else {
        html! {}
    };
    let width = columns.len() + usize::from(choosing);
    let bodies: Vec<Markup> = groups
        .iter()
        .map(|group| {
            html! {
                tr.group { th colspan=(width) scope="rowgroup" { (group.heading) } }
                (group.rows)
            }
        })
        .collect();
    table(label, columns, first, &bodies)
}

fn pick_all(desk: &Desk) -> Markup {
    html! {
        th.pick scope="col" {
            input type="checkbox" data-all hidden aria-label=(desk.t.choose_all);
        }
    }
}

fn table(label: &str, columns: &[Column], first: Markup, bodies: &[Markup]) -> Markup {
    html! {
        // A wide one is scrolled by keys as well.
        div.table tabindex="0" role="region" aria-label=(label) {
            table aria-label=(label) {
                thead {
                    tr {
                        (first)
                        @for Column(text, class) in columns {
                            th scope="col" class=[(!class.is_empty()).then_some(class)] { (text) }
                        }
                    }
                }
                @for rows in bodies { tbody { (rows) } }
            }
        }
    }
}

/// The tick box of a row.
pub(crate) fn tick(desk: &Desk, name: &str, id: &str, what: &str, ticked: bool) -> Markup {
    html! {
        td.pick {
            label {
                input type="checkbox" name=(name) value=(id) checked[ticked]
                    aria-label={ (desk.t.choose) " " (what) };
            }
        }
    }
}

/// A tab: its words, the parameter's value, how many, whether it is here.
pub(crate) struct Tab {
    pub label: Markup,
    pub value: String,
    pub number: Option<String>,
}

/// Tabs by a parameter of the address.
pub(crate) fn tabs(desk: &Desk, label: &str, name: &str, tabs: &[Tab]) -> Markup {
    let here = desk.ask.one(name);
    html! {
        nav.tabs aria-label=(label) {
            @for tab in tabs {
                a href=(desk.here_with(&[(name, &tab.value)]))
                    aria-current=[(tab.value == here).then_some("true")] {
                    (tab.label)
                    @if let Some(number) = &tab.number { " " span.number { (number) } }
                }
            }
        }
    }
}

/// What stands below a list: further pages, and the list as a file.
pub(crate) fn below(desk: &Desk, next: &str, csv: Option<&str>) -> Markup {
    let t = desk.t;
    let later = desk.ask.has("page");
    html! {
        nav.pager aria-label=(t.further_pages) {
            @if later { a href=(desk.here_with(&[])) { (t.first_page) } }
            @if !next.is_empty() {
                a.next rel="next" href=(desk.here_with(&[("page", next)])) { (t.next_page) }
            }
            @if let Some(csv) = csv {
                a.file href=(desk.there_with(csv, &[])) download { (t.as_csv) }
            }
        }
    }
}
