//! What people and plugins do in a story.

use astro_sdk::new_request_id;
use astro_sdk::v1::{
    Assignment, AssignmentState, CreateAssignmentRequest, Event, GetAssignmentRequest,
    GetBotRequest, GetItemRequest, Item, ItemFilter, ItemState, ListEventsRequest,
    ListItemsRequest, ListSyncsRequest, RetryAssignmentRequest, Sync,
};
use futures_util::TryStreamExt;
use steam_sim::{Account, AssetId, Behaviour, ItemSpec, NewAccount, OfferId};

use crate::App;

/// The game and inventory that everything lies in.
const TEAM_FORTRESS: (u32, u64) = (440, 2);

impl App {
    /// A person with this name who does this with offers.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn person(&self, name: &str, behaviour: Behaviour) -> Account {
        let new = NewAccount::named(name).behaving(behaviour);
        self.sim.add_account(new).expect("the name is free")
    }

    /// Gives `person` things of these names.
    pub fn give(&self, person: &Account, names: &[&str]) -> Vec<AssetId> {
        let specs: Vec<ItemSpec> = names.iter().map(|name| ItemSpec::named(*name)).collect();
        let (app, context) = TEAM_FORTRESS;
        self.sim.give_items(person.steam_id, app, context, &specs, 1)
    }

    /// A new person sends the bot things of these names with the donation keyword.
    ///
    /// # Panics
    /// When the simulated Steam refuses.
    pub fn donate(&self, donor: &str, names: &[&str]) -> (Account, OfferId) {
        let donor = self.person(donor, Behaviour::IGNORE);
        let assets = self.give(&donor, names);
        let message = "a Donation for you";
        let offer = self.sim.donate(donor.steam_id, self.bot_account.steam_id, &assets, message);
        (donor, offer.expect("Steam takes the offer"))
    }

    /// So many free items, donated; the bot's worker has stopped again.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn pool_of(&self, count: usize) -> Vec<Item> {
        let bot = self.bot();
        let names: Vec<String> = (1..=count).map(|number| format!("Item {number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let donor = format!("donor-{}", self.sim.accounts().len());
        self.donate(&donor, &names);
        let items = self.available(count).await;
        self.compared(&self.bot_id).await;
        bot.stop().await;
        self.told_gone(&self.bot_id).await;
        items
    }

    /// Waits until the inventory that the bot's worker told when it came is compared with the books,
    /// which goes on when the worker is gone.
    pub(crate) async fn compared(&self, bot_id: &str) {
        self.until("the bot's inventory to be compared", async || {
            let request = ListSyncsRequest { bot_id: bot_id.to_owned(), ..Default::default() };
            let listed = self.admin.raw().syncs().list_syncs(request).await.ok()?.into_inner();
            let over = |sync: &Sync| sync.complete_time.is_some();
            (!listed.syncs.is_empty() && listed.syncs.iter().all(over)).then_some(())
        })
        .await;
    }

    /// Waits until the log tells that the bot's worker is gone, which is soon after it stopped, so
    /// that nothing is told of it behind the caller's back, and no reading of before ends later.
    ///
    /// # Panics
    /// When it stays.
    pub async fn told_gone(&self, bot_id: &str) {
        self.until("the bot's session to end", async || {
            let request = GetBotRequest { bot_id: bot_id.to_owned() };
            let answer = self.admin.raw().bots().get_bot(request).await.ok()?.into_inner();
            answer.bot.is_some_and(|bot| !bot.connected).then_some(())
        })
        .await;
    }

    /// Waits for so many free items; gives them all, oldest first.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn available(&self, count: usize) -> Vec<Item> {
        self.until(&format!("{count} free items"), async || {
            let items = self.items(&[ItemState::Available]).await;
            (items.len() >= count).then_some(items)
        })
        .await
    }

    /// The items in these states, oldest first.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn items(&self, states: &[ItemState]) -> Vec<Item> {
        let states: Vec<i32> = states.iter().map(|state| (*state).into()).collect();
        let request = ListItemsRequest {
            filter: Some(ItemFilter { states, ..Default::default() }),
            order_by: "create_time".to_owned(),
            page_size: 500,
            ..Default::default()
        };
        let listed = self.client.items().list(request);
        listed.try_collect().await.expect("items can be listed")
    }

    /// The item as it is now.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn item(&self, item_id: &str) -> Item {
        let request = GetItemRequest { item_id: item_id.to_owned() };
        let answer =
            self.client.raw().items().get_item(request).await.expect("the item can be read");
        answer.into_inner().item.expect("the answer has the item")
    }

    /// A request that gives these items to `winner`, with a trade URL.
    pub fn prize(&self, items: &[Item], winner: &Account) -> CreateAssignmentRequest {
        CreateAssignmentRequest {
            user_id: winner.steam_id.0,
            item_ids: items.iter().map(|item| item.id.clone()).collect(),
            assignment_type: "giveaway".to_owned(),
            trade_url: winner.trade_url(),
            request_id: new_request_id(),
            ..Default::default()
        }
    }

    /// Gives these items to `winner`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn assign(&self, items: &[Item], winner: &Account) -> Assignment {
        let request = self.prize(items, winner);
        let answer = self.client.raw().assignments().create_assignment(request).await;
        let answer = answer.expect("the items can be assigned").into_inner();
        answer.assignment.expect("the answer has the assignment")
    }

    /// The assignment as it is now.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn assignment(&self, assignment_id: &str) -> Assignment {
        let request = GetAssignmentRequest { assignment_id: assignment_id.to_owned() };
        let answer = self.client.raw().assignments().get_assignment(request).await;
        let answer = answer.expect("the assignment can be read").into_inner();
        answer.assignment.expect("the answer has the assignment")
    }

    /// Waits until the assignment is in one of these states.
    ///
    /// # Panics
    /// When it is not in time.
    pub async fn assignment_in(
        &self,
        assignment_id: &str,
        states: &[AssignmentState],
    ) -> Assignment {
        self.until(&format!("assignment {assignment_id} in {states:?}"), async || {
            let assignment = self.assignment(assignment_id).await;
            states.contains(&assignment.state()).then_some(assignment)
        })
        .await
    }

    /// Waits until the recipient has the items; nobody helps.
    ///
    /// # Panics
    /// When it does not happen in time.
    pub async fn delivered(&self, assignment_id: &str) -> Assignment {
        let states = [AssignmentState::Delivered, AssignmentState::Settled];
        self.assignment_in(assignment_id, &states).await
    }

    /// Waits until the recipient has the items. After an attempt that failed the next one is asked
    /// for at once, as by an administrator without patience: for deliveries that fail again and
    /// again.
    ///
    /// # Panics
    /// When it does not happen in time.
    pub async fn delivered_with_retries(&self, assignment_id: &str) -> Assignment {
        self.until(&format!("assignment {assignment_id} to be delivered"), async || {
            let assignment = self.assignment(assignment_id).await;
            let state = assignment.state();
            if state == AssignmentState::Queued && assignment.delivery_attempts > 0 {
                let assignment_id = assignment_id.to_owned();
                let request = RetryAssignmentRequest { assignment_id, ..Default::default() };
                // Refused when it goes on by itself meanwhile.
                let _ = self.client.raw().assignments().retry_assignment(request).await;
            }
            matches!(state, AssignmentState::Delivered | AssignmentState::Settled)
                .then_some(assignment)
        })
        .await
    }

    /// The organisation's log, oldest first.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn events(&self) -> Vec<Event> {
        let mut found = Vec::new();
        let mut request = ListEventsRequest { page_size: 500, ..Default::default() };
        loop {
            let answer = self.client.raw().events().list_events(request.clone()).await;
            let page = answer.expect("the log can be read").into_inner();
            if page.events.is_empty() {
                return found;
            }
            found.extend(page.events);
            request.resume_token = page.resume_token;
        }
    }

    /// Names of the things that this person has on Steam, sorted.
    pub fn belongings(&self, person: &Account) -> Vec<String> {
        self.sim.look(|books| {
            let assets = books.assets_of(person.steam_id);
            let mut names: Vec<String> =
                assets.into_iter().map(|asset| books.name_of(asset).to_owned()).collect();
            names.sort();
            names
        })
    }

    /// Checks that Steam's books lost and doubled nothing.
    ///
    /// # Panics
    /// When they did.
    pub fn audit(&self) {
        let findings = self.sim.books().audit();
        assert!(findings.is_empty(), "Steam's books do not add up: {findings:?}");
    }
}
