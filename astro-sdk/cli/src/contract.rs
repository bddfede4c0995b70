//! The contract that this program was built with.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Descriptors of every message and service of the contract.
pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(astro_sdk::FILE_DESCRIPTOR_SET)
        .expect("the SDK's descriptors are generated and tested with it")
});
