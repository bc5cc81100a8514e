//! Interfaces that go and come, A and B on cables of their own, and what a small buffer drops.

use std::net::Ipv4Addr;

use super::super::{NetEvent, What};
use super::kit::{
    Sender, cable, group, in_namespace, ip, line, options, receive, receiver, said, take, until,
};

const SECOND: u64 = 1_000_000_000;

/// Events that are about lines: what the machine as a whole loses in the meantime is nobody's business here.
fn of_lines(events: Vec<NetEvent>) -> Vec<(usize, What)> {
    events.into_iter().filter_map(|event| Some((event.line?, event.what))).collect()
}

#[test]
fn two_lines_with_one_group_and_port_hear_their_own_cable_alone() {
    in_namespace("two_lines_with_one_group", || {
        if !cable("a", 1) || !cable("b", 2) {
            return;
        }
        let to = group(1, 31_001);
        let plans = [line("x/1/A", to, "10.1.0.2"), line("x/1/B", to, "br")];
        let mut receiver = receiver(&plans, &options());
        let senders = [Sender::new(Ipv4Addr::new(10, 1, 0, 1)), Sender::new(Ipv4Addr::new(10, 2, 0, 1))];
        let order = [0, 0, 1, 0, 1, 1, 0, 0];
        for (n, from) in order.into_iter().enumerate() {
            senders[from].send(to, n.to_string().as_bytes());
        }
        let mut kept = receive(&mut receiver, order.len());
        take(&mut receiver, &mut kept);
        let of = |line| kept.iter().filter(|k| k.line == line).map(|k| k.said().1).collect::<String>();
        assert_eq!([of(0), of(1)], ["01367", "245"]);
        for one in &kept {
            assert_eq!(one.source, senders[one.line].source_on(one.line));
        }
    });
}

#[test]
fn an_interface_that_goes_down_and_up_is_told_and_its_group_stays_joined() {
    in_namespace("an_interface_that_goes_down", || {
        if !cable("a", 1) {
            return;
        }
        let to = group(1, 31_002);
        let mut receiver = receiver(&[line("x/1/A", to, "10.1.0.2")], &options());
        let sender = Sender::new(Ipv4Addr::new(10, 1, 0, 1));
        let up =
            |receiver: &super::super::Receiver| (receiver.lines()[0].joined, receiver.lines()[0].link_up);
        assert_eq!(of_lines(receiver.tend(SECOND)), []);
        assert!(ip("link set dev ar down"));
        let interface = "ar".to_owned();
        assert_eq!(
            of_lines(receiver.tend(2 * SECOND)),
            [(0, What::LinkDown { interface: interface.clone() })]
        );
        assert_eq!(up(&receiver), (true, false));
        assert_eq!(of_lines(receiver.tend(3 * SECOND)), []);
        assert!(ip("link set dev ar up"));
        // The carrier of a cable may take a moment.
        let events = super::kit::eventually(|| of_lines(receiver.tend(4 * SECOND)));
        assert_eq!(events, [(0, What::LinkUp { interface })]);
        assert_eq!(up(&receiver), (true, true));
        let kept = resend(&mut receiver, &sender, to);
        assert!(kept.iter().all(|text| text == "again"));
        assert_eq!(receiver.lines()[0].rejoins, 0);
    });
}

