//! Column types that PostgreSQL and SQLite store differently: one line each.
use super::conn::{MultiBackend, MultiRawValue};
use crate::kernel::{
    AssetId, AssignmentId, AttemptId, BotId, DiscrepancyId, DonationId, EventId, ItemId, OrgId,
    ReservationId, SteamId, SyncId, Timestamp,
};
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self as st, HasSqlType};
use diesel::sqlite::Sqlite;
use serde_json::Value;
use uuid::Uuid;

/// A JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(pub Value);

/// A UUID that is no id of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guid(pub Uuid);

/// Lets a kernel type stand where a value of the SQL type is wanted, and come back from one.
macro_rules! expression {
    ($name:ty, $sql:ty) => {
        impl diesel::expression::AsExpression<$sql> for $name {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for $name {
            type Expression = diesel::internal::derives::as_expression::Bound<
                diesel::sql_types::Nullable<$sql>,
                Self,
            >;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<$sql> for &'a $name {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for &'a $name {
            type Expression = diesel::internal::derives::as_expression::Bound<
                diesel::sql_types::Nullable<$sql>,
                Self,
            >;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<DB: diesel::backend::Backend>
            diesel::serialize::ToSql<diesel::sql_types::Nullable<$sql>, DB> for $name
        where
            Self: diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                <Self as diesel::serialize::ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
        impl<DB: diesel::backend::Backend, ST: diesel::sql_types::SingleValue>
            diesel::deserialize::Queryable<ST, DB> for $name
        where
            Self: diesel::deserialize::FromSql<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> diesel::deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
pub(crate) use expression;

/// `Sql for Rust(inner) = PgType | SqliteType(Repr), |value| to_repr, |repr| from_repr;`
macro_rules! columns {
    ($($sql:ident for $name:ident($rust:ty) = $pg:ident | $lite:ident($repr:ty),
       |$v:ident| $to:expr, |$r:ident| $from:expr;)*) => {
        /// The SQL types, for `table!`.
        #[allow(missing_docs)]
        pub mod sql { $(
            #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
            pub struct $sql;
        )* }
        $(
        expression!($name, sql::$sql);

        impl HasSqlType<sql::$sql> for Pg {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                <Pg as HasSqlType<st::$pg>>::metadata(lookup)
            }
        }
        impl HasSqlType<sql::$sql> for Sqlite {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                <Sqlite as HasSqlType<st::$lite>>::metadata(lookup)
            }
        }
        impl HasSqlType<sql::$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<sql::$sql>(lookup)
            }
        }
        impl ToSql<sql::$sql, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <$rust as ToSql<st::$pg, Pg>>::to_sql(&self.0, out)
            }
        }
        impl ToSql<sql::$sql, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                let $v = &self.0;
                out.set_value($to);
                Ok(IsNull::No)
            }
        }
        impl ToSql<sql::$sql, MultiBackend> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((sql::$sql, self));
                Ok(IsNull::No)
            }
        }
        impl FromSql<sql::$sql, Pg> for $name {
            fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <$rust as FromSql<st::$pg, Pg>>::from_sql(value).map(Self)
            }
        }
        impl FromSql<sql::$sql, Sqlite> for $name {
            fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let $r = <$repr as FromSql<st::$lite, Sqlite>>::from_sql(value)?;
                Ok(Self($from))
            }
        }
        impl FromSql<sql::$sql, MultiBackend> for $name {
            fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, sql::$sql>()
            }
        }
    )* };
}

columns! {
    OrgId for OrgId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    BotId for BotId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    ItemId for ItemId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    ReservationId for ReservationId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    AssignmentId for AssignmentId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    AttemptId for AttemptId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    DonationId for DonationId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    SyncId for SyncId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    DiscrepancyId for DiscrepancyId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    EventId for EventId(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    Guid for Guid(Uuid) = Uuid | Binary(Vec<u8>), |v| v.as_bytes().as_slice(), |r| Uuid::from_slice(&r)?;
    Instant for Timestamp(DateTime<Utc>) = Timestamptz | BigInt(i64),
        |v| v.timestamp_micros(), |r| DateTime::from_timestamp_micros(r).ok_or("timestamp out of range")?;
    Doc for Document(Value) = Jsonb | Text(String), |v| v.to_string(), |r| serde_json::from_str(&r)?;
}

/// A Steam number: the same `BIGINT` on both.
macro_rules! steam_numbers {
    ($($name:ident),*) => { $(
        expression!($name, st::BigInt);

        impl<DB: Backend> ToSql<st::BigInt, DB> for $name where i64: ToSql<st::BigInt, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
        impl<DB: Backend> FromSql<st::BigInt, DB> for $name where i64: FromSql<st::BigInt, DB> {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                i64::from_sql(value).map(Self)
            }
        }
    )* };
}

steam_numbers!(SteamId, AssetId);

/// A closed set of words, stored as `text` by both databases.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All of them, in order.
            #[allow(dead_code)] // not every set is walked
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in the database and in events.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("{word:?} is no {}", stringify!($name))),
                }
            }
        }
        $crate::db::types::expression!($name, diesel::sql_types::Text);
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, DB>::to_sql(self.as_str(), out)
            }
        }
        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let word: String = diesel::deserialize::FromSql::<diesel::sql_types::Text, DB>::from_sql(value)?;
                Ok(word.parse::<Self>()?)
            }
        }
    };
}
pub(crate) use text_enum;
