//! The pages on which people make and answer offers, as far as clients read them.

use http::StatusCode;

use super::{logged_out, page};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::{OfferId, SteamId};
use crate::world::World;

/// `/tradeoffer/new/?partner=&token=`.
pub(super) fn new_offer(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let partner = SteamId::from_account_id(call.number("partner").unwrap_or(0));
    let token = call.field("token");
    core.read(|world| {
        if world.may_offer(who, partner, token) {
            variables(world, who, partner)
        } else {
            error("This Trade URL is no longer valid for sending a trade offer to this person.")
        }
    })
}

/// `/tradeoffer/{id}/`.
pub(super) fn old_offer(core: &Core, call: &Call, id: &str) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let id = OfferId(id.parse().unwrap_or(0));
    core.read(|world| {
        let offer = world.books.offer(id).filter(|offer| offer.to == who && offer.was_active);
        match offer {
            Some(offer) if offer.state.is_live() => variables(world, who, offer.from),
            Some(_) => error("The trade offer is no longer valid."),
            None => error("The trade offer does not exist, or it belongs to another user."),
        }
    })
}

fn variables(world: &World, who: SteamId, partner: SteamId) -> Reply {
    let hold = |of| world.accounts.get(of).map_or(0, |account| account.hold_days);
    let name = world.accounts.get(partner).map(|account| account.persona.as_str());
    let name = serde_json::Value::from(name.unwrap_or_default());
    let (mine, theirs) = (hold(who), hold(partner));
    let both = mine.max(theirs);
    Reply::html(
        StatusCode::OK,
        format!(
            "<html><head><script>\nvar g_daysMyEscrow = {mine};\nvar g_daysTheirEscrow = \
             {theirs};\nvar g_daysBothEscrow = {both};\nvar g_bTradePartnerProbation = false;\n\
             var g_ulTradePartnerSteamID = '{partner}';\nvar g_strTradePartnerPersonaName = \
             {name};\n</script></head><body></body></html>"
        ),
    )
}

fn error(text: &str) -> Reply {
    Reply::html(StatusCode::OK, page("Error", &format!("<div id=\"error_msg\">{text}</div>")))
}
