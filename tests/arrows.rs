//! Holds the arrows that crate walls do not: who may know whom, where `unsafe` and the clock live, how long a file
//! may be. It reads the sources as text; comments do not count.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms of `src/` and the rooms each may know. Who is not in a row is not to be named there.
const KNOWS: &[(&str, &[&str])] = &[
    ("cache", &[]),
    ("book", &["cache"]),
    ("line", &[]),
    ("lock", &[]),
    ("chart", &[]),
    ("latency", &["chart"]),
    ("config", &["market", "rules"]),
    ("rules", &["config", "market"]),
    ("alert", &["config", "market"]),
    ("market", &["alert", "book", "cache", "config", "rules"]),
    ("source", &["cache", "latency"]),
    ("shm", &["book", "lock", "market"]),
    ("packet", &["config", "source"]),
    ("check", &["alert", "cache", "config", "latency", "line", "market"]),
    (
        "pipeline",
        &["alert", "cache", "check", "config", "latency", "line", "market", "packet", "rules", "source"],
    ),
    ("store", &["alert", "config", "latency", "lock", "market", "pipeline", "source"]),
    ("report", &["chart", "latency", "rules", "store"]),
    ("identify", &["config", "packet", "source"]),
    ("compare", &["alert", "chart", "check", "config", "latency", "market", "packet", "pipeline", "source"]),
    (
        "run",
        &[
            "alert", "book", "check", "config", "latency", "line", "lock", "market", "packet", "pipeline",
            "shm", "source", "store",
        ],
    ),
    ("simulate", &["config", "source"]),
    ("evidence", &["alert", "chart", "explain", "market"]),
    (
        "explain",
        &["alert", "check", "config", "latency", "line", "market", "packet", "pipeline", "rules", "source"],
    ),
    (
        "cli",
        &[
            "alert", "book", "chart", "check", "compare", "config", "evidence", "explain", "identify",
            "latency", "line", "market", "packet", "pipeline", "report", "rules", "run", "shm", "simulate",
            "source", "store",
        ],
    ),
];

const LINES_MAX: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files under `folder`, sorted, leaving out what is built or kept by tools.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.map(|e| e.expect("a folder of the repository can be listed")) {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().expect("a file has a kind");
        // In a second checkout `.git` is a file that says where the first one is.
        if ["target", ".git", "corpus", "artifacts"].iter().any(|skipped| name == *skipped) {
            continue;
        }
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

struct Source {
    /// From the root, with slashes.
    name: String,
    text: String,
}

impl Source {
    /// The lines that make the product: without comments, and without the unit tests at the end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let lines = lines.take_while(|(_, line)| !line.ends_with("mod tests {"));
        lines.map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default()))
    }

    fn is_test(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("/tests.rs")
    }

    /// The room of `src/` that the file belongs to.
    fn room(&self) -> Option<&str> {
        let inner = self.name.strip_prefix("src/")?;
        Some(inner.split('/').next().unwrap_or_default().trim_end_matches(".rs"))
    }

    /// How many `super` lead from the file's module to the root of the crate.
    fn depth(&self) -> usize {
        let inner = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        inner.trim_end_matches("/mod").split('/').count()
    }
}

/// Sources under the given folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| files(&root().join(folder))) {
        if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            found.push(Source { name, text: fs::read_to_string(&path).expect("a source is text") });
        }
    }
    assert!(found.len() > 5, "{folders:?} hold only {} sources: is the test looking aright?", found.len());
    found
}

