//! The SDK's types by the contract's names.

use std::any::TypeId;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use astro_sdk::rpc::{Paged, Rpc};
use astro_sdk::{Call, Error, List, Watch};
use futures_util::Stream;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, StreamExt};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage};

/// The contract, for messages whose type is known only when the driver runs.
pub(crate) static POOL: std::sync::LazyLock<DescriptorPool> = std::sync::LazyLock::new(|| {
    DescriptorPool::decode(astro_sdk::file_descriptor_set())
        .expect("the SDK's descriptors are whole")
});

/// What a call answers.
pub(crate) type Answer = BoxFuture<'static, Result<DynamicMessage, Error>>;
/// What a watch answers.
pub(crate) type Watched = Box<dyn Follow>;
/// What a list answers.
pub(crate) type Answers = BoxStream<'static, Result<DynamicMessage, Error>>;

/// What is to be called.
pub(crate) struct Asked {
    /// As in the contract: `astro.v1.ItemService/GetItem`.
    pub(crate) method: String,
    pub(crate) request: DynamicMessage,
    pub(crate) timeout: Option<Duration>,
}

/// What of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    Entries,
    Whole,
}

/// Makes a call by one of the SDK's methods.
pub(crate) fn call<R>(asked: Asked, method: impl FnOnce(R) -> Call<R>) -> Answer
where
    R: Rpc,
    R::Response: Name,
{
    let mut call = method(sdks(&asked.request));
    if let Some(timeout) = asked.timeout {
        call = call.timeout(timeout);
    }
    call.into_future().map(|answer| answer.map(|message| dynamic(&message))).boxed()
}

/// Lists by one of the SDK's methods.
pub(crate) fn list<R>(asked: Asked, pages: Pages, method: impl FnOnce(R) -> List<R>) -> Answers
where
    R: Paged,
    R::Response: Name,
    R::Entry: Name,
{
    let mut list = method(sdks(&asked.request));
    if let Some(timeout) = asked.timeout {
        list = list.timeout(timeout);
    }
    match pages {
        Pages::Entries => list.map(|entry| entry.map(|entry| dynamic(&entry))).boxed(),
        Pages::Whole => list.pages().map(|page| page.map(|page| dynamic(&page))).boxed(),
    }
}

/// Follows by one of the SDK's methods.
pub(crate) fn watch<R, T>(asked: Asked, method: impl FnOnce(R) -> Watch<T>) -> Watched
where
    R: Rpc,
    T: Name + Unpin + 'static,
{
    Box::new(Following(method(sdks(&asked.request))))
}

/// A watch, whatever it tells.
pub(crate) trait Follow:
    Stream<Item = Result<DynamicMessage, Error>> + Send + Unpin
{
    /// Where it is.
    fn position(&mut self) -> BoxFuture<'_, Result<String, Error>>;
}

struct Following<T>(Watch<T>);

impl<T: Name + Unpin> Stream for Following<T> {
    type Item = Result<DynamicMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.poll_next_unpin(cx);
        next.map(|entry| entry.map(|entry| entry.map(|entry| dynamic(&entry))))
    }
}

impl<T: Name + Unpin> Follow for Following<T> {
    fn position(&mut self) -> BoxFuture<'_, Result<String, Error>> {
        self.0.position().boxed()
    }
}

/// Whether a floating-point number may be written where this leads: Rust changes no number's type.
pub(crate) fn takes_float<R, F: Field>(_: fn(R) -> F) -> bool {
    TypeId::of::<F::Value>() == TypeId::of::<f64>()
}

/// A field of a message, with the type of one value.
pub(crate) trait Field {
    type Value: 'static;
}

impl Field for u64 {
    type Value = Self;
}

impl Field for i64 {
    type Value = Self;
}

impl Field for f64 {
    type Value = Self;
}

impl<F: Field> Field for Vec<F> {
    type Value = F::Value;
}

impl<F: Field> Field for Option<F> {
    type Value = F::Value;
}

fn sdks<R: Rpc>(request: &DynamicMessage) -> R {
    request.transcode_to().expect("both are made of one contract")
}

fn dynamic<M: Message + Name>(message: &M) -> DynamicMessage {
    let name = M::full_name();
    let descriptor = POOL.get_message_by_name(&name).expect("the contract has every message");
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("both are made of one contract")
}
