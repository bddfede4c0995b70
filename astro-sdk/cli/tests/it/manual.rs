//! `astro completion` and `astro man`.

use tokio::process::Command;

use crate::program::{command, finish};

/// What a shell says of a script that it only reads; nothing if it is not installed, as only bash is
/// on each machine that builds this.
async fn complaint(shell: &str, script: &str) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let mut reader = Command::new(shell);
    reader.arg("-n").arg(file.path());
    let output = reader.output().await.ok()?;
    let complaint = String::from_utf8(output.stderr).unwrap();
    (!output.status.success() || !complaint.is_empty()).then_some(complaint)
}

#[tokio::test]
async fn scripts_for_shells_can_be_read_by_them_and_have_nouns_options_and_values() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let mut astro = command();
        astro.args(["completion", shell]);
        let run = finish(astro, "").await;
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{shell}");
        for word in ["assignments", "set-trade-url", "runner-up", "cancel-unknown-offers"] {
            assert!(run.out.contains(word), "{shell}: no {word}");
        }
        for value in ["in-offer", "write-off"] {
            // What completes for PowerShell knows no values.
            assert!(shell == "powershell" || run.out.contains(value), "{shell}: no {value}");
        }
        assert_eq!(complaint(shell, &run.out).await, None, "{shell}");
    }
}

/// What bash offers for this line with the script that `astro` prints.
async fn offered(words: &[&str]) -> Vec<String> {
    let mut astro = command();
    astro.args(["completion", "bash"]);
    let script = finish(astro, "").await.out;
    let line: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let last = words.len() - 1;
    let (current, before) = (words[last], words[last - 1]);
    let ask = format!("COMP_WORDS=({}); COMP_CWORD={last}", line.join(" "));
    let show = format!("_astro astro '{current}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"");
    let mut bash = Command::new("bash");
    bash.kill_on_drop(true);
    let run = finish(bash, &format!("{script}\n{ask}\n{show}\n")).await;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.out.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_offers_commands_options_and_values() {
    assert!(offered(&["astro", "disc"]).await.contains(&"discrepancies".to_owned()));
    assert!(offered(&["astro", "items", "h"]).await.contains(&"history".to_owned()));
    let options = offered(&["astro", "items", "list", "--tr"]).await;
    assert_eq!(options, ["--tradable"]);
    let states = offered(&["astro", "items", "list", "--state", "in-"]).await;
    assert_eq!(states, ["in-offer", "in-escrow"]);
}

#[tokio::test]
async fn each_command_has_a_page_of_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let mut astro = command();
    astro.arg("man").arg(&pages);
    let run = finish(astro, "").await;
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "", ""));
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("astro.1").contains("Exit codes"));
    let list = page("astro-items-list.1");
    assert!(list.contains("tradable") && list.contains("quarantined"), "{list}");
    assert!(page("astro-discrepancies-resolve.1").contains("unknown\\-asset"));
    let mut astro = command();
    astro.args(["man", "/dev/null/nowhere"]);
    let run = finish(astro, "").await;
    assert_eq!((run.code, run.err.lines().count()), (2, 1), "{run:?}");
}
