//! The real lines as two sources, one of them damaged.

use crate::kit::*;

/// The two sources with what happens to `b`.
fn damaged(mut keep: impl FnMut(&mut Packet) -> bool) -> Option<(Vec<Packet>, Told)> {
    let mut packets = cme()?;
    packets.retain_mut(|p| p.group != CME_B || keep(p));
    sort(&mut packets);
    let told = replay(&cme_sources(), &packets);
    Some((packets, told))
}

#[test]
fn explore() {
    let Some((_, told)) = damaged(|p| {
        p.ts += 50 * MS;
        true
    }) else {
        return;
    };
    println!("DELAY\n{}\n{}", told.story().join("\n"), told.summary["pairs"]);
    let Some((_, told)) = damaged(|p| p.mdp() < 8_000) else { return };
    println!("CUT\n{}\n{}", told.story().join("\n"), told.summary["pairs"]);
}
