//! A session of the simulated venue and its consolidated feed, 500 instruments without a fault, for benches that want one
//! in memory: the same from run to run.

use std::net::SocketAddr;
use std::path::Path;

use parallax::config::Config;
use parallax::pipeline::Pipeline;
use parallax::simulate::{LINES, Scenario, Sent, Simulator, write};
use parallax::source::{Datagram, Lost, Transport};

/// What is sent in so many nanoseconds at so many messages a second.
pub fn session(duration_ns: u64, rate: u64) -> Vec<Sent> {
    let scenario = Scenario { seed: 1, instruments: 500, duration_ns, rate, ..Scenario::default() };
    Simulator::new(&scenario).collect()
}

/// The configuration that it goes with.
pub fn config() -> Config {
    Config::parse("bench", &write::configuration(), Path::new(".")).expect("a good configuration")
}

/// Takes it through the pipeline, as one capture.
pub fn take(pipeline: &mut Pipeline, session: &[Sent]) {
    for (n, sent) in session.iter().enumerate() {
        pipeline.on_datagram(&Datagram {
            ts_recv_ns: sent.ts_ns,
            capture: 0,
            frame: n as u64 + 1,
            transport: Transport::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::V4(LINES[sent.line].group),
            payload: &sent.payload,
            wire_len: sent.payload.len() as u32,
            checksum: 0,
            identification: 0,
            interface: 0,
            interface_name: "",
            lost: Lost::default(),
        });
    }
}

/// Messages that were delivered.
pub fn delivered(pipeline: &Pipeline) -> u64 {
    pipeline.intake.feeder.channels.iter().map(|c| c.core.tally.delivered()).sum()
}
