//! What comes and what does not: losses, silences, delays, copies, lines that are not listened to.

use super::*;
use crate::source::Seal;
use feeds::feed::SequenceUnit;

/// A silence of all lines of `sip` from 10 s to 14 s.
fn silent(lines: usize, missing: u64, open: bool) -> Facts {
    let mut facts = gap(lines);
    facts.alert.kind = Kind::Silent;
    facts.alert.sequence = None;
    facts.alert.channel = None;
    (facts.alert.began_ns, facts.alert.raised_ns) = (10 * SECOND, 12 * SECOND);
    facts.alert.ended_ns = (!open).then_some(14 * SECOND);
    let span = Span { from_ns: 10 * SECOND, to_ns: 14 * SECOND };
    let channel = &mut facts.sources[1].channels[0];
    channel.gaps.clear();
    for line in &mut channel.lines {
        line.silences = vec![Pause { span, open, missing, ..Pause::default() }];
    }
    facts
}

#[test]
fn a_silence_is_told_by_the_numbers_that_follow_it() {
    assert_eq!(verdict(&silent(1, 30, false)), Verdict::Decided(Blame::Network), "the numbering ran on");
    assert_eq!(verdict(&silent(1, 0, false)), sip(), "nothing had been sent");
    let facts = silent(2, 30, false);
    assert_eq!(
        verdict(&facts),
        Verdict::Undecided,
        "all lines at once: a stretch that they share, or the source"
    );
    let asked = explain(&facts).decides.join("; ");
    assert!(asked.contains("whether the lines share a stretch of their paths"), "{asked}");
    let facts = silent(1, 0, true);
    assert_eq!(verdict(&facts), Verdict::Undecided);
    assert!(explain(&facts).decides.join("; ").contains("numbering"), "{:?}", explain(&facts).decides);
}

/// What a line's sender says that it sent.
fn posted(line: usize, packets: u64) -> Posted {
    Posted { known: true, packets, line, identifications: [40, 41 + packets as u16], steps: 500 }
}

#[test]
fn a_sender_that_counts_its_packets_says_whether_it_was_silent() {
    let said = |posted: [Posted; 2], missing, of_line: bool| {
        let mut facts = silent(2, missing, false);
        if of_line {
            facts.alert.channel = Some(facts.sources[1].channels[0].name.clone());
            facts.alert.line = Some(facts.sources[1].channels[0].lines[1].name.clone());
            facts.sources[1].channels[0].lines[0].silences.clear();
            facts.sources[1].channels[0].lines[0].packets = [900, 900];
        }
        for (line, posted) in facts.sources[1].channels[0].lines.iter_mut().zip(posted) {
            line.silences.iter_mut().for_each(|s| s.posted = posted);
        }
        explain(&facts)
    };
    let nothing = said([posted(0, 0), posted(1, 0)], 30, false);
    assert_eq!(nothing.verdict, sip());
    let wanted = "counts its packets (IPv4 identification, 500 steps) and went from 40 on to 41: it sent nothing in between";
    assert!(nothing.because.contains(wanted), "{}", nothing.because);
    assert_eq!(
        said([posted(0, 4), posted(1, 4)], 0, false).verdict,
        Verdict::Decided(Blame::Network),
        "beats"
    );
    assert_eq!(said([posted(0, 0), posted(1, 4)], 30, false).verdict, Verdict::Undecided);
    assert_eq!(said([posted(0, 0), Posted::default()], 30, false).verdict, Verdict::Undecided);
    // Of one line: its sender had stopped, or its path.
    assert_eq!(said([Posted::default(), posted(1, 0)], 0, true).verdict, sip());
    assert_eq!(said([Posted::default(), posted(1, 9)], 0, true).verdict, Verdict::Decided(Blame::Network));
}

#[test]
fn a_sender_that_counts_its_packets_says_whether_it_sent_what_is_missing() {
    let said = |lines, posted: Posted| {
        let mut facts = gap(lines);
        facts.sources[1].channels[0].gaps[0].posted = posted;
        explain(&facts)
    };
    assert_eq!(said(2, Posted::default()).verdict, Verdict::Undecided);
    assert_eq!(said(2, posted(0, 0)).verdict, sip());
    let sent = said(2, posted(0, 2));
    assert_eq!(sent.verdict, Verdict::Decided(Blame::Network));
    assert!(sent.because.contains("from 40 to 43: 2 packets were sent and did not come"), "{}", sent.because);
    assert_eq!(said(1, posted(0, 0)).verdict, sip());
    // What was never sent nobody on this machine can have dropped, even where nothing shows that it ran.
    let mut alone = gap(1);
    alone.sources[1].channels[0].gaps[0].posted = posted(0, 0);
    alone.sources[1].channels[0].gaps[0].elsewhere = 0;
    assert_eq!(verdict(&alone), sip());
    alone.sources[1].channels[0].gaps[0].posted = posted(0, 2);
    assert_eq!(verdict(&alone), Verdict::Undecided, "it was sent, and may have been dropped here");
}

