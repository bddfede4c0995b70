//! The SourceMod kit as a server's owner gets it: one archive with compiled plugins.
//!
//! Reading order: [`Compiler`] makes plugins of `astro-sdk/sourcemod`, [`tools`] installs one,
//! [`package`] puts everything into an archive.

mod archive;
mod compiler;
pub mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

pub use compiler::{Compiled, Compiler};

/// The folder of the kit, relative to the root.
pub const FOLDER: &str = "astro-sdk/sourcemod";
/// The folder of plugins' sources, relative to the root.
pub const SCRIPTING: &str = "astro-sdk/sourcemod/scripting";
/// What stands in for the extension's own include file, relative to the root.
pub const STUBS: &str = "tests/sourcemod/include";
/// Where all of it goes on a game server, from the game's folder.
const ON_SERVER: &str = "addons/sourcemod";
/// Folder of what people read, beside `addons`: an archive that is unpacked in the game's folder must
/// not replace another's LICENSE.
const FOR_PEOPLE: &str = "astro-sourcemod";

/// What [`package`] made.
#[derive(Debug)]
pub struct Package {
    /// The archive.
    pub path: PathBuf,
    /// Names of the plugins in it, sorted: `astro.smx`.
    pub plugins: Vec<String>,
    /// How many files it has.
    pub files: usize,
}

/// Compiles every plugin and writes `astro-sourcemod-<version>.zip` into `out`. The same sources and
/// the same compiler give the same bytes.
///
/// # Errors
/// When a plugin does not compile without a warning, or a file cannot be read or written.
pub fn package(root: &Path, compiler: &Compiler, out: &Path) -> anyhow::Result<Package> {
    let mut archive = archive::Archive::default();
    let compiled = compiler.compile_all(root)?;
    let mut plugins = Vec::new();
    for plugin in compiled {
        ensure!(plugin.warnings.is_empty(), "{}: {}", plugin.name, plugin.warnings);
        archive.add(&format!("{ON_SERVER}/plugins/{}.smx", plugin.name), plugin.bytes);
        plugins.push(format!("{}.smx", plugin.name));
    }
    let folder = root.join(FOLDER);
    for path in files(&folder)? {
        let name = relative(&folder, &path)?;
        let place = if name.contains('/') { ON_SERVER } else { FOR_PEOPLE };
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        archive.add(&format!("{place}/{name}"), bytes);
    }
    let files = archive.len();
    std::fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let path = out.join(format!("astro-sourcemod-{}.zip", env!("CARGO_PKG_VERSION")));
    let bytes = archive.bytes()?;
    std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    Ok(Package { path, plugins, files })
}

/// Unpacks an archive that [`package`] made into `folder`.
///
/// # Errors
/// When it cannot be read, names what lies outside of it, or a file cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::open(archive).with_context(|| archive.display().to_string())?;
    let mut archive = zip::ZipArchive::new(file)?;
    // It refuses names that lead out of the folder.
    archive.extract(folder).with_context(|| format!("unpacking into {}", folder.display()))
}

/// Every source of a plugin, sorted.
///
/// # Errors
/// When the folder cannot be read.
pub fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join(SCRIPTING);
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut sources = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "sp") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

/// Every file in and below `folder`, sorted.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            // Editors leave files behind whose names begin with a dot, the compiler its output.
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.ends_with(".smx") {
                continue;
            }
            let into = if entry.file_type()?.is_dir() { &mut folders } else { &mut found };
            into.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The path of a file in `folder`, with `/`.
fn relative(folder: &Path, path: &Path) -> anyhow::Result<String> {
    let parts = path.strip_prefix(folder)?.components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    Ok(parts.join("/"))
}
