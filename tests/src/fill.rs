//! Rows as a server of some years has them, written past it: what would take hours by its own calls
//! takes seconds.

use astro_server::db::Engine;

use crate::{Backend, sql};

/// Where rows belong: an organisation and its bot.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// The database that has them.
    pub backend: Backend,
    /// Id of the organisation.
    pub org_id: &'a str,
    /// Id of the bot.
    pub bot_id: &'a str,
}

/// The Steam id of the first of the people, and how many there are.
pub const FIRST_PERSON: u64 = 76_561_197_960_265_729;
/// See above.
pub const PEOPLE: u64 = 1_000;

/// Numbered rows of items: each has its number as its asset, as the second of its making, and in the
/// one of fifty kinds and from the one of a thousand people that it is of.
const ITEMS: &str =
    "INSERT INTO items (id, org_id, bot_id, state, steam_app_id, steam_context_id, steam_asset_id,
       steam_class_id, steam_instance_id, amount, market_hash_name, item_name, item_type, item_rarity,
       steam_metadata, labels, custom_metadata, received_at, received_from_user_id, received_via,
       assigned_to_user_id, version, created_at, updated_at)
     SELECT :id, :org, :bot, :state, 440, 2, n, 1, 0, 1,
       'Key ' || (n % 50), 'Key ' || (n % 50), '', '', :map, :map, :map, :at, :person, 'DONATION',
       CASE WHEN :state = 'DELIVERED' THEN :person END, 1, :at, :at FROM :series";

/// Events of people; the server gives them their places in the log.
const EVENTS: &str =
    "INSERT INTO system_events (id, org_id, event_type, event_category, event_description, user_id,
       event_data, severity, source, created_at, personal_salt)
     SELECT :id, :org, 'user.met', 'user', 'a person was met', :person, :map, 'INFO', 'system', :at,
       :id FROM :series";

/// People whom nothing was given to.
const PEOPLE_MET: &str =
    "INSERT INTO users (org_id, steam_id, display_name, avatar_url, profile_url, country_code,
       trade_token, first_seen_at, last_seen_at, created_at, updated_at)
     SELECT :org, :first + n, 'x', '', '', '', :state, :at, :at, :at, :at FROM :series";

/// Reservations without items.
const RESERVATIONS: &str =
    "INSERT INTO reservations (id, org_id, state, api_key_id, expires_at, created_at)
     SELECT :id, :org, :state, 'k', :late, :at FROM :series";

/// What else there is beside the items.
const REST: [&str; 4] = [
    "INSERT INTO users (org_id, steam_id, display_name, avatar_url, profile_url, country_code,
       first_seen_at, last_seen_at, created_at, updated_at)
     SELECT :org, :person, 'x', '', '', '', :at, :at, :at, :at FROM :series WHERE n <= 1000",
    "INSERT INTO assignments (id, org_id, user_id, bot_id, assignment_type, assignment_reason,
       external_system, external_id, external_context, assignment_priority, state, status_message,
       total_items_count, delivery_attempts, assigned_at, next_attempt_at, expires_at, version,
       created_at, updated_at)
     SELECT :id, :org, :person, :bot, 'GIVEAWAY', '', 'plugin', 'e' || n, :map, 0, 'SETTLED', '', 1, 1,
       :at, :at, :at, 1, :at, :at FROM :series",
    "INSERT INTO donations (id, org_id, bot_id, trade_offer_id, donor_id, state, reason, message,
       assets, items_count, created_at, updated_at)
     SELECT :id, :org, :bot, 'o' || n, :person, 'RECEIVED', '', '', :list, 1, :at, :at FROM :series",
    "INSERT INTO inventory_sync_log (id, org_id, bot_id, sync_status, steam_inventory_count,
       database_available_count, database_assigned_count, database_delivered_count,
       database_total_count, items_added_count, items_removed_count, items_updated_count,
       discrepancies_found, error_details, sync_duration_ms, created_at)
     SELECT :id, :org, :bot, 'SUCCEEDED', 0, 0, 0, 0, 0, 0, 0, 0, 0, :map, 0, :at FROM :series",
];

