//! The source runs late.

use super::super::facts::{Facts, Figures, Pairing, Pause, Shown, SourceFacts, Span};
use super::words::{
    LATE_NS, after, doubts, has_moved, is_authority, late_alike, length, many, many_of, moment, pair_of,
    pairing, pauses, place, price, prices, rest_is_current, rose, sides,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "late",
    title: "the source runs late",
    document: "\
Tests        Whether a source shows its peer's prices, but later than usual, and since when that built up.
For          Matched updates of the instrument lag by more than usual, or what it shows the venue's own feed had left for longer
             than a flight; and the delay arose before the source sent: only some of its instruments are late, its stamps of
             sending are as fresh as ever, or all its lines on interfaces of their own are late alike.
Against      It never came to show the peer's prices, or its updates come as early as ever. It is always that late, and its
             packets always come that long after their time of sending.
Would decide Its own times of sending; a capture nearer to it.
Blames       the source that is late.",
    test,
};

/// A source's word on a venue may be older than the venue's own by so much.
const FLIGHT_NS: u64 = 20_000_000;

/// What comes later than this after the alert follows nothing of it.
const AFTER_NS: u64 = 2_000_000_000;

fn test(facts: &Facts) -> Finding {
    if !matches!(
        facts.alert.kind,
        Kind::Divergent | Kind::Lagging | Kind::Stale | Kind::Crossed | Kind::Locked
    ) {
        return Finding::not_applicable();
    }
    let Some(pair) = pair_of(facts) else { return alone(facts) };
    let mut against = Vec::new();
    let mut opened: Option<Finding> = None;
    for (late, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        match of_source(facts, late, other) {
            Lateness::No(sentence) => against.push(sentence),
            Lateness::Yes(finding) if finding.standing == super::Standing::Supported => return finding,
            Lateness::Yes(finding) => opened = opened.or(Some(finding)),
        }
    }
    if let Some(finding) = opened {
        return against.into_iter().fold(finding, Finding::but);
    }
    let blames = pair.map(|s| Blame::source(&s.name));
    against.into_iter().fold(Finding::about(&blames), Finding::but).is(super::Standing::Excluded)
}

/// Of a source that has no peer in this: what its own stamps say.
fn alone(facts: &Facts) -> Finding {
    let Some(subject) = facts.subject() else {
        return Finding::about(&[]).ask("the alert of one of the composite's parts: explain that");
    };
    let finding = Finding::about(&[Blame::source(&subject.name)]);
    match rose(&subject.latency.before, &subject.latency.during) {
        Some(by) if by > LATE_NS => finding
            .with(format!("its messages came {} later than usual after its own stamps", length(by)))
            .ask(format!("{}'s own times of sending", subject.name)),
        _ => finding.excluded("its messages came as soon as ever after its own stamps, or carry none"),
    }
}

enum Lateness {
    No(String),
    Yes(Finding),
}

/// A peer's new price that the source came to show later.
struct Followed<'a> {
    price: i64,
    first: &'a Shown,
    then: &'a Shown,
}

impl Followed<'_> {
    fn by_ns(&self) -> u64 {
        self.then.at_ns - self.first.at_ns
    }
}

/// How many new prices a peer showed while the alert lasted, and those that the source came to show later.
fn followed<'a>(facts: &'a Facts, late: &SourceFacts, other: &SourceFacts) -> (u64, Vec<Followed<'a>>) {
    let during = facts.during();
    let until = facts.window.to_ns.min(during.to_ns.saturating_add(AFTER_NS));
    let after = Span { from_ns: during.from_ns.saturating_sub(1), to_ns: until };
    let Some((view, peer)) = facts.view_of(&late.name).zip(facts.view_of(&other.name)) else {
        return (0, Vec::new());
    };
    let lead_ns = lead(facts, late, other);
    let (mut moves, mut out) = (0, Vec::new());
    for side in sides(facts) {
        let shown = prices(facts, view, *side, after);
        let theirs = prices(facts, peer, *side, after);
        for (price, first) in theirs.iter().filter(|(_, s)| during.has(s.at_ns)) {
            // What it shows already it cannot follow.
            if view.at(first.at_ns).and_then(|s| facts.price(s, *side)) == Some(*price) {
                continue;
            }
            // Nor what the peer only repeats, as late as it always is.
            let lately = Span { from_ns: first.at_ns.saturating_sub(lead_ns), to_ns: first.at_ns };
            if lead_ns > 0 && prices(facts, view, *side, lately).iter().any(|(p, _)| p == price) {
                continue;
            }
            moves += 1;
            let Some((_, then)) = shown.iter().find(|(p, s)| p == price && s.at_ns >= first.at_ns) else {
                continue;
            };
            // Where the peer came back to the price meanwhile, that is what was followed.
            let again = theirs.iter().rev().find(|(p, s)| p == price && s.at_ns <= then.at_ns);
            let first = again.map_or(*first, |(_, s)| *s);
            out.push(Followed { price: *price, first, then });
        }
    }
    (moves, out)
}