/// Identifiers that follow `prefix` in the line.
fn named_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).map(move |(at, _)| {
        let rest = &line[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether `word` stands in the line by itself.
fn says(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside))
}

/// Every sentence on its own line, so that all of them are seen at once.
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn rooms_know_only_whom_they_may() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let room = source.room().expect("it lies in src");
        if matches!(room, "main" | "lib") {
            continue;
        }
        let Some((_, known)) = KNOWS.iter().find(|(name, _)| *name == room) else {
            faults.push(format!("{}: the room {room} is not in the table of this test", source.name));
            continue;
        };
        let to_root = "super::".repeat(source.depth());
        for (n, line) in source.code() {
            let at = format!("{}:{n}", source.name);
            if line.contains("crate::{") || line.contains("parallax::") {
                faults.push(format!("{at}: name other rooms as crate::room::..., one by one"));
            }
            let named = named_after(line, "crate::").chain(named_after(line, &to_root));
            for other in named.filter(|o| KNOWS.iter().any(|(name, _)| name == o)) {
                if other != room && !known.contains(&other) {
                    faults.push(format!("{at}: {room} must not know {other}"));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn every_room_of_the_library_is_in_the_table() {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("the library has a root");
    let rooms: Vec<_> = text.lines().flat_map(|l| l.strip_prefix("pub mod ")).collect();
    assert!(rooms.len() > 10);
    for room in rooms {
        let room = room.trim_end_matches(';');
        assert!(KNOWS.iter().any(|(name, _)| *name == room), "{room} has no row in KNOWS");
    }
}

#[test]
fn nobody_but_the_binary_knows_the_command_line() {
    let mut faults = Vec::new();
    for source in sources(&["src", "feeds"]) {
        if source.room().is_some_and(|room| matches!(room, "cli" | "main")) {
            continue;
        }
        for (n, line) in source.code().filter(|(_, l)| l.contains("cli::") || says(l, "clap")) {
            // What a value is called on the command line may stand at the value.
            if !line.contains("clap::ValueEnum") {
                faults.push(format!("{}:{n}: only main and cli know the command line", source.name));
            }
        }
    }
    none(&faults);
}

#[test]
fn feeds_imports_nothing_of_ours_and_nothing_of_the_system() {
    let manifest = fs::read_to_string(root().join("feeds/Cargo.toml")).expect("feeds has a manifest");
    assert!(!manifest.lines().any(|l| l.trim() == "[dependencies]"), "feeds depends on nothing");
    let library = fs::read_to_string(root().join("feeds/lib.rs")).expect("feeds has a root");
    for vow in ["#![no_std]", "#![forbid(unsafe_code)]"] {
        assert!(library.lines().any(|l| l == vow), "feeds/lib.rs opens with {vow}");
    }
    let mut faults = Vec::new();
    for source in sources(&["feeds"]).iter().filter(|s| !s.is_test() && s.name != "feeds/lib.rs") {
        for (n, line) in source.code() {
            for word in ["parallax", "std", "alloc"] {
                if line.contains(&format!("{word}::")) && says(line, word) && !source.name.contains("_readme")
                {
                    faults.push(format!("{}:{n}: feeds must not know {word}", source.name));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn checks_and_markets_never_see_bytes() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let words: &[&str] = match source.room() {
            Some("check") => {
                &["payload", "datagram", "Datagram", "wire", "WireError", "source::", "packet::"]
            }
            Some("market") => &["payload", "datagram", "Datagram", "wire", "WireError"],
            _ => continue,
        };
        for (n, line) in source.code() {
            for word in words {
                let said = match word.strip_suffix("::") {
                    Some(room) => line.contains(&format!("crate::{room}::")),
                    None => says(line, word),
                };
                if said {
                    faults.push(format!("{}:{n}: `{word}` is not for this room", source.name));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn unsafe_and_the_clock_live_in_their_rooms() {
    let (mut faults, mut clocks) = (Vec::new(), 0);
    for source in sources(&["src", "feeds", "benches", "tests"]) {
        let mine = source.name == "tests/arrows.rs";
        let rooms = ["src/source/", "src/shm/", "src/cache.rs"];
        let unsafe_room = rooms.iter().any(|room| source.name.starts_with(room));
        for (n, line) in source.text.lines().enumerate().filter(|_| !mine) {
            let line = line.split("//").next().unwrap_or_default();
            if says(line, "unsafe") && !unsafe_room {
                faults.push(format!(
                    "{}:{}: unsafe lives in src/source, src/shm and src/cache.rs",
                    source.name,
                    n + 1
                ));
            }
            if line.contains("Instant::now")
                || line.contains("SystemTime::now")
                || line.contains("clock_gettime")
            {
                clocks += 1;
                if source.name != "src/source/clock.rs" {
                    faults.push(format!("{}:{}: time is an argument", source.name, n + 1));
                }
            }
        }
    }
    none(&faults);
    assert!(clocks > 0, "the one place that reads the clock is not seen: is the test looking aright?");
}

#[test]
fn every_unsafe_block_says_why_it_is_safe() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let opens = code.contains("unsafe {") || code.contains("unsafe impl");
            let above = &lines[n.saturating_sub(6)..=n];
            if opens && !above.iter().any(|l| l.contains("SAFETY:")) {
                faults.push(format!("{}:{}: an unsafe block without its SAFETY reason", source.name, n + 1));
            }
        }
    }
    none(&faults);
}

#[test]
fn files_stay_short_and_open_with_what_they_are_for() {
    let mut faults = Vec::new();
    for source in sources(&["src", "feeds", "benches"]).iter().filter(|s| !s.is_test()) {
        let lines = source.code().count();
        if lines > LINES_MAX {
            faults.push(format!("{}: {lines} lines are more than {LINES_MAX}", source.name));
        }
        let first = source.text.lines().next().unwrap_or_default();
        if !(first.starts_with("//! ") || first.starts_with("#![doc = include_str!(")) {
            faults.push(format!("{}: opens without saying what it is for (//!)", source.name));
        }
    }
    none(&faults);
}

#[test]
fn nothing_names_a_place_on_one_machine() {
    // Written in two parts, so that this file does not name them either.
    let places = [["/wo", "rk/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]].map(|p| p.concat());
    let mut faults = Vec::new();
    for path in files(root()) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (n, line) in text.lines().enumerate() {
            if let Some(place) = places.iter().find(|p| line.contains(p.as_str())) {
                faults.push(format!("{}:{}: names {place}", path.display(), n + 1));
            }
        }
    }
    none(&faults);
}
