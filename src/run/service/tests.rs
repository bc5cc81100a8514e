//! The manager is a socket of the test's own. Its address is in the environment, so the daemon's side runs in another process: this
//! test again, which finds the address and takes that part.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use super::*;

const PART: &str = "PARALLAX_TEST_SERVICE";

/// Runs the named test again, with the environment of a service.
fn as_service(name: &str, socket: Option<&std::path::Path>, watchdog_us: Option<&str>) {
    let program = std::env::current_exe().expect("a test has a binary");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(PART, "1").env_remove("WATCHDOG_PID");
    command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC");
    if let Some(socket) = socket {
        command.env("NOTIFY_SOCKET", socket);
    }
    if let Some(watchdog_us) = watchdog_us {
        command.env("WATCHDOG_USEC", watchdog_us);
    }
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn is_service() -> bool {
    std::env::var_os(PART).is_some()
}

#[test]
fn the_manager_hears_everything_in_order() {
    if is_service() {
        let mut manager = Manager::here();
        assert_eq!(manager.alive_every(), Some(Duration::from_secs(10)));
        manager.ready("2 receivers\nMAINPID=1");
        manager.alive();
        manager.status("12 alerts open");
        manager.reloading();
        manager.stopping();
        assert_eq!(manager.error(), None);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    as_service("run::service::tests::the_manager_hears_everything_in_order", Some(&path), Some("20000000"));
    socket.set_nonblocking(true).expect("it can be told");
    let mut heard = Vec::new();
    let mut bytes = [0; 512];
    while let Ok(length) = socket.recv(&mut bytes) {
        heard.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    let reload = heard.remove(3);
    assert_eq!(
        heard,
        ["READY=1\nSTATUS=2 receivers\n", "WATCHDOG=1\n", "STATUS=12 alerts open\n", "STOPPING=1\n"]
    );
    let time = reload.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("the time comes with it").trim();
    assert!(time.parse::<u64>().is_ok_and(|us| us > 0), "{reload}");
}

#[test]
fn without_a_manager_nobody_is_told_and_nothing_is_wrong() {
    if is_service() {
        let mut manager = Manager::here();
        assert_eq!(manager.alive_every(), None);
        manager.ready("up");
        manager.alive();
        assert_eq!(manager.error(), None);
        return;
    }
    as_service("run::service::tests::without_a_manager_nobody_is_told_and_nothing_is_wrong", None, None);
}

#[test]
fn a_manager_that_does_not_listen_is_a_trouble_and_no_more() {
    if is_service() {
        let mut manager = Manager::here();
        manager.ready("up");
        let error = manager.error().expect("it is not there").to_owned();
        assert!(error.starts_with("the service manager cannot be told: "), "{error}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = folder.path().join("nobody");
    as_service(
        "run::service::tests::a_manager_that_does_not_listen_is_a_trouble_and_no_more",
        Some(&nobody),
        None,
    );
}

#[test]
fn signals_are_requests_that_a_poll_waits_for() {
    if !is_service() {
        as_service("run::service::tests::signals_are_requests_that_a_poll_waits_for", None, None);
        return;
    }
    let mut signals = Signals::take_over().expect("handlers are allowed");
    let mut poll = mio::Poll::new().expect("a poll");
    for (token, descriptor) in signals.descriptors().iter().enumerate() {
        let mut source = mio::unix::SourceFd(descriptor);
        poll.registry().register(&mut source, mio::Token(token), mio::Interest::READABLE).expect("a pipe");
    }
    let mut events = mio::Events::with_capacity(8);
    let mut woken = |limit: Option<Duration>| {
        poll.poll(&mut events, limit).expect("it polls");
        events.iter().map(|event| event.token().0).collect::<Vec<_>>()
    };
    assert_eq!(woken(Some(Duration::ZERO)), [0; 0]);
    assert_eq!(signals.next(), None);
    let raise = |signal| signal_hook::low_level::raise(signal).expect("a signal to oneself");
    raise(SIGHUP);
    raise(SIGHUP);
    assert_eq!(woken(None), [1]);
    assert_eq!((signals.next(), signals.next()), (Some(Request::Reload), None));
    raise(SIGHUP);
    raise(SIGTERM);
    raise(SIGINT);
    let mut both = woken(None);
    both.sort_unstable();
    assert_eq!(both, [0, 1]);
    let asked: Vec<_> = std::iter::from_fn(|| signals.next()).collect();
    assert_eq!(asked, [Request::Stop, Request::Reload]);
}
