//! The configuration as it may leave the firm: only what a replay reads, key by key.
//!
//! What is not named here does not get in: cores, outlets with their addresses and tokens, sockets, folders,
//! comments. Interfaces get names that say only which lines share one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use toml::{Table, Value};

/// Addresses that stand for others: groups of the source stay as they are, everything else gets one that is meant for
/// documents (RFC 5737).
#[derive(Debug, Default)]
pub struct Addresses {
    keep: bool,
    hosts: BTreeMap<IpAddr, Ipv4Addr>,
    interfaces: Vec<String>,
}

impl Addresses {
    /// `keep` leaves all of them as they are.
    pub fn new(keep: bool) -> Addresses {
        Addresses { keep, ..Addresses::default() }
    }

    /// What stands for an address: multicast groups are the source's and stay.
    pub fn replace(&mut self, address: SocketAddr) -> SocketAddr {
        let ip = address.ip();
        if self.keep || ip.is_multicast() {
            return address;
        }
        let next = self.hosts.len() as u16;
        let host = *self.hosts.entry(ip).or_insert_with(|| {
            // 192.0.2.1 on, then 198.51.100.1 on, then 203.0.113.1 on; beyond that one stands for all the rest.
            let [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][usize::from(next / 254).min(2)];
            Ipv4Addr::new(a, b, c, (1 + next % 254) as u8)
        });
        SocketAddr::new(IpAddr::V4(host), address.port())
    }

    /// What stands for an interface: which lines share one bears on a verdict, what it is called does not.
    fn interface(&mut self, name: &str) -> String {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.replace(SocketAddr::new(address, 0)).ip().to_string();
        }
        let known = self.interfaces.iter().position(|i| i == name);
        let number = known.unwrap_or_else(|| {
            self.interfaces.push(name.to_owned());
            self.interfaces.len() - 1
        });
        format!("if{}", number + 1)
    }
}

/// What of a check leaves: everything that a check can have.
const CHECK: [&str; 13] = [
    "kind",
    "severity",
    "sources",
    "between",
    "tolerance",
    "on_delay",
    "off_delay",
    "lag_limit",
    "window",
    "after",
    "limit",
    "peer_moves",
    "clear_after",
];

fn copy(from: &Table, keys: &[&str]) -> Table {
    keys.iter().filter_map(|k| Some(((*k).to_owned(), from.get(*k)?.clone()))).collect()
}

fn tables<'a>(from: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    from.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// The configuration that goes in. `capture_name` gives the name of an extract for the name of a capture. Answers the
/// text, and which instrument map and rule book it names (to be put beside it under their fixed names).
///
/// # Errors
/// A text that is no TOML.
pub fn for_evidence(
    text: &str,
    addresses: &mut Addresses,
    capture_name: &dyn Fn(&str) -> String,
) -> Result<(String, Option<String>, Option<String>), String> {
    let root: Table = text.parse().map_err(|e| format!("the configuration is no TOML: {e}"))?;
    let mut out = Table::new();
    let mut sources = Vec::new();
    for source in tables(&root, "source") {
        let mut kept = copy(source, &["name", "feed", "venue", "symbology", "clock_error"]);
        let channels = tables(source, "channel").map(|c| Value::Table(channel(c, addresses, capture_name)));
        kept.insert("channel".to_owned(), Value::Array(channels.collect()));
        sources.push(Value::Table(kept));
    }
    out.insert("source".to_owned(), Value::Array(sources));
    let composites: Vec<Value> =
        tables(&root, "composite").map(|c| Value::Table(copy(c, &["name", "of"]))).collect();
    let checks: Vec<Value> = tables(&root, "check").map(|c| Value::Table(copy(c, &CHECK))).collect();
    for (key, list) in [("composite", composites), ("check", checks)] {
        if !list.is_empty() {
            out.insert(key.to_owned(), Value::Array(list));
        }
    }
    let mut named = [None, None];
    for (at, section, key, others, fixed) in [
        (0, "instruments", "map", [].as_slice(), super::INSTRUMENTS),
        (1, "rules", "book", &["sessions"], super::RULES),
    ] {
        let Some(table) = root.get(section).and_then(Value::as_table) else { continue };
        let mut kept = copy(table, others);
        if let Some(name) = table.get(key).and_then(Value::as_str) {
            named[at] = Some(name.to_owned());
            kept.insert(key.to_owned(), Value::String(fixed.to_owned()));
        }
        out.insert(section.to_owned(), Value::Table(kept));
    }
    let [map, book] = named;
    let text = toml::to_string(&out).map_err(|e| format!("the configuration cannot be written: {e}"))?;
    Ok((text, map, book))
}

