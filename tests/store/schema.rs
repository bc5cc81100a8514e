//! The schema is documented as it is declared: `UPDATE_DOCS=1 cargo test --test store` writes the document's part anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use parallax::store;

const OPENS: &str = "<!-- The schema, made from src/store/schema. -->\n";
const CLOSES: &str = "<!-- The end of the schema. -->";

/// The statements of a schema with the comments before them.
fn document() -> String {
    let mut text = String::new();
    for (number, step) in store::MIGRATIONS.iter().enumerate() {
        let _ = writeln!(text, "\n### Schema {}", number + 1);
        let mut said: Vec<&str> = Vec::new();
        let mut lines = step.lines();
        while let Some(line) = lines.next() {
            if let Some(comment) = line.strip_prefix("-- ") {
                said.push(comment);
            } else if line.is_empty() {
                let _ = write!(text, "{}", paragraph(&mut said));
            } else if let Some(name) =
                line.strip_prefix("CREATE TABLE ").and_then(|l| l.split([' ', '(']).next())
            {
                if name.ends_with("_day") && !line.ends_with('(') {
                    let _ = write!(text, "{}", paragraph(&mut said));
                    let _ =
                        writeln!(text, "- `{name}`: the columns of `{}_interval`", &name[..name.len() - 4]);
                    continue;
                }
                let _ = write!(text, "\n**`{name}`** {}", paragraph(&mut said).trim_start());
                let _ = writeln!(text, "\n| column | type | meaning |\n|---|---|---|");
                for line in lines.by_ref().take_while(|l| !l.starts_with(')')) {
                    if let Some(row) = column(line) {
                        let _ = writeln!(text, "{row}");
                    }
                }
            } else if let Some(rest) = line.strip_prefix("CREATE VIEW ") {
                let name = rest.split(' ').next().unwrap_or_default();
                let _ = write!(text, "\nView **`{name}`** {}", paragraph(&mut said).trim_start());
            }
        }
    }
    text
}

fn paragraph(said: &mut Vec<&str>) -> String {
    if said.is_empty() { String::new() } else { format!("\n{}\n", std::mem::take(said).join("\n")) }
}

fn column(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with("PRIMARY KEY") || line.starts_with("UNIQUE") {
        let key =
            line.trim_end_matches(',').replace("PRIMARY KEY", "primary key").replace("UNIQUE", "unique");
        return Some(format!("| | | {key} |"));
    }
    let (declared, meaning) =
        line.split_once(" -- ").unwrap_or_else(|| panic!("a column without meaning: {line}"));
    let mut words = declared.trim_end_matches(',').split(' ');
    let (name, kind) = (words.next()?, words.next()?);
    let null =
        if declared.contains("NOT NULL") || declared.contains("PRIMARY KEY") { "" } else { ", may be null" };
    // What a column is confined to stands before what that means.
    let words =
        declared.split_once(" IN (").map_or("", |(_, list)| list.split(')').next().unwrap_or_default());
    let words = if words.is_empty() { String::new() } else { format!("{}: ", words.replace('\'', "`")) };
    Some(format!("| `{name}` | {}{null} | {words}{meaning} |", kind.to_lowercase()))
}

#[test]
fn the_document_is_what_the_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/store.md");
    let found = std::fs::read_to_string(&path).expect("docs/store.md is there");
    let (before, rest) = found.split_once(OPENS).expect("the schema's place");
    let (block, after) = rest.split_once(CLOSES).expect("its end");
    let wanted = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{OPENS}{wanted}{CLOSES}{after}")).expect("it can be written");
        return;
    }
    assert!(block == wanted, "docs/store.md is not what src/store/schema says: UPDATE_DOCS=1 writes it anew");
}

/// What is in the document is what is in the file, to the column; and days have what intervals have.
#[test]
fn every_table_and_column_of_a_store_is_documented() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let writing = store::open_write(&folder.path().join("store.db")).expect("a store can be made");
    let names = |sql: &str| -> Vec<String> {
        let mut statement = writing.connection.prepare(sql).expect(sql);
        let rows = statement.query_map([], |row| row.get(0)).expect(sql);
        rows.map(|r| r.expect("a name")).collect()
    };
    let columns =
        |table: &str| names(&format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')"));
    let text = document();
    let tables =
        names("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'");
    assert!(tables.len() > 40, "{tables:?}");
    for table in &tables {
        assert!(text.contains(&format!("`{table}`")), "{table} is not documented");
        if let Some(stem) = table.strip_suffix("_day").filter(|stem| !stem.starts_with("instrument_")) {
            assert_eq!(columns(table), columns(&format!("{stem}_interval")), "{table}");
        }
    }
    let documented: BTreeSet<&str> = text.split('`').skip(1).step_by(2).collect();
    for column in names(
        "SELECT DISTINCT i.name FROM sqlite_schema s, pragma_table_info(s.name) i WHERE s.type = 'table'",
    ) {
        assert!(documented.contains(column.as_str()), "the column {column} is not documented");
    }
}
