//! A configuration without what is nobody else's business, for whoever keeps its text.
//!
//! Everything else stays word for word, comments too.

use std::ops::Range;

use toml::de::DeTable;

use super::Alerts;

/// The text with scheme and host only of a webhook: its path, its query, and a user's name and password are often secret.
/// What is no TOML is nothing.
pub fn without_secrets(text: &str) -> String {
    let Ok(root) = DeTable::parse(text) else { return String::new() };
    let Some((span, webhook)) = webhook(&root) else { return text.to_owned() };
    let alerts = Alerts { webhook: Some(webhook), ..Alerts::default() };
    let shown = toml::Value::String(alerts.webhook_shown().unwrap_or_default());
    format!("{}{shown}{}", &text[..span.start], &text[span.end..])
}

/// The webhook, and where it stands.
fn webhook(root: &toml::Spanned<DeTable<'_>>) -> Option<(Range<usize>, String)> {
    let alerts = root.get_ref().get("alerts")?.get_ref().as_table()?;
    let value = alerts.get("webhook")?;
    Some((value.span(), value.get_ref().as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const SOURCE: &str = "[[source]]\nname = \"a\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n[[source.channel]]\n\
        name = \"c\"\nlines = [{ name = \"A\", group = \"233.54.12.111:26477\" }]\n";

    #[test]
    fn of_a_webhook_scheme_and_host_are_kept_and_the_rest_word_for_word() {
        let before = format!("# ours\n{SOURCE}[alerts] # told\n");
        for (written, kept) in [
            (
                "webhook = \"https://me:key@host.example:8443/hook?token=x\" # to us",
                "https://host.example:8443/...",
            ),
            ("webhook = 'https://host.example/services/T0/B1/secret'", "https://host.example/..."),
            ("\"webhook\" = \"\"\"https://me:key@host.example/\\x2f?key\"\"\"", "https://host.example/..."),
        ] {
            let written = written.replace("\\x2f", "hook");
            let text = format!("{before}{written}\nnotify_from = \"major\"\n");
            let without = without_secrets(&text);
            assert!(
                without.starts_with(&before) && without.ends_with("\nnotify_from = \"major\"\n"),
                "{without}"
            );
            for secret in ["key", "token", "secret", "hook?"] {
                assert!(!without.contains(secret), "{secret}: {without}");
            }
            // It means the same but for the secret, and nothing is left to take away.
            let [was, is] =
                [&text, &without].map(|text| Config::parse("c", text, Path::new(".")).expect(text).live);
            assert_eq!(is.alerts.webhook.as_deref(), Some(kept));
            assert_eq!(was.alerts.webhook_shown(), is.alerts.webhook_shown());
            assert_eq!(without_secrets(&without), without);
        }
        assert_eq!(without_secrets(&before), before);
        assert_eq!(without_secrets("webhook = "), "");
    }
}
