//! Documents that are made from the code are what the code says. `UPDATE_DOCS=1 cargo test --test docs` writes
//! them anew.

use std::fmt::Write;
use std::path::Path;

use parallax::check::catalogue;

#[test]
fn the_checks_are_documented_as_they_are_declared() {
    let mut text = String::from(
        "# The checks\n\nMade from `src/check/catalogue.rs` by `UPDATE_DOCS=1 cargo test --test docs`; a test holds it \
         equal. Each check's file opens with its document.\nDurations and tolerances are the defaults of a \
         `[[check]]` that leaves the key out; without any `[[check]]` all of them run.\n",
    );
    for entry in catalogue::ALL {
        let _ = write!(text, "\n## {}\n\n```text\n{}\n```\n", entry.kind.name(), entry.document.trim_end());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("docs/checks.md can be written");
    }
    let found = std::fs::read_to_string(&path).expect("docs/checks.md is there");
    assert!(found == text, "docs/checks.md is not what the catalogue says: UPDATE_DOCS=1 writes it anew");
}

#[test]
fn the_hypotheses_are_documented_as_they_are_declared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/explain.md");
    let found = std::fs::read_to_string(&path).expect("docs/explain.md is there");
    let (head, _) = found.split_once("\n## The hypotheses\n").expect("a chapter of hypotheses");
    let mut text = format!(
        "{head}\n## The hypotheses\n\nMade from `src/explain/hypotheses/` by `UPDATE_DOCS=1 cargo test --test docs`; a test holds it equal.\n"
    );
    for hypothesis in parallax::explain::hypotheses::ALL {
        let _ = write!(
            text,
            "\n### {}\n\n`{}`\n\n```text\n{}\n```\n",
            hypothesis.title,
            hypothesis.name,
            hypothesis.document.trim_end()
        );
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("docs/explain.md can be written");
        return;
    }
    assert!(found == text, "docs/explain.md is not what the catalogue says: UPDATE_DOCS=1 writes it anew");
}

/// Paths that the README and the documents point to exist.
#[test]
fn documents_point_to_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for name in
        ["README.md", "docs/architecture.md", "docs/explain.md", "docs/evidence.md", "benches/README.md"]
    {
        let text = std::fs::read_to_string(root.join(name)).expect(name);
        let folder = root.join(name).parent().expect("a file lies in a folder").to_path_buf();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let outside = target.starts_with("http") || target.starts_with('#');
            if !outside && !folder.join(target.split('#').next().unwrap_or_default()).exists() {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

/// What the README shows under its first command is what that command prints.
#[test]
fn the_readme_shows_what_the_binary_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md is there");
    let command = readme.lines().find(|l| l.starts_with("cargo run --release -- ")).expect("a first command");
    let arguments = command.split(" # ").next().unwrap_or_default().split_whitespace().skip(4);
    let mut expanded = Vec::new();
    for argument in arguments {
        match argument.strip_suffix("*.zst") {
            Some(folder) => {
                let names = std::fs::read_dir(root.join(folder)).expect(folder).flatten();
                let mut names: Vec<_> =
                    names.map(|e| format!("{folder}{}", e.file_name().display())).collect();
                names.retain(|n| n.ends_with(".zst"));
                names.sort();
                expanded.extend(names);
            }
            None => expanded.push(argument.to_owned()),
        }
    }
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_parallax")).args(&expanded).current_dir(root).output();
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("it says text");
    let (alerts, summary): (Vec<&str>, Vec<&str>) = said.lines().partition(|l| l.starts_with('{'));
    // One alert whole; the others are as long.
    let shown = format!("{}\n... {} more lines\n{}\n", alerts[0], alerts.len() - 1, summary.join("\n"));
    let (before, rest) = readme.split_once("```text\n").expect("a block of output");
    let (block, after) = rest.split_once("```").expect("its end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}```text\n{shown}```{after}"))
            .expect("README.md can be written");
        return;
    }
    assert_eq!(block, shown, "UPDATE_DOCS=1 writes it anew");
}