#[test]
fn a_packet_that_is_refused_for_its_numbers_is_named_where_a_gap_is() {
    let mut facts = gap(1);
    let channel = &mut facts.sources[1].channels[0];
    channel.seals = [900, 0];
    channel.errors = vec![Flaw {
        name: "absurd_jump".into(),
        count: 1,
        first_ns: 10 * SECOND - MS,
        first: Spot { sequence: 4_000_000_000, ..Spot::default() },
        times_ns: vec![10 * SECOND - MS],
        seals: vec![Seal::Right],
        refused: true,
    }];
    let said = explain(&facts);
    assert_eq!(said.verdict, sip());
    let wanted = "1 packet came in its place that was refused for its numbers (absurd_jump; the first of all such at seq 4000000000)";
    assert!(said.because.contains(wanted), "{}", said.because);
}

#[test]
fn nothing_else_coming_either_leaves_our_own_capture_open() {
    let mut facts = silent(1, 0, false);
    assert_eq!(standing(&facts, "own_loss"), Standing::Excluded, "the other source went on");
    facts.sources[0].channels[0].lines[0].packets = [0, 0];
    assert_eq!(standing(&facts, "own_loss"), Standing::Open);
    facts.sources[1].channels[0].own_loss_window = 3;
    assert_eq!(standing(&facts, "own_loss"), Standing::Supported);
}

#[test]
fn own_loss_of_a_gap_is_told_by_counters_or_by_what_else_was_taken() {
    let hole = |change: &dyn Fn(&mut ChannelFacts)| {
        let mut facts = gap(1);
        change(&mut facts.sources[1].channels[0]);
        standing(&facts, "own_loss")
    };
    assert_eq!(hole(&|c| c.gaps[0].own = [0, 2]), Standing::Supported);
    assert_eq!(hole(&|c| c.gaps[0].counted = true), Standing::Excluded);
    assert_eq!(hole(&|_| ()), Standing::Excluded, "9 packets of other channels were taken, calmly");
    assert_eq!(hole(&|c| c.gaps[0].elsewhere = 0), Standing::Open, "nothing proves that the capture ran");
    let busy = |c: &mut ChannelFacts| (c.lines[0].peak_before, c.lines[0].peak) = (90, (100, 0));
    assert_eq!(hole(&busy), Standing::Open, "close to the most that ever came");
}

#[test]
fn numbers_are_given_to_messages_when_peers_moved_or_another_copy_brought_them() {
    let change = |change: &dyn Fn(&mut Facts)| {
        let mut facts = gap(1);
        change(&mut facts);
        verdict(&facts)
    };
    let tops = |missed, usual| {
        change(&|f: &mut Facts| {
            f.sources[1].channels[0].gaps[0].tops = missed;
            f.sources[1].channels[0].gaps[0].tops_around = usual;
        })
    };
    assert_eq!(tops([2, 3], [1, 900]), Verdict::Decided(Blame::Network));
    assert_eq!(tops([1, 1], [0, 900]), Verdict::Decided(Blame::Network));
    assert_eq!(tops([0, 3], [0, 900]), Verdict::Undecided, "all were shown");
    assert_eq!(tops([1, 9], [1, 900]), Verdict::Undecided, "among so many one is left out by chance");
    assert_eq!(tops([2, 3], [90, 900]), Verdict::Undecided, "it leaves changes out at other times too");
    assert_eq!(tops([2, 3], [0, 40]), Verdict::Undecided, "how it usually follows is hardly known");
    let copied = |same| {
        change(&|f: &mut Facts| {
            f.sources[1].channels[0].gaps[0].copied = 2;
            f.copies = vec![CopyFacts { source: "other".into(), same, ..CopyFacts::default() }];
        })
    };
    assert_eq!(copied([40, 40]), Verdict::Decided(Blame::Network));
    assert_eq!(copied([20, 40]), Verdict::Undecided, "they are no copies: numbers alike mean nothing");
}

