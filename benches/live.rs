//! The floor of the live path: a bare receive loop on one line, on the core and the machine that a daemon is measured on.
//!
//! `cargo bench --bench live -- GROUP:PORT SECONDS [CORE]` joins the group on loopback, drains it and does nothing with
//! it, and prints how long after the kernel's stamp a datagram was in our hands: one JSON line. `benches/live.py` runs
//! it beside the daemon, in one run. Without arguments it says so and ends.

use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;
use parallax::source::multicast::{Interface, LinePlan, Mode, Options, Receiver};
use parallax::source::{clock, cores};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [group, seconds, rest @ ..] = args.as_slice() else {
        println!("live: nothing to do; benches/live.py says what");
        return;
    };
    let group: SocketAddr = group.parse().expect("GROUP:PORT");
    let seconds: u64 = seconds.parse().expect("SECONDS");
    if let Some(core) = rest.first() {
        cores::pin(core.parse().expect("CORE")).expect("a core of this machine");
    }
    let plan = LinePlan {
        name: "floor/floor/A".to_owned(),
        group,
        interface: Interface::Address(std::net::Ipv4Addr::LOCALHOST),
        sender: None,
    };
    // One line in mode `Block` that never waits is `recvmmsg` in a loop and nothing else; a receiver that spins does better.
    let options = Options { mode: Mode::Block, ..Options::default() };
    let mut receiver = Receiver::open(&[plan], &options).expect("the group can be joined");
    let mut taken = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds");
    let end = clock::monotonic_now() + Duration::from_secs(seconds);
    let mut count = 0u64;
    while clock::monotonic_now() < end {
        receiver.poll(&mut |received| {
            count += 1;
            std::hint::black_box(received.payload);
            taken.saturating_record(clock::wall_now_ns().saturating_sub(received.ts_recv_ns).max(1));
        });
    }
    let q = |q: f64| taken.value_at_quantile(q);
    let drops: u64 = receiver.lines().iter().map(|l| l.kernel_drops).sum();
    println!(
        "{{\"datagrams\":{count},\"drops\":{drops},\"p50_ns\":{},\"p90_ns\":{},\"p99_ns\":{},\"max_ns\":{}}}",
        q(0.5),
        q(0.9),
        q(0.99),
        taken.max()
    );
}
