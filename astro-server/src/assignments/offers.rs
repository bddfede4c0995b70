//! Offers: what a recipient reads in one, how it is found again, and whose one of a bot's account is.
use super::store;
use crate::auth::keys::random_text;
use crate::bots::Bot;
use crate::db::Conn;
use crate::kernel::{AssignmentId, Result};
use crate::outside::Chance;

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
/// Characters of an offer's message that Steam takes.
const MESSAGE_MAX: usize = 128;

/// Letters and digits by which an offer is found again on Steam: upper case, to be told apart from
/// words.
pub fn marker(chance: &Chance) -> String {
    random_text(chance, MARKER_CHARS).to_uppercase()
}

/// The message of the offer; the marker is always in it.
pub fn message(marker: &str, reason: &str) -> String {
    let head = format!("Astro prize {marker}");
    if reason.is_empty() {
        return head;
    }
    format!("{head}: {reason}").chars().take(MESSAGE_MAX).collect()
}

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

    #[test]
    fn a_marker_is_found_in_the_message_of_an_offer() {
        let marker = marker(&Chance::default());
        for reason in ["", "for round 12345678: well done"] {
            assert!(words(&message(&marker, reason)).contains(&marker));
        }
        assert!(words("hello there, take it all").is_empty());
    }

    #[test]
    fn the_marker_survives_the_longest_reason() {
        let message = message("ABCD2345", &"ü".repeat(500));
        assert_eq!(message.chars().count(), 128);
        assert!(message.contains("ABCD2345"));
    }
}
