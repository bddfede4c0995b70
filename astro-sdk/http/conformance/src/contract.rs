//! The contract's messages, and those that errors have.

use std::sync::LazyLock;

use astro_sdk::methods::{self, Method};
use prost_reflect::{DescriptorPool, MethodDescriptor};

/// All that is described.
pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let whole = "descriptors that were generated are whole";
    let mut pool = DescriptorPool::decode(astro_sdk::file_descriptor_set()).expect(whole);
    pool.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET).expect(whole);
    pool
});

/// An RPC that is called.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    /// Its policy and its routes.
    pub(crate) method: &'static Method,
    /// Its messages.
    pub(crate) messages: MethodDescriptor,
}

/// The RPC of a gRPC path.
pub(crate) fn find(path: &str) -> Option<Rpc> {
    let method = methods::find(path)?;
    let service = POOL.get_service_by_name(method.service)?;
    let messages = service.methods().find(|found| found.name() == method.name)?;
    Some(Rpc { method, messages })
}
