//! Several calls of one page, some of them at once.

use std::future::Future;

use futures_util::{StreamExt, stream};

use crate::limits::AT_ONCE;

/// What they answer, in their order.
pub(crate) async fn together<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    stream::iter(calls).buffered(AT_ONCE).collect().await
}
