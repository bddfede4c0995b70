//! A folder with one small file of flags for each bot of a process.

use std::{ffi::OsString, fs, path::Path};

use anyhow::{Context as _, ensure};

/// How the name of a bot's file ends.
const ENDING: &str = "conf";

/// A bot's name and its flags.
pub type BotFlags = (String, Vec<OsString>);

/// Reads the files `NAME.conf` of a folder, in the order of their names. A line is `flag = value`,
/// or a flag alone; what follows `#` at its beginning is a comment. Files are named from the folder.
///
/// # Errors
/// A folder without such a file, or one that cannot be read.
pub fn bot_flags(folder: &Path) -> anyhow::Result<Vec<BotFlags>> {
    let shown = folder.display();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read --bots {shown}"))?;
    let mut bots = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read --bots {shown}"))?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|_| path.extension().is_some_and(|end| end == ENDING)) {
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            bots.push((name, flags(&text, folder)));
        }
    }
    ensure!(!bots.is_empty(), "--bots {shown}: write a file NAME.{ENDING} into it for each bot");
    bots.sort();
    Ok(bots)
}

fn flags(text: &str, folder: &Path) -> Vec<OsString> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| flag(line, folder)).collect()
}

fn flag(line: &str, folder: &Path) -> OsString {
    let Some((name, value)) = line.split_once('=') else { return format!("--{line}").into() };
    let (name, value) = (name.trim_end(), value.trim_start());
    let is_file = name.ends_with("-file") || matches!(name, "server-ca" | "header-profiles");
    let mut flag = OsString::from(format!("--{name}="));
    if is_file {
        flag.push(folder.join(value));
    } else {
        flag.push(value);
    }
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_flag_and_a_file_is_named_from_the_folder() {
        let text = "\u{feff}# The first bot\n\napi-key-file = first.key\nsteam-id=76561\n\
                    refresh-token-file = /var/lib/token\n takeover \n";
        let seen = flags(text, Path::new("/etc/bots"));
        assert_eq!(
            seen,
            [
                "--api-key-file=/etc/bots/first.key",
                "--steam-id=76561",
                "--refresh-token-file=/var/lib/token",
                "--takeover",
            ]
        );
    }

    #[test]
    fn bots_come_by_name_and_an_empty_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = bot_flags(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("write a file NAME.conf into it for each bot"), "{error}");
        for name in ["second.conf", "first.conf", "notes.txt"] {
            fs::write(folder.path().join(name), "takeover").unwrap();
        }
        let names: Vec<String> =
            bot_flags(folder.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["first", "second"]);
    }
}
