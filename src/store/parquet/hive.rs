//! Names as parts of paths, as Hive writes them: `source=NAME`, with `%XX` for what could mean something else.

use crate::store::hash;

/// Bytes of an encoded name at most; a file system takes 255 for a folder, `instrument=` with it.
const NAME_MAX: usize = 220;
/// No name. What Hive writes there (`__HIVE_DEFAULT_PARTITION__`) is null to every engine, and pandas as it comes reads no
/// folder in which one of several values is null.
const EMPTY: &str = "_none";

/// A name as part of a path. One that is too long for a folder ends in its hash instead.
pub(super) fn encoded(name: &str) -> String {
    if name.is_empty() {
        return EMPTY.to_owned();
    }
    // Letters of any language stay as they are: Spark takes each encoded byte for a letter of its own.
    let plain = |c: char| c.is_alphanumeric() || "-_".contains(c);
    // A name of dots alone is another folder, and some names mean that there is none.
    let dotted = name.chars().any(|c| c != '.');
    let special = name == EMPTY || name.starts_with("__HIVE");
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        let before = text.len();
        match c {
            c if (plain(c) && !(special && at == 0)) || (c == '.' && dotted) => text.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text += &format!("%{byte:02X}")),
        }
        if text.len() > NAME_MAX {
            text.truncate(before);
            return format!("{text}~{}", hash(&[name.as_bytes()]));
        }
    }
    text
}

/// The name again, but for what was too long.
pub(super) fn decoded(text: &str) -> String {
    if text == EMPTY {
        return String::new();
    }
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_could_mean_something_else_are_encoded() {
        let names = ["BRK.B", "ES/Z6", "..", "a b=c", "", "_none", "_A", "é", "\u{2028}", "50%"];
        let wanted =
            ["BRK.B", "ES%2FZ6", "%2E%2E", "a%20b%3Dc", EMPTY, "%5Fnone", "_A", "é", "%E2%80%A8", "50%25"];
        assert_eq!(names.map(encoded), wanted);
    }

    #[test]
    fn long_names_stay_apart() {
        let name = "%".repeat(300);
        let (one, other) = (encoded(&name), encoded(&(name + "x")));
        assert!(one.len() < 240 && one != other && one[..200] == other[..200], "{one} {other}");
    }

    proptest! {
        #[test]
        fn any_name_is_one_folder_below(name in ".{0,400}") {
            let path = encoded(&name);
            prop_assert!(path.len() < 240 && !path.contains(['/', '=', '\\', '\0']) && !path.contains(char::is_control));
            prop_assert!(path != "." && path != "..");
            prop_assert!(path.contains('~') || decoded(&path) == name);
        }
    }
}