#[test]
fn a_national_best_of_no_quote_that_came_is_that_of_a_lost_one() {
    let broken = |usual, gap_at: u64| {
        let mut facts = gap(1);
        let channel = &mut facts.sources[1].channels[0];
        channel.nationals_usual = usual;
        channel.national_breaks = vec![NationalBreak {
            gap: gap_at,
            instrument: "X".into(),
            national: Some(101 * CENT),
            best: Some(100 * CENT),
            ..NationalBreak::default()
        }];
        explain(&facts)
    };
    let told = broken([0, 5_000], 5);
    assert_eq!(told.verdict, Verdict::Decided(Blame::Network));
    let wanted = "national best bid of X is 1.01, and the best of all participants' quotes that came is 1.00";
    assert!(told.because.contains(wanted), "{}", told.because);
    assert_eq!(broken([0, 5_000], 9).verdict, Verdict::Undecided, "it followed another gap");
    assert_eq!(broken([1, 5_000], 5).verdict, Verdict::Undecided, "it happens without a gap too");
    assert_eq!(broken([0, 50], 5).verdict, Verdict::Undecided, "too few to know");
}

#[test]
fn bytes_that_cannot_be_read_were_sent_so_where_their_checksum_is_right() {
    let sealed = |seals: &[Seal], all: [u64; 2]| {
        let mut facts = gap(1);
        let channel = &mut facts.sources[1].channels[0];
        channel.seals = all;
        channel.errors = vec![Flaw {
            name: "truncated".into(),
            count: 2,
            first_ns: 10 * SECOND - 2 * MS,
            times_ns: vec![10 * SECOND - 2 * MS, 10 * SECOND - MS],
            seals: seals.to_vec(),
            ..Flaw::default()
        }];
        explain(&facts)
    };
    let right = sealed(&[Seal::Right; 2], [900, 0]);
    assert_eq!(right.verdict, sip());
    assert!(
        right.because.contains("2 packets came in its place that cannot be read (truncated"),
        "{}",
        right.because
    );
    assert_eq!(sealed(&[Seal::Wrong; 2], [900, 2]).verdict, Verdict::Decided(Blame::Network));
    assert_eq!(sealed(&[Seal::Wrong; 2], [2, 900]).verdict, Verdict::Undecided, "all of them are wrong");
    assert_eq!(sealed(&[Seal::Right, Seal::Wrong], [900, 1]).verdict, Verdict::Undecided);
    assert_eq!(sealed(&[Seal::None; 2], [0, 0]).verdict, Verdict::Undecided, "none says anything");
    assert_eq!(sealed(&[], [900, 0]).verdict, Verdict::Undecided, "nobody looked");
}

#[test]
fn lines_of_their_own_that_are_late_alike_put_the_delay_before_them() {
    let mut facts = late();
    facts.pairings[0].rest[1] = figures(-900 * MS as i64);
    facts.sources[1].latency = latency(20_000, 900 * MS as i64);
    let line = |name: &str| LineFacts { name: name.into(), packets: [900, 900], ..LineFacts::default() };
    facts.sources[1].channels[0].lines = vec![line("A"), line("B")];
    assert_eq!(verdict(&facts), Verdict::Undecided, "they may share a stretch");
    facts.sources[1].channels[0].separate_interfaces = true;
    assert_eq!(verdict(&facts), sip());
    facts.sources[1].channels[0].lines[1].behind = (9, 80 * MS);
    assert_eq!(verdict(&facts), Verdict::Undecided, "they were not late alike");
}

/// `sip` never quotes the instrument that `direct` does.
fn never_quoted() -> Facts {
    let mut facts = facts(Vec::new());
    facts.alert.kind = Kind::Missing;
    facts.alert.sources = vec!["sip".into()];
    facts.alert.ended_ns = None;
    facts.copies.clear();
    facts.sources[1].instruments = 23;
    facts.pairings = vec![Pairing {
        subject: "sip".into(),
        other: "direct".into(),
        rest: [figures(-400_000); 3],
        others_shared: 23,
        ..Pairing::default()
    }];
    let range = ["A".to_owned(), "Z".to_owned()];
    facts.directory = DirectoryFacts { listed: 23, range, lists_it: false, between: [23, 24] };
    facts
}

