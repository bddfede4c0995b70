//! The contract, compiled: `proto/` becomes descriptors. No protoc is needed.

use std::path::Path;

use anyhow::{Context, ensure};
use prost_reflect::{DescriptorPool, FileDescriptor};
use prost_types::FileDescriptorSet;
use prost_types::source_code_info::Location;

use crate::model::EVENT_TYPE_ENUM;

/// The contract in the forms that the rest of the generator needs.
pub struct Schema {
    /// Every message, enum and service, with custom options and comments.
    pub pool: DescriptorPool,
    /// The same as a serialised `FileDescriptorSet`, imports included. These are the compiler's own
    /// bytes: decoding them with prost-types would drop the custom options.
    pub bytes: Vec<u8>,
    /// The same in the form that code generators take; custom options are missing here, and so are
    /// the types of events, which no message has and which SDKs get as constants.
    pub plain: FileDescriptorSet,
    /// The fault service, which is the proof's and no part of the contract.
    pub testing: FileDescriptorSet,
    names: Vec<String>,
}

/// Folder of what no server and no SDK has.
const TESTING: &str = "astro/testing/";

impl Schema {
    /// Compiles every `.proto` file under `root/proto`.
    ///
    /// # Errors
    /// When there are none, or one does not compile; the message has file and line.
    pub fn load(root: &Path) -> anyhow::Result<Self> {
        let proto = root.join("proto");
        let mut names = Vec::new();
        collect_names(&proto, "", &mut names)?;
        names.sort();
        let (testing, names): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.starts_with(TESTING));
        ensure!(!names.is_empty(), "no .proto file in {}", proto.display());
        let testing = compile(&proto, &testing)?.file_descriptor_set();
        let compiler = compile(&proto, &names)?;
        let bytes = compiler.encode_file_descriptor_set();
        let pool = DescriptorPool::decode(bytes.as_slice())?;
        let mut plain = compiler.file_descriptor_set();
        if let Some(events) = pool.get_enum_by_name(EVENT_TYPE_ENUM) {
            plain.file.retain(|file| file.name() != events.parent_file().name());
        }
        Ok(Self { pool, bytes, plain, testing, names })
    }

    /// The files under `proto/`, sorted by name; imports from elsewhere are left out.
    pub fn files(&self) -> impl Iterator<Item = FileDescriptor> + '_ {
        self.names.iter().filter_map(|name| self.pool.get_file_by_name(name))
    }

    /// Packages declared under `proto/`, sorted, each once.
    pub fn packages(&self) -> Vec<String> {
        let mut packages: Vec<String> =
            self.files().map(|file| file.package_name().to_owned()).collect();
        packages.sort();
        packages.dedup();
        packages
    }
}

fn compile(proto: &Path, names: &[String]) -> anyhow::Result<protox::Compiler> {
    let mut compiler = protox::Compiler::new([proto])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(names).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(compiler)
}

/// The comment right before the element at `path` in `file`, without margins; empty if none.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let text = location(file, path).map(|found| found.leading_comments.clone().unwrap_or_default());
    let text = text.unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// The line of the element at `path` in `file`, counted from 1; 0 when it is not known.
pub fn line(file: &FileDescriptor, path: &[i32]) -> i32 {
    let start = location(file, path).and_then(|found| found.span.first().copied());
    start.map_or(0, |line| line + 1)
}

fn location(file: &FileDescriptor, path: &[i32]) -> Option<Location> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    info.location.iter().find(|location| location.path == path).cloned()
}

fn collect_names(dir: &Path, prefix: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect_names(&entry.path(), &format!("{name}/"), names)?;
        } else if name.ends_with(".proto") {
            names.push(name);
        }
    }
    Ok(())
}
