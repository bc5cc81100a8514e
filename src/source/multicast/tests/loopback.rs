//! Groups on `lo`: addresses, lines, senders, order.

use std::net::Ipv4Addr;

use super::kit::{self, Sender, group, in_namespace, line, options, receive, receiver, said, take};

#[test]
fn a_datagram_arrives_with_its_line_addresses_and_the_kernels_time() {
    in_namespace("a_datagram_arrives", || {
        let to = group(1, 30_001);
        let before_ns = super::super::super::clock::wall_now_ns();
        let mut receiver = receiver(&[line("x/1/A", to, "127.0.0.1")], &options());
        let sender = Sender::local();
        sender.send(to, b"one");
        sender.send(to, b"");
        sender.send(to, b"three");
        let kept = receive(&mut receiver, 3);
        let after_ns = super::super::super::clock::wall_now_ns();
        assert_eq!(said(&kept), [(0, "one".to_owned()), (0, String::new()), (0, "three".to_owned())]);
        let mut last_ns = before_ns;
        for one in &kept {
            assert_eq!((one.source, one.destination), (sender.source(), to));
            assert_eq!(one.wire_len as usize, one.payload.len());
            assert!(last_ns <= one.ts_recv_ns && one.ts_recv_ns <= after_ns, "{last_ns} {one:?} {after_ns}");
            last_ns = one.ts_recv_ns;
        }
        let health = receiver.health().line(0);
        assert_eq!((health.datagrams, health.bytes, health.last_ns), (3, 8, last_ns));
        assert_eq!((health.unstamped, health.truncated, health.kernel_drops, health.failures), (0, 0, 0, 0));
        assert_eq!((health.joined, health.link_up, health.rejoins), (true, true, 0));
        assert_eq!(health.receive_buffer, kit::BUFFER as u64);
    });
}

#[test]
fn what_does_not_fit_is_cut_and_counted_and_its_length_told() {
    in_namespace("what_does_not_fit", || {
        let to = group(1, 30_002);
        let options = super::super::Options { datagram_max: 100, ..options() };
        let mut receiver = receiver(&[line("x/1/A", to, "lo")], &options);
        let sender = Sender::local();
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [99, 100, 101, 256, 1] {
            sender.send(to, &bytes[..length]);
        }
        let kept = receive(&mut receiver, 5);
        let lengths: Vec<_> = kept.iter().map(|k| (k.payload.len(), k.wire_len)).collect();
        assert_eq!(lengths, [(99, 99), (100, 100), (100, 101), (100, 256), (1, 1)]);
        assert!(kept.iter().all(|k| k.payload == bytes[..k.payload.len()]));
        let health = receiver.health().line(0);
        assert_eq!((health.datagrams, health.truncated, health.bytes), (5, 2, 400));
    });
}

#[test]
fn lines_hear_their_own_group_alone_and_more_than_one_socket_may_join() {
    in_namespace("lines_hear_their_own_group", || {
        // One port for all, and more groups than one socket may join (igmp_max_memberships is 20).
        kit::stay();
        let groups: Vec<_> = (1..=64).map(|n| group(n, 30_003)).collect();
        let plans: Vec<_> = groups.iter().map(|g| line(&format!("x/1/{g}"), *g, "127.0.0.1")).collect();
        let mut receiver = receiver(&plans, &options());
        let sender = Sender::local();
        sender.send(group(200, 30_003), b"nobody's");
        let expected: Vec<_> = (0..groups.len()).map(|n| (n, format!("to {n}"))).rev().collect();
        for (n, text) in &expected {
            sender.send(groups[*n], text.as_bytes());
        }
        kit::at_rest();
        let mut kept = receive(&mut receiver, groups.len());
        take(&mut receiver, &mut kept);
        assert_eq!(said(&kept), expected);
        assert_eq!(receiver.health().receiver().late_stamps, 0);
    });
}

#[test]
fn a_source_specific_join_hears_its_sender_alone() {
    in_namespace("a_source_specific_join", || {
        kit::stay();
        let to = group(9, 30_004);
        let from = |last| Ipv4Addr::new(127, 0, 0, last);
        let mut plans = [line("x/1/A", to, "127.0.0.1"), line("x/1/B", to, "lo"), line("x/1/all", to, "lo")];
        plans[0].sender = Some(from(2));
        plans[1].sender = Some(from(3));
        let mut receiver = receiver(&plans, &options());
        let senders = [1, 2, 3, 2].map(|last| Sender::new(from(last)));
        for (n, sender) in senders.iter().enumerate() {
            sender.send(to, format!("{n}").as_bytes());
        }
        kit::at_rest();
        let mut kept = receive(&mut receiver, 7);
        take(&mut receiver, &mut kept);
        let of = |line| kept.iter().filter(|k| k.line == line).map(|k| k.said().1).collect::<Vec<_>>();
        assert_eq!([of(0), of(1), of(2)].map(|all| all.concat()), ["13", "2", "0123"]);
        assert_eq!(kept.iter().filter(|k| k.line == 0).map(|k| k.source.ip()).max(), Some(from(2).into()));
    });
}

