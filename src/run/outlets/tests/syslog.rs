//! Syslog on sockets of the test's own.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use super::*;

fn text(buffer: &[u8]) -> String {
    String::from_utf8(buffer.to_vec()).unwrap()
}

#[test]
fn datagrams_arrive_over_udp() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let target = SyslogTarget::parse(&format!("udp:{}", server.local_addr().unwrap())).unwrap();
    let mut syslog = Syslog::open(target);
    syslog.offer(&notice(7));
    let mut buffer = [0; 4096];
    let n = server.recv(&mut buffer).unwrap();
    let said = text(&buffer[..n]);
    assert!(said.starts_with("<131>1 2026-03-02T14:30:07.000000Z "), "{said}");
    let pid = std::process::id();
    let end = format!(
        " parallax {pid} silent [parallax@32473 id=\"0000000000000007\" event=\"raised\" source=\"direct\" \
         channel=\"c1\"] \u{feff}direct has been silent since \"2 s\""
    );
    assert!(said.ends_with(&end), "{said}");
    let expected = OutletStatus { name: "syslog".into(), delivered: 1, ..OutletStatus::default() };
    assert_eq!(syslog.status(), expected);
}

#[test]
fn a_name_is_looked_up_aside_and_what_came_meanwhile_is_sent() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let mut syslog = Syslog::open(SyslogTarget::parse(&format!("udp:localhost:{port}")).unwrap());
    syslog.offer(&notice(7));
    assert_eq!((syslog.status().delivered, syslog.status().queued), (0, 1));
    let now = monotonic_now();
    while syslog.status().queued > 0 {
        syslog.tend(now);
        std::thread::yield_now();
    }
    // The name may mean ::1 here, where nobody listens: that the kernel took it is all that UDP can say.
    assert_eq!((syslog.status().delivered, syslog.status().queued), (1, 0));
}

#[test]
fn nobody_there_queues_drops_the_oldest_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut syslog = Syslog::open(SyslogTarget::parse(&format!("unix:{}", path.display())).unwrap());
    (0..1030).for_each(|n| syslog.offer(&notice(n)));
    let status = syslog.status();
    assert_eq!((status.delivered, status.queued, status.dropped, status.failures), (0, 1024, 6, 1));
    assert_eq!(status.error, format!("unix:{}: No such file or directory (os error 2)", path.display()));
    let now = monotonic_now();
    syslog.tend(now);
    // Not before its time, whatever is asked.
    syslog.tend(now + Duration::from_millis(1999));
    assert_eq!(syslog.status().failures, 2);
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_nonblocking(true).unwrap();
    syslog.tend(now + Duration::from_secs(2));
    // The kernel takes a few datagrams at a time and the rest waits: nothing blocks and nothing is lost.
    let (mut buffer, mut ids) = ([0; 4096], Vec::new());
    while ids.len() < 1024 {
        while let Ok(n) = server.recv(&mut buffer) {
            let said = text(&buffer[..n]);
            let (_, id) = said.split_once("id=\"").unwrap();
            ids.push(u64::from_str_radix(&id[..16], 16).unwrap());
        }
        assert_eq!(syslog.status().queued + syslog.status().delivered, 1024);
        syslog.tend(now + Duration::from_secs(3));
    }
    assert_eq!(ids, (6..1030).collect::<Vec<_>>());
    assert_eq!((syslog.status().delivered, syslog.status().queued), (1024, 0));
    assert_eq!(syslog.status().error, "");
    // A server that is restarted: the old socket fails, the new one is found.
    drop(server);
    std::fs::remove_file(&path).unwrap();
    syslog.offer(&notice(1));
    assert_eq!(syslog.status().queued, 1);
    let server = UnixDatagram::bind(&path).unwrap();
    syslog.tend(now + Duration::from_secs(9));
    assert!(server.recv(&mut buffer).unwrap() > 0);
    assert_eq!(syslog.status().queued, 0);
    syslog.close(now);
}

#[test]
fn what_waits_at_the_end_is_counted_as_dropped() {
    let mut syslog = Syslog::open(SyslogTarget::Unix("/nowhere/log".into()));
    syslog.offer(&notice(1));
    syslog.close(monotonic_now());
    assert_eq!((syslog.status().queued, syslog.status().dropped), (0, 1));
}

#[test]
fn targets_are_read_or_refused() {
    let parsed = |text: &str| SyslogTarget::parse(text).ok();
    let udp = |text: &str| Some(SyslogTarget::Udp(text.into()));
    assert_eq!(parsed("udp:10.0.0.1:1514"), udp("10.0.0.1:1514"));
    assert_eq!(parsed("udp:logs.example.com"), udp("logs.example.com:514"));
    assert_eq!(parsed("udp:[::1]:99"), udp("[::1]:99"));
    assert_eq!(parsed("udp:::1"), udp("[::1]:514"));
    assert_eq!(parsed("udp:[::1]"), udp("[::1]:514"));
    assert_eq!(parsed("unix:/dev/log"), Some(SyslogTarget::Unix("/dev/log".into())));
    for wrong in ["", "udp:", "udp::514", "udp:host:99999", "unix:dev/log", "tcp:host:514", "/dev/log"] {
        let expected = format!("{wrong:?} is no syslog: write \"udp:host:514\" or \"unix:/dev/log\"");
        assert_eq!(SyslogTarget::parse(wrong), Err(expected));
    }
}