#[test]
fn what_a_whole_directory_does_not_list_the_source_does_not_carry() {
    let change = |change: &dyn Fn(&mut Facts)| {
        let mut facts = never_quoted();
        change(&mut facts);
        verdict(&facts)
    };
    assert_eq!(change(&|_| ()), sip());
    assert_eq!(change(&|f| f.directory.lists_it = true), sip(), "listed and never quoted");
    assert_eq!(change(&|f| f.directory = DirectoryFacts::default()), Verdict::Undecided, "no directory");
    assert_eq!(
        change(&|f| f.directory.between = [12, 24]),
        Verdict::Undecided,
        "half are on another channel"
    );
    assert_eq!(
        change(&|f| f.directory.range[0] = "Y".into()),
        Verdict::Undecided,
        "names of another channel"
    );
    assert_eq!(change(&|f| f.sources[1].channels[0].began_midway = true), Verdict::Undecided);
    let lost = |at_ns| {
        change(&|f: &mut Facts| {
            let hole = Hole { first: 5, last: 6, count: 2, began_ns: at_ns, ..Hole::default() };
            f.sources[1].channels[0].gaps = vec![hole];
            f.sources[0].updates = [0, 0];
        })
    };
    assert_eq!(lost(2 * SECOND), Verdict::Undecided, "the entry may be among what was lost");
    assert_eq!(lost(15 * SECOND), sip(), "lost after it had been told");
}

/// `sip` and `backup` as copies of one feed; `sip` stood still from 9.9 s on with heartbeats.
fn second_site() -> Facts {
    let mut facts = late();
    facts.alert.kind = Kind::Stale;
    facts.alert.sources = vec!["sip".into()];
    facts.alert.raised_ns = 12 * SECOND;
    facts.alert.ended_ns = Some(14 * SECOND);
    let span = Span { from_ns: 9_900 * MS, to_ns: 14 * SECOND };
    facts.sources[1].channels[0].pauses = vec![Pause { span, arrivals: 3, ..Pause::default() }];
    facts.copies = vec![CopyFacts {
        source: "backup".into(),
        same: [200, 200],
        own_last: (77, 9_900 * MS),
        other_last: (99, 11 * SECOND),
        went_on: 22,
    }];
    facts
}

#[test]
fn one_site_that_stands_still_while_the_other_goes_on_is_its_own_fault() {
    let facts = second_site();
    let finding = found(&facts, "second_site");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    // The other stood still too: it lies before the sites part.
    let mut both = second_site();
    both.copies[0].went_on = 0;
    assert_eq!(standing(&both, "second_site"), Standing::Excluded);
    // Its own numbering went on: it did not stand still.
    let mut on = second_site();
    on.copies[0].own_last.1 = 11 * SECOND;
    assert_eq!(standing(&on, "second_site"), Standing::Excluded);
    // Nothing came at all: its sender or the path.
    let mut nothing = second_site();
    nothing.sources[1].channels[0].pauses[0].arrivals = 0;
    let finding = found(&nothing, "second_site");
    assert_eq!((finding.standing, finding.blames.len()), (Standing::Open, 2));
    let mut strangers = second_site();
    strangers.copies[0].same = [100, 200];
    assert_eq!(standing(&strangers, "second_site"), Standing::NotApplicable);
}

#[test]
fn a_gap_that_the_other_site_brought_was_sent() {
    let mut facts = gap(1);
    facts.copies = second_site().copies;
    assert_eq!(standing(&facts, "second_site"), Standing::Excluded, "the other lacks it as well");
    facts.sources[1].channels[0].gaps[0].copied = 1;
    let finding = found(&facts, "second_site");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::Network]));
}

#[test]
fn an_instrument_on_a_group_that_nobody_joins_has_moved() {
    let mut facts = late();
    assert_eq!(standing(&facts, "moved"), Standing::Excluded);
    let elsewhere = |source: &str, first_ns| Elsewhere {
        source: source.into(),
        group: "233.0.0.9:1".into(),
        first_ns,
        last_ns: first_ns,
        quotes: 4,
    };
    facts.tape.elsewhere = vec![elsewhere("sip", 9 * SECOND)];
    let finding = found(&facts, "moved");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::ReferenceData]));
    facts.tape.elsewhere = vec![elsewhere("third", 9 * SECOND)];
    assert_eq!(standing(&facts, "moved"), Standing::Excluded, "another source's");
    facts.tape.elsewhere = vec![elsewhere("sip", 20 * SECOND)];
    assert_eq!(standing(&facts, "moved"), Standing::Excluded, "after the alert was over");
    facts.tape.elsewhere = vec![elsewhere("sip", MS)];
    facts.views[1].shown.push(shown(10 * SECOND + MS, 101, 105));
    assert_eq!(standing(&facts, "moved"), Standing::Excluded, "a copy: the lines bring it as well");
    facts.alert.kind = Kind::Gap;
    assert_eq!(standing(&facts, "moved"), Standing::NotApplicable);
}

