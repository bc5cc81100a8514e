//! A notice as a syslog message (RFC 5424, March 2009). It writes bytes and knows no socket.

use super::Notice;
use crate::alert::json::show_time;
use crate::config::Severity;

/// SD-ID of our structured data. 32473 is the private enterprise number that RFC 5612 sets aside for examples and
/// documentation: Parallax has none of its own.
pub const SD_ID: &str = "parallax@32473";

/// Longest message sent, bytes: what RFC 5426 section 3.2 says every receiver should take.
pub const LENGTH_MAX: usize = 2048;

/// Facility local0 (RFC 5424 table 1).
const LOCAL0: u8 = 16;

/// Severity of RFC 5424 table 2.
pub fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::Major => 3,
        Severity::Minor => 4,
        Severity::Info => 6,
    }
}

/// Who speaks: HOSTNAME and PROCID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Name of the machine, `-` if it has none.
    pub host: String,
    /// Process id.
    pub pid: u32,
}

impl Speaker {
    /// This process on this machine.
    pub fn here() -> Speaker {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Speaker { host: printable(host.trim(), 255), pid: std::process::id() }
    }
}

/// Appends the message. What does not fit in [`LENGTH_MAX`] is cut off the end of the sentence.
pub fn write(out: &mut Vec<u8>, speaker: &Speaker, notice: &Notice) {
    let start = out.len();
    let priority = LOCAL0 * 8 + severity(notice.severity);
    // TIME-SECFRAC has at most six digits (section 6.2.3), our times have nine.
    let time = show_time(notice.ts_ns);
    let time = time.get(..time.len().saturating_sub(4)).unwrap_or_default();
    let kind = printable(&notice.kind, 32);
    let header = format!("<{priority}>1 {time}Z {} parallax {} {kind} [{SD_ID}", speaker.host, speaker.pid);
    out.extend_from_slice(header.as_bytes());
    let own = [("id", &notice.id), ("event", &notice.event)];
    let about = notice.about.iter().map(|(name, value)| (*name, value));
    for (name, value) in own.into_iter().chain(about) {
        // Names and values of ours are short; a configuration may hold others. A parameter goes in whole or not at all.
        let before = out.len();
        out.extend_from_slice(format!(" {name}=\"").as_bytes());
        value.chars().for_each(|c| escaped(out, c));
        out.push(b'"');
        if out.len() - start > LENGTH_MAX / 2 {
            out.truncate(before);
            break;
        }
    }
    // Section 6.4: a message in UTF-8 starts with the byte order mark.
    out.extend_from_slice(b"] \xef\xbb\xbf");
    let sentence = match notice.event.as_str() {
        "raised" => notice.why.clone(),
        event => format!("{event}: {}", notice.why),
    };
    for c in sentence.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if out.len() - start + c.len_utf8() > LENGTH_MAX {
            break;
        }
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Section 6.3.3: `"`, `\` and `]` are escaped. Control characters are allowed, but receivers disagree about them.
fn escaped(out: &mut Vec<u8>, c: char) {
    if matches!(c, '"' | '\\' | ']') {
        out.push(b'\\');
    }
    let c = if c.is_control() { ' ' } else { c };
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// PRINTUSASCII, at most `most` of it; `-` for nothing (NILVALUE).
fn printable(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn speaker() -> Speaker {
        Speaker { host: "desk7".into(), pid: 4711 }
    }

    fn notice(line: &str) -> Notice {
        Notice::from_line(line.as_bytes()).unwrap()
    }

    #[test]
    fn the_message_to_the_byte() {
        let notice = notice(
            r#"{"ts":"2026-03-02T14:30:01.025000789Z","event":"raised","id":"8c1f","kind":"divergent","severity":"major","instrument":"A\"]\\B","venue":"XNAS","side":"bid","sources":["direct","sip"],"why":"direct shows 1, sip shows 2 – since\n25 ms"}"#,
        );
        let mut out = vec![];
        write(&mut out, &speaker(), &notice);
        let expected = concat!(
            "<131>1 2026-03-02T14:30:01.025000Z desk7 parallax 4711 divergent [parallax@32473 id=\"8c1f\" ",
            "event=\"raised\" instrument=\"A\\\"\\]\\\\B\" venue=\"XNAS\" side=\"bid\" source=\"direct\" source=\"sip\"] ",
            "\u{feff}direct shows 1, sip shows 2 – since 25 ms"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn severities_are_those_of_the_table() {
        let all = Severity::ALL.map(severity);
        assert_eq!(all, [6, 4, 3, 2]);
    }

    #[test]
    fn what_is_no_raise_says_so_and_what_has_no_name_has_a_dash() {
        let notice = notice(
            r#"{"ts":"1970-01-01T00:00:00Z","event":"cleared","id":"1","kind":"","severity":"info","why":"x"}"#,
        );
        let mut out = vec![];
        write(&mut out, &Speaker { host: printable("\u{7f}", 9), pid: 1 }, &notice);
        let text = String::from_utf8(out).unwrap();
        let expected = "<134>1 1970-01-01T00:00:00.000000Z - parallax 1 - [parallax@32473 id=\"1\" event=\"cleared\"] \u{feff}cleared: x";
        assert_eq!(text, expected);
    }

    proptest! {
        #[test]
        fn whatever_it_says_is_bounded_and_one_line(
            id in ".{0,900}", kind in ".{0,60}", why in ".{0,3000}", source in ".{0,2000}", ts_ns in any::<u64>(),
        ) {
            let about = vec![("source", source)];
            let notice = Notice {
                line: vec![], id, event: "raised".into(), kind, severity: Severity::Info, why, ts_ns, about,
            };
            let mut out = b"before".to_vec();
            write(&mut out, &speaker(), &notice);
            let text = std::str::from_utf8(&out[6..]).unwrap();
            prop_assert!(text.len() <= LENGTH_MAX);
            prop_assert!(text.starts_with("<134>1 "));
            let mark = text.contains("] \u{feff}");
            prop_assert!(mark);
            prop_assert!(!text.contains(char::is_control));
        }
    }
}
