//! Calls of gRPC, as the gate takes them.
use crate::auth::gate::{Call, Entry};
use crate::kernel::{Error, Result};
use std::future::Future;
use tonic::{Request, Response, Status};

/// The call that a request is, once the layer has let it in.
///
/// # Errors
/// [`Error::Internal`] for one that came past the layer.
pub fn call<Q>(mut request: Request<Q>) -> Result<Call<Q>> {
    let entry = request
        .extensions_mut()
        .remove::<Entry>()
        .ok_or_else(|| Error::Internal("a request came past the layer".to_owned()))?;
    Ok(Call { entry, message: request.into_inner() })
}

/// Serves a call with one answer.
///
/// # Errors
/// Those of [`call`] and of `serve`, as a status.
pub async fn unary<Q, T, F>(
    request: Request<Q>,
    serve: impl FnOnce(Call<Q>) -> F,
) -> Result<Response<T>, Status>
where
    F: Future<Output = Result<T>>,
{
    Ok(Response::new(serve(call(request)?).await?))
}
