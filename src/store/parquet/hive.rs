//! Names as parts of paths, as Hive writes them: `source=NAME`, with `%XX` for what could mean something else.

use crate::store::hash;

/// Bytes of an encoded name at most; a file system takes 255 for a folder, `instrument=` with it.
const NAME_MAX: usize = 220;
/// How Hive writes a value that is empty.
const EMPTY: &str = "__HIVE_DEFAULT_PARTITION__";

/// A name as part of a path. One that is too long for a folder ends in its hash instead.
pub(super) fn encoded(name: &str) -> String {
    if name.is_empty() {
        return EMPTY.to_owned();
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    // A name of dots alone is another folder.
    let dotted = name.bytes().any(|b| b != b'.');
    let shown = |b: u8| match b {
        b if plain(b) || (b == b'.' && dotted) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    let mut text = String::new();
    for byte in name.bytes().map(shown) {
        if text.len() + byte.len() > NAME_MAX {
            return format!("{text}~{}", hash(&[name.as_bytes()]));
        }
        text.push_str(&byte);
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
        let names = ["BRK.B", "ES/Z6", "..", "a b=c", "", "é", "50%"];
        let wanted = ["BRK.B", "ES%2FZ6", "%2E%2E", "a%20b%3Dc", EMPTY, "%C3%A9", "50%25"];
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
            prop_assert!(path.len() < 240 && path.is_ascii() && !path.contains(['/', '=', '\\', '\0']));
            prop_assert!(path != "." && path != "..");
            prop_assert!(path.contains('~') || decoded(&path) == name);
        }
    }
}