/// Of a source that is as late as it ever is: whether it is its way to us that takes so long.
pub(super) enum OnTheWay {
    Yes(String),
    No(String),
    Unknown(String),
}

/// A source that followed its peer while the alert lasted, late, and no later than it always does: what is as ever says
/// nothing of where it arises, only how long each stretch of the way takes.
pub(super) struct AsEver {
    by_ns: u64,
    usual_ns: i64,
    count: u64,
    name: String,
    pub(super) on_the_way: OnTheWay,
}

impl AsEver {
    /// How late it always is, nanoseconds.
    pub(super) fn usual_ns(&self) -> i64 {
        self.usual_ns
    }
}

impl std::fmt::Display for AsEver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let AsEver { by_ns, usual_ns, count, name, .. } = self;
        let matched = many(*count, "matched update");
        write!(
            f,
            "{name} followed within {}, no later than ever ({} in {matched})",
            length(*by_ns),
            length(*usual_ns)
        )
    }
}

/// Whether the source is as late as ever against its peer; nothing where it usually is on time, or where too little is known.
pub(super) fn as_late_as_ever(facts: &Facts, late: &SourceFacts, other: &SourceFacts) -> Option<AsEver> {
    let usual = usual(&pairing(facts, &late.name, &other.name)?);
    // Nine of ten: what built up before the alert must not count as usual.
    if usual.count < 3 || usual.p10_p90_ns[0] <= LATE_NS {
        return None;
    }
    let (_, shown) = followed(facts, late, other);
    // Where the peer came back at once to what the source still shows, there is nothing to follow: the alert is as long as the
    // source was behind.
    let told = facts.alert.kind == Kind::Lagging && facts.alert.sources.first() == Some(&late.name);
    let lasted = told.then(|| facts.during().len_ns());
    let by_ns = shown.iter().map(Followed::by_ns).max().or(lasted)?;
    let as_ever = i64::try_from(by_ns).ok()? <= usual.p10_p90_ns[1].saturating_add(LATE_NS);
    as_ever.then(|| AsEver {
        by_ns,
        usual_ns: usual.median_ns,
        count: usual.count,
        name: late.name.clone(),
        on_the_way: on_the_way(late, usual.median_ns),
    })
}

/// What the source's own times say of a lateness that stays.
fn on_the_way(late: &SourceFacts, usual_ns: i64) -> OnTheWay {
    let name = &late.name;
    let [sent, stamped] = [&late.send_latency.before, &late.latency.before];
    let takes_it_all = |ns: i64| ns.saturating_add(LATE_NS) >= usual_ns;
    if sent.count >= 8 {
        let took =
            format!("{name}'s packets come {} after their time of sending, as ever", length(sent.median_ns));
        return match sent.median_ns {
            ns if takes_it_all(ns) => {
                OnTheWay::Yes(format!("{took}: it sends in time, and its way to us takes that long"))
            }
            ns if ns <= LATE_NS => OnTheWay::No(format!("{took}: it sends late")),
            _ => OnTheWay::Unknown(took),
        };
    }
    if stamped.count >= 8 {
        let took =
            format!("{name}'s messages come {} after their own stamps, as ever", length(stamped.median_ns));
        return match stamped.median_ns {
            ns if ns <= LATE_NS => OnTheWay::No(format!("{took}: it is late before it stamps them")),
            _ => OnTheWay::Unknown(took),
        };
    }
    OnTheWay::Unknown(format!("nothing dates {name}'s messages"))
}

/// How long what a peer comes to show may be the source's own of before, where the source is always that far ahead; 0 of others.
fn lead(facts: &Facts, source: &SourceFacts, peer: &SourceFacts) -> u64 {
    let usual = pairing(facts, &source.name, &peer.name).map(|p| usual(&p)).unwrap_or_default();
    match usual.p10_p90_ns {
        [p10, p90] if usual.count >= 3 && p90 < -LATE_NS => p10.saturating_sub(LATE_NS).unsigned_abs(),
        _ => 0,
    }
}

