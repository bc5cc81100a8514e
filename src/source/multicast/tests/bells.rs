//! Bells: what rings, what does not, and that nothing hangs on them.

use std::os::fd::AsFd;

use super::super::bell::Bell;
use super::super::{Mode, Options};
use super::kit::{self, Sender, group, in_namespace, line, options, receive, receiver, said, take};

/// A socket of this namespace that hears itself, and its bell; `None`, said loudly, where the system has none.
fn socket_with_bell(name: &str) -> Option<(std::net::UdpSocket, Bell)> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_read_timeout(Some(kit::DEADLINE)).expect("a setting");
    socket.connect(socket.local_addr().expect("an address")).expect("it hears itself");
    match Bell::hang(socket.as_fd()) {
        Ok(bell) => Some((socket, bell)),
        Err(error) => {
            eprintln!("SKIPPED {name}: this system has no bells: {error}");
            None
        }
    }
}

fn hear(socket: &std::net::UdpSocket) {
    socket.recv(&mut [0; 8]).expect("what was sent arrives");
}

#[test]
fn a_bell_rings_until_it_is_answered_and_for_whatever_comes_after() {
    in_namespace("a_bell_rings", || {
        let Some((socket, mut bell)) = socket_with_bell("a_bell_rings") else { return };
        assert!(!bell.is_rung(), "nothing came");
        for round in 0..100 {
            socket.send(b"one").expect("sent");
            hear(&socket);
            assert!(bell.is_rung() && bell.is_rung(), "round {round}: it rings until it is answered");
            bell.answer().expect("it works");
            assert!(!bell.is_rung(), "round {round}");
        }
        // Between a datagram that was taken and the answer another came: it is there when the answer is over.
        socket.send(b"two").expect("sent");
        hear(&socket);
        socket.send(b"three").expect("sent");
        bell.answer().expect("it works");
        hear(&socket);
        socket.send(b"four").expect("sent");
        hear(&socket);
        assert!(bell.is_rung());
    });
}

#[test]
fn what_is_there_when_a_bell_is_hung_rings() {
    in_namespace("what_is_there", || {
        let Some((socket, bell)) = socket_with_bell("what_is_there") else { return };
        drop(bell);
        socket.send(b"one").expect("sent");
        socket.peek(&mut [0; 8]).expect("it is there");
        let mut bell = Bell::hang(socket.as_fd()).expect("it worked before");
        assert!(bell.is_rung());
        bell.answer().expect("it works");
        hear(&socket);
        socket.send(b"two").expect("sent");
        hear(&socket);
        assert!(bell.is_rung());
    });
}

#[test]
fn bells_hang_where_they_are_of_use_and_a_system_without_them_does_as_well() {
    in_namespace("bells_hang", || {
        if socket_with_bell("bells_hang").is_none() {
            return;
        }
        let to = [group(1, 30_010), group(2, 30_010)];
        let plans = to.map(|to| line(&format!("x/1/{to}"), to, "127.0.0.1"));
        let sender = Sender::local();
        let block = Options { mode: Mode::Block, ..options() };
        for (plans, options, without, hung) in [
            (&plans[..], options(), false, 2),
            (&plans[..], options(), true, 0),
            (&plans[..], block, false, 0),
            (&plans[..1], options(), false, 0),
        ] {
            let mut receiver = receiver(plans, &options);
            receiver.bells_tried = without;
            let mut expected = Vec::new();
            for n in 0..plans.len() * 3 {
                let (at, text) = (n % plans.len(), n.to_string());
                sender.send(to[at], text.as_bytes());
                expected.push((at, text));
                assert_eq!(
                    said(&receive(&mut receiver, 1)),
                    expected[n..],
                    "one that comes while others are awaited"
                );
            }
            assert_eq!(receiver.bells(), hung, "{} lines, {options:?}", plans.len());
            assert_eq!(receiver.health().receiver().late_stamps, 0);
        }
    });
}

#[test]
fn a_receiver_on_another_thread_than_its_bells_loses_nothing() {
    in_namespace("another_thread", || {
        let to = [group(1, 30_011), group(2, 30_011)];
        let mut receiver = receiver(&to.map(|to| line(&format!("x/1/{to}"), to, "127.0.0.1")), &options());
        let sender = Sender::local();
        sender.send(to[0], b"here");
        assert_eq!(said(&receive(&mut receiver, 1)), [(0, "here".to_owned())]);
        let mut kept = Vec::new();
        // Whatever is asked after the last, so that both bells hang and none rings.
        while take(&mut receiver, &mut kept) > 0 {}
        let moved = std::thread::spawn(move || {
            for n in 0..20_usize {
                sender.send(to[n % 2], n.to_string().as_bytes());
                assert_eq!(said(&receive(&mut receiver, 1)), [(n % 2, n.to_string())]);
            }
            receiver
        });
        let receiver = moved.join().expect("it received all");
        assert_eq!(receiver.bells(), 0, "bells that cannot be answered are taken down");
    });
}

#[test]
fn a_line_whose_bell_does_not_ring_is_heard_all_the_same() {
    in_namespace("does_not_ring", || {
        let Some((silent, _)) = socket_with_bell("does_not_ring") else { return };
        let to = [group(1, 30_012), group(2, 30_012)];
        let mut receiver = receiver(&to.map(|to| line(&format!("x/1/{to}"), to, "127.0.0.1")), &options());
        while take(&mut receiver, &mut Vec::new()) > 0 {}
        receiver.hang_bells_on(silent.as_fd());
        let sender = Sender::local();
        for n in 0..10_usize {
            sender.send(to[n % 2], n.to_string().as_bytes());
            assert_eq!(said(&receive(&mut receiver, 1)), [(n % 2, n.to_string())]);
        }
        assert_eq!(receiver.bells(), 2);
    });
}
