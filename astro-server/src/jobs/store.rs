//! SQL on `job_leases`.
use super::schema::job_leases as t;
use crate::db::{Engine, Guid, Prepare, each};
use crate::kernel::limits::CLOCKS_APART;
use crate::kernel::{Result, Timestamp};
use diesel::prelude::*;
use std::time::Duration;

/// Leases the job to `holder` for `span`, unless another has it; tells whether it was leased. A lease
/// from ahead of now is of a clock that ran ahead, and is none.
pub(super) fn lease(
    conn: &mut Engine,
    name: &str,
    holder: Guid,
    now: Timestamp,
    span: Duration,
) -> Result<bool> {
    let free =
        t::holder.eq(holder).or(t::ends_at.le(now)).or(t::leased_at.gt(now.plus(CLOCKS_APART)));
    let taken = diesel::update(t::table.find(name).filter(free))
        .set((t::holder.eq(holder), t::leased_at.eq(now), t::ends_at.eq(now.plus(span))))
        .prepared()
        .execute(conn)?;
    if taken == 1 {
        return Ok(true);
    }
    let row = (
        t::name.eq(name),
        t::holder.eq(holder),
        t::leased_at.eq(now),
        t::ends_at.eq(now.plus(span)),
    );
    let made = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(made == 1)
}
