//! The real Prometheus, with the configuration and the rules of `tools/`, against the real server.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parallax::source::clock::monotonic_now;
use serde_json::Value;

use crate::files::{found, read, tool};
use crate::kit::{self, Alive, Server};

/// As long as all of it may take; it takes about five seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Ended with the test, whatever becomes of it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example's configuration for a daemon at this address, in a hurry.
fn configuration(target: SocketAddr, folder: &Path) -> std::path::PathBuf {
    let text = read("prometheus/prometheus.yml");
    let rules = tool("prometheus/parallax.rules.yml");
    let replaced = [
        ("127.0.0.1:9464", target.to_string()),
        ("- parallax.rules.yml", format!("- {}", rules.display())),
        ("_interval: 5s", "_interval: 1s".to_owned()),
    ];
    let text = replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the example does not say {from:?} any more");
        text.replace(from, to)
    });
    let path = folder.join("prometheus.yml");
    std::fs::write(&path, text).unwrap();
    path
}

fn start(target: SocketAddr, folder: &Path) -> (Ended, SocketAddr) {
    // A port that was free a moment ago: it cannot be asked which one it took.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", configuration(target, folder).display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    (Ended(child), address)
}

/// What the HTTP API says, once it says anything.
fn ask(address: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    let from = body.find('{')?;
    // A long answer comes in chunks; the sizes lie between the pieces of JSON only.
    let json: Value = serde_json::from_str(body.get(from..)?.trim_end()).ok()?;
    (json["status"] == "success").then(|| json["data"].clone())
}

/// Asks until the answer is the one waited for.
fn wait_for<T>(what: &str, folder: &Path, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = monotonic_now();
    while monotonic_now().saturating_duration_since(start) < PATIENCE {
        if let Some(found) = ask() {
            return found;
        }
        // Another process takes its time; nothing here hangs on how long this pause is.
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("{what} did not come within {PATIENCE:?}; Prometheus said:\n{log}");
}

/// Values of an instant query by their labels, without those of the scrape.
fn query(address: SocketAddr, expression: &str) -> Option<Vec<(String, f64)>> {
    let encoded: String = expression.bytes().map(|b| format!("%{b:02x}")).collect();
    let data = ask(address, &format!("/api/v1/query?query={encoded}"))?;
    let value = |row: &Value| {
        let labels =
            row["metric"].as_object()?.iter().filter(|(k, _)| !matches!(k.as_str(), "instance" | "job"));
        let labels: Vec<_> = labels.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
        Some((labels.join(","), row["value"][1].as_str()?.parse().ok()?))
    };
    data["result"].as_array()?.iter().map(value).collect()
}

#[test]
fn prometheus_scrapes_the_daemon_and_its_rules_fire() {
    if !found("prometheus") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Alive(kit::full()));
    let (_prometheus, address) = start(server.address, folder.path());
    let up =
        || query(address, "up{job=\"parallax\"}").filter(|v| v.first().is_some_and(|(_, up)| *up == 1.0));
    wait_for("the first scrape", folder.path(), up);
    // What we show is what it holds.
    let expected = [("kind=divergent,severity=major", 40.0), ("kind=silent,severity=critical", 2.0)];
    let raised = query(address, "sum by (kind, severity) (parallax_alerts_raised_total)").unwrap();
    let mut raised: Vec<_> = raised.iter().map(|(labels, value)| (labels.as_str(), *value)).collect();
    raised.sort_by_key(|(labels, _)| *labels);
    assert_eq!(raised, expected);
    // Nothing of the page was refused: as many samples as there are.
    let shown = crate::page::samples(&parallax::run::web::metrics(&kit::full())).len() as f64;
    assert_eq!(
        query(address, "scrape_samples_scraped").unwrap(),
        [("__name__=scrape_samples_scraped".into(), shown)]
    );
    let rate = "sum(rate(parallax_line_packets_total{source=\"direct\",line=\"A\"}[1m])) > 0";
    wait_for("a rate of packets", folder.path(), || query(address, rate).filter(|rows| rows.len() == 1));
    // A rule of ours fires.
    let firing = "ALERTS{alertname=\"ParallaxCriticalAlertOpen\",alertstate=\"firing\"}";
    let rows =
        wait_for("the firing rule", folder.path(), || query(address, firing).filter(|r| !r.is_empty()));
    let labels =
        "__name__=ALERTS,alertname=ParallaxCriticalAlertOpen,alertstate=firing,kind=silent,severity=critical";
    assert_eq!(rows, [(labels.to_owned(), 1.0)]);
    // And the rules that are about what is well here do not, nor do they fail.
    assert_eq!(
        query(address, "ALERTS{alertname=~\"ParallaxDown|ParallaxComparatorBehind|ParallaxLineSilent\"}"),
        Some(vec![])
    );
    let failures = query(address, "sum(prometheus_rule_evaluation_failures_total)").unwrap_or_default();
    assert!(failures.iter().all(|(_, n)| *n == 0.0), "{failures:?}");
    drop(server);
    let down =
        || query(address, "up{job=\"parallax\"}").filter(|v| v.first().is_some_and(|(_, up)| *up == 0.0));
    wait_for("the end of the daemon", folder.path(), down);
}
