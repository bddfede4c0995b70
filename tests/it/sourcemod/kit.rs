//! The archive of the SourceMod kit, made, unpacked and played with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use astro_tests::{App, DEADLINE, not_run};
use sdk_gen::sourcemod::tools::Tools;
use sdk_gen::sourcemod::{self, Compiler, Package};
use steam_sim::Behaviour;
use tokio::process::Command;

/// Longest run of a scenario: the host's clock is its own, so that only Python's pace counts.
const SCENARIO_TIME_MAX: Duration = Duration::from_secs(1200);
/// People on Steam who take what they are offered, and have their trade URL with them.
const PEOPLE: usize = 4;

/// The archive as a server's owner has it: unpacked.
pub(crate) struct Kit {
    /// Python with the packages of the tests.
    pub(crate) tools: Tools,
    pub(crate) compiler: Compiler,
    pub(crate) package: Package,
    /// Folder that is the game's.
    pub(crate) game: PathBuf,
}

/// The kit, made once; nothing if a tool is missing, which is told.
///
/// # Panics
/// When it cannot be made, or a tool is missing and `CI` is `true`.
pub(crate) fn kit() -> Option<&'static Kit> {
    static KIT: OnceLock<Option<Kit>> = OnceLock::new();
    KIT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sourcemod");
        let tools = Tools::install(&root(), &folder.join("python"));
        let tools = tools.and_then(|tools| Ok((tools.compiler()?, tools)));
        match tools {
            Ok((compiler, tools)) => Some(make(&folder, tools, compiler)),
            Err(missing) => {
                not_run("the SourceMod kit", &format!("{missing:#}"));
                None
            }
        }
    })
    .as_ref()
}

fn make(folder: &Path, tools: Tools, compiler: Compiler) -> Kit {
    let package = sourcemod::package(&root(), &compiler, folder);
    let package = package.expect("the plugins compile without a warning");
    let game = folder.join("game");
    if game.exists() {
        fs::remove_dir_all(&game).expect("what was unpacked before can be removed");
    }
    sourcemod::unpack(&package.path, &game).expect("the archive can be unpacked");
    Kit { tools, compiler, package, game }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// Runs Python's tests at this path in `tests/sourcemod`.
///
/// # Panics
/// When one fails; shows what they said.
pub(crate) async fn pytest(kit: &Kit, path: &str, env: &[(&str, &str)]) {
    let mut command = Command::new(kit.tools.python());
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", path])
        .current_dir(root().join("tests/sourcemod"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", root().join("tests/sourcemod"))
        .env("ASTRO_SMX", kit.game.join("addons/sourcemod/plugins"))
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(SCENARIO_TIME_MAX, command.output()).await;
    let output = output.expect("it ends in time").expect("Python starts");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{path}: {}\n{said}", output.status);
    // A scenario that leaves everything out, for want of a server for instance, proves nothing.
    let told = said.lines().rfind(|line| line.contains(" passed")).unwrap_or(&said);
    assert!(told.contains(" passed") && !told.contains("skipped"), "{path}: {said}");
}

/// What `astro` prints when it is called with these words and this key.
///
/// # Panics
/// When it fails; shows what it said.
pub(crate) async fn astro(app: &App, key: &str, words: &[&str]) -> String {
    let mut command = Command::new(crate::NODE);
    for name in astro_cli::VARIABLES {
        command.env_remove(name);
    }
    command.arg("astro").args(words).stdin(Stdio::null()).kill_on_drop(true);
    command.env("ASTRO_ENDPOINT", app.relay.endpoint()).env("ASTRO_API_KEY", key);
    let output = tokio::time::timeout(DEADLINE, command.output()).await;
    let output = output.expect("it ends").expect("it starts");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "astro {words:?}: {out}{err}");
    out.trim().to_owned()
}

/// Runs a file of `tests/sourcemod/scenarios` against this server, with a client's key.
pub(crate) async fn scenario(kit: &Kit, app: &App, key: &str, name: &str) {
    let known: Vec<serde_json::Value> = (1..=PEOPLE)
        .map(|number| app.person(&format!("player-{number}"), Behaviour::ACCEPT))
        .map(|person| {
            let (id, url) = (person.steam_id.0.to_string(), person.trade_url());
            serde_json::json!({ "name": person.name, "steamId": id, "tradeUrl": url })
        })
        .collect();
    let env = [
        ("ASTRO_URL", app.relay.endpoint()),
        ("ASTRO_API_KEY", key.to_owned()),
        ("ASTRO_ADMIN_KEY", app.admin_key()),
        ("ASTRO_BOT_ID", app.bot_id.clone()),
        ("ASTRO_ZIP", kit.package.path.display().to_string()),
        ("ASTRO_PEOPLE", serde_json::Value::from(known).to_string()),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    pytest(kit, &format!("scenarios/{name}.py"), &env).await;
}
