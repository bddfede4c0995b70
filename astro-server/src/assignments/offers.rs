//! Whose an offer of a bot's account is.
use super::store;
use crate::bots::Bot;
use crate::db::Conn;
use crate::kernel::{AssignmentId, Result};

/// Whose an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// An attempt that goes on has it, or may find it.
    Open,
    /// An attempt of this assignment that is over, or has another offer.
    Over(AssignmentId),
    /// No attempt's.
    Nobody,
}

/// Characters of a marker.
const MARKER_CHARS: usize = 8;

/// Whose the offer with this id and message is: an attempt's by its offer id, or by its marker in
/// the message.
///
/// # Errors
/// Those of the database.
pub fn owner(conn: &mut Conn, bot: &Bot, offer: &str, message: &str) -> Result<Owner> {
    let mut attempts = store::attempts_of_offer(conn, bot.id, offer, &words(message))?;
    // Its own attempt goes before one whose marker somebody copied.
    attempts.sort_by_key(|attempt| attempt.trade_offer_id.as_deref() != Some(offer));
    Ok(match attempts.first() {
        None => Owner::Nobody,
        Some(attempt) => {
            let has_another = attempt.trade_offer_id.as_deref().is_some_and(|own| own != offer);
            if attempt.ended_at.is_none() && !has_another {
                Owner::Open
            } else {
                Owner::Over(attempt.assignment_id)
            }
        }
    })
}

/// What may be a marker.
fn words(message: &str) -> Vec<String> {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == MARKER_CHARS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignments::rules::offer_message;

    #[test]
    fn a_marker_is_found_in_the_message_of_an_offer() {
        let marker = crate::auth::keys::marker();
        for reason in ["", "for round 12345678: well done"] {
            assert!(words(&offer_message(&marker, reason)).contains(&marker));
        }
        assert!(words("hello there, take it all").is_empty());
    }
}
