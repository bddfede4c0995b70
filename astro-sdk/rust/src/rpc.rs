//! What the contract says about each request, for the types that every call shares.
//!
//! A program names these traits only to be generic over calls.

use prost::Message;

use crate::v1;

/// A request: the RPC that takes it.
pub trait Rpc: Message + Clone + Default + 'static {
    /// What answers it.
    type Response: Message + Default + 'static;
    /// Path of the HTTP/2 request: `/astro.v1.ItemService/GetItem`.
    const PATH: &'static str;
}

/// A request for a page of a list.
pub trait Paged: Rpc + Unpin {
    /// What the list has.
    type Entry: Send + Unpin + 'static;

    /// How many entries it asks for; 0: as the server likes.
    fn page_size(&mut self) -> &mut i32;

    /// The entries of a page.
    fn entries(page: Self::Response) -> Vec<Self::Entry>;

    /// Makes this the request for the page after `page`; false: that was the last one.
    fn turn(&mut self, page: &Self::Response) -> bool;
}

/// A request for a stream to follow.
pub trait Watched: Rpc {
    /// What the stream tells.
    type Entry: Clone + PartialEq + Send + Unpin + 'static;
    /// Whether the stream goes on where it broke; otherwise it begins anew each time.
    const RESUMES: bool;

    /// What a message tells.
    fn entries(message: Self::Response) -> Vec<Self::Entry>;

    /// The token that this request begins after; empty if it names none.
    fn place(&self) -> &str;

    /// Makes this the request for what comes after `message`.
    fn go_on(&mut self, message: &Self::Response);
}

include!("gen/rpc.rs");
