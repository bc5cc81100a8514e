//! `parallax doctor` on whatever machine this is: how it ends, and that its two outputs say the same.

use std::fs;
use std::path::Path;
use std::process::Command;

fn doctor(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    let output = command.arg("doctor").args(arguments).current_dir(folder).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it says text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn source(core: &str, group: &str) -> String {
    format!(
        "[run]\ndirectory = \"run\"\nmode = \"block\"\n[shared_memory]\ndirectory = \"off\"\n[[source]]\nname = \"direct\"\nfeed = \"nasdaq-itch-5.0\"\n{core}\n[[source.channel]]\nname = \"tv1\"\nlines = [{{ name = \"A\", group = \"{group}:26477\", interface = \"lo\" }}]\n"
    )
}

#[test]
fn the_plan_is_printed_and_the_worst_finding_is_the_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("c.toml"), source("", "239.1.1.1")).expect("it can be written");
    let (code, said, _) = doctor(folder.path(), &["--config", "c.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("it says one JSON object");
    let findings = json["findings"].as_array().expect("findings");
    assert!(findings.len() > 8, "{said}");
    assert_eq!(code, Some(i32::from(json["worst"] == "bad")), "{said}");
    assert_eq!(json["plan"]["receivers"][0]["lines"][0]["name"], "direct/tv1/A");
    let (again, text, _) = doctor(folder.path(), &["--config", "c.toml"]);
    assert_eq!(again, code);
    assert!(text.starts_with("plan of parallax\n  receiver 0 on any core: direct\n"), "{text}");
    assert!(text.contains("looked at "), "{text}");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1, "it left something behind");
    let (_, text, _) = doctor(folder.path(), &[]);
    assert!(text.starts_with("no configuration: what any would meet\n"), "{text}");
}

#[test]
fn what_cannot_work_is_one_and_what_cannot_be_read_is_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |text: String| fs::write(folder.path().join("c.toml"), text).expect("it can be written");
    let run = || doctor(folder.path(), &["--config", "c.toml"]);
    let (code, _, error) = run();
    assert_eq!(code, Some(2));
    assert!(error.starts_with("parallax: c.toml cannot be read; name a TOML configuration"), "{error}");
    write(source("cor = 1", "239.1.1.1"));
    let (code, _, error) = run();
    assert_eq!(
        (code, error.as_str()),
        (Some(1), "parallax: c.toml:9: unknown key `cor` in [[source]]; did you mean `core`?\n")
    );
    write(source("", "10.0.0.1"));
    let (code, _, error) = run();
    assert_eq!(code, Some(1));
    assert!(
        error
            .starts_with("parallax: c.toml:12: line direct/tv1/A cannot run: 10.0.0.1 is no multicast group"),
        "{error}"
    );
    write(source("core = 1023", "239.1.1.1"));
    let (code, text, _) = run();
    assert_eq!(code, Some(1));
    assert!(text.contains("BAD  core 1023: it is not there; online are "), "{text}");
}
