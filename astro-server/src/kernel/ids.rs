//! Each kind of id is its own type, so that a wrong join does not compile.
use super::error::{Error, Result};
use uuid::Uuid;

/// `/// An item. ItemId,`: the types of ids, each its own.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// Reads the id in `text`.
            ///
            /// # Errors
            /// [`Invalid`](crate::kernel::Error::Invalid) naming `field` when it is no UUID.
            pub fn parse(field: &'static str, text: &str) -> crate::kernel::Result<Self> {
                crate::kernel::ids::parse(field, text).map(Self)
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        #[cfg(test)]
        impl $name {
            /// A new id.
            #[allow(dead_code)] // not of every kind
            pub(crate) fn new() -> Self {
                Self($crate::outside::Chance::default().salt())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}
pub(crate) use ids;

// Those that the platform's log and keys name; a slice makes its own (`db::id!`).
ids! {
    /// An organisation.
    OrgId,
    /// A bot: one Steam account.
    BotId,
    /// An item.
    ItemId,
    /// An assignment.
    AssignmentId,
}

/// Reads a UUID in its usual form of 36 characters.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn parse(field: &'static str, text: &str) -> Result<Uuid> {
    if text.is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    match Uuid::try_parse(text) {
        Ok(id) if text.len() == 36 => Ok(id),
        Ok(_) | Err(_) => Err(Error::invalid(field, "must be a UUID")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_its_usual_form_only() {
        let id = ItemId::new();
        assert_eq!(ItemId::parse("item_id", &id.to_string()).unwrap(), id);
        for text in ["", "x", "{0197b3a0-0000-7000-8000-000000000000}", &id.0.simple().to_string()]
        {
            let error = ItemId::parse("item_id", text).unwrap_err();
            assert!(error.to_string().contains("item_id"), "{text:?}: {error}");
        }
    }
}