#[test]
fn what_has_moved_away_is_neither_late_nor_stopped() {
    let mut facts = facts(vec![shown(MS, 100, 105)]);
    assert_eq!(standing(&facts, "late"), Standing::Supported);
    let (first_ns, group) = (9 * SECOND, "233.0.0.9:1".to_owned());
    facts.tape.elsewhere =
        vec![Elsewhere { source: "sip".into(), group, first_ns, last_ns: 11 * SECOND, quotes: 4 }];
    for name in ["late", "stopped", "path", "conflation"] {
        assert_eq!(standing(&facts, name), Standing::Excluded, "{name}");
    }
    let wanted = Verdict::Decided(Blame::ReferenceData);
    assert_eq!(verdict(&facts), wanted, "{:?}", explain(&facts).because);
}

/// A flat rate of `sip` where it had been uneven, its instruments late.
fn saturated() -> Facts {
    let mut facts = late();
    facts.sources[1].rate =
        Rate { bucket_ns: 100 * MS, before: ([10, 40, 90], 40), during: ([95, 100, 104], 12) };
    facts.pairings[0].rest_stretch = figures(-60 * MS as i64);
    facts
}

#[test]
fn a_rate_that_stands_still_while_everything_is_late_is_a_full_line() {
    let mut facts = saturated();
    let finding = found(&facts, "saturation");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    // What comes late after its own stamps may have been held up on the way.
    facts.sources[1].latency = latency(20_000, 60 * MS as i64);
    assert_eq!(standing(&facts, "saturation"), Standing::Open);
    for change in [
        |f: &mut Facts| f.sources[1].rate.during.0 = [20, 100, 180],
        |f: &mut Facts| f.sources[1].rate.before.0 = [95, 100, 104],
        |f: &mut Facts| f.sources[1].rate.during.1 = 3,
        |f: &mut Facts| f.sources[1].rate.during.0 = [4, 4, 4],
        |f: &mut Facts| f.pairings[0].rest_stretch = figures(-400_000),
    ] {
        let mut facts = saturated();
        change(&mut facts);
        assert_eq!(standing(&facts, "saturation"), Standing::Excluded);
    }
    // One participant's quotes stand still while all packets go up and down: closer together than chance has it.
    let mut one = saturated();
    one.sources[1].rate.during.0 = [60, 80, 110];
    assert_eq!(standing(&one, "saturation"), Standing::Excluded);
    let venue_rate =
        |before, during| Rate { bucket_ns: 100 * MS, before: (before, 40), during: (during, 12) };
    one.sources[1].venue_rate = venue_rate([45, 66, 80], [50, 50, 51]);
    let said = found(&one, "saturation").supports.join("; ");
    assert!(said.contains("sip brings 50 to 51 quotes of XNAS in each 100ms"), "{said}");
    one.sources[1].venue_rate = venue_rate([62, 66, 70], [50, 50, 51]);
    assert_eq!(standing(&one, "saturation"), Standing::Excluded, "it is always that even");
    one.sources[1].venue_rate = venue_rate([45, 66, 80], [36, 50, 64]);
    assert_eq!(standing(&one, "saturation"), Standing::Excluded, "as chance scatters them");
}

#[test]
fn late_without_a_peer_is_told_by_its_own_stamps_alone() {
    let mut facts = late();
    facts.alert.kind = Kind::Crossed;
    facts.alert.scope = Some("source".into());
    facts.alert.sources = vec!["sip".into()];
    facts.views.remove(0);
    assert_eq!(standing(&facts, "late"), Standing::Excluded);
    facts.sources[1].latency = latency(20_000, 80 * MS as i64);
    assert_eq!(standing(&facts, "late"), Standing::Open);
}

#[test]
fn what_never_came_to_show_the_peers_price_was_not_late() {
    assert_eq!(standing(&wrong(), "late"), Standing::Excluded);
    let mut never = facts(vec![shown(MS, 100, 105)]);
    assert_eq!(standing(&never, "late"), Standing::Supported, "25 ms after the venue left it");
    (never.alert.raised_ns, never.alert.ended_ns) = (10 * SECOND + 20 * MS, Some(10 * SECOND + 20 * MS));
    assert_eq!(standing(&never, "late"), Standing::Excluded, "within a flight, and never after");
    // Within five milliseconds it is a flight.
    let quick = facts(vec![shown(MS, 100, 105), shown(10 * SECOND + 4 * MS, 101, 105)]);
    assert_eq!(standing(&quick, "late"), Standing::Excluded);
    let slow = facts(vec![shown(MS, 100, 105), shown(10 * SECOND + 6 * MS, 101, 105)]);
    assert_eq!(standing(&slow, "late"), Standing::Supported);
}