#[test]
fn backlogs_of_several_sockets_come_out_in_the_order_they_came_in() {
    // With few lines every socket is asked, with more their readiness.
    for lines in [3, 9] {
        in_namespace("backlogs", move || backlogs(lines));
    }
}

fn backlogs(lines: usize) {
    kit::stay();
    let groups: Vec<_> = (1..=lines).map(|n| group(n as u8, 30_005)).collect();
    let plans: Vec<_> = groups.iter().map(|g| line(&format!("x/1/{g}"), *g, "127.0.0.1")).collect();
    let mut receiver = receiver(&plans, &super::super::Options { batch: 4, ..options() });
    let sender = Sender::local();
    // Runs longer than a batch, single ones, and silence of a line, all of it waiting before the first poll.
    let runs = [(0, 11), (1, 1), (0, 1), (1, 9), (2, 4), (1, 4), (0, 20), (2, 1), (1, 1)];
    let mut expected = Vec::new();
    for round in 0..5 {
        for (to, run) in runs {
            for _ in 0..run {
                let (to, text) = ((to + round) % lines, format!("{}", expected.len()));
                sender.send(groups[to], text.as_bytes());
                expected.push((to, text));
            }
        }
    }
    kit::at_rest();
    let mut kept = Vec::new();
    while take(&mut receiver, &mut kept) > 0 {
        let last_ns = kept.last().map_or(0, |k| k.ts_recv_ns);
        assert!(receiver.watermark() >= last_ns);
    }
    assert_eq!(said(&kept), expected);
    let health = receiver.health().receiver();
    assert_eq!((health.late_stamps, health.held_stamps), (0, 0));
    assert_eq!(health.datagrams, expected.len() as u64);
    assert!(kept.is_sorted_by_key(|k| k.ts_recv_ns));
}

#[test]
fn time_runs_forward_and_watermarks_hold_while_lines_are_sent_to() {
    in_namespace("time_runs_forward", || {
        let groups: Vec<_> = (1..=6).map(|n| group(n, 30_007)).collect();
        let plans: Vec<_> = groups.iter().map(|g| line(&format!("x/1/{g}"), *g, "127.0.0.1")).collect();
        let mut receiver = receiver(&plans, &options());
        let each = 500_u32;
        // What waits in a buffer never exceeds it: a round of one datagram per line is sent when the one before came.
        let (told, heard) = std::sync::mpsc::channel();
        let sending = kit::with_namespace(move || {
            let sender = Sender::local();
            for n in 0..each {
                for to in &groups {
                    sender.send(*to, &n.to_be_bytes());
                }
                if n >= 10 {
                    heard.recv().expect("the receiver lives");
                }
            }
        });
        let (mut kept, mut promised_ns, mut rounds) = (Vec::new(), 0, 0);
        let start = super::super::super::clock::monotonic_now();
        while kept.len() < each as usize * plans.len() {
            let before = kept.len();
            if take(&mut receiver, &mut kept) == 0 {
                std::thread::yield_now();
            }
            for one in &kept[before..] {
                assert!(one.ts_recv_ns >= promised_ns, "{one:?} came after the promise of {promised_ns}");
            }
            assert!(receiver.watermark() >= kept.last().map_or(0, |k| k.ts_recv_ns));
            assert!(receiver.watermark() >= promised_ns);
            promised_ns = receiver.watermark();
            while rounds < kept.len() / plans.len() {
                rounds += 1;
                // The sender has ended when it needs no more.
                let _ = told.send(());
            }
            let now = super::super::super::clock::monotonic_now();
            assert!(now.saturating_duration_since(start) < kit::DEADLINE, "{:?}", receiver.health());
        }
        sending.join().expect("all was sent");
        assert!(kept.is_sorted_by_key(|k| k.ts_recv_ns));
        for line in 0..plans.len() {
            let numbers = kept.iter().filter(|k| k.line == line);
            let numbers = numbers.map(|k| u32::from_be_bytes(k.payload[..].try_into().expect("four bytes")));
            assert!(numbers.eq(0..each), "line {line} is whole and in order");
        }
    });
}