/// Sends until something arrives: an interface that was set up forwards when it is ready, which nothing tells.
fn resend(receiver: &mut super::super::Receiver, sender: &Sender, to: std::net::SocketAddr) -> Vec<String> {
    let kept = until(receiver, |kept| {
        sender.send(to, b"again");
        !kept.is_empty()
    });
    said(&kept).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn an_address_that_goes_is_told_and_leaves_its_interface_joined() {
    in_namespace("an_address_that_goes", || {
        if !cable("a", 1) {
            return;
        }
        let to = group(1, 31_006);
        let plan = line("x/1/A", to, "10.1.0.2");
        let mut receiver = receiver(std::slice::from_ref(&plan), &options());
        let sender = Sender::new(Ipv4Addr::new(10, 1, 0, 1));
        assert_eq!(of_lines(receiver.tend(SECOND)), []);
        assert!(ip("addr del 10.1.0.2/24 dev ar"));
        let gone = What::InterfaceGone { interface: plan.interface.clone() };
        assert_eq!(of_lines(receiver.tend(2 * SECOND)), [(0, gone)]);
        assert_eq!((receiver.lines()[0].joined, receiver.lines()[0].link_up), (true, false));
        sender.send(to, b"still");
        assert_eq!(said(&receive(&mut receiver, 1)), [(0, "still".to_owned())]);
        assert!(ip("addr add 10.1.0.2/24 dev ar"));
        let up = What::LinkUp { interface: "ar".to_owned() };
        assert_eq!(of_lines(receiver.tend(3 * SECOND)), [(0, up)]);
        // It moves to another interface, and the group with it.
        assert!(cable("b", 2));
        assert!(ip("addr del 10.1.0.2/24 dev ar") && ip("addr add 10.1.0.2/24 dev br"));
        let joined = What::Joined { interface: "br".to_owned() };
        assert_eq!(of_lines(receiver.tend(4 * SECOND)), [(0, joined)]);
        sender.send(to, b"not here");
        Sender::new(Ipv4Addr::new(10, 2, 0, 1)).send(to, b"here");
        let mut kept = receive(&mut receiver, 1);
        take(&mut receiver, &mut kept);
        assert_eq!(said(&kept), [(0, "here".to_owned())]);
        assert_eq!(receiver.lines()[0].rejoins, 1);
    });
}

#[test]
fn an_interface_that_is_made_anew_is_joined_again() {
    in_namespace("an_interface_that_is_made_anew", || {
        if !cable("a", 1) {
            return;
        }
        let (to, only) = (group(1, 31_003), group(2, 31_003));
        let mut plans =
            [line("x/1/A", to, "10.1.0.2"), line("x/2/A", only, "ar"), line("x/3/A", group(3, 31_003), "lo")];
        plans[1].sender = Some(Ipv4Addr::new(10, 1, 0, 1));
        let mut receiver = receiver(&plans, &options());
        assert_eq!(of_lines(receiver.tend(SECOND)), []);
        // Seen while it is gone.
        assert!(ip("link del as"));
        let gone = |at: usize| (at, What::InterfaceGone { interface: plans[at].interface.clone() });
        assert_eq!(of_lines(receiver.tend(2 * SECOND)), [gone(0), gone(1)]);
        let joined =
            |r: &super::super::Receiver| r.lines().iter().map(|l| (l.joined, l.link_up)).collect::<Vec<_>>();
        assert_eq!(joined(&receiver), [(false, false), (false, false), (true, true)]);
        assert_eq!(of_lines(receiver.tend(3 * SECOND)), []);
        for round in 0..2 {
            if round == 1 {
                // Not seen while it was gone: it is another one at once.
                assert!(ip("link del as"));
            }
            assert!(cable("a", 1));
            let mut events = of_lines(receiver.tend(4 * SECOND));
            let sender = Sender::new(Ipv4Addr::new(10, 1, 0, 1));
            assert!(resend(&mut receiver, &sender, to).iter().all(|text| text == "again"));
            assert!(resend(&mut receiver, &sender, only).iter().all(|text| text == "again"));
            events.extend(of_lines(receiver.tend(5 * SECOND)));
            let on = |at: usize| (at, What::Joined { interface: "ar".to_owned() });
            events.retain(|(_, what)| matches!(what, What::Joined { .. } | What::JoinFailed { .. }));
            assert_eq!(events, [on(0), on(1)]);
            assert_eq!(joined(&receiver), [(true, true); 3]);
            let rejoins: Vec<_> = receiver.lines().iter().map(|l| l.rejoins).collect();
            assert_eq!(rejoins, [round + 1, round + 1, 0]);
        }
    });
}

#[test]
fn a_silent_line_is_joined_again_and_said_once() {
    in_namespace("a_silent_line", || {
        let to = group(1, 31_004);
        let mut plans = [line("x/1/A", to, "127.0.0.1"), line("x/1/B", group(2, 31_004), "lo")];
        plans[0].sender = Some(Ipv4Addr::LOCALHOST);
        let options = super::super::Options { rejoin_after_ns: 10 * SECOND, ..options() };
        let mut receiver = receiver(&plans, &options);
        let rejoined = |silent| What::Rejoined { silent_ns: silent * SECOND };
        let at =
            |receiver: &mut super::super::Receiver, second: u64| of_lines(receiver.tend(second * SECOND));
        assert_eq!(at(&mut receiver, 100), []);
        assert_eq!(at(&mut receiver, 109), []);
        assert_eq!(at(&mut receiver, 110), [(0, rejoined(10)), (1, rejoined(10))]);
        for second in [111, 119, 120, 129, 130] {
            assert_eq!(at(&mut receiver, second), []);
        }
        assert_eq!(receiver.lines().iter().map(|l| l.rejoins).collect::<Vec<_>>(), [3, 3]);
        // It is joined indeed, and what it hears ends the silence.
        Sender::local().send(to, b"x");
        assert_eq!(said(&receive(&mut receiver, 1)), [(0, "x".to_owned())]);
        assert_eq!(at(&mut receiver, 131), []);
        assert_eq!(at(&mut receiver, 140), []);
        assert_eq!(at(&mut receiver, 141), [(0, rejoined(10))]);
        assert_eq!(receiver.lines().iter().map(|l| l.rejoins).collect::<Vec<_>>(), [4, 4]);
    });
}

#[test]
fn what_a_small_buffer_drops_is_counted_once_and_told_in_its_place() {
    in_namespace("what_a_small_buffer_drops", || {
        let to = group(1, 31_005);
        let options = super::super::Options { receive_buffer: 8192, ..options() };
        let mut receiver =
            receiver(&[line("x/1/A", to, "127.0.0.1"), line("x/1/B", group(2, 31_005), "lo")], &options);
        let sender = Sender::local();
        let (mut sent, mut got, mut told) = (0_u64, 0, 0);
        for burst in [200_u64, 3, 500, 1] {
            for _ in 0..burst {
                sender.send(to, &sent.to_be_bytes());
                sent += 1;
            }
            // Nothing of it is on its way any more when received and dropped are what was sent.
            let kept = super::kit::settled(&mut receiver, |health| {
                health[0].datagrams + health[0].kernel_drops == sent
            });
            for one in &kept {
                let number = u64::from_be_bytes(one.payload.as_slice().try_into().expect("eight bytes"));
                told += u64::from(one.lost.socket);
                got += 1;
                // Everything before it was received or has been told as lost by now.
                assert_eq!(got + told, number + 1, "{one:?}");
            }
        }
        let health = receiver.lines()[0];
        assert!(health.kernel_drops > 0, "{health:?}");
        assert_eq!((health.datagrams, health.kernel_drops_told), (got, told));
        assert_eq!(health.datagrams + health.kernel_drops, sent);
        assert_eq!(receiver.lines()[1].kernel_drops, 0);
    });
}