#[test]
fn a_source_that_carries_others_and_never_this_one_is_asked_for_its_directory() {
    let mut facts = late();
    assert_eq!(standing(&facts, "not_carried"), Standing::NotApplicable);
    facts.alert.kind = Kind::Missing;
    facts.alert.sources = vec!["sip".into()];
    facts.sources[1].instruments = 23;
    let finding = found(&facts, "not_carried");
    assert_eq!((finding.standing, finding.blames.len()), (Standing::Open, 3));
    assert!(finding.decides.iter().any(|d| d.contains("directory")), "{finding:?}");
    let like =
        Likeness { source: "sip".into(), instrument: "Y".into(), equal: [19, 20], ..Likeness::default() };
    facts.likenesses = vec![like];
    assert_eq!(standing(&facts, "not_carried"), Standing::Excluded);
    assert_eq!(standing(&facts, "symbol_map"), Standing::Supported);
}

#[test]
fn rows_of_quotes_that_come_again_are_old_data_where_they_are_many() {
    let mut facts = wrong();
    assert_eq!(standing(&facts, "old_data"), Standing::Excluded);
    let echoes = |during, elsewhere| Echoes { during, elsewhere, ..Echoes::default() };
    facts.sources[1].echoes = echoes([30, 40], [1, 900]);
    let finding = found(&facts, "old_data");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    facts.sources[1].echoes = echoes([30, 400], [1, 9_000]);
    assert_eq!(standing(&facts, "old_data"), Standing::Open, "many more than ever, and yet few of all");
    facts.sources[1].echoes = echoes([30, 40], [500, 900]);
    assert_eq!(standing(&facts, "old_data"), Standing::Excluded, "it always does");
    facts.sources[1].echoes = echoes([5, 6], [0, 900]);
    assert_eq!(standing(&facts, "old_data"), Standing::Excluded, "too few");
}

#[test]
fn what_the_venue_has_left_for_longer_than_a_flight_is_behind_even_if_it_never_follows() {
    let mut facts = facts(vec![
        shown(MS, 100, 105),
        shown(9 * SECOND + MS, 102, 105),
        // It goes back to what the venue had left a second ago.
        shown(10 * SECOND + MS, 100, 105),
    ]);
    facts.views[0].shown = vec![
        shown(0, 100, 105),
        shown(9 * SECOND, 102, 105),
        shown(10 * SECOND, 101, 105),
        shown(11 * SECOND, 100, 105),
    ];
    facts.alert.kind = Kind::Lagging;
    let finding = found(&facts, "late");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    assert_eq!(verdict(&facts), sip());
    // Of a source that says nothing at all meanwhile it is not known whether it had sent.
    let span = Span { from_ns: 10 * SECOND + 10 * MS, to_ns: 12 * SECOND };
    facts.sources[1].channels[0].pauses = vec![Pause { span, open: true, ..Pause::default() }];
    assert_ne!(standing(&facts, "late"), Standing::Supported);
    facts.sources[1].channels[0].pauses.clear();
    // A venue's feed that is late itself proves nothing of the sort.
    facts.sources[0].latency = latency(20_000, 60 * MS as i64);
    assert_eq!(standing(&facts, "late"), Standing::Excluded);
}

#[test]
fn gaps_smaller_than_the_news_of_an_instrument_do_not_hide_it() {
    let mut facts = late();
    facts.alert.kind = Kind::Missing;
    facts.alert.sources = vec!["sip".into()];
    let hole = Hole { first: 5, last: 6, count: 2, began_ns: 9 * SECOND, ..Hole::default() };
    facts.sources[1].channels[0].gaps = vec![hole];
    for name in ["own_loss", "gap_at_source"] {
        assert_eq!(standing(&facts, name), Standing::Excluded, "{name}: 50 updates at the peer");
    }
    // Two packets may have held any number of messages.
    facts.sources[1].channels[0].unit = SequenceUnit::Packet;
    for name in ["own_loss", "gap_at_source"] {
        assert_eq!(standing(&facts, name), Standing::Open, "{name}: packets");
    }
    facts.sources[1].channels[0].unit = SequenceUnit::Message;
    facts.sources[1].channels[0].gaps[0].count = 40;
    for name in ["own_loss", "gap_at_source"] {
        assert_eq!(standing(&facts, name), Standing::Open, "{name}");
    }
    // Every instrument of the source is there at its peer under the same name.
    assert_eq!(standing(&facts, "symbol_map"), Standing::Open);
    facts.sources[1].instruments = 9;
    (facts.pairings[0].subject, facts.pairings[0].other) = ("sip".into(), "direct".into());
    assert_eq!(standing(&facts, "symbol_map"), Standing::Excluded);
}

