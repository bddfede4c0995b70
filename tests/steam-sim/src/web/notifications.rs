//! `ISteamNotificationService`.

use serde_json::{Value, json};

use super::{api_account, response};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::world::friends::Relationship;
use crate::world::notifications::Notification;

/// `GetSteamNotifications`.
pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let who = match api_account(core, call) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    core.read(|world| {
        let invited = |how: Relationship| how == Relationship::RequestRecipient;
        let entry = |it: &Notification| {
            json!({
                "notification_id": it.id.to_string(),
                "notification_type": it.kind as u8,
                "notification_targets": 1,
                // A text of JSON, as at Steam.
                "body_data": it.body.to_string(),
                "read": it.read,
                "timestamp": it.time,
                "hidden": false,
            })
        };
        response(json!({
            "notifications": world.notifications.of(who).map(entry).collect::<Value>(),
            "confirmation_count": world.confirmations.of(who).count(),
            "pending_gift_count": 0,
            "pending_friend_count": world.friends.of(who).filter(|it| invited(it.1)).count(),
            "unread_count": world.notifications.of(who).filter(|it| !it.read).count(),
        }))
    })
}
