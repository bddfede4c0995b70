//! Fields of forms.

use maud::{Markup, html};

/// A field with its label, what was written, and what is wrong with it.
pub(crate) struct Field<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub value: &'a str,
    pub note: &'a str,
    pub wrong: &'a str,
    pub kind: &'a str,
    pub required: bool,
}

impl<'a> Field<'a> {
    /// A line of text.
    pub(crate) fn new(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { name, label, value, note: "", wrong: "", kind: "text", required: false }
    }

    /// A word about it.
    pub(crate) fn note(mut self, note: &'a str) -> Self {
        self.note = note;
        self
    }

    /// What is wrong with what was written.
    pub(crate) fn wrong(mut self, wrong: &'a str) -> Self {
        self.wrong = wrong;
        self
    }

    /// Another kind of input.
    pub(crate) fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// It cannot be left out.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The field.
    pub(crate) fn show(&self) -> Markup {
        let id = format!("f-{}", self.name);
        let (note, wrong) = (format!("{id}-note"), format!("{id}-wrong"));
        let described = match (self.note.is_empty(), self.wrong.is_empty()) {
            (true, true) => None,
            (false, true) => Some(note.clone()),
            (true, false) => Some(wrong.clone()),
            (false, false) => Some(format!("{wrong} {note}")),
        };
        html! {
            div.field {
                label for=(id) { (self.label) }
                input id=(id) name=(self.name) type=(self.kind) value=(self.value)
                    required[self.required] aria-describedby=[described]
                    aria-invalid=[(!self.wrong.is_empty()).then_some("true")];
                @if !self.wrong.is_empty() { p.wrong id=(wrong) { (self.wrong) } }
                @if !self.note.is_empty() { p.note id=(note) { (self.note) } }
            }
        }
    }
}

/// A choice among few.
pub(crate) fn choice(name: &str, label: &str, here: &str, options: &[(&str, &str)]) -> Markup {
    let id = format!("f-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[*value == here] { (text) }
                }
            }
        }
    }
}

/// A longer text.
pub(crate) fn area(name: &str, label: &str, value: &str, note: &str) -> Markup {
    let id = format!("f-{name}");
    let note_id = format!("{id}-note");
    html! {
        div.field {
            label for=(id) { (label) }
            textarea id=(id) name=(name) rows="4"
                aria-describedby=[(!note.is_empty()).then_some(&note_id)] { (value) }
            @if !note.is_empty() { p.note id=(note_id) { (note) } }
        }
    }
}

/// Yes or no.
pub(crate) fn check(name: &str, label: &str, on: bool) -> Markup {
    html! {
        label.check {
            input type="checkbox" name=(name) value="on" checked[on];
            span { (label) }
        }
    }
}
