//! The pages of `docs/incidents/` show what the commands in them print: each is walked through as a trainee would, in an
//! empty folder that sees the repository's captures. `UPDATE_DOCS=1 cargo test --test walkthrough` writes the output anew.
//!
//! A block of a page is a command (`$ ...`) and its output. `<!-- shown: A .. B | C .. -->` before it says what of the output
//! is shown: the lines from one that begins with A up to before one that begins with B, or to the end; what is left out is
//! counted where it was. Blanks at the beginning of a line do not count.

use std::fmt::Write;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use parallax::evidence::unzip::ZipReader;

const BLOCK: &str = "```console\n";
const SHOWN: &str = "<!-- shown: ";

/// What the command prints, in that folder; a command that fails says so.
fn run(command: &str, folder: &Path) -> String {
    // Machines without it run the tests too.
    if let Some((archive, file)) = command.strip_prefix("unzip -p ").and_then(|rest| rest.split_once(' ')) {
        let archive = File::open(folder.join(archive)).expect("the evidence is there");
        let mut zip = ZipReader::new(BufReader::new(archive)).expect("it is an archive");
        return String::from_utf8(zip.bytes(file, 1 << 20).expect("the file is in it")).expect("it is text");
    }
    let binaries = Path::new(env!("CARGO_BIN_EXE_parallax")).parent().expect("it lies in a folder");
    let others = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", format!("{}:{others}", binaries.display()))
        .current_dir(folder)
        .output()
        .expect("sh runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// The parts of the output that the page shows; the number of lines left out between them.
fn abridged(output: &str, shown: &str) -> String {
    let parts: Vec<(&str, &str)> =
        shown.split('|').map(|part| part.split_once("..").expect("A .. B")).collect();
    let mut text = String::new();
    let (mut left_out, mut inside) = (0, None);
    let tell = |left_out: &mut u64, text: &mut String| {
        if *left_out > 0 {
            // An empty line before it says nothing.
            text.truncate(text.trim_end().len() + usize::from(!text.trim_end().is_empty()));
            let lines = if *left_out == 1 { "line" } else { "lines" };
            writeln!(text, "[{left_out} {lines} left out]").expect("a String takes it");
        }
        *left_out = 0;
    };
    for line in output.lines() {
        let begins = |with: &str| !with.trim().is_empty() && line.trim_start().starts_with(with.trim());
        if inside.is_some_and(|end: &str| begins(end)) {
            inside = None;
        }
        inside = inside.or_else(|| parts.iter().find(|(from, _)| begins(from)).map(|(_, to)| *to));
        if inside.is_some() {
            tell(&mut left_out, &mut text);
            writeln!(text, "{line}").expect("a String takes it");
        } else if !line.is_empty() {
            left_out += 1;
        }
    }
    tell(&mut left_out, &mut text);
    text
}

/// The page with the output of its commands as it is today.
fn walked(page: &str, folder: &Path) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BLOCK) {
        let (block, after) = after.split_once("```\n").expect("the block ends");
        let shown = before
            .trim_end()
            .rsplit_once('\n')
            .and_then(|(_, line)| line.strip_prefix(SHOWN)?.strip_suffix(" -->"));
        let line = block.lines().next().filter(|line| line.starts_with("$ ")).expect("a command");
        let output = run(line.trim_start_matches("$ "), folder);
        writeln!(text, "{before}{BLOCK}{line}").expect("a String takes it");
        text.push_str(&shown.map_or_else(|| output.clone(), |shown| abridged(&output, shown)));
        text.push_str("```\n");
        rest = after;
    }
    text.push_str(rest);
    text
}

fn walk(name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("docs/incidents/{name}.md"));
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("captures"), folder.path().join("captures")).expect("a link");
    let today = walked(&page, folder.path());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &today).expect("the page can be written");
        return;
    }
    let line = page.lines().zip(today.lines()).find(|(a, b)| a != b);
    assert!(
        page == today,
        "{}: UPDATE_DOCS=1 writes it anew; first difference (page, today): {line:#?}",
        path.display()
    );
}

macro_rules! pages {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            walk($name);
        })*

        /// Every incident has its page, and every page is walked through.
        #[test]
        fn every_incident_has_a_page() {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let index = std::fs::read_to_string(root.join("docs/incidents.md")).expect("the index is there");
            let mut names: Vec<String> = std::fs::read_dir(root.join("captures/scenarios/incidents"))
                .expect("there are scenarios")
                .map(|entry| entry.expect("a file").file_name().to_string_lossy().replace(".toml", ""))
                .collect();
            names.sort();
            let mut walked = [$($name),*];
            walked.sort_unstable();
            assert_eq!(names, walked);
            for name in walked {
                assert!(index.contains(&format!("[`{name}`](incidents/{name}.md)")), "{name} is not in the index");
            }
        }
    };
}

pages! {
    old_quotes: "old-quotes",
    wrong_bands: "wrong-bands",
    test_data: "test-data",
    saturated_line: "saturated-line",
    silent_backup: "silent-backup",
    moved_lines: "moved-lines",
    crossed_under_load: "crossed-under-load",
    pre_open: "pre-open",
    heartbeats_only: "heartbeats-only",
}

#[test]
fn what_is_left_out_is_counted() {
    let output = "one\ntwo\n  three\n\nfour\nfive\n";
    assert_eq!(abridged(output, "two .. four"), "[1 line left out]\ntwo\n  three\n[2 lines left out]\n");
    assert_eq!(
        abridged(output, "three .. four | five .. "),
        "[2 lines left out]\n  three\n[1 line left out]\nfive\n"
    );
}