#[test]
fn what_cannot_be_read_is_told_of_the_gap_in_which_it_came() {
    let mut facts = gap(1);
    let flaw = Flaw { name: "truncated".into(), count: 2, first_ns: SECOND, ..Flaw::default() };
    facts.sources[1].channels[0].errors = vec![Flaw { times_ns: vec![SECOND, 2 * SECOND], ..flaw.clone() }];
    assert!(!found(&facts, "path").supports.iter().any(|s| s.contains("cannot be read")), "long before it");
    facts.sources[1].channels[0].errors =
        vec![Flaw { times_ns: vec![SECOND, 10 * SECOND - 2 * MS], ..flaw.clone() }];
    let said = found(&facts, "path").supports.join("; ");
    assert!(said.starts_with("1 packet came in its place that cannot be read (truncated;"), "{said}");
    // So many that not all are dated.
    facts.sources[1].channels[0].errors = vec![Flaw { count: 900, times_ns: vec![SECOND], ..flaw }];
    assert!(found(&facts, "path").supports.iter().any(|s| s.contains("cannot be read")));
}

#[test]
fn a_leader_whose_prices_its_peer_only_repeats_has_not_stopped() {
    // `direct` moved a second ago and rests; `sip` comes to show it now.
    let mut facts = facts(vec![shown(MS, 100, 105), shown(11 * SECOND, 101, 105)]);
    facts.alert.kind = Kind::Lagging;
    facts.alert.sources = vec!["sip".into(), "direct".into()];
    let span = Span { from_ns: 10 * SECOND, to_ns: 11 * SECOND + 500 * MS };
    facts.sources[0].channels[0].pauses = vec![Pause { span, ..Pause::default() }];
    facts.sources[1].latency = latency(20_000, 900 * MS as i64);
    facts.pairings[0].rest[1] = figures(-900 * MS as i64);
    let finding = found(&facts, "stopped");
    assert!(!finding.blames.contains(&Blame::source("direct")), "{finding:?}");
    // What `direct` never showed it may have missed.
    facts.views[1].shown[1] = shown(11 * SECOND - 200 * MS, 103, 105);
    let finding = found(&facts, "stopped");
    assert!(finding.blames.contains(&Blame::source("direct")), "{finding:?}");
}

#[test]
fn next_to_nothing_left_out_is_no_conflation() {
    let mut facts = late();
    facts.views[0].shown = (0..14).map(|n| shown(n * SECOND, 100 + (n % 7) as i64, 120)).collect();
    facts.views[1].shown = (0..13).map(|n| shown(n * SECOND + MS, 100 + (n % 7) as i64, 120)).collect();
    assert_eq!(standing(&facts, "conflation"), Standing::Excluded);
}

#[test]
fn a_source_that_is_as_late_as_ever_is_judged_by_its_times_and_not_by_what_is_usual() {
    let always = |sent_ns: Option<i64>, stamped_ns: i64| {
        let mut facts = late();
        // `sip` shows what `direct` moved to a second later, and it always did.
        let second = SECOND as i64;
        facts.pairings[0].own = [figures(-second); 3];
        facts.pairings[0].rest = [figures(-second); 3];
        facts.sources[1].latency = latency(stamped_ns, stamped_ns);
        if let Some(ns) = sent_ns {
            facts.sources[1].send_latency = latency(ns, ns);
        }
        facts.capture_clock.errors_ns = vec![("direct".into(), MS), ("sip".into(), MS)];
        facts
    };
    // Sent in time: its way takes a second. It is not late of itself, and it has not stopped.
    let mut facts = always(Some(SECOND as i64), SECOND as i64);
    assert_eq!(verdict(&facts), Verdict::Decided(Blame::Network), "{:?}", explain(&facts));
    for name in ["late", "stopped", "clock"] {
        assert_eq!(standing(&facts, name), Standing::Excluded, "{name}");
    }
    // Nobody says how far the clocks of the two capture points are apart.
    facts.capture_clock.errors_ns.clear();
    assert_eq!(standing(&facts, "clock"), Standing::Open);
    assert_eq!(verdict(&facts), Verdict::Undecided);
    // Sent a second late, by its own word; or stamped so.
    assert_eq!(verdict(&always(Some(20_000), SECOND as i64)), sip());
    assert_eq!(verdict(&always(None, 20_000)), sip());
    // Stamped in time, and nobody knows when it was sent.
    let facts = always(None, SECOND as i64);
    assert_eq!(verdict(&facts), Verdict::Undecided);
    assert_eq!((standing(&facts, "late"), standing(&facts, "path")), (Standing::Open, Standing::Open));
    // The peer came back at once to what the source still shows: it is as late as ever all the same.
    let mut facts = always(Some(SECOND as i64), SECOND as i64);
    facts.alert.kind = Kind::Lagging;
    facts.alert.sources.swap(0, 1);
    facts.views[1].shown.truncate(1);
    assert_eq!(standing(&facts, "path"), Standing::Supported);
    // A second later than ever is another thing.
    let mut facts = always(None, 20_000);
    facts.pairings[0].own[0] = figures(-400_000);
    assert!(
        found(&facts, "late").supports[0].contains("usual is 400us after"),
        "{:?}",
        found(&facts, "late")
    );
}

