//! What is in an evidence file, and what a replay of it must say.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::zip::Entry;
use crate::explain::subject::core_of;
use crate::explain::{Alert, Explanation};

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`super::FORMAT`].
    pub format: String,
    /// Version of Parallax that wrote it.
    pub version: String,
    /// The alert.
    pub alert: String,
    /// The captures, in the order in which they are merged.
    pub captures: Vec<String>,
    /// Date of files of bare messages, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binaryfile_midnight_ns: Option<u64>,
    /// How far apart the capture points' clocks may be, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_ns: Option<u64>,
    /// Every other file.
    pub files: Vec<File>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Name in the archive.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl From<&Entry> for File {
    fn from(entry: &Entry) -> File {
        File { name: entry.name.clone(), bytes: entry.bytes, sha256: entry.sha256.clone() }
    }
}

/// `expect.json`: what must come out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// The alert's id.
    pub id: String,
    /// Its first record, without where its packets lie.
    pub raised: Value,
    /// `ours`, `network`, `source`, `market`, `reference_data` or `undecided`.
    pub cause: String,
    /// The source that is blamed, where it is one.
    pub source: Option<String>,
}

impl Expect {
    /// What an alert and its explanation are.
    pub fn of(alert: &Alert, explanation: &Explanation) -> Expect {
        Expect {
            id: alert.id.clone(),
            raised: alert.lines.first().map_or(Value::Null, |line| core_of(line)),
            cause: explanation.verdict.cause().to_owned(),
            source: explanation.verdict.source().map(str::to_owned),
        }
    }

    /// What the other says differently, one sentence each; nothing when it says the same.
    pub fn differences(&self, other: &Expect) -> Vec<String> {
        let mut out = Vec::new();
        if self.id != other.id {
            out.push(format!("the alert's id is {} instead of {}", other.id, self.id));
        }
        let empty = serde_json::Map::new();
        let (mine, theirs) =
            (self.raised.as_object().unwrap_or(&empty), other.raised.as_object().unwrap_or(&empty));
        let mut keys: Vec<&String> = mine.keys().chain(theirs.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        for key in keys.into_iter().filter(|k| mine.get(*k) != theirs.get(*k)) {
            let (was, is) = (shown(mine.get(key)), shown(theirs.get(key)));
            out.push(format!("the alert's {key} is {is} instead of {was}"));
        }
        let verdict = |e: &Expect| match &e.source {
            Some(source) => format!("{} {source}", e.cause),
            None => e.cause.clone(),
        };
        if (&self.cause, &self.source) != (&other.cause, &other.source) {
            out.push(format!("the verdict is {} instead of {}", verdict(other), verdict(self)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_told() {
        let expect = Expect {
            id: "a".into(),
            raised: serde_json::json!({"kind": "gap", "ts": "x"}),
            cause: "source".into(),
            source: Some("sip".into()),
        };
        assert_eq!(expect.differences(&expect), Vec::<String>::new());
        let other = Expect {
            id: "b".into(),
            raised: serde_json::json!({"kind": "line", "ts": "x"}),
            cause: "undecided".into(),
            source: None,
        };
        assert_eq!(
            expect.differences(&other),
            [
                "the alert's id is b instead of a",
                "the alert's kind is \"line\" instead of \"gap\"",
                "the verdict is undecided instead of source sip"
            ]
        );
    }
}
