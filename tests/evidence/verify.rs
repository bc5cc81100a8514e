//! An evidence file is verified from elsewhere, with nothing but the file.

use crate::kit::{Files, GAP, LINE, WRONG_PRICE, evidence, packed, parallax, stdout, text, unpacked};

#[test]
fn the_same_alert_and_verdict_come_out_of_the_file_alone() {
    for id in [WRONG_PRICE, LINE, GAP] {
        let (made, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = evidence(made.path(), id);
        let moved = elsewhere.path().join("x.zip");
        std::fs::rename(file, &moved).unwrap();
        drop(made);
        let output = parallax(elsewhere.path(), &["verify", "x.zip"]);
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("verified: the same alert and the same verdict come out"), "{said}");
    }
}

#[test]
fn the_file_is_the_same_every_time_and_holds_what_it_says() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (evidence(one.path(), WRONG_PRICE), evidence(two.path(), WRONG_PRICE));
    assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
    let files = unpacked(&a);
    let names: Vec<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "summary.html",
            "explanation.txt",
            "explanation.json",
            "ticket.txt",
            "alert.ndjson",
            "expect.json",
            "quotes.csv",
            "config/parallax.toml",
            "captures/01.pcapng",
            "captures/02.pcapng",
            "captures/03.pcapng",
            "manifest.json"
        ]
    );
    assert!(text(&files, "ticket.txt").starts_with("To:      support of sip\n"));
    assert!(text(&files, "explanation.txt").starts_with("VERDICT  source sip\n"));
    assert!(text(&files, "summary.html").contains("<svg"));
    let quotes = text(&files, "quotes.csv");
    let wrong = "2026-03-02T14:30:01.487226163Z,sip,XNAS,ZQAAA,169.43,1000,169.49,300,169.43,169.49,ok,2026-03-02T14:30:01.487226163Z,505,03.pcapng,425";
    assert!(quotes.lines().any(|l| l == wrong), "{quotes}");
}

/// The replay command of its README gives the alert of its record, in the folder of the file alone.
#[test]
fn the_replay_that_it_names_raises_its_alert() {
    let folder = tempfile::tempdir().unwrap();
    let files = unpacked(&evidence(folder.path(), WRONG_PRICE));
    for (name, bytes) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let readme = text(&files, "README.txt");
    let command = readme.lines().find_map(|l| l.trim().strip_prefix("parallax replay ")).expect("a command");
    let mut arguments = vec!["replay"];
    arguments.extend(command.split_whitespace());
    let said = stdout(&parallax(folder.path(), &arguments));
    let alert = text(&files, "alert.ndjson");
    let wanted = alert.lines().next().unwrap();
    assert!(said.lines().any(|l| l == wanted), "{wanted}\n{said}");
}

#[test]
fn what_was_changed_is_told_and_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let files = unpacked(&evidence(folder.path(), WRONG_PRICE));
    let verify = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        packed(&folder.path().join("changed.zip"), &files);
        let output = parallax(folder.path(), &["verify", "changed.zip"]);
        (output.status.code(), stdout(&output))
    };
    let of = |files: &mut Files, name: &str| {
        files.iter().position(|(n, _)| n == name).unwrap_or_else(|| panic!("{name}"))
    };
    let (code, said) = verify(&|files| {
        let at = of(files, "captures/03.pcapng");
        let last = files[at].1.len() - 9;
        files[at].1[last] ^= 1;
    });
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("captures/03.pcapng was changed"), "{said}");
    let (code, said) = verify(&|files| files.push(("more.txt".to_owned(), vec![1])));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("more.txt is in it, but not in its manifest"), "{said}");
    // Whoever changes what it expects, and the manifest too, is found out by the replay.
    let (code, said) = verify(&|files| {
        let at = of(files, "expect.json");
        let changed = String::from_utf8(files[at].1.clone()).unwrap().replace("\"sip\"\n}", "\"direct\"\n}");
        files[at].1 = changed.into_bytes();
        let (bytes, sha) = (files[at].1.len() as u64, parallax::evidence::sha256::digest(&files[at].1));
        let at = of(files, "manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&files[at].1).unwrap();
        let list = manifest["files"].as_array_mut().unwrap();
        let file = list.iter_mut().find(|f| f["name"] == "expect.json").unwrap();
        (file["bytes"], file["sha256"]) = (bytes.into(), sha.into());
        files[at].1 = serde_json::to_vec(&manifest).unwrap();
    });
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the verdict is source sip instead of source direct"), "{said}");
}
