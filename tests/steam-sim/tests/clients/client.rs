//! The clients: how they are installed, once for each lockfile, and what they need excused.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use steam_sim::EdgeRule;

/// The newest release of aiosteampy runs on no older one.
const IS_PYTHON_3_12: &str = "import sys; sys.exit(sys.version_info < (3, 12))";

/// Somebody else's client of Steam.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Client {
    /// steam-session, steamcommunity, steam-tradeoffer-manager and steam-totp.
    Npm,
    /// aiosteampy.
    Pypi,
}

/// Where a client is installed and what runs it.
pub(crate) struct Installed {
    program: PathBuf,
    folder: PathBuf,
}

impl Client {
    /// What Steam demands and the client does not do, by the facts we have; nothing else is let
    /// pass. Each client has a test that it needs exactly this.
    pub(crate) fn excused(self) -> Vec<EdgeRule> {
        match self {
            Self::Npm => vec![EdgeRule::Language],
            Self::Pypi => vec![EdgeRule::Origin],
        }
    }

    /// Where it is installed; installs it at the first need. If it cannot be, says what is missing
    /// and that the running test did not run.
    ///
    /// # Panics
    /// When it cannot be installed and `CI` is `true`: there nothing is left out.
    pub(crate) fn installed(self) -> Option<&'static Installed> {
        static NPM: OnceLock<Result<Installed, String>> = OnceLock::new();
        static PYPI: OnceLock<Result<Installed, String>> = OnceLock::new();
        let (installed, install): (_, fn() -> _) = match self {
            Self::Npm => (&NPM, install_npm),
            Self::Pypi => (&PYPI, install_pypi),
        };
        let installed = installed.get_or_init(|| install().map_err(|error| format!("{error:#}")));
        let missing = match installed {
            Ok(installed) => return Some(installed),
            Err(missing) => missing,
        };
        let thread = std::thread::current();
        let text = format!("NOT RUN: {}: {missing}\n", thread.name().unwrap_or_default());
        assert!(env::var("CI").as_deref() != Ok("true"), "{text}");
        say(&text);
        None
    }

    /// The command which plays it.
    pub(crate) fn command(self, installed: &Installed) -> Command {
        let mut command = Command::new(&installed.program);
        command.arg(installed.folder.join(self.script()));
        command
    }

    fn script(self) -> &'static str {
        match self {
            Self::Npm => "client.mjs",
            Self::Pypi => "client.py",
        }
    }
}

fn install_npm() -> anyhow::Result<Installed> {
    let node = PathBuf::from("node");
    ran(Command::new(&node).arg("--version")).context("node is not installed")?;
    ran(Command::new("npm").arg("--version")).context("npm is not installed")?;
    let lock = ["package.json", "package-lock.json"];
    let folder = installed_once("node", &lock, &["client.mjs"], "", |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]);
        npm.current_dir(folder);
        ran(&mut npm).context("npm cannot install the clients")
    })?;
    Ok(Installed { program: node, folder })
}

fn install_pypi() -> anyhow::Result<Installed> {
    let python = python().context("python 3.12 or newer is not installed")?;
    let version = ran(Command::new(&python).arg("-VV"))?;
    let lock = ["requirements.txt"];
    let folder = installed_once("python", &lock, &["client.py"], &version, |folder| {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--no-deps", "--only-binary=:all:", "--require-hashes"]);
        pip.args(["--root-user-action=ignore", "--requirement", "requirements.txt"]);
        // Beside the script, where Python looks first.
        pip.args(["--target", "."]).current_dir(folder);
        ran(&mut pip).context("pip cannot install aiosteampy")
    })?;
    Ok(Installed { program: python, folder })
}

/// The first Python which is new enough: in PATH, or one of pyenv's.
fn python() -> Option<PathBuf> {
    let in_path = ["python3", "python3.14", "python3.13", "python3.12"].map(PathBuf::from);
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut versions: Vec<_> = versions.into_iter().flatten().flatten().collect();
    versions.sort_by_key(fs::DirEntry::file_name);
    let pyenvs = versions.into_iter().map(|version| version.path().join("bin/python3"));
    let is_new = |python: &PathBuf| ran(Command::new(python).args(["-c", IS_PYTHON_3_12])).is_ok();
    in_path.into_iter().chain(pyenvs).find(is_new)
}

/// A folder with the lock's packages and the scripts; made by `install` unless there is one of the
/// same lock, toolchain and scripts.
fn installed_once(
    language: &str,
    lock: &[&str],
    scripts: &[&str],
    toolchain: &str,
    install: impl FnOnce(&Path) -> anyhow::Result<String>,
) -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(language);
    let mut hash = Sha256::new_with_prefix(toolchain);
    for name in lock.iter().chain(scripts) {
        hash.update(fs::read(source.join(name)).with_context(|| format!("cannot read {name}"))?);
    }
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("steam-clients");
    let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = parent.join(format!("{language}-{hash}"));
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&parent)?;
    let staging = tempfile::tempdir_in(&parent)?;
    for name in lock.iter().chain(scripts) {
        fs::copy(source.join(name), staging.path().join(name))?;
    }
    say(&format!("installing others' clients of Steam in {}\n", folder.display()));
    install(staging.path())?;
    // Whole or not at all, also when another process does the same: the first to finish wins.
    let renamed = fs::rename(staging.path(), &folder);
    if folder.exists() { Ok(folder) } else { renamed.map(|()| folder).map_err(Into::into) }
}

/// Runs a command to its end; gives what it printed.
///
/// # Errors
/// What it said, when it fails or is not there.
fn ran(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}", output.status, said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Written past the capture of output, since a test that passes shows nothing otherwise. A closed
/// standard error is no reason to fail.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[test]
fn the_lockfiles_name_no_registry() {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    for (lock, addresses) in [
        ("node/package-lock.json", ["\"resolved\"", "tarball"]),
        ("python/requirements.txt", ["://", "--index-url"]),
    ] {
        let text = fs::read_to_string(conformance.join(lock)).unwrap();
        assert!(addresses.iter().all(|address| !text.contains(address)), "{lock}");
    }
}
