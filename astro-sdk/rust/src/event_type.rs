//! Types of events, with what the contract says of each.

use std::fmt;

use crate::v1::EventSeverity::{self, Error, Info, Warning};

macro_rules! event_types {
    (
        families $families:tt personal $personal:tt
        $($(#[$docs:meta])* $variant:ident $name:literal $severities:tt $always:tt $sometimes:tt)*
    ) => {
        /// A type of event: what `Event.event_type` names. A newer server may send others, so that
        /// field is text, which can be compared with this.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventType {
            $($(#[$docs])* $variant,)*
        }

        impl EventType {
            /// Every type, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Families, as filters take them: `item.*`.
            pub const FAMILIES: &'static [&'static str] = &$families;
            /// Keys of `event_data` that tell of a person, and are erased with them.
            pub const PERSONAL_KEYS: &'static [&'static str] = &$personal;
        }

        const DECLARATIONS: &[Declaration] = &[$(Declaration {
            name: $name,
            severities: &$severities,
            always: &$always,
            sometimes: &$sometimes,
        }),*];
    };
}

include!("gen/event_types.rs");

struct Declaration {
    name: &'static str,
    severities: &'static [EventSeverity],
    always: &'static [&'static str],
    sometimes: &'static [&'static str],
}

impl EventType {
    fn declaration(self) -> &'static Declaration {
        // Variants and declarations are of the same rows.
        &DECLARATIONS[self as usize]
    }

    /// The type with this name, if this version knows it.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }

    /// Its dotted name: `item.received`.
    pub fn name(self) -> &'static str {
        self.declaration().name
    }

    /// The severity that its events have; if they differ each of them, the usual one first.
    pub fn severities(self) -> &'static [EventSeverity] {
        self.declaration().severities
    }

    /// Keys of `event_data` that each of its events has.
    pub fn always(self) -> &'static [&'static str] {
        self.declaration().always
    }

    /// Keys of `event_data` that some of its events have.
    pub fn sometimes(self) -> &'static [&'static str] {
        self.declaration().sometimes
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<EventType> for String {
    fn from(event: EventType) -> Self {
        event.name().to_owned()
    }
}

impl PartialEq<EventType> for String {
    fn eq(&self, event: &EventType) -> bool {
        self == event.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_its_type_and_back() {
        for event in EventType::ALL.iter().copied() {
            assert_eq!(EventType::find(event.name()), Some(event));
        }
        assert_eq!(EventType::find("item.unheard_of"), None);
        assert!("item.received".to_owned() == EventType::ItemReceived);
        assert_eq!(EventType::SyncFailed.severities(), [EventSeverity::Warning]);
    }
}
