//! The walls of the house. A wall is an absence, which no reader can see; so this keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path below the root, and its text without comments and without tests inside the file.
struct Source {
    path: String,
    code: String,
}

impl Source {
    /// `intake` for all below `src/intake/`, `watch` for `src/watch.rs`.
    fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").expect("all sources are below src/");
        below.split_once('/').map_or(below.trim_end_matches(".rs"), |(room, _)| room)
    }

    /// Whether the code has this word followed by `::`.
    fn names(&self, package: &str) -> bool {
        let path = format!("{package}::");
        let begins = |at: usize| !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        self.code.match_indices(&path).any(|(at, _)| begins(at))
    }
}

fn sources() -> Vec<Source> {
    let mut folders = vec![root().join("src")];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => paths.push(path),
            }
        }
    }
    paths.sort();
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        Source { path, code: lines.collect::<Vec<_>>().join("\n") }
    };
    paths.into_iter().map(source).collect()
}

/// The packages of `Cargo.toml`, those of the tests too.
fn packages() -> Vec<String> {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut packages = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside) {
            packages.push(name.to_owned());
        }
    }
    packages
}

/// What `docs/dependencies.md` says of each package: the rooms it lives in.
fn documented_rooms() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &str| {
        let (name, rest) = row.split_once("` | ").expect("a name in backticks and the rest of the row");
        let rooms = rest.split(" | ").next().unwrap_or_default();
        (name.to_owned(), rooms.split(", ").map(str::to_owned).collect())
    };
    rows.map(row).collect()
}

/// Each outside package that could be replaced has one room, so that replacing it touches one folder.
#[test]
fn packages_stay_in_their_rooms() {
    // The last three: the runtime on which the door runs is made and stopped where `serve` is put together, errors of
    // the watch are told like all others, and the shells' completions are written by the corridor.
    let homes: [(&str, &[&str]); 14] = [
        ("hyper", &["intake"]),
        ("hyper_util", &["intake"]),
        ("http_body_util", &["intake"]),
        ("multer", &["intake"]),
        ("socket2", &["intake"]),
        ("serde_saphyr", &["store"]),
        ("walkdir", &["store"]),
        ("postcard", &["store"]),
        ("pulldown_cmark", &["render"]),
        ("handlebars", &["render"]),
        ("indicatif", &["app"]),
        ("tokio", &["intake", "app"]),
        ("notify", &["watch", "app"]),
        ("clap", &["cli", "app", "main"]),
    ];
    for source in sources() {
        for (package, rooms) in homes {
            let stray = source.names(package) && !rooms.contains(&source.room());
            assert!(!stray, "`{package}` belongs in {rooms:?}: {}", source.path);
        }
    }
}

/// What the corridor may take of packages whose home is another room.
#[test]
fn the_corridor_takes_no_more_of_others_packages_than_it_needs() {
    let allowed = [
        (
            "tokio",
            &[
                "tokio::runtime::",
                "tokio::select!",
                "tokio::signal::",
                "tokio::spawn(",
                "tokio::sync::",
                "tokio::task::",
                "tokio::time::",
            ][..],
        ),
        ("notify", &["notify::Error"]),
        ("clap", &["clap::CommandFactory"]),
    ];
    for source in sources().iter().filter(|source| source.room() == "app") {
        for (package, uses) in allowed {
            for (at, _) in source.code.match_indices(&format!("{package}::")) {
                let rest = &source.code[at..];
                // The end of another package's name.
                if source.code[..at].ends_with('_') {
                    continue;
                }
                assert!(uses.iter().any(|known| rest.starts_with(known)), "{}: {}", source.path, &rest[..40]);
            }
        }
    }
}

