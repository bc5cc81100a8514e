//! The questions that ship with Parallax: one SQL file each, whose comments at its head are its help.
//!
//! A file begins with what it answers, then its parameters, `-- :name = default  what it is` (without a default it must
//! be given). `-- needs quotes` asks for the quotes of a Parquet folder; which of
//! them are loaded follows from the parameters' names ([`super::Wanted`]).

use super::error::StoreError;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// What it is called.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! queries {
    ($($name:literal),* $(,)?) => {
        /// Every one, by name.
        pub const ALL: &[Query] =
            &[$(Query { name: $name, text: include_str!(concat!("queries/", $name, ".sql")) }),*];
    };
}

queries![
    "agreement_by_hour",
    "alerts_of",
    "as_of_join",
    "bursts",
    "clocks",
    "contradictions",
    "disagreement_by_cause",
    "gaps",
    "latency",
    "line_wins",
    "open_alerts",
    "quote_age_at",
    "runs",
    "suppressed",
    "worst_instruments",
];

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without the colon.
    pub name: &'static str,
    /// What it is when it is not given; `None`: it must be.
    pub default: Option<&'static str>,
    /// What it is.
    pub meaning: &'static str,
}

impl Query {
    /// The query of that name.
    ///
    /// # Errors
    /// There is none, and which was perhaps meant.
    pub fn named(name: &str) -> Result<Query, StoreError> {
        let found = ALL.iter().find(|query| query.name == name).copied();
        found.ok_or_else(|| {
            let hint = crate::config::reader::nearest(name, ALL.iter().map(|query| query.name));
            let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            StoreError(format!("there is no query `{name}`{hint} (`parallax sql --list` lists them)"))
        })
    }

    fn comments(&self) -> impl Iterator<Item = &'static str> {
        self.text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim)
    }

    /// What it answers, in one line.
    pub fn title(&self) -> &'static str {
        self.comments().next().unwrap_or_default()
    }

    /// It wants quotes.
    pub fn needs_quotes(&self) -> bool {
        self.comments().any(|line| line == "needs quotes")
    }

    /// Its parameters, in order.
    pub fn parameters(&self) -> Vec<Parameter> {
        let of = |line: &'static str| {
            let (name, rest) = line.strip_prefix(':')?.split_once(' ')?;
            let rest = rest.trim_start();
            let (default, meaning) = match rest.strip_prefix("= ") {
                Some(rest) => rest.split_once("  ").map_or((Some(rest), ""), |(d, m)| (Some(d), m)),
                None => (None, rest),
            };
            let default = default.map(|d| if d == "''" { "" } else { d });
            Some(Parameter { name, default, meaning: meaning.trim() })
        };
        self.comments().filter_map(of).collect()
    }

    /// Values for all parameters, out of `given`.
    ///
    /// # Errors
    /// One that must be given and is not, or one that it does not have.
    pub fn bind(&self, given: &[(String, String)]) -> Result<Vec<(String, String)>, StoreError> {
        let parameters = self.parameters();
        let names = || parameters.iter().map(|p| p.name).collect::<Vec<_>>().join(", ");
        if let Some((name, _)) = given.iter().find(|(name, _)| parameters.iter().all(|p| p.name != name)) {
            let has =
                if parameters.is_empty() { "it has none".to_owned() } else { format!("it has {}", names()) };
            return Err(StoreError(format!("the query {} has no parameter `{name}`; {has}", self.name)));
        }
        let value = |parameter: &Parameter| {
            let found = given.iter().find(|(name, _)| name == parameter.name).map(|(_, value)| value.clone());
            let value = found.or_else(|| parameter.default.map(str::to_owned));
            value.map(|value| (parameter.name.to_owned(), value)).ok_or_else(|| {
                let (name, meaning) = (parameter.name, parameter.meaning);
                StoreError(format!("the query {} needs {name}=...: {meaning}", self.name))
            })
        };
        parameters.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_says_what_it_answers_and_compiles() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::store::MIGRATIONS[0]).unwrap();
        connection.execute_batch(super::super::QUOTES_TABLE).unwrap();
        connection.execute_batch(super::super::QUOTES_INDEX).unwrap();
        crate::store::functions::add(&connection).unwrap();
        for query in ALL {
            assert!(query.title().len() > 20, "{} has no title", query.name);
            let statement = connection.prepare(query.text).unwrap_or_else(|e| panic!("{}: {e}", query.name));
            assert!(statement.readonly(), "{}", query.name);
            let parameters = query.parameters();
            assert_eq!(statement.parameter_count(), parameters.len(), "{}", query.name);
            for parameter in parameters {
                let known = statement.parameter_index(&format!(":{}", parameter.name)).unwrap();
                assert!(known.is_some() && !parameter.meaning.is_empty(), "{} {parameter:?}", query.name);
            }
        }
    }

    #[test]
    fn what_is_given_must_be_known_and_what_is_needed_given() {
        let query = Query::named("alerts_of").unwrap();
        let given = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert!(
            query.bind(&given(&[])).unwrap_err().0.starts_with("the query alerts_of needs instrument=...: ")
        );
        let unknown = query.bind(&given(&[("instrument", "A"), ("instrumnt", "B")])).unwrap_err();
        assert!(unknown.0.starts_with("the query alerts_of has no parameter `instrumnt`; it has instrument"));
        assert_eq!(query.bind(&given(&[("instrument", "A")])).unwrap()[0], ("instrument".into(), "A".into()));
        let sentence = Query::named("worst_instrument").unwrap_err().0;
        assert!(sentence.contains("did you mean `worst_instruments`?"), "{sentence}");
    }
}
