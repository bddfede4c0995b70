//! What the words mean, and what the keys do.

use maud::html;

use crate::desk::Desk;
use crate::failure::Answer;
use crate::page::Page;

pub(crate) async fn show(desk: Desk) -> Answer {
    let t = desk.t;
    let keys = [
        ("/", t.key_search),
        ("?", t.key_help),
        ("n", t.key_new),
        ("g i", t.items),
        ("g a", t.assignments),
        ("g e", t.events),
        ("j  k", t.key_move),
        ("x", t.key_choose),
    ];
    let glossary = [
        (t.item, t.glossary_item),
        (t.assignment, t.glossary_assignment),
        (t.attempt, t.glossary_attempt),
        (t.reservation, t.glossary_reservation),
        (t.discrepancy, t.glossary_discrepancy),
        (t.sync, t.glossary_sync),
        (t.key, t.glossary_key),
    ];
    let how = [
        (t.how_assign, t.how_assign_text),
        (t.how_blocked, t.how_blocked_text),
        (t.how_script, t.how_script_text),
    ];
    let body = html! {
        @for (question, text) in how { section.card { h2 { (question) } p { (text) } } }
        section.card {
            h2 { (t.words) }
            dl.facts { @for (word, text) in glossary { dt { (word) } dd { (text) } } }
        }
        section.card {
            h2 { (t.keyboard) }
            dl.facts { @for (key, text) in keys { dt { kbd { (key) } } dd { (text) } } }
            p.note { a href=(desk.to("/preferences")) { (t.single_keys_off) } }
        }
    };
    Page::new(t.help, body).answer(&desk)
}