fn channel(from: &Table, addresses: &mut Addresses, capture_name: &dyn Fn(&str) -> String) -> Table {
    let mut kept = copy(from, &["name", "reorder_wait", "reorder_packets"]);
    let lines = tables(from, "lines").map(|line| {
        let mut kept = copy(line, &["name", "group"]);
        if let Some(group) = line.get("group").and_then(Value::as_str).and_then(|g| g.parse().ok()) {
            let group: SocketAddr = addresses.replace(group);
            kept.insert("group".to_owned(), Value::String(group.to_string()));
        }
        if let Some(interface) = line.get("interface").and_then(Value::as_str) {
            kept.insert("interface".to_owned(), Value::String(addresses.interface(interface)));
        }
        if let Some(capture) = line.get("capture").and_then(Value::as_str) {
            kept.insert("capture".to_owned(), Value::String(capture_name(capture)));
        }
        Value::Table(kept)
    });
    let lines: Vec<Value> = lines.collect();
    kept.insert("lines".to_owned(), Value::Array(lines));
    kept
}

/// Whether a configuration out of an evidence file names files of its own folder only, under their fixed names.
pub fn is_contained(text: &str) -> bool {
    let Ok(root) = text.parse::<Table>() else { return true };
    let names = |section: &str, key: &str, fixed: &str| {
        let named = root.get(section).and_then(Value::as_table).and_then(|t| t.get(key));
        named.is_none_or(|name| name.as_str() == Some(fixed))
    };
    let known = ["source", "composite", "instruments", "check", "rules"];
    names("instruments", "map", super::INSTRUMENTS)
        && names("rules", "book", super::RULES)
        && root.keys().all(|k| known.contains(&k.as_str()))
}

/// The columns of an instrument map that mean something.
const COLUMNS: [&str; 14] = [
    "instrument",
    "source",
    "symbol",
    "valid_from",
    "valid_until",
    "tick",
    "round_lot",
    "reference_price",
    "isin",
    "figi",
    "ric",
    "osi",
    "mic",
    "currency",
];

/// The instrument map as it goes in: columns that a replay reads, nothing beside them.
///
/// # Errors
/// A text that is no CSV.
pub fn map_for_evidence(text: &str) -> Result<Vec<u8>, String> {
    let no = |e: csv::Error| format!("the instrument map is no CSV: {e}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(no)?.clone();
    let kept: Vec<usize> = (0..header.len()).filter(|i| COLUMNS.contains(&header[*i].trim())).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(kept.iter().map(|i| header[*i].trim())).map_err(no)?;
    for record in reader.records() {
        let record = record.map_err(no)?;
        writer.write_record(kept.iter().map(|i| record.get(*i).unwrap_or("").trim())).map_err(no)?;
    }
    writer.into_inner().map_err(|e| e.to_string())
}

/// Rows over the rule book as they go in: the values, without a comment.
///
/// # Errors
/// A text that is no TOML.
pub fn rules_for_evidence(text: &str) -> Result<String, String> {
    let table: Table = text.parse().map_err(|e| format!("the rule book is no TOML: {e}"))?;
    toml::to_string(&table).map_err(|e| format!("the rule book cannot be written: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
# kept by jsmith on nyhost7
[[source]]
name = "direct"
feed = "nasdaq-itch-5.0"
venue = "XNAS"
clock_error = "40us"
core = 3
[[source.channel]]
name = "tv1"
reorder_wait = "5ms"
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.9.8.7", capture = "nyhost7.pcap" },
  { name = "B", group = "10.1.2.3:26477", sender = "10.4.4.4", interface = "eth-fast" },
  { name = "C", group = "233.54.12.112:26477", interface = "eth-fast" },
]
[instruments]
map = "/srv/jsmith/symbols.csv"
[[check]]
kind = "divergent"
tolerance = { ticks = 1 }
[outlets.webhook]
url = "https://hooks.example.com/T0KEN"
[control]
socket = "/run/jsmith/parallax.sock"
"#;

    #[test]
    fn only_what_a_replay_reads_goes_in() {
        let mut addresses = Addresses::default();
        let (text, map, book) = for_evidence(CONFIG, &mut addresses, &|_| "01.pcapng".to_owned()).unwrap();
        for secret in [
            "eth-fast", "jsmith", "nyhost7", "10.9.8.7", "10.1.2.3", "10.4.4.4", "T0KEN", "control", "core",
            "#",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        for kept in
            ["233.54.12.111:26477", "192.0.2.2:26477", "01.pcapng", "5ms", "ticks = 1", "XNAS", "40us"]
        {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert_eq!((map.as_deref(), book), (Some("/srv/jsmith/symbols.csv"), None));
        assert_eq!(text.matches("interface = \"if1\"").count(), 2, "which lines share one is kept: {text}");
        assert!(is_contained(&text));
        // The same address is the same again.
        let again = addresses.replace("10.1.2.3:9".parse().unwrap());
        assert_eq!(again, "192.0.2.2:9".parse().unwrap());
    }

    #[test]
    fn a_configuration_that_names_other_files_is_not_contained() {
        assert!(!is_contained("[instruments]\nmap = \"../../etc/passwd\""));
        assert!(!is_contained("[rules]\nbook = \"/etc/passwd\""));
        assert!(!is_contained("[store]\nfile = \"x\""));
    }

    #[test]
    fn a_map_keeps_its_columns_and_nothing_else() {
        let map = map_for_evidence("instrument,source,symbol,owner,tick\nX,a,Y,jsmith,0.01\n").unwrap();
        assert_eq!(String::from_utf8(map).unwrap(), "instrument,source,symbol,tick\nX,a,Y,0.01\n");
    }
}