#[test]
fn where_there_is_seldom_news_no_missing_number_proves_nothing() {
    let mut facts = silent(1, 0, false);
    assert_eq!(verdict(&facts), sip());
    // Before it there were three seconds of heartbeats only.
    let span = Span { from_ns: 5 * SECOND, to_ns: 8 * SECOND };
    facts.sources[1].channels[0].pauses = vec![Pause { span, arrivals: 3, ..Pause::default() }];
    assert_eq!(verdict(&facts), Verdict::Undecided);
    for name in ["path", "stopped"] {
        assert_eq!(standing(&facts, name), Standing::Open, "{name}");
    }
    // Much shorter ones are nothing beside it.
    facts.sources[1].channels[0].pauses[0].span.to_ns = 6 * SECOND;
    assert_eq!(verdict(&facts), sip());
}

#[test]
fn the_time_between_two_heartbeats_before_a_silence_is_not_the_silence() {
    let mut facts = silent(1, 7, false);
    let line = &mut facts.sources[1].channels[0].lines[0];
    let beat = Span { from_ns: 9 * SECOND, to_ns: 10 * SECOND };
    line.silences.insert(0, Pause { span: beat, ..line.silences[0] });
    line.silences[0].missing = 0;
    assert_eq!(
        verdict(&facts),
        Verdict::Decided(Blame::Network),
        "the numbering ran on in the silence itself"
    );
    assert_eq!(standing(&facts, "stopped"), Standing::Excluded);
    // A line that went on with its heartbeats meanwhile shows that the capture was running.
    let other = &mut facts.sources[0].channels[0].lines[0];
    other.silences = vec![Pause { span: beat, ..Pause::default() }];
    assert_eq!(standing(&facts, "own_loss"), Standing::Excluded);
}

#[test]
fn what_is_over_as_it_is_raised_is_shown_at_its_last_moment() {
    let mut facts = late();
    assert_eq!(facts.told_ns(), facts.alert.raised_ns);
    // The late packet itself showed the lag, and ended it.
    facts.alert.raised_ns = 11 * SECOND;
    assert_eq!(facts.told_ns(), 11 * SECOND - 1);
    facts.alert.ended_ns = Some(facts.alert.began_ns);
    assert_eq!(facts.told_ns(), facts.alert.began_ns);
}

#[test]
fn a_source_that_is_always_ahead_does_not_follow_what_its_peer_repeats() {
    // `direct` goes 100, 101, 100 within a tenth of a second and back to 101 at last; `sip` repeats it all 40 ms later, and its
    // first 101 comes before that last one.
    let at = |ms: u64| 10 * SECOND + ms * MS;
    let told = |usual_ns: i64| {
        let mut facts = facts(vec![shown(0, 100, 105), shown(at(40), 101, 105), shown(at(70), 100, 105)]);
        facts.views[0].shown = vec![
            shown(0, 100, 105),
            shown(at(0), 101, 105),
            shown(at(30), 100, 105),
            shown(at(60), 101, 105),
        ];
        facts.sources[0].latency = Latency::default();
        facts.alert.ended_ns = Some(at(100));
        facts.pairings[0].own[0] = figures(usual_ns);
        facts.pairings[0].rest = [figures(usual_ns); 3];
        found(&facts, "late").supports.join("; ")
    };
    let said = told(-(40 * MS as i64));
    assert!(said.contains("sip came to show") && !said.contains("direct came to show"), "{said}");
    // Two that usually are together: it followed.
    let said = told(0);
    assert!(said.contains("direct came to show 1 of 2 new prices of sip"), "{said}");
}
