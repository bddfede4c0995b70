//! What a test does to Steam's temper: wrong answers, maintenance, budgets and clocks.

use super::Steam;
use crate::clock::SimTime;
use crate::edge::RateLimits;
use crate::ids::SteamId;
use crate::world::quirks::{InventoryQuirk, OfferQuirk};

impl Steam {
    /// Makes answers tell something wrong of offers whose books are right.
    pub fn quirk_offers(&self, quirk: OfferQuirk) {
        self.core.change(|world, _| world.quirks.add_offer(quirk));
    }

    /// Makes answers tell something wrong of inventories. Of several which match a request, the
    /// oldest one tells its lie.
    pub fn quirk_inventories(&self, quirk: InventoryQuirk) {
        self.core.change(|world, _| world.quirks.add_inventory(quirk));
    }

    /// Removes all quirks.
    pub fn clear_quirks(&self) {
        self.core.change(|world, _| world.quirks.clear());
    }

    /// Lets all hosts answer 503 from `from` until before `until`.
    pub fn maintain(&self, from: SimTime, until: SimTime) {
        self.core.edge().maintenance.push((from, until));
    }

    /// Ends and forgets all maintenance.
    pub fn clear_maintenance(&self) {
        self.core.edge().maintenance.clear();
    }

    /// Limits requests from now on, or no longer.
    pub fn set_rate_limits(&self, limits: Option<RateLimits>) {
        self.core.edge().limits = limits;
    }

    /// Makes `QueryTime` wrong by this many seconds; confirmations are still judged by the true
    /// time.
    pub fn skew_query_time(&self, secs: i64) {
        self.core.edge().skew = secs;
    }

    /// Closes the proxy, which breaks all tunnels through it and refuses new ones with 502, or opens
    /// it again. A client with a connection from before may notice only when it uses it.
    pub fn close_proxy(&self, closed: bool) {
        self.core.proxy_closed.send_replace(closed);
    }

    /// The owner of an account presses "approve" on the phone for all logins which wait for it.
    /// False: none waits.
    pub fn confirm_login(&self, of: SteamId) -> bool {
        self.core.change(|world, now| world.sessions.approve(of, now))
    }

    /// Gives logins a new client id in the next `polls` polls which bring no tokens; the old id is
    /// then unknown.
    pub fn rotate_client_ids(&self, polls: u32) {
        self.core.change(|world, _| world.sessions.rotations = polls);
    }
}