fn of_source(facts: &Facts, late: &SourceFacts, other: &SourceFacts) -> Lateness {
    let name = &late.name;
    if let Some(moved) = has_moved(facts, name) {
        return Lateness::No(moved);
    }
    let Some(pairing) = pairing(facts, name, &other.name) else {
        return Lateness::No(format!("{name} and {} have no update in common", other.name));
    };
    if is_authority(facts, late)
        && !is_authority(facts, other)
        && rose(&late.latency.before, &late.latency.during).is_some_and(|by| by <= LATE_NS)
    {
        return Lateness::No(format!(
            "{name} is the venue's own feed, and its messages came as soon as ever after the venue's stamps (median {})",
            length(late.latency.during.median_ns)
        ));
    }
    let (moves, shown) = followed(facts, late, other);
    let behind = left_behind(facts, late, other, usual(&pairing).median_ns);
    let longest = shown.iter().max_by_key(|f| f.by_ns());
    if let Some(sentence) = behind.filter(|_| longest.is_none_or(|l| l.by_ns() <= LATE_NS as u64)) {
        let finding = Finding::about(&[Blame::source(name)]).with(sentence);
        return arose(late, other, &pairing, finding);
    }
    let Some(longest) = longest else {
        return Lateness::No(match moves {
            0 => format!("{} had no new price for {name} to follow", other.name),
            _ => format!(
                "{name} never came to show what {} moved to ({})",
                other.name,
                many(moves, "new price")
            ),
        });
    };
    let by = longest.by_ns();
    if by <= LATE_NS as u64 {
        return Lateness::No(format!(
            "{name} followed {} as early as ever (within {})",
            other.name,
            length(by)
        ));
    }
    if let Some((_, meanwhile)) = super::wrong_value::unknown(facts, late, other) {
        return Lateness::No(format!("it was not merely late: {meanwhile}"));
    }
    // The copy is made from the venue's own feed: what it shows before that, while the feed's stamps are fresh, is a wrong
    // price of the copy or an old one, and that the venue came to it later is chance.
    let fresh = rose(&late.latency.before, &late.latency.during).is_some_and(|by| by <= LATE_NS);
    if is_authority(facts, late) && other.is_consolidated() && fresh {
        return Lateness::No(format!(
            "{name} is the venue's own feed and stamps its messages as freshly as ever: {} cannot have been first by right",
            other.name
        ));
    }
    let usually = usual(&pairing);
    let (usual, median) = (usually.count, usually.median_ns);
    let finding = Finding::about(&[Blame::source(name)])
        .with(format!(
            "{name} came to show {} of {} of {}, up to {} after it; usual is {} ({})",
            shown.len(),
            many(moves, "new price"),
            other.name,
            length(by),
            after(median),
            many(usual, "matched update"),
        ))
        .with(format!(
            "{} came to {} at {} ({}), {name} at {} ({})",
            other.name,
            price(longest.price),
            moment(longest.first.at_ns),
            place(&longest.first.spot),
            moment(longest.then.at_ns),
            place(&longest.then.spot)
        ));
    if let Some(mute) = mute(late, Span { from_ns: longest.first.at_ns, to_ns: longest.then.at_ns }) {
        return Lateness::Yes(finding.supported(mute));
    }
    if let Some(ever) = as_late_as_ever(facts, late, other) {
        return match ever.on_the_way {
            OnTheWay::Yes(sentence) => Lateness::No(sentence),
            OnTheWay::No(sentence) => Lateness::Yes(finding.supported(sentence)),
            OnTheWay::Unknown(sentence) => Lateness::Yes(finding.with(sentence).ask(format!(
                "{name}'s own times of sending, or a capture nearer to it: it or the path to us is that slow"
            ))),
        };
    }
    arose(late, other, &pairing, finding)
}

/// It brought nothing but signs of life between a peer's price and its own: it had not sent.
fn mute(late: &SourceFacts, between: Span) -> Option<String> {
    let idle = |p: &Pause| p.arrivals > 0 && p.missing == 0 && !p.open && p.span.len_ns() > late.heartbeat_ns;
    let (channel, pause) = pauses(late, between).find(|(_, p)| idle(p))?;
    Some(format!(
        "{} channel {} brought nothing but {} from {} for {}: it had not sent",
        late.name,
        channel.name,
        many_of(pause.arrivals, "packet without news", "packets without news"),
        moment(pause.span.from_ns),
        length(pause.span.len_ns())
    ))
}

/// How late the source usually is: of the instrument where enough is known, else of all others.
fn usual(pairing: &Pairing) -> Figures {
    if pairing.own[0].count >= 3 { pairing.own[0] } else { pairing.rest[0] }
}

