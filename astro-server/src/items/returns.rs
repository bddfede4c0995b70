//! Items that a trade had taken away and that came back, under another asset id.
use super::ops::{By, change};
use super::{Changes, Item, ItemState, store};
use crate::db::Conn;
use crate::kernel::{AssetId, Result};

/// Makes `changes` of an item that came back as the asset `asset`, in the context `context`.
///
/// A sync may have found the asset before and taken it into the bot's books as an item of its own.
/// That record gives way, unless somebody has been promised the asset meanwhile: then the item stays
/// missing, so that one asset is never promised twice.
///
/// # Errors
/// Those of [`change`].
pub fn come_back(
    conn: &mut Conn,
    item: &Item,
    (asset, context): (AssetId, AssetId),
    changes: Changes,
    (name, text): (&'static str, &str),
    by: By<'_>,
) -> Result<Item> {
    let place =
        Changes { steam_asset_id: Some(Some(asset)), steam_context_id: Some(context), ..changes };
    let double = store::holder(conn, item.bot_id, item.steam_app_id, asset)?;
    let double = double.filter(|held| held.id != item.id);
    let Some(double) = double else { return change(conn, item, &place, name, text, by) };
    match double.state {
        ItemState::Available | ItemState::Quarantined | ItemState::Missing => {
            let away = Changes::to(ItemState::Withdrawn);
            let why = "was another item that came back: one record is enough";
            change(conn, &double, &away, "item.withdrawn", why, by)?;
            change(conn, item, &place, name, text, by)
        }
        ItemState::Pending
        | ItemState::Reserved
        | ItemState::Assigned
        | ItemState::InOffer
        | ItemState::InEscrow
        | ItemState::Delivered
        | ItemState::Withdrawn => {
            let lost = Changes { steam_asset_id: Some(None), ..place };
            let after = change(conn, item, &lost, name, text, by)?;
            let missing =
                Changes { missing_since: Some(Some(by.now)), ..Changes::to(ItemState::Missing) };
            let why = "came back as an asset that is promised already as another item";
            change(conn, &after, &missing, "item.missing", why, by)
        }
    }
}
