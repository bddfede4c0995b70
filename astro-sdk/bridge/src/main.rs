//! `astro-bridge`: HTTP and JSON on the machine of those who have no gRPC, such as a game server,
//! towards an Astro server anywhere.

fn main() -> std::process::ExitCode {
    astro_bridge::sidecar::main_with(std::env::args_os())
}