/// Where the delay arose: before the source sent, where only some of its instruments are late or its stamps say so.
fn arose(late: &SourceFacts, other: &SourceFacts, pairing: &Pairing, mut finding: Finding) -> Lateness {
    let name = &late.name;
    if rest_is_current(pairing) {
        let rest = &pairing.rest[1];
        return Lateness::Yes(finding.supported(format!(
            "only some of {name}'s instruments were late: the others came {} {} as ever ({}), so it was late before it sent",
            after(rest.median_ns),
            other.name,
            many(rest.count, "matched update")
        )));
    }
    let widely = pairing.rest[1].count >= 3;
    if widely {
        finding = finding.with(format!(
            "{name}'s other instruments were late too: {} (median of {})",
            after(pairing.rest[1].median_ns),
            many(pairing.rest[1].count, "matched update")
        ));
    }
    stamped(late, finding)
}

/// What the source shows while the alert lasts, where the venue's own feed, whole and current, had left that price for longer than a flight and what is usual: whatever it came to show later, it is behind then.
fn left_behind(facts: &Facts, late: &SourceFacts, other: &SourceFacts, usual_ns: i64) -> Option<String> {
    let during = facts.during();
    let relied_on = is_authority(facts, other) && !is_authority(facts, late);
    if !relied_on || !doubts(other, during).is_empty() {
        return None;
    }
    let limit_ns = FLIGHT_NS + u64::try_from(usual_ns).unwrap_or(0);
    let views = facts.view_of(&late.name).into_iter().chain(facts.view_of(&other.name));
    // Where it goes over to another price, or the peer comes back to that price, it has been behind for longest.
    let turns =
        views.flat_map(|view| sides(facts).iter().flat_map(|side| prices(facts, view, *side, during)));
    let turns = turns.map(|(_, shown)| shown.at_ns.saturating_sub(1)).filter(|at| during.has(*at));
    let moments = [during.to_ns.saturating_sub(1).max(during.from_ns), facts.alert.raised_ns];
    moments.into_iter().chain(turns).find_map(|at| behind_at(facts, [late, other], at, limit_ns))
}

/// What was left for longer was not followed late: that is another price, or a source that stopped.
const REACH_NS: u64 = 10_000_000_000;

/// The same at one moment.
fn behind_at(facts: &Facts, [late, other]: [&SourceFacts; 2], at: u64, limit_ns: u64) -> Option<String> {
    let (view, peer) = facts.view_of(&late.name).zip(facts.view_of(&other.name))?;
    sides(facts).iter().find_map(|side| {
        let shown = view.at(at)?;
        let shows = facts.price(shown, *side)?;
        let theirs = prices(facts, peer, *side, Span { from_ns: facts.window.from_ns, to_ns: at });
        let last = theirs.iter().rposition(|(p, _)| *p == shows)?;
        let (_, left) = theirs.get(last + 1)?;
        let by = at.saturating_sub(left.at_ns);
        // Of a source that says nothing at all it is not known whether it has.
        let speaks = pauses(late, Span { from_ns: left.at_ns, to_ns: at }).next().is_none();
        (by > limit_ns && by <= REACH_NS && speaks).then(|| {
            format!(
                "{} shows {} {} at {} ({}), which {}, the venue's own feed, whole and current, had left {} before ({})",
                late.name,
                ["bid", "ask"][*side],
                price(shows),
                moment(at),
                place(&shown.spot),
                other.name,
                length(by),
                place(&left.spot)
            )
        })
    })
}

/// Whether its stamps tell where the delay arose.
fn stamped(late: &SourceFacts, finding: Finding) -> Lateness {
    let name = &late.name;
    if let Some(by) = rose(&late.send_latency.before, &late.send_latency.during) {
        return match by > LATE_NS {
            true => Lateness::No(format!(
                "{name} sent in time: its packets came {} late after their time of sending",
                length(by)
            )),
            false => Lateness::Yes(finding.supported(format!(
                "{name}'s packets came as soon as ever after their time of sending: it sent late"
            ))),
        };
    }
    match rose(&late.latency.before, &late.latency.during) {
        Some(by) if by <= LATE_NS => Lateness::Yes(finding.supported(format!(
            "{name} stamps its messages as freshly as ever (received {} later): it was late before it stamped them",
            length(late.latency.during.median_ns)
        ))),
        Some(by) => {
            if let Some(alike) = late_alike(late) {
                return Lateness::Yes(finding.supported(alike));
            }
            let since = late.latency.built_up_since_ns.map_or_else(String::new, |at| format!("; built up since {}", moment(at)));
            Lateness::Yes(
                finding
                    .with(format!("its messages came {} later than usual after its own stamps{since}", length(by)))
                    .ask(format!("{name}'s own times of sending, or a capture nearer to it: it or the path to us was slow")),
            )
        }
        None => Lateness::Yes(finding.ask(format!("{name}'s own times of sending: nothing dates its messages"))),
    }
}
