//! The records that a store takes apart: lines of alerts, and of the operators' journal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::alert::console::Time;
use crate::market::price::parse_nanos;

/// One transition, with all that a store keeps of it.
#[derive(Debug, Deserialize)]
pub struct AlertRecord<'a> {
    pub ts: Time,
    pub event: Cow<'a, str>,
    pub id: String,
    pub kind: String,
    pub severity: Cow<'a, str>,
    pub instrument: Option<String>,
    pub venue: Option<Cow<'a, str>>,
    pub side: Option<Cow<'a, str>>,
    pub sources: Vec<String>,
    pub channel: Option<String>,
    pub line: Option<String>,
    pub scope: Option<String>,
    pub began: Time,
    pub ended: Option<Time>,
    pub duration_ns: Option<u64>,
    pub reason: Option<String>,
    #[serde(borrow)]
    pub magnitude: Option<Magnitude<'a>>,
    pub lag_ns: Option<u64>,
    pub sequence: Option<Sequence>,
    pub instruments: Option<u64>,
    #[serde(borrow, default)]
    pub quotes: BTreeMap<String, Option<Quote<'a>>>,
    pub cause: String,
    pub why: String,
}

/// How large a difference is; `ticks` and `bps` as they are written.
#[derive(Debug, Deserialize)]
pub struct Magnitude<'a> {
    pub price: Option<Price>,
    #[serde(borrow)]
    pub ticks: &'a RawValue,
    #[serde(borrow)]
    pub bps: &'a RawValue,
}

/// What was lost.
#[derive(Debug, Deserialize)]
pub struct Sequence {
    pub first: u64,
    pub last: u64,
    pub count: u64,
}

/// One side's quote.
#[derive(Debug, Deserialize)]
pub struct Quote<'a> {
    pub bid: Option<Price>,
    pub bid_qty: u64,
    pub ask: Option<Price>,
    pub ask_qty: u64,
    pub round_lot_bid: Option<Price>,
    pub round_lot_ask: Option<Price>,
    pub ts_event: Option<Time>,
    pub ts_recv: Time,
    pub seq: u64,
    pub quality: Cow<'a, str>,
    pub capture: Option<String>,
    pub frame: Option<u64>,
}

/// A decimal string, units of 1e-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(pub i64);

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Price, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let nanos = parse_nanos(&text);
        nanos.map(Price).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no exact price")))
    }
}

impl AlertRecord<'_> {
    /// What it is about, in the words of the table of times: its scope, or the narrowest thing that it names. Where a
    /// source's `only` channel is silent, so is the source.
    pub fn about(&self, only: bool) -> &str {
        match (&self.scope, &self.instrument, &self.line, &self.channel) {
            (Some(scope), ..) => scope,
            (_, Some(_), ..) => "instrument",
            (_, _, Some(_), _) => "line",
            (.., Some(_)) if self.kind != "silent" || !only => "channel",
            _ => "source",
        }
    }
}

/// One line of the operators' journal.
#[derive(Debug, Deserialize)]
pub struct ActionRecord {
    pub action: String,
    #[serde(alias = "at")]
    pub ts: Time,
    pub who: String,
    pub id: Option<String>,
    pub shelf: Option<String>,
    #[serde(alias = "reason", default)]
    pub note: String,
}
