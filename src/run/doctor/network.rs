//! Interfaces, routes, buffers: whether what is sent reaches the sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::machine::CAP_NET_ADMIN;
use super::{Findings, Level, Machine};
use crate::config::live::{LinePlan, RunPlan};
use crate::config::reader::size_text;
use crate::config::{Config, Interface};

/// Bytes that the kernel charges a receive buffer for a datagram of 300 bytes: measured on Linux 6.18, 1,280.
const DATAGRAM_CHARGE: u64 = 1_280;
/// Backlog below which a burst that is steered to another core (RPS), or comes over loopback, is lost.
const BACKLOG_WANTED: i64 = 10_000;
/// Bits of an interface's flags (`linux/if.h`).
const IFF_UP: u64 = 0x1;
const IFF_LOOPBACK: u64 = 0x8;
const IFF_MULTICAST: u64 = 0x1000;

pub(super) fn examine(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    buffers(config, plan, machine, findings);
    backlog(machine, findings);
    softnet(machine, findings);
    memberships(plan, machine, findings);
    let mut by_interface: BTreeMap<String, Vec<&LinePlan>> = BTreeMap::new();
    for line in plan.receivers.iter().flat_map(|r| &r.lines) {
        if let Some(name) = interface_of(line, machine, findings) {
            by_interface.entry(name).or_default().push(line);
        }
    }
    for (name, lines) in &by_interface {
        interface(name, machine, findings);
        reverse_path(name, machine, findings);
        copies(name, lines, findings);
    }
}

fn buffers(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let about = "net.core.rmem_max";
    let wanted = config.live.run.receive_buffer;
    let Some(most) = machine.number("/proc/sys/net/core/rmem_max").and_then(|n| u64::try_from(n).ok()) else {
        findings.push(
            Level::Unknown,
            about,
            "it cannot be read",
            "buffers may be smaller than asked for",
            None,
        );
        return;
    };
    let read = format!("{}, and {} is asked for", size_text(most), size_text(wanted));
    if most >= wanted {
        findings.well(about, read);
    } else if machine.may(CAP_NET_ADMIN) == Some(true) {
        findings.well(about, format!("{read}, which CAP_NET_ADMIN forces"));
    } else {
        // The kernel grants twice what is asked for, and charges its own overhead to it.
        let datagrams = most.saturating_mul(2) / DATAGRAM_CHARGE;
        let why = format!(
            "without CAP_NET_ADMIN a socket holds about {datagrams} datagrams of 300 bytes: a longer pause loses packets"
        );
        let mend = format!("sysctl -w net.core.rmem_max={wanted}");
        findings.push(Level::Warning, about, read, why, Some(mend));
    }
    let sockets = plan.receivers.iter().map(|r| r.lines.len() as u64).sum::<u64>();
    let all = wanted.saturating_mul(2).saturating_mul(sockets);
    let pages = machine.text("/proc/sys/net/ipv4/udp_mem");
    let pages = pages.and_then(|text| text.split_whitespace().nth(2)?.parse::<u64>().ok());
    let Some(room) = pages.map(|pages| pages.saturating_mul(4096)) else { return };
    let read =
        format!("{} for all UDP sockets, and {sockets} full buffers are {}", size_text(room), size_text(all));
    if all <= room {
        findings.well("net.ipv4.udp_mem", read);
    } else {
        let why = "when several buffers fill at once, the kernel drops before they are full";
        let mend = format!("sysctl -w net.ipv4.udp_mem=\"{0} {0} {0}\"", all.div_ceil(4096));
        findings.push(Level::Note, "net.ipv4.udp_mem", read, why, Some(mend));
    }
}

fn backlog(machine: &Machine, findings: &mut Findings) {
    let about = "net.core.netdev_max_backlog";
    match machine.number("/proc/sys/net/core/netdev_max_backlog") {
        Some(most) if most >= BACKLOG_WANTED => findings.well(about, most.to_string()),
        Some(most) => findings.push(
            Level::Note,
            about,
            most.to_string(),
            "a burst beyond it is dropped before any socket, where packets are steered to another core (RPS) or come over loopback",
            Some("sysctl -w net.core.netdev_max_backlog=50000".to_owned()),
        ),
        None => findings.push(Level::Unknown, about, "it cannot be read", "", None),
    }
}

