//! Where a server's time goes: a flame graph, from what `perf` records.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// Samples a second.
const FREQUENCY: &str = "499";
/// Width of the picture, and height of a box, in pixels.
const SIZE: (f64, f64) = (1600.0, 17.0);
/// Boxes of fewer pixels are left out.
const WIDTH_MIN: f64 = 0.5;

/// Whether graphs can be made.
///
/// # Errors
/// When `perf` is missing.
pub(crate) fn is_available() -> anyhow::Result<()> {
    let found = Command::new("perf").arg("--version").output();
    ensure!(
        found.is_ok_and(|output| output.status.success()),
        "profile needs perf (on Debian: apt-get install linux-perf)"
    );
    Ok(())
}

/// A recording that goes on.
pub(crate) struct Recording {
    perf: Child,
    folder: TempDir,
}

impl Recording {
    /// Begins to look at a process.
    ///
    /// # Errors
    /// When `perf` cannot be started.
    pub(crate) fn start(process: u32) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut perf = Command::new("perf");
        perf.args(["record", "-F", FREQUENCY, "--call-graph", "dwarf,16384", "-o"]);
        perf.arg(folder.path().join("perf.data")).args(["-p", &process.to_string()]);
        perf.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { perf: perf.spawn().context("cannot start perf")?, folder })
    }

    /// Ends it, and writes its graph.
    ///
    /// # Errors
    /// When there is nothing to draw, or the file cannot be written.
    pub(crate) fn draw(mut self, file: &str) -> anyhow::Result<()> {
        let id = self.perf.id().to_string();
        Command::new("kill").args(["-INT", &id]).status()?;
        self.perf.wait()?;
        let mut script = Command::new("perf");
        script.args(["script", "--no-inline", "-F", "comm,ip,sym", "-i"]);
        let output = script.arg(self.folder.path().join("perf.data")).output()?;
        let root = fold(&String::from_utf8_lossy(&output.stdout));
        ensure!(
            root.samples > 0 && root.below.values().any(|thread| thread.below.len() > 1),
            "perf saw no functions; the build needs its symbols: CARGO_PROFILE_RELEASE_STRIP=none \
             CARGO_PROFILE_RELEASE_DEBUG=line-tables-only cargo run --release -p astro-load -- \
             profile …"
        );
        std::fs::write(file, root.svg()).with_context(|| format!("cannot write {file}"))
    }
}

/// A function that was on the stack, and what it called.
#[derive(Default)]
struct Frame {
    samples: u64,
    below: BTreeMap<String, Frame>,
}

/// Stacks, as `perf script` tells them: the thread's name, then its functions from the innermost.
fn fold(script: &str) -> Frame {
    let mut root = Frame::default();
    for stack in script.split("\n\n") {
        let mut lines = stack.lines();
        let Some(thread) = lines.next() else { continue };
        let names = lines.filter_map(|line| Some(line.trim().split_once(' ')?.1.to_owned()));
        let mut names: Vec<String> = names.collect();
        names.push(thread.trim().to_owned());
        root.samples += 1;
        names.into_iter().rev().fold(&mut root, |frame, name| {
            let below = frame.below.entry(name).or_default();
            below.samples += 1;
            below
        });
    }
    root
}

impl Frame {
    fn depth(&self) -> usize {
        1 + self.below.values().map(Frame::depth).max().unwrap_or_default()
    }

    fn svg(&self) -> String {
        let ((width, height), depth) = (SIZE, self.depth() as f64);
        let mut svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{}' \
             font-family='monospace' font-size='11'>\n",
            depth * height
        );
        self.draw(&mut svg, "all", (0.0, width), 0.0, self.samples as f64);
        svg.push_str("</svg>\n");
        svg
    }

    fn draw(&self, svg: &mut String, name: &str, (left, width): (f64, f64), top: f64, all: f64) {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let percent = self.samples as f64 / all * 100.0;
        let shown: String = name.chars().take((width / 7.0) as usize).collect();
        let (title, shown) = (escaped(name), escaped(&shown));
        let hue = name.bytes().map(u32::from).sum::<u32>() % 40 + 10;
        let _ = writeln!(
            svg,
            "<g><title>{title}: {percent:.1} %</title><rect x='{left:.1}' y='{top}' \
             width='{width:.1}' height='16' fill='hsl({hue},80%,65%)'/><text x='{:.1}' y='{}'>\
             {shown}</text></g>",
            left + 2.0,
            top + 12.0
        );
        let mut at = left;
        for (name, frame) in &self.below {
            let part = width * frame.samples as f64 / self.samples as f64;
            if part >= WIDTH_MIN {
                frame.draw(svg, name, (at, part), top + SIZE.1, all);
            }
            at += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_that_begin_alike_are_one_tower() {
        let root = fold("worker\n  1 inner\n  2 outer\n\nworker\n  3 other\n  2 outer\n\n");
        assert_eq!(root.samples, 2);
        let outer = &root.below["worker"].below["outer"];
        assert_eq!((outer.samples, outer.below.len()), (2, 2));
        assert!(root.svg().contains("<title>outer: 100.0 %</title>"));
    }
}