#[test]
fn a_receiver_that_waits_is_woken_by_datagrams_and_by_its_waker() {
    in_namespace("a_receiver_that_waits", || {
        let to = group(1, 30_008);
        let plans = [line("x/1/A", to, "127.0.0.1"), line("x/1/B", group(2, 30_008), "127.0.0.1")];
        let spinning = receiver(&plans, &options());
        assert!(spinning.waker().is_none());
        let options = super::super::Options { mode: super::super::Mode::Block, ..options() };
        let mut receiver = receiver(&plans, &options);
        let (ask, asked) = std::sync::mpsc::channel();
        let sending = kit::with_namespace(move || {
            let sender = Sender::local();
            for text in asked {
                sender.send(to, text);
            }
        });
        // A wait that were not ended by what comes would fail by its own length.
        let long = kit::DEADLINE * 4;
        let start = super::super::super::clock::monotonic_now();
        for text in [b"one".as_slice(), b"two", b"three"] {
            let mut kept = Vec::new();
            ask.send(text).expect("the sender lives");
            while kept.is_empty() {
                receiver.wait(long);
                take(&mut receiver, &mut kept);
            }
            assert_eq!(kept[0].payload, text);
        }
        drop(ask);
        sending.join().expect("all was sent");
        let waker = receiver.waker().expect("it waits");
        let waking = std::thread::spawn(move || waker.wake());
        receiver.wait(long);
        waking.join().expect("a thread").expect("it can be woken");
        // What is in hand is not waited for, and a wait ends by itself.
        receiver.wait(std::time::Duration::from_millis(1));
        let waited = super::super::super::clock::monotonic_now().saturating_duration_since(start);
        assert!(waited < long, "a wait ended by its length alone");
    });
}

#[test]
fn what_the_machine_lost_is_told_once_to_every_line_with_its_next_datagram() {
    in_namespace("what_the_machine_lost", || {
        let groups = [group(1, 30_009), group(2, 30_009)];
        let plans = groups.map(|g| line(&format!("x/1/{g}"), g, "127.0.0.1"));
        let mut receiver = receiver(&plans, &options());
        let sender = Sender::local();
        let mut told = Vec::new();
        for (to, lost) in [(0, 0), (1, 7), (0, 0), (0, 3), (1, 0)] {
            receiver.counters.care.host_drops.add(lost);
            sender.send(groups[to], b"x");
            told.extend(receive(&mut receiver, 1).into_iter().map(|k| (k.line, k.lost.host, k.lost.socket)));
        }
        assert_eq!(told, [(0, 0, 0), (1, 7, 0), (0, 7, 0), (0, 3, 0), (1, 3, 0)]);
        let health = receiver.health().receiver();
        assert_eq!((health.host_drops, health.host_drops_told), (10, 10));
    });
}

#[test]
fn what_cannot_be_opened_says_which_line_and_what_would_be_right() {
    in_namespace("what_cannot_be_opened", || {
        let good = line("x/1/A", group(1, 30_006), "127.0.0.1");
        let said = |plan: super::super::LinePlan| {
            let opened = super::super::Receiver::open(&[good.clone(), plan], &options());
            opened.err().expect("it cannot be opened").to_string()
        };
        let bad = |group: &str, interface| line("x/1/B", group.parse().expect("an address"), interface);
        assert_eq!(
            said(bad("10.0.0.1:5000", "lo")),
            "line x/1/B: 10.0.0.1:5000 is not an IPv4 multicast group; it should be within 224.0.0.0 to \
             239.255.255.255, with a port above 0"
        );
        assert!(said(bad("239.1.1.1:0", "lo")).contains("with a port above 0"));
        assert_eq!(
            said(bad("[ff05::1]:5000", "lo")),
            "line x/1/B: [ff05::1]:5000 is IPv6, which is not received yet; give the feed's IPv4 group"
        );
        assert_eq!(
            said(bad("239.1.1.1:5000", "eth77")),
            "line x/1/B: no interface of this machine has the name eth77; there are lo (127.0.0.1)"
        );
        assert_eq!(
            said(bad("239.1.1.1:5000", "10.1.2.3")),
            "line x/1/B: no interface of this machine has the address 10.1.2.3; there are lo (127.0.0.1)"
        );
        let unrouted = said(bad("239.1.1.1:5000", ""));
        assert!(unrouted.starts_with("line x/1/B: cannot join 239.1.1.1:5000: No such device"), "{unrouted}");
        let mut lone = bad("239.1.1.1:5000", "");
        lone.sender = Some(Ipv4Addr::new(10, 0, 0, 9));
        assert_eq!(
            said(lone),
            "line x/1/B: to join the sender 10.0.0.9 alone, the interface must be given: its address or its name"
        );
        let mut nobody = bad("239.1.1.1:5000", "lo");
        nobody.sender = Some(Ipv4Addr::new(239, 0, 0, 9));
        assert!(said(nobody).starts_with("line x/1/B: the sender 239.0.0.9 is no host's address"));
        // And nothing of it stayed open or joined.
        let mut receiver = receiver(std::slice::from_ref(&good), &options());
        kit::Sender::local().send(good.group, b"x");
        assert_eq!(said_of(&receive(&mut receiver, 1)), "x");
    });
}

fn said_of(kept: &[kit::Kept]) -> String {
    kept.iter().map(|k| k.said().1).collect()
}
