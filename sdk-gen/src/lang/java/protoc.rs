//! Google's compiler for messages, as Maven Central has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use prost_reflect::prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::super::{header, is_installed};
use super::{SOURCES, is_public};
use crate::write::File;

/// The release that grpc-java is built with. Its code runs with every protobuf-java from this one
/// on, those of 4.x included; code of a 4.x compiler would shut out 3.25, which grpc-java brings.
const VERSION: &str = "3.25.9";
/// Maven's part that brings it.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy";
const MAVEN: &str = if cfg!(windows) { "mvn.cmd" } else { "mvn" };
/// Where it is kept. It is this project's own folder also for contracts elsewhere.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/sdk-tools");

/// What protoc makes of the public packages.
pub(super) fn messages(set: &FileDescriptorSet) -> anyhow::Result<Vec<File>> {
    let folder = tempfile::tempdir()?;
    let contract = folder.path().join("contract.fds");
    let out = folder.path().join("out");
    std::fs::write(&contract, set.encode_to_vec())?;
    std::fs::create_dir(&out)?;
    let output = Command::new(find()?)
        .arg(format!("--descriptor_set_in={}", contract.display()))
        .arg(format!("--java_out={}", out.display()))
        .args(set.file.iter().filter(|file| is_public(file)).map(FileDescriptorProto::name))
        .output()
        .context("protoc does not start")?;
    ensure!(output.status.success(), "protoc: {}", String::from_utf8_lossy(&output.stderr));
    let mut files = Vec::new();
    collect(&out, SOURCES, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(folder: &Path, target: &str, files: &mut Vec<File>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{target}/{name}"), files)?;
        } else {
            let code = std::fs::read_to_string(entry.path())?;
            let code = format!("{}{code}", header("//"));
            files.push(File::new(target, &name, code.into_bytes()));
        }
    }
    Ok(())
}

/// Whether the program is here, or what brings it.
pub(super) fn can_be_had() -> bool {
    program().is_file() || is_installed(MAVEN, "--version")
}

/// The program; Maven brings it when it is not there.
fn find() -> anyhow::Result<PathBuf> {
    static BRINGING: Mutex<()> = Mutex::new(());
    let _alone = BRINGING.lock().unwrap_or_else(PoisonError::into_inner);
    let program = program();
    if !program.is_file() {
        std::fs::create_dir_all(TOOLS)?;
        // Moved in place whole, since another generator may look for it at the same time.
        let folder = tempfile::tempdir_in(TOOLS)?;
        let artifact = format!("com.google.protobuf:protoc:{VERSION}:exe:{}", platform());
        let output = Command::new(MAVEN)
            .args(["--batch-mode", "--quiet", PLUGIN])
            .arg(format!("-Dartifact={artifact}"))
            .arg("-DoutputDirectory=.")
            .current_dir(folder.path())
            .output()
            .context("Maven does not start")?;
        let complaint = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "Maven did not bring {artifact}: {complaint}");
        let brought = folder.path().join(name());
        make_executable(&brought)?;
        std::fs::rename(&brought, &program)?;
    }
    Ok(program)
}

fn program() -> PathBuf {
    Path::new(TOOLS).join(name())
}

/// What Maven calls the file, on every system.
fn name() -> String {
    format!("protoc-{VERSION}-{}.exe", platform())
}

#[cfg(unix)]
fn make_executable(program: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// This machine, as Maven's artifacts name it: `linux-x86_64`.
fn platform() -> String {
    use std::env::consts::{ARCH, OS};
    let system = if OS == "macos" { "osx" } else { OS };
    let processor = if ARCH == "aarch64" { "aarch_64" } else { ARCH };
    format!("{system}-{processor}")
}