#[test]
fn rooms_never_import_one_another() {
    let may_use: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("model", &[][..]),
        ("disk", &["model"]),
        ("metrics", &["disk"]),
        ("intake", &["model", "metrics"]),
        ("store", &["model", "disk"]),
        ("render", &["model"]),
        ("publish", &["model", "disk"]),
        ("watch", &["model"]),
        ("cli", &["model"]),
        ("app", &["model", "disk", "metrics", "intake", "store", "render", "publish", "watch", "cli"]),
        ("main", &[]),
        ("lib", &[]),
    ]);
    for source in sources() {
        let allowed = may_use.get(source.room()).unwrap_or_else(|| panic!("a new room: {}", source.path));
        for (at, _) in source.code.match_indices("crate::") {
            let rest = &source.code[at + "crate::".len()..];
            let room = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())];
            assert!(room == source.room() || allowed.contains(&room), "{} imports `crate::{room}`", source.path);
        }
        // A path up and out of the room would be another way through the wall.
        let up = source.path.matches('/').count() - usize::from(source.path.ends_with("/mod.rs"));
        let climbs = "super::".repeat(up);
        assert!(!source.code.contains(&climbs), "{} climbs out of its room", source.path);
    }
}

#[test]
fn only_the_corridor_looks_at_the_clock() {
    for source in sources() {
        let monotonic = ["app", "watch"];
        for (call, rooms) in [
            ("Utc::now", &["app"][..]),
            ("Local::now", &[]),
            ("SystemTime::now", &["app"]),
            ("Instant::now", &monotonic),
        ] {
            assert!(!source.code.contains(call) || rooms.contains(&source.room()), "{} calls {call}", source.path);
        }
        let in_clock = source.path == "src/app/clock.rs";
        let reads = source.code.contains("Utc::now") || source.code.contains("SystemTime::now");
        assert!(in_clock || !reads, "{}: the time of day comes from src/app/clock.rs", source.path);
    }
}

#[test]
fn nothing_is_unsafe_unfinished_or_unwrapped() {
    for source in sources() {
        for word in
            ["unsafe {", "unsafe fn", "unsafe impl", ".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "panic!("]
        {
            assert!(!source.code.contains(word), "{} has `{word}`", source.path);
        }
    }
}

#[test]
fn every_package_has_its_line_in_the_docs_and_lives_where_that_says() {
    let (packages, documented, sources) = (packages(), documented_rooms(), sources());
    assert!(20 < packages.len(), "Cargo.toml could not be read: {packages:?}");
    let undocumented: Vec<&String> = packages.iter().filter(|name| !documented.contains_key(*name)).collect();
    assert!(undocumented.is_empty(), "docs/dependencies.md lacks {undocumented:?}");
    let left: Vec<&String> = documented.keys().filter(|name| !packages.contains(name)).collect();
    assert!(left.is_empty(), "docs/dependencies.md tells of {left:?}, which are not in Cargo.toml");
    for (name, told) in documented.iter().filter(|(_, told)| !told.contains("all") && !told.contains("tests")) {
        let using = sources.iter().filter(|source| source.names(&name.replace('-', "_")));
        let rooms: BTreeSet<String> = using.map(|source| source.room().to_owned()).collect();
        // `main` only starts what the corridor does.
        let rooms: BTreeSet<String> = rooms.into_iter().filter(|room| room != "main").collect();
        assert_eq!(&rooms, told, "rooms of `{name}`: in the code, and in docs/dependencies.md");
    }
}

#[test]
fn files_have_one_subject_and_stay_short() {
    for source in sources() {
        let lines = fs::read_to_string(root().join(&source.path)).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines", source.path);
    }
}

#[test]
fn every_licence_of_the_docs_is_allowed_and_told_to_cargo_deny() {
    let deny = fs::read_to_string(root().join("deny.toml")).unwrap();
    let allowed = deny.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list of licences");
    let allowed: BTreeSet<&str> = allowed.split('"').skip(1).step_by(2).collect();
    let docs = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    for row in docs.lines().filter(|line| line.starts_with("| `")) {
        let licence = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default().replace(['(', ')'], "");
        // Of several to choose from one is enough; those that hold together are all needed.
        let is_allowed = licence
            .split(" AND ")
            .all(|part| part.split(" OR ").flat_map(|one| one.split('/')).any(|one| allowed.contains(one.trim())));
        assert!(is_allowed, "deny.toml does not allow `{licence}`: {row}");
    }
}
