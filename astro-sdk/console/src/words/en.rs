//! What pages say in English.

sentences! { struct EN;
    // Places.
    overview: "Overview", items: "Items", assignments: "Assignments", donations: "Donations", people: "People",
    reservations: "Reservations",
    oversight: "Oversight", bots: "Bots", syncs: "Syncs", discrepancies: "Discrepancies", settings: "Settings",
    events: "Events", organisations: "Organisations", keys: "Keys", help: "Help", preferences: "Preferences",

    // The frame.
    to_content: "Skip to the content", pages: "Pages", menu: "Menu", brand: "Astro, overview", search: "Search",
    search_hint: "Person, SteamID64, id, offer or name", live: "live", connecting: "connecting", sign_out: "Sign out",
    organisation: "Organisation", all_organisations: "All organisations", show: "Show", copied: "copied",
    admin_key: "Admin key", client_key: "Client key", bot_key: "Bot key", system: "Astro itself",
    one_more: "1 more changed: show", many_more: "{} more changed: show", go_on: "Continue", more_settings: "More settings", all: "All",
    further_pages: "Further pages", first_page: "First page", next_page: "Next page", as_csv: "As CSV file",
    filter: "Filter", drop_filter: "Show all", nothing_matches: "Nothing matches this filter.",
    more_filters: "More filters", state: "State", changed: "Changed", id: "Id", name: "Name", note: "Note", save: "Save",
    choose: "Choose", choose_all: "Choose all", choose_rows: "Choose rows to act on several at once.",
    chosen_one: "1 chosen", chosen_many: "{} chosen", chosen_number: "{} chosen|{} chosen",
    newer_state: "State {} (newer server)", as_table: "As a table", at_most: "at most", reason: "Reason", request: "Request",
    by_sdk: "Do it by program", by_sdk_note: "The same with a program of yours. ASTRO_API_KEY holds your key; it is never shown here.",
    at_a_shell: "At a shell", as_json: "As JSON, for reports of faults",

    // Signing in.
    sign_in: "Sign in", api_key: "API key", key_note: "A client's or an admin's key: astro_client_… or astro_admin_…",
    key_wrong: "This key does not work: it is unknown, has ended or was revoked. Was it copied whole?",
    key_of_nobody: "This signs in nobody: it is a bot's key or a session's secret. Use a client's key or an admin's.",
    your_name: "Your name", your_name_note: "May be left out. Others see it among the sessions.",
    signed_out_here: "You are signed out here, but the server could not be told. The session ends by itself, within twelve hours of its start.",
    too_many_wrong_keys: "Too many wrong keys from your address. Wait a minute.",
    link_used: "This link was used or is too old. Sign in with a key, or ask for a new link.",
    session_ended: "Your session has ended. Sign in to go on.",
    signed_out: "Signed out", signed_out_text: "Sign in to see this page.",

    // What goes wrong.
    refused: "That did not work", not_found: "Not found",
    not_found_text: "There is nothing here, or your key does not reach it.",
    not_allowed: "Not allowed", not_allowed_text: "Your key may not do this: it lacks the scope {}.",
    server_away: "The server is away", server_away_text: "The Astro server does not answer at the moment. Nothing was lost.",
    too_many_requests: "Too many requests", too_many_requests_text: "Too many requests at once. Again in {} s.",
    changed_meanwhile: "Somebody was faster",
    changed_meanwhile_text: "Somebody changed it while you looked at it. Load the page, look again, and decide anew.",
    forged_form: "Form refused",
    forged_form_text: "This form did not come from your session. Load the page again and repeat what you did.",
    too_large: "The form is larger than any form here.", server_says: "The server says: {}",
    again_by_itself: "This page asks again by itself in {} s.", try_again: "Try again",
    choose_organisation_first: "Choose an organisation first, at the top of the page.",
    choose_first: "Nothing was chosen. Go back and tick one row or more.",
    choose_and_name: "Tick one row or more, and write a name.", too_many_chosen: "At most {} at once.",
    no_person: "This is no Steam account. Write a SteamID64, the address of a profile, a trade URL or [U:1:…].",
    no_app: "A game is a Steam application's number, such as 440.", no_number: "A number is wanted.",
    no_amount: "An amount is written like 12.50.", no_time: "A time is written like 2026-11-30T12:00.",

    // Times.
    just_now: "just now", minutes_ago: "1 min ago|{} min ago", hours_ago: "1 h ago|{} h ago", days_ago: "1 day ago|{} days ago",
    in_minutes: "in 1 min|in {} min", in_hours: "in 1 h|in {} h", in_days: "in 1 day|in {} days",

    // What a form did.
    done_assigned: "Assigned {} item.|Assigned {} items.", done_retried: "The delivery is tried again.|{} deliveries are tried again.",
    done_cancelled: "The assignment was cancelled. While an offer is out, it ends with the offer.|{} assignments were cancelled.",
    done_reassigned: "The items pass on to the new recipient.", done_labelled: "Labelled {} item.|Labelled {} items.",
    done_stored: "Stored.", done_released: "The items are free again.", done_paused: "The bot pauses.",
    done_resumed: "The bot goes on.", done_sync: "The bot reads its inventory next.", done_resolved: "Resolved.",
    done_revoked: "The key was revoked.", done_ended: "The session was ended.", done_created: "Made.", done_denied: "Their donations are declined from now on.",
    done_allowed: "Their donations are taken again.",

    // Overview.
    needs_you: "Needs you", needs_nothing: "Nothing needs you.", pool: "Pool", items_free: "items to give away",
    under_way: "Under way", offers_wait: "{} offer waits for its recipient|{} offers wait for their recipients",
    need_a_person: "need a person", accuracy: "Sync accuracy", open_differences_number: "{} open differences",
    differences_open: "{} open difference|{} open differences", differences_text: "Steam and the books differ. Look at each and say what to do.",
    more_blocked: "{} more is blocked|{} more are blocked", events_an_hour: "Events an hour",
    login_ends: "Login ends",

    no_numbers: "Your key may not read numbers: it lacks the scope {}.", blocked_by_reason: "Blocked, by reason",

    // Reports.
    reports: "Reports", by_day: "By day", by_week: "By week", by_month: "By month", from_day: "From", until_day: "Until", of_one: "Only",
    items_given: "Items given", items_received: "Items received", delivered_share: "Delivered", time_to_delivery: "Time to delivery", worth_given: "Worth",
    nothing_counted: "Nothing was given or received in this time.", counts_note: "Days are those of UTC. Worth is of items valued in US dollars. The counts follow the log, a second or two behind.",
    no_day: "A day is written like 2026-11-30.",

    // States of assignments.
    state_queued: "Queued", state_delivering: "Delivering", state_offered: "Offer sent", state_held: "Held by Steam",
    state_blocked: "Blocked", state_delivered: "Delivered", state_settled: "Settled", state_reversed: "Reversed",
    state_failed: "Failed", state_cancelled: "Cancelled", state_expired: "Expired",

    // Why one is blocked, and what to do.
    blocked_trade_url: "Trade URL needed", blocked_trade_url_old: "Trade URL not valid any more", blocked_invite: "Invitation not accepted",
    blocked_banned: "Recipient is banned from trading", blocked_cannot_receive: "Recipient cannot receive", blocked_full: "Inventory full",
    blocked_private: "Inventory private", blocked_hold: "Hold too long", blocked_declined: "Offer declined", blocked_countered: "Offer countered",
    blocked_expired: "Offer ran out", blocked_missing: "Item missing", blocked_stack: "Item is a stack", blocked_bot: "Bot may not trade",
    blocked_device: "Bot on a new device", blocked_not_confirmed: "Not confirmed", blocked_steam: "Steam failed too often", blocked_other: "Something new",
    remedy_trade_url: "Steam takes no offer without the recipient's trade URL. Store it here; the delivery then goes on by itself.",
    remedy_invite: "The bot's friend invitation waits for the recipient. Ask them to accept it, or store their trade URL; the delivery then goes on by itself.",
    remedy_banned: "Cancel it, or wait until the ban ends and retry.",
    remedy_recipient: "Ask the recipient to make room or to open the inventory, then retry.",
    remedy_full: "Ask the recipient to make room, then retry.", remedy_private: "Ask the recipient to make the inventory public, then retry.",
    remedy_hold: "Steam would hold the items for longer than allowed. Ask the recipient to use the Steam Guard mobile authenticator, then retry.",
    remedy_talk: "Talk to the recipient, then retry or cancel.", remedy_retry: "Retry, or cancel.",
    remedy_missing: "It goes on by itself when the item is seen again. Otherwise write its difference off, or cancel.",
    remedy_stack: "Cancel it and assign another item. It goes on by itself once the item is a single one again.",
    remedy_bot: "See what the bot says, then retry.", remedy_device: "Steam lets the bot trade again in some days. Retry then.",
    remedy_other: "See below what Steam said.",

    // Assignments.
    new_assignment: "New assignment", assign_first: "Assign the first items", no_assignments: "No assignments yet. One gives items to a person; a bot delivers them.",
    recipient: "Recipient", what_for: "For", source: "Source", kind: "Kind", external_id: "External id", retry: "Retry",
    cancel_more: "Cancel…", reassign: "Reassign", reassign_more: "Reassign…", assignment: "Assignment", assignment_for: "Assignment for {}",
    result: "Result", results: "Results", result_done: "Done", back_to_list: "Back to the list", items_counted: "{} item|{} items",
    cancel_title: "Cancel assignments", cancel_number: "Cancel {} assignment|Cancel {} assignments",
    cancel_means: "The items go back to the pool: at once, or, while an offer is out, when Steam shows it as ended. What is delivered already stays with its recipient.",
    cancelled_results: "Cancelled: {} of {}.", retried_results: "Tried again: {} of {}.", leave_them: "Leave them", leave_it: "Leave it",
    note_is_kept: "Kept in the log.", reassign_title: "Pass on to another person", new_recipient: "New recipient",
    reassign_means: "What was not claimed passes on: at once, or, while an offer is out, when Steam shows it as ended. The items never go back to the pool in between.",
    attempts: "Attempts", attempt: "attempt", trade_offer: "Trade offer", trade: "Trade", last_error: "Last failure", bot: "Bot", runner_ups: "Runner-ups",
    came_from: "Came from", passed_on_to: "Passed on to", assigned: "Assigned", expires: "Expires", delivered: "Delivered", settles: "Settles",
    ended: "Ended", reversed: "Reversed", timeline: "What happened", progress_pending: "Waits", progress_delivered: "Delivered",
    progress_returned: "Back in the pool", progress_reversed: "Reversed", trade_url: "Trade URL", store_trade_url: "Store trade URL",
    trade_url_note: "The recipient finds it on Steam under Inventory, Trade Offers, Who can send me trade offers. It is stored and never shown.",
    any_reason: "Any reason", only_these: "Only these", reassign_number: "Pass {} assignment on|Pass {} assignments on", reassigned_results: "Passed on: {} of {}.",
    labelled_results: "Labelled: {} of {}.", held_results: "Held: {} of {}.", released_results: "Released: {} of {}.", not_held: "It is not held by anybody.",
    it_is_now: "It is {} now.", type_number: "Type {} to go on", type_number_note: "So many are not ended by one click.",
    type_number_wrong: "The number does not match: {} are chosen.", you_saw: "You saw", now_it_is: "now", yours: "What you wrote", theirs: "What is stored now",
    look_again: "Somebody changed it while you looked at it. Look at both, and save again what shall be.",

    // What would be in a delivery's way.
    in_the_way: "In the way of the delivery", in_the_way_note: "You can assign all the same: it waits until this is out of the way.",
    warns_trade_url: "No trade URL is known that Steam takes. Store it; otherwise the bot has to become a friend first.",
    warns_bot_paused: "The bot is paused. Let it go on.", warns_bot_offline: "The bot is not connected. Start it.", warns_bot_operator: "The bot needs an operator. Do what it says.",
    warns_several: "The items are with several bots and come in several trades, one after the other.",
    warns_not_tradable: "An item cannot be traded yet. Wait, or choose another one.",
    warns_recipient_full: "The recipient has as many open offers as Steam allows. Ask them to answer one, or cancel one.",
    warns_bot_full: "The bot has as many open offers as Steam allows. Wait for an answer, or cancel one.",
    warns_banned: "The recipient was banned from trading last time. Ask them whether the ban is over.",
    warns_hold: "Last time Steam would have held the items. Ask the recipient to use the Steam Guard mobile authenticator.",
    warns_inventory_full: "The recipient's inventory was full last time. Ask them to make room.",
    warns_inventory_private: "The recipient's inventory was private last time. Ask them to make it public.",
    warns_cannot_receive: "The recipient could not receive last time. Ask them to make room or to open the inventory.",
    to_trade_url: "Store their trade URL", to_bot: "See the bot", to_other_items: "Choose other items", to_offers: "See the open offers", to_blocked: "See what is blocked",
    exact_name: "Exact market name", any_time: "Tradable or not", tradable_only: "Tradable now",

    // The wizard.
    steps: "Steps", step_recipient: "Recipient", step_items: "Items", step_confirm: "Confirm",
    recipient_note: "SteamID64, the address of a profile, a trade URL or [U:1:…]", for_whom: "For", no_free_items: "No free items match.",
    any_of: "Any of one name instead", how_many: "How many", part_of_name: "Part of the name", hold_and_go_on: "Hold and continue",
    any_note: "They are held for you for 15 minutes.", has_trade_url: "Their trade URL is stored.",
    in_parts: "Delivered in one trade.|Delivered in {} parts, bot after bot.",
    worth: "Worth {}", reason_shown: "Reason", reason_note: "The recipient reads it.", kind_note: "giveaway, vip, tournament …; empty: manual",
    days_to_claim: "Days to claim it", days_note: "Empty: the organisation's usual time.", runners_note: "Who gets it in turn when it is not claimed: one a line, at most 20.",
    assign_number: "Assign {} item|Assign {} items",

    // States of items.
    item_pending: "Arriving", item_available: "Available", item_reserved: "Reserved", item_assigned: "Assigned", item_in_offer: "In an offer",
    item_in_escrow: "Held by Steam", item_delivered: "Delivered", item_missing: "Missing", item_withdrawn: "Withdrawn", item_quarantined: "Quarantined",

    // Items.
    item: "Item", rarity: "Rarity", value: "Value", labels: "Labels", game: "Game", games: "Games", donor: "Donor", any_bot: "Any bot", order: "Order",
    newest_first: "Newest first", oldest_first: "Oldest first", by_name: "By name", by_name_down: "By name, downwards",
    as_tiles: "As tiles", as_a_table: "As a table", no_items: "No items yet. Members donate them by a trade offer to a bot.",
    label_name: "Label", label_value: "Its value", set_label: "Set label", hold_for: "Hold for", minutes_15: "15 min", hour_1: "1 h", day_1: "1 day", hold: "Hold",
    assign_this: "Assign this", assign_these: "Assign these", release: "Release", held_title: "Held for you", reservation: "Reservation",
    held_ones: "Held", made_by: "Made by", ends: "Ends", no_reservations: "Nothing is held. Choose items and hold them while a giveaway runs.",
    reservation_held: "Held", reservation_used: "Assigned", reservation_released: "Released", reservation_expired: "Ran out",
    life: "Its life", name_on_market: "Name on the market", received: "Received", tradable_from: "Can be traded from", asset_id: "Asset id",
    currency: "Currency", labels_note: "One a line: name=value", change_item: "Change labels and value",

    // People.
    person: "Person", gave: "Gave", gets: "Gets", last_seen: "Last seen", first_seen: "First seen", no_people: "Nobody yet.",
    person_or_name: "Person, or part of the name", has_url: "With a trade URL",
    profile: "Profile", country: "Country", account_made: "Account made", trade_url_stored: "Stored", trade_url_not_stored: "Not stored",
    not_met: "This organisation has not met them yet.", assign_to: "Assign items", gets_nothing: "Nothing so far.", gave_nothing: "Nothing so far.",
    deny_donations: "Decline their donations", allow_donations: "Take their donations again", denied_now: "Their donations are declined.",

    // Donations.
    donation: "Donation", donation_of: "Donation of {}", donation_accepting: "Accepting", donation_declining: "Declining", donation_accepted: "Accepted",
    donation_received: "Received", donation_declined: "Declined", donation_ended: "Ended", donation_reversed: "Taken back",
    what_happened: "What happened", worth_about: "Worth about", came: "Came", message: "Message", declined_because: "Declined because",
    not_taken: "Not taken", its_life: "Its life", no_donations: "No donations yet. Members send a trade offer with the organisation's word to a bot.",
    declined_asks: "It asks for items", declined_nothing: "It gives nothing", declined_many: "Too many items", declined_keyword: "The word is missing",
    declined_app: "Items of this game are not taken", declined_tradable: "An item cannot be traded on", declined_junk: "Junk by the rules",
    declined_limit: "The donor's limit is reached", declined_denied: "Nothing is taken from this donor", declined_stack: "A stack",

    // Bots and syncs.
    bot_paused: "Paused", bot_offline: "Not connected", bot_online: "Online", bot_reconnecting: "Reconnecting", bot_rate_limited: "Slowed down by Steam",
    bot_maintenance: "Steam is in maintenance", bot_needs_operator: "Needs an operator", last_heard: "Last heard",
    no_bots: "No bots yet. One is a Steam account that holds the items.", sessions_so_far: "Sessions so far", registered: "Registered", what_it_holds: "More of it",
    sync_now: "Read inventory now", pause: "Pause", pause_more: "Pause…", resume: "Let it go on", pause_title: "Pause {}",
    pause_means: "It starts no delivery and takes no donation until you let it go on. Offers that are out are followed to their end.",
    needs: "Needs", open_offers: "Offers under way", of_most: "{} of {}", queue: "Waiting", last_sync: "Last sync",
    remedy_worker: "Start astro-bot with a key of this bot; a new one is made under Keys.",
    remedy_operator: "Do what the bot says, then start it again if it has ended.",
    remedy_login: "Log its Steam account in again before that.", remedy_resume: "Let it go on when it shall deliver and take donations again.",
    remedy_bot_other: "See what the bot says.",
    differences_a_run: "Differences a run", sync: "Sync", run: "Run", on_steam: "On Steam", changes: "Changes", open_differences: "Open",
    no_syncs: "No syncs yet. A bot reads its inventory when it connects.", sync_pending: "Waits", sync_running: "Reading", sync_succeeded: "Done", sync_failed: "Failed",
    trigger_session: "Bot connected", trigger_schedule: "As planned", trigger_trade: "After a trade", trigger_failure: "After a failure", trigger_request: "Asked for",

    // Discrepancies.
    discrepancy: "Discrepancy", difference: "Difference", found: "Found", what_to_do: "What to do", open_ones: "Open", no_discrepancies: "Steam and the books agree.",
    resolve_more: "Resolve…", note_wanted: "Needed to write off or withdraw.", note_missing: "Write a note: this cannot be undone, and the log should say why.",
    differs_unknown_asset: "On Steam, not in the books", differs_missing: "In the books, not on Steam", differs_assigned_missing: "Assigned, and gone from Steam",
    differs_unknown_trade: "Gone by a trade that Astro did not make", differs_unknown_offer: "An offer that Astro did not send",
    differs_report: "A report that could not be recorded", differs_twice: "In the books of two bots", differs_stack: "A stack",
    resolution_open: "Open", resolution_adopted: "Taken into the pool", resolution_written_off: "Written off", resolution_ignored: "Left as it is",
    resolution_vanished: "Went away by itself", resolution_withdrawn: "Offer withdrawn",
    resolve_adopt: "Take into the pool", resolve_write_off: "Write off", resolve_ignore: "Leave as it is", resolve_cancel_offer: "Withdraw the offer",

    // Events.
    severity: "Severity", severity_info: "Info", severity_warning: "Warning", severity_warning_up: "Warnings and errors", severity_error: "Error",
    when: "When", from_utc: "From (UTC)", until_utc: "Until (UTC)", pause_stream: "Pause", resume_stream: "Go on",

    // Organisations and their rules.
    new_organisation: "New organisation", make_organisation: "Make organisation", short_name: "Short name", short_name_note: "2 to 40 of a-z, 0-9 and -. It stays.",
    keyword: "Word of donations", keyword_note: "A donation's message must have it.", made: "Made", hours_to_claim: "Hours to claim an assignment",
    hours_of_offer: "Hours until an unanswered offer is sent anew", sends_invites: "Bots invite recipients without a trade URL",
    adopts_unknown: "Items that appear by another way go into the pool", withdraws_unknown: "Offers that Astro did not send are withdrawn",
    donation_rules: "Rules for donations", games_note: "Numbers of Steam applications; empty: all", items_a_day: "Items of one donor a day",
    worth_a_day: "Worth of one donor's gifts a day, in US cents", least_worth: "Least worth of an item, in US cents", empty_no_limit: "Empty: no limit",
    marketable_only: "Only what can be sold on Steam's market", junk_names: "Names that are not taken", junk_note: "One a line; * at the end stands for any rest",
    denied_people: "People whose donations are declined", denied_note: "SteamID64, one a line", thanks: "Thank-you", thanks_note: "What a donor reads once the items are there",

    // Keys.
    session: "Session", key: "Key", new_key: "New key", make_key: "Make key", key_made: "Key {} is made", key_once: "Copy it now: it is shown here once and nowhere else.",
    key_name_note: "Who or what uses it", key_bot_note: "Id of the bot, for a bot's key", scopes: "Scopes", preset_usual: "The kind's usual ones",
    preset_viewer: "Only looks", preset_own: "Those below", scopes_own: "Own scopes", scopes_note: "items.read, assignments.*, …",
    scopes_missing: "Write which scopes the key has.", last_used: "Last used", this_one: "yours", revoke: "Revoke", revoke_more: "Revoke…", revoked: "Revoked",
    revoke_title: "Revoke a key", revoke_means: "It stops working at once, and its open streams end. This cannot be undone.",
    revoke_own: "This is the key that you signed in with. You are signed out by it.",
    own_key: "Your own key, once more", own_key_note: "A key is for longer than your session, so it is made by the key that you signed in with.",
    own_key_wrong: "This is not the key that you signed in with. Was it copied whole?",

    // Sessions.
    sessions: "Sessions", who: "Who", signed_in: "Signed in", end_it: "End", nobody_named: "Without a name",
    sessions_note: "Who signed in with a key, here or with a program. A session may do what its key may, and ends with it.",

    // Preferences and help.
    language: "Language", theme: "Colours", theme_system: "As the system has them", theme_light: "Light", theme_dark: "Dark",
    single_keys: "Single keys do something (/ searches, n makes a new one)", single_keys_off: "Switch single keys off",
    words: "Words", keyboard: "Keys that do something", key_search: "Search", key_help: "This page", key_new: "New", key_move: "Next and previous row", key_choose: "Choose the row",
    glossary_item: "One thing on Steam, followed through its life.", glossary_assignment: "A promise of items to a person.",
    glossary_attempt: "One try to deliver an assignment.", glossary_reservation: "A hold on items for a while.",
    glossary_discrepancy: "A difference between Steam and the books.", glossary_sync: "One comparison of a bot's whole inventory with the books.",
    glossary_key: "What a program or a person signs in with.",
    how_assign: "How do I give an item to somebody?", how_assign_text: "New assignment: say to whom, tick the items, confirm. A bot sends the offer; the page of the assignment shows how far it is.",
    how_blocked: "Something is blocked. What now?", how_blocked_text: "Its page says why and what to do, with the form for it where there is one. Most go on by themselves afterwards.",
    how_script: "How does a program do this?", how_script_text: "Each page says below how a program does the same: by HTTP, at a shell, in Rust.",
}