/// Second and third column of a processor's row: dropped, and out of budget (Linux, net/core/net-procfs.c).
fn softnet(machine: &Machine, findings: &mut Findings) {
    let about = "/proc/net/softnet_stat";
    let Some(text) = machine.text(about) else {
        findings.push(
            Level::Unknown,
            about,
            "it cannot be read",
            "the kernel's own drops are not seen",
            None,
        );
        return;
    };
    let column = |n: usize| -> u64 {
        let rows = text.lines().filter_map(|row| row.split_whitespace().nth(n));
        rows.filter_map(|word| u64::from_str_radix(word, 16).ok()).sum()
    };
    let (dropped, squeezed) = (column(1), column(2));
    let read = format!("{dropped} packets dropped since boot, {squeezed} times out of budget");
    if dropped > 0 {
        let why = "packets were lost before any socket, which no socket counts";
        let mend = "sysctl -w net.core.netdev_max_backlog=50000";
        findings.push(Level::Warning, about, read, why, Some(mend.to_owned()));
    } else if squeezed > 0 {
        let why = "the kernel stopped with packets waiting: they came later than they could have";
        let mend = "sysctl -w net.core.netdev_budget=600 net.core.netdev_budget_usecs=8000";
        findings.push(Level::Note, about, read, why, Some(mend.to_owned()));
    } else {
        findings.well(about, read);
    }
}

/// One socket joins one group: the limit per socket is only in the way when it is nought.
fn memberships(plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let sources = plan.receivers.iter().flat_map(|r| &r.lines).any(|line| line.sender.is_some());
    let limits = [("igmp_max_memberships", true), ("igmp_max_msf", sources)];
    for (name, needed) in limits.into_iter().filter(|(_, needed)| *needed) {
        let about = format!("net.ipv4.{name}");
        match machine.number(format!("/proc/sys/net/ipv4/{name}")) {
            Some(most) if most < 1 && needed => findings.push(
                Level::Bad,
                &*about,
                most.to_string(),
                "no group can be joined",
                Some(format!("sysctl -w {about}=20")),
            ),
            Some(most) => findings.well(about, format!("{most} per socket, and each joins one")),
            None => findings.push(Level::Unknown, about, "it cannot be read", "", None),
        }
    }
}

/// The name of the interface that the line is joined on; what is wrong with finding it is told.
fn interface_of(line: &LinePlan, machine: &Machine, findings: &mut Findings) -> Option<String> {
    let about = format!("line {}", line.name);
    match &line.interface {
        Some(Interface::Name(name)) => Some(name.clone()),
        Some(Interface::Address(IpAddr::V4(address))) => {
            if is_local(*address, machine) == Some(false) {
                let why = "the group cannot be joined there";
                let mend = format!("ip address add {address}/24 dev ETH, or name another `interface`");
                findings.push(
                    Level::Bad,
                    about,
                    format!("no interface has the address {address}"),
                    why,
                    Some(mend),
                );
                return None;
            }
            let name = address_interface(*address, machine);
            if name.is_none() {
                let read = format!("which interface has the address {address} cannot be told");
                findings.push(Level::Unknown, about, read, "name it: `interface = \"eth1\"`", None);
            }
            name
        }
        Some(Interface::Address(IpAddr::V6(_))) => None,
        None => {
            let Some(name) = route(*line.group.ip(), machine) else {
                let read = format!("no interface is named, and no route leads to {}", line.group.ip());
                let mend = "give the line its `interface`";
                findings.push(Level::Bad, about, read, "the group cannot be joined", Some(mend.to_owned()));
                return None;
            };
            let read = format!("no interface is named; the route to the group chooses {name}");
            let why = "another route, and it is joined elsewhere";
            findings.push(Level::Note, about, read, why, Some("give the line its `interface`".to_owned()));
            Some(name)
        }
    }
}

