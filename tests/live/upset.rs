//! What goes wrong around a daemon: killed, a directory that cannot be written, a name that is taken.

use std::fs;

use crate::kit::{Daemon, Place, lines, scenario, wait_for};

#[test]
fn a_killed_daemon_leaves_whole_files_and_the_next_one_takes_its_place() {
    let place = Place::new("killed");
    let config = place.plain();
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("demo.toml"), &["--duration", "3s"]);
    let log = wait_for("alerts", || Some(place.read("alerts.ndjson")).filter(|l| !l.is_empty()));
    lines(&log);
    drop(daemon);
    let books = place.path("shm").display().to_string();
    let files: Vec<_> = fs::read_dir(place.path("shm")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let (code, shown, _) = place.command(&["book", "NOSUCH", "--dir", &books]);
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    // What the recorder had flushed can be read; a frame that was being written is no more than a truncated end.
    let (_, summary) = place.replay();
    assert!(summary["captures"][0]["datagrams"].as_u64().unwrap() > 0, "{summary}");
    let daemon = Daemon::start(&config);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(
        fs::read_dir(place.path("recordings")).unwrap().count(),
        1,
        "nothing came, nothing was recorded"
    );
}

#[test]
fn a_second_daemon_of_the_same_name_is_refused_in_one_sentence() {
    let place = Place::new("second");
    let config = place.plain();
    let daemon = Daemon::start(&config);
    let (code, out, errors) = place.command(&["run", "--quiet", "--config", &config.display().to_string()]);
    assert_eq!((code, out.as_str(), errors.lines().count()), (Some(2), "", 1), "{errors}");
    assert!(errors.contains("another daemon"), "{errors}");
    // Under another name it would record into the same folder.
    let text = fs::read_to_string(&config).unwrap();
    let other = place.path("other.toml");
    fs::write(&other, text.replace(&place.name, "other").replace("/run\"", "/run-of-other\"")).unwrap();
    let (code, out, errors) = place.command(&["run", "--quiet", "--config", &other.display().to_string()]);
    assert_eq!((code, out.as_str(), errors.lines().count()), (Some(2), "", 1), "{errors}");
    assert!(errors.contains("another daemon records into "), "{errors}");
    assert_eq!(daemon.stop(), Some(0));
    let daemon = Daemon::start(&other);
    assert_eq!(daemon.stop(), Some(0), "the folder is free again");
}

#[test]
fn a_log_that_cannot_be_written_is_said_and_the_daemon_goes_on() {
    let place = Place::new("unwritable");
    // A file where a directory is needed: no right helps against that, not even root's.
    fs::write(place.path("blocked"), "").unwrap();
    let log = place.path("blocked/alerts.ndjson");
    let config =
        place.configure(&format!("[alerts]\nlog = \"{}\"\n[metrics]\nlisten = \"off\"\n", log.display()));
    let text = fs::read_to_string(&config).unwrap();
    let elsewhere = place.path("blocked/recordings");
    let recordings = place.path("recordings");
    let text = text.replace(&recordings.display().to_string(), &elsewhere.display().to_string());
    fs::write(&config, text).unwrap();
    let mut daemon = Daemon::start(&config);
    // Before there is anything to write.
    daemon.until_it_says("parallax: log: ");
    daemon.until_it_says("parallax: the recorder: ");
    place.simulate(&scenario("demo.toml"), &["--duration", "2s"]);
    let status = wait_for("the log's trouble", || {
        let status = place.ask("{\"cmd\":\"status\"}")["status"].take();
        let log = status["outlets"].as_array()?.iter().any(|o| o["name"] == "log" && o["error"] != "");
        let recorder = status["recorder"]["error"] != "" && status["recorder"]["not_kept"].as_u64()? > 0;
        (log && recorder).then_some(status)
    });
    let troubles = status["troubles"].to_string();
    assert!(troubles.contains("blocked"), "{troubles}");
    assert!(status["comparator"]["updates"].as_u64().unwrap() > 0, "it judges all the same");
    let (code, said) = daemon.stop_with();
    assert_eq!(code, Some(1), "alerts were lost");
    assert!(said.contains(" lines of the alert log were never written: "), "{said}");
    assert!(said.contains(" datagrams were never written: "), "{said}");
    assert_eq!(said.matches("parallax: log: ").count(), 2, "once when it fails, once at the end: {said}");
}

/// Nobody may read what is lost with the pipe or the disk that it went to; it is said where somebody may.
#[test]
fn alerts_that_standard_output_does_not_take_are_said() {
    let place = Place::new("full");
    let config = place.configure("[metrics]\nlisten = \"off\"\n");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut daemon = Daemon::start_writing_to(&config, full.into());
    place.simulate(&scenario("demo.toml"), &["--duration", "2s"]);
    daemon.until_it_says("parallax: log: standard output: No space left on device");
    let (code, said) = daemon.stop_with();
    assert_eq!(code, Some(1));
    assert!(said.contains(" lines of the alert log were never written: standard output: "), "{said}");
}

#[test]
fn a_log_never_grows_in_what_is_read() {
    let place = Place::new("own");
    let path = place.path("live.toml").display().to_string();
    let config = place.configure(&format!("[alerts]\nlog = \"{path}\"\n[metrics]\nlisten = \"off\"\n"));
    let before = fs::read(&config).unwrap();
    let (code, out, errors) = place.command(&["run", "--quiet", "--config", &path]);
    assert_eq!((code, out.as_str(), errors.lines().count()), (Some(2), "", 1), "{errors}");
    assert!(errors.contains(" is the configuration; name another file"), "{errors}");
    assert_eq!(fs::read(&config).unwrap(), before);
}

/// What is resident is locked, and the daemon goes on to ask for memory and threads after it has given up its rights.
#[test]
fn a_daemon_with_locked_memory_and_real_time_threads_runs_on_without_its_rights() {
    let place = Place::new("locked");
    let config = place.plain();
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace(
        "mode = \"block\"",
        "mode = \"block\"\nlock_memory = true\nrealtime = 1\ncomparator_core = 0\nring = 1024",
    );
    fs::write(&config, text.replace("feed = \"nasdaq", "core = 0\nfeed = \"nasdaq")).unwrap();
    let daemon = Daemon::start(&config);
    let said = daemon.said.clone();
    let sent = place.simulate(&scenario("demo.toml"), &["--duration", "2s"]);
    let packets = sent["packets"].as_u64().unwrap();
    wait_for("every packet", || {
        let status = place.ask("{\"cmd\":\"status\"}")["status"].take();
        let sources = status["sources"].as_array()?.clone();
        let lines = sources.iter().flat_map(|s| s["channels"].as_array().unwrap().clone());
        let lines = lines.flat_map(|c| c["lines"].as_array().unwrap().clone());
        // A machine in need may drop some; then it is counted.
        let known =
            |l: &serde_json::Value| l["packets"].as_u64().unwrap() + l["kernel_drops"].as_u64().unwrap();
        (lines.map(|l| known(&l)).sum::<u64>() == packets).then_some(())
    });
    let proc = |what: &str| fs::read_to_string(format!("/proc/{}/{what}", daemon.child.id())).unwrap();
    let field = |name: &str| {
        let status = proc("status");
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(field("CapEff:"), "0000000000000000");
    if said.contains("cannot lock memory") {
        eprintln!("SKIPPED: this process may not lock memory");
    } else {
        let (locked, resident) = (field("VmLck:").parse::<u64>().unwrap(), field("VmRSS:").parse().unwrap());
        assert!(locked >= resident, "{locked} KiB locked of {resident}");
    }
    assert_eq!(daemon.stop(), Some(0));
}
