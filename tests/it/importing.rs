//! Importers as a person or a script meets them: saved boards in, a site out, and what is said about the rest.

mod again;
mod discourse;
mod pages;
mod seen;
mod servers;
mod stackexchange;
mod trees;
mod two_channel;

use serde_json::Value;

use super::sandbox::Sandbox;
use super::sandbox::running::run;

/// What an import gave.
struct Told {
    code: i32,
    /// Standard output without the line of JSON.
    summary: Value,
    err: String,
    /// The report.
    report: String,
}

/// Runs `import` in the site's folder; the last line of its output is read as JSON.
#[track_caller]
fn import(site: &Sandbox, arguments: &[&str]) -> Told {
    let ran = run(site.root(), &[&["import"], arguments, &["--json"]].concat());
    let out = String::from_utf8(ran.stdout).unwrap();
    // How far it is, on a machine that has much else to do.
    let err = String::from_utf8(ran.stderr).unwrap();
    let err: String = err.split_inclusive('\n').filter(|line| !line.starts_with("importing: ")).collect();
    let summary: Value = serde_json::from_str(out.lines().last().unwrap_or("null")).unwrap();
    let report = summary["report"].as_str().map(|path| site.read(path)).unwrap_or_default();
    Told { code: ran.status.code().unwrap(), summary, err, report }
}

impl Told {
    /// How many things of a kind could not be carried over.
    fn lost(&self, kind: &str) -> u64 {
        self.summary["not_carried_over"][kind].as_u64().unwrap_or(0)
    }

    /// A number of the summary.
    fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap_or_else(|| panic!("no `{name}` in {}", self.summary))
    }

    /// That nothing was wrong.
    #[track_caller]
    fn is_fine(&self) -> &Told {
        assert_eq!((self.code, self.err.as_str()), (0, ""));
        self
    }
}

/// The lines of a thread file without its headers' times, for comparing.
fn thread(site: &Sandbox, path: &str) -> String {
    site.read(&format!("content/{path}.md"))
}
