//! The conformance driver of the Rust SDK.

use astro_sdk_driver::{Kind, drive};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drive(Kind { language: "rust", open: |given| given.builder.build() }).await;
}