/// Rows of `/proc/net/route`: interface, destination, gateway, mask. Addresses are in the wire's order, shown as a word of
/// the machine.
fn routes(machine: &Machine) -> Vec<(String, u32, u32, u32)> {
    let text = machine.text("/proc/net/route").unwrap_or_default();
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |n: usize| u32::from_str_radix(words.get(n)?, 16).ok().map(u32::from_be);
        Some(((*words.first()?).to_owned(), word(1)?, word(2)?, word(7)?))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Interface of the most specific route to an address.
fn route(address: Ipv4Addr, machine: &Machine) -> Option<String> {
    let bits = u32::from(address);
    let fits = routes(machine).into_iter().filter(|(_, to, _, mask)| bits & mask == *to);
    fits.max_by_key(|(_, _, _, mask)| *mask).map(|(name, ..)| name)
}

/// Interface whose own network holds the address.
fn address_interface(address: Ipv4Addr, machine: &Machine) -> Option<String> {
    if address.is_loopback() {
        return Some("lo".to_owned());
    }
    let bits = u32::from(address);
    let own = routes(machine).into_iter().filter(|(_, _, gateway, mask)| *gateway == 0 && *mask != 0);
    let fits = own.filter(|(_, to, _, mask)| bits & mask == *to);
    fits.max_by_key(|(_, _, _, mask)| *mask).map(|(name, ..)| name)
}

/// Whether the machine has the address; `None` when that cannot be read.
fn is_local(address: Ipv4Addr, machine: &Machine) -> Option<bool> {
    let text = machine.text("/proc/net/fib_trie")?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let node = format!("|-- {address}");
    Some(lines.windows(2).any(|two| two[0] == node && two[1] == "/32 host LOCAL"))
}

fn interface(name: &str, machine: &Machine, findings: &mut Findings) {
    let about = format!("interface {name}");
    let folder = format!("/sys/class/net/{name}");
    let flags = machine.text(format!("{folder}/flags"));
    let Some(flags) = flags.and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok())
    else {
        if machine.path("/sys/class/net").is_dir() {
            let why = "nothing can be received on it, until it is there";
            let mend = "ip link show, and correct `interface`".to_owned();
            findings.push(Level::Bad, about, "it does not exist", why, Some(mend));
        } else {
            findings.push(Level::Unknown, about, "/sys/class/net cannot be read", "", None);
        }
        return;
    };
    let loopback = flags & IFF_LOOPBACK != 0;
    // While an interface is down, `carrier` cannot be read at all.
    let carrier = machine.number(format!("{folder}/carrier"));
    if flags & IFF_UP == 0 {
        let mend = format!("ip link set {name} up");
        findings.push(Level::Bad, about, "it is down", "nothing arrives on it", Some(mend));
        return;
    }
    if carrier == Some(0) {
        let mend = format!("look at the cable and the switch; ethtool {name}");
        findings.push(Level::Bad, about, "it is up without a carrier", "nothing arrives on it", Some(mend));
        return;
    }
    if flags & IFF_MULTICAST == 0 && !loopback {
        let mend = format!("ip link set {name} multicast on");
        findings.push(Level::Bad, about, "it does no multicast", "no group can be joined", Some(mend));
        return;
    }
    let lost = ["rx_missed_errors", "rx_fifo_errors", "rx_over_errors"]
        .map(|file| machine.number(format!("{folder}/statistics/{file}")).unwrap_or(0));
    let lost: i64 = lost.iter().sum();
    if lost > 0 {
        let read = format!("up; {lost} packets did not fit its ring since it came up");
        let why = "they were lost before the kernel saw them, which no socket counts";
        let mend = format!("ethtool -G {name} rx 4096");
        findings.push(Level::Warning, about, read, why, Some(mend));
    } else {
        findings.well(about, if loopback { "up (loopback)" } else { "up, with multicast" });
    }
}

/// The larger of the interface's and the general setting holds (Linux, Documentation/networking/ip-sysctl.rst).
fn reverse_path(name: &str, machine: &Machine, findings: &mut Findings) {
    let about = format!("net.ipv4.conf.{name}.rp_filter");
    let read = |which: &str| machine.number(format!("/proc/sys/net/ipv4/conf/{which}/rp_filter"));
    let value = match (read("all"), read(name)) {
        (Some(all), Some(own)) => all.max(own),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            findings.push(Level::Unknown, about, "it cannot be read", "", None);
            return;
        }
    };
    let mend = format!("sysctl -w net.ipv4.conf.all.rp_filter=0 {about}=0");
    match value {
        0 => findings.well(about, "0"),
        1 => findings.push(
            Level::Warning,
            about,
            "1 (strict)",
            "packets whose sender's route does not lead back through this interface are dropped without a count",
            Some(mend),
        ),
        other => findings.push(
            Level::Note,
            about,
            format!("{other} (loose)"),
            "packets of a sender to whom no route leads are dropped without a count",
            Some(mend),
        ),
    }
}

/// Copies of one channel that share a cable are lost together.
fn copies(name: &str, lines: &[&LinePlan], findings: &mut Findings) {
    for (n, line) in lines.iter().enumerate() {
        let other = lines[..n].iter().find(|o| (o.source, o.channel) == (line.source, line.channel));
        if let Some(other) = other {
            let read = format!("{} and {} both come in on {name}", other.name, line.name);
            let why = "they are lost together when it fails";
            findings.push(Level::Note, "lines", read, why, None);
            return;
        }
    }
}