/// Ids that grow with their row's number, as those of a server grow with time.
const SQLITE_ID: &str = "unhex(printf('%012x7%03x8%015x', 1600000000000 + n * 1000,
  random() & 0xfff, random() & 0xfffffffffffffff))";
/// The same.
const POSTGRES_ID: &str = "(lpad(to_hex(1600000000000 + n * 1000), 12, '0') || '7'
  || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid";

impl Home<'_> {
    /// Writes the items with the numbers from `first` to `last`: one of ten is free, the others were
    /// given away.
    ///
    /// # Errors
    /// Those of the database.
    pub fn items(&self, conn: &mut Engine, first: u64, last: u64) -> anyhow::Result<()> {
        let state = "CASE n % 10 WHEN 0 THEN 'AVAILABLE' ELSE 'DELIVERED' END";
        self.write(conn, ITEMS, (first, last), state)
    }

    /// Writes free items with these numbers.
    ///
    /// # Errors
    /// Those of the database.
    pub fn free_items(&self, conn: &mut Engine, first: u64, last: u64) -> anyhow::Result<()> {
        self.write(conn, ITEMS, (first, last), "'AVAILABLE'")
    }

    /// Writes events with these numbers.
    ///
    /// # Errors
    /// Those of the database.
    pub fn events(&self, conn: &mut Engine, first: u64, last: u64) -> anyhow::Result<()> {
        self.write(conn, EVENTS, (first, last), "")
    }

    /// Writes a thousand people, and so many assignments, donations and syncs each.
    ///
    /// # Errors
    /// Those of the database.
    pub fn rest(&self, conn: &mut Engine, count: u64) -> anyhow::Result<()> {
        REST.iter().try_for_each(|rows| self.write(conn, rows, (1, count), ""))
    }

    /// Writes people with these numbers beside those thousand: of one in ten the trade URL is known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn people(&self, conn: &mut Engine, first: u64, last: u64) -> anyhow::Result<()> {
        self.write(conn, PEOPLE_MET, (first, last), "CASE n % 10 WHEN 0 THEN 'token' END")
    }

    /// Writes so many reservations: one in ten holds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reservations(&self, conn: &mut Engine, count: u64) -> anyhow::Result<()> {
        let state = "CASE n % 10 WHEN 0 THEN 'HELD' ELSE 'EXPIRED' END";
        self.write(conn, RESERVATIONS, (1, count), state)
    }

    fn write(
        &self,
        conn: &mut Engine,
        rows: &str,
        (first, last): (u64, u64),
        state: &str,
    ) -> anyhow::Result<()> {
        let (id, map, list, at, late, series) = match self.backend {
            Backend::Sqlite => (
                SQLITE_ID,
                "'{}'",
                "'[]'",
                "n * 1000000",
                "4102444800000000",
                format!(
                    "(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s
                      WHERE n < {last}) SELECT n FROM s) AS s"
                ),
            ),
            Backend::Postgres => (
                POSTGRES_ID,
                "'{}'::jsonb",
                "'[]'::jsonb",
                "to_timestamp(n)",
                "to_timestamp(4102444800)",
                format!("generate_series({first}::bigint, {last}) AS s(n)"),
            ),
        };
        let uuid = |text: &str| match self.backend {
            Backend::Sqlite => format!("X'{}'", text.replace('-', "")),
            Backend::Postgres => format!("'{text}'::uuid"),
        };
        let (org, bot) = (uuid(self.org_id), uuid(self.bot_id));
        let first_person = FIRST_PERSON.to_string();
        let person = format!("({FIRST_PERSON} + n % {PEOPLE})");
        let words = [
            (":id", id),
            (":org", &org),
            (":bot", &bot),
            (":map", map),
            (":list", list),
            (":at", at),
            (":late", late),
            (":first", &first_person),
            (":state", state),
            (":person", &person),
            (":series", &series),
        ];
        let sql = words.iter().fold(rows.to_owned(), |sql, (word, is)| sql.replace(word, is));
        sql::run(conn, &sql)
    }
}
