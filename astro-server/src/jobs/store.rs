//! SQL on `job_leases`.
use super::schema::job_leases as t;
use crate::db::{Conn, Guid, each};
use crate::kernel::limits::CLOCKS_APART;
use crate::kernel::{Result, Timestamp};
use diesel::prelude::*;
use std::time::Duration;

/// Leases the job to `holder`, unless another leased it within `span`; tells whether it has it. A
/// lease from ahead of now is of a clock that ran ahead, and is none.
pub(super) fn lease(
    conn: &mut Conn,
    name: &str,
    holder: Guid,
    now: Timestamp,
    span: Duration,
) -> Result<bool> {
    let free = t::holder
        .eq(holder)
        .or(t::leased_at.le(now.minus(span)))
        .or(t::leased_at.gt(now.plus(CLOCKS_APART)));
    let taken = diesel::update(t::table.find(name).filter(free))
        .set((t::holder.eq(holder), t::leased_at.eq(now)))
        .execute(conn)?;
    if taken == 1 {
        return Ok(true);
    }
    let row = (t::name.eq(name), t::holder.eq(holder), t::leased_at.eq(now));
    let made = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(made == 1)
}
