//! The simulator on real multicast, over loopback: what leaves is received by plain sockets and held against the
//! schedule that captures are made of.
//!
//! Every test has ports of its own, so that none hears another one, and asserts nothing about how long things take.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parallax::simulate::live::{self, Done, Live, Start};
use parallax::simulate::multicast::Pacing;
use parallax::simulate::{Scenario, Simulator};
use parallax::source::multicast_send::SendOptions;
use socket2::{Domain, Protocol, Socket, Type};

const MS: u64 = 1_000_000;

fn listen(group: SocketAddrV4) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    socket.set_multicast_all_v4(false).unwrap();
    socket.bind(&group.into()).unwrap();
    socket.join_multicast_v4(group.ip(), &Ipv4Addr::LOCALHOST).unwrap();
    // Only how often the end is looked for.
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    socket.into()
}

/// Everything that the socket receives, until the sender is done and nothing is left.
fn receive(socket: UdpSocket, done: Arc<AtomicBool>) -> JoinHandle<Vec<Vec<u8>>> {
    std::thread::spawn(move || {
        let (mut all, mut buffer) = (Vec::new(), [0; 2048]);
        loop {
            let ended = done.load(Ordering::Acquire);
            match socket.recv(&mut buffer) {
                Ok(len) => all.push(buffer[..len].to_vec()),
                Err(_) if ended => return all,
                Err(_) => {}
            }
        }
    })
}

/// Few enough datagrams to wait in any socket's buffer, whatever else the machine does.
fn small() -> Scenario {
    let text = "seed = 5\ninstruments = 4\nduration = \"800ms\"\nrate = 250\n\
        [[fault]]\nkind = \"loss\"\nline = \"B\"\npackets = 3\nat = \"100ms\"\n\
        [[fault]]\nkind = \"reorder\"\nline = \"A\"\npackets = 2\nby = \"20ms\"\nat = \"200ms\"\n\
        [[fault]]\nkind = \"duplicate\"\nline = \"B\"\npackets = 2\nat = \"300ms\"\n\
        [[fault]]\nkind = \"corruption\"\nline = \"A\"\npackets = 1\nat = \"400ms\"\n";
    Scenario::parse("small.toml", text).unwrap()
}

fn live(port: u16, start: Start) -> Live {
    Live {
        send: SendOptions { interface: Ipv4Addr::LOCALHOST, ttl: 0, buffer: 1 << 20 },
        groups: live::groups(Some(port)),
        start,
        lead_ns: 0,
        pacing: Some(Pacing { spin_ns: 0, ..Pacing::default() }),
        out: None,
    }
}

/// Sends the scenario and answers what each line's socket received.
fn send_and_receive(scenario: &Scenario, live: &Live) -> (Done, Vec<Vec<Vec<u8>>>) {
    let done = Arc::new(AtomicBool::new(false));
    let receivers: Vec<_> =
        scenario.lines().iter().map(|l| receive(listen(live.groups[*l]), Arc::clone(&done))).collect();
    let result = live::run(scenario, live, Arc::new(AtomicBool::new(false)), |_, _| {});
    done.store(true, Ordering::Release);
    let received = receivers.into_iter().map(|r| r.join().unwrap()).collect();
    (result.unwrap(), received)
}

#[test]
fn every_packet_of_the_schedule_arrives_on_its_line_in_order() {
    let scenario = small();
    let (done, received) = send_and_receive(&scenario, &live(42_110, Start::Scenario));
    for (line, received) in received.iter().enumerate() {
        let wanted: Vec<Vec<u8>> =
            Simulator::new(&scenario).filter(|sent| sent.line == line).map(|sent| sent.payload).collect();
        assert!(wanted.len() > 40, "{}", wanted.len());
        assert!(*received == wanted, "line {line}: {} of {} packets", received.len(), wanted.len());
        assert_eq!(done.summary.lines[line].count.packets, wanted.len() as u64);
    }
    assert_eq!((done.summary.refused.len(), done.cut), (0, 0));
    assert_eq!(done.report.behind.len(), done.summary.packets);
}

#[test]
fn now_is_in_the_stamps_and_in_the_truth_and_the_configuration_names_the_interface() {
    let folder = tempfile::tempdir().unwrap();
    let live = Live { out: Some(folder.path().to_owned()), ..live(42_120, Start::Now) };
    let scenario = Scenario { speed_percent: 400, ..small() };
    let mut begins = (0, 0);
    let stop = Arc::new(AtomicBool::new(false));
    live::run(&scenario, &live, stop, |ns, files| begins = (ns, files.len())).unwrap();
    let (begins_ns, files) = begins;
    assert_eq!((begins_ns % (1_000 * MS), files), (0, 1));
    let config = parallax::config::Config::read(&folder.path().join("parallax.toml")).unwrap();
    let lines: Vec<_> = config.sources.iter().flat_map(|s| &s.channels).flat_map(|c| &c.lines).collect();
    assert_eq!(lines.len(), scenario.lines().len());
    for (line, group) in lines.iter().zip(live.groups) {
        assert_eq!(line.group, parallax::config::Group::Udp(group.into()));
    }
    let text = std::fs::read_to_string(folder.path().join("parallax.toml")).unwrap();
    assert_eq!(text.matches("interface = \"127.0.0.1\"").count(), lines.len());
    let truth = std::fs::read_to_string(folder.path().join("truth.ndjson")).unwrap();
    let from: Vec<String> = truth
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|record| record["from"].as_str().unwrap().to_owned())
        .collect();
    // Four times as fast: what the scenario does after 100 ms happens after 25.
    let wanted: Vec<String> =
        [25, 50, 75, 100].map(|ms| parallax::simulate::record::time(begins_ns + ms * MS).unwrap()).to_vec();
    assert_eq!(from, wanted);
}

#[test]
fn whoever_stops_it_gets_the_report_and_no_truth_of_what_was_not_over() {
    let folder = tempfile::tempdir().unwrap();
    let live = Live { out: Some(folder.path().to_owned()), ..live(42_130, Start::Now) };
    let stop = Arc::new(AtomicBool::new(true));
    let done = live::run(&small(), &live, stop, |_, _| {}).unwrap();
    assert!(done.summary.stopped);
    assert_eq!(done.summary.packets, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("truth.ndjson")).unwrap(), "");
}
