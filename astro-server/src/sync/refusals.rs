//! Reports of a bot that cannot be recorded: a person has to know, until one about the same thing
//! can.
use super::{Discrepancy, DiscrepancyKind, discrepancies, store};
use crate::bots::Bot;
use crate::db::Conn;
use crate::items::ops::By;
use crate::kernel::{AssetId, AssignmentId, ItemId, Result, SteamId};

/// No asset.
const NO_KEY: (i32, AssetId) = (0, AssetId(0));

/// A report that was refused.
#[derive(Debug, Clone)]
pub struct Refusal<'a> {
    /// What it is about: of each, one difference at most is open.
    pub subject: String,
    /// What it tells of, in words.
    pub report: &'static str,
    /// What is wrong with it.
    pub why: &'a str,
    /// Assignment that is concerned.
    pub assignment: Option<AssignmentId>,
    /// Item that is concerned, if it is one.
    pub item: Option<ItemId>,
    /// Person who is concerned.
    pub person: Option<SteamId>,
}

/// Records the refusal for a person.
///
/// # Errors
/// Those of the database.
pub fn refused(conn: &mut Conn, bot: &Bot, refusal: &Refusal<'_>, by: By<'_>) -> Result<()> {
    let (kind, what, why) = (DiscrepancyKind::ReportRefused, refusal.report, refusal.why);
    let name = format!("report of {what}: {why}");
    let row = Discrepancy {
        item_id: refusal.item,
        user_id: refusal.person,
        assignment_id: refusal.assignment,
        subject: refusal.subject.clone(),
        ..discrepancies::found(conn, bot, kind, NO_KEY, &name, by.now)
    };
    let text = format!(
        "{kind}: a report of {what} was not recorded ({why}). It is asked for again; if that does \
         not help, look at Steam what happened, and at the bot's version and log"
    );
    discrepancies::report(conn, &row, &text, by)
}

/// A report about the subject was recorded.
///
/// # Errors
/// Those of the database.
pub fn recorded(conn: &mut Conn, bot: &Bot, subject: &str, by: By<'_>) -> Result<()> {
    match store::open_with_subject(conn, bot.id, NO_KEY, subject)? {
        Some(row) => discrepancies::vanish(conn, &row, "a later report was recorded", by),
        None => Ok(()),
    }
}
