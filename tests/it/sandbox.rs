//! A site in a folder of its own, for tests: written from text, built in memory, and looked at as a reader would.

pub mod links;
pub mod running;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nejiboard::app::builder::{Builder, Manner};
use nejiboard::app::progress::Progress;
use nejiboard::model::theme::ThemeFiles;
use nejiboard::model::{BoardSlug, PostNo, Report, Texts};
use nejiboard::store::locale;
use nejiboard::store::site_dir::SiteDir;

/// A site that is gone when the test ends.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub fn empty() -> Sandbox {
        Sandbox { folder: tempfile::tempdir().unwrap() }
    }

    /// A site from one text: each `==> path` line begins a file. Settings that are missing are made up.
    pub fn new(text: &str) -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.write("content/site.yaml", "title: Test site\n");
        sandbox.write_all(text);
        sandbox
    }

    /// Writes the files of a text in which each `==> path` line begins a file.
    pub fn write_all(&self, text: &str) {
        for part in text.split("==> ").skip(1) {
            let (path, file) = part.split_once('\n').expect("a line `==> path` and the file below it");
            self.write(path.trim(), file);
        }
    }

    /// The root of the site.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path below the root.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A page's text.
    pub fn page(&self, path: &str) -> String {
        self.read(&format!("public/{path}"))
    }

    /// Whether there is such a page.
    pub fn has_page(&self, path: &str) -> bool {
        self.path("public").join(path).exists()
    }

    /// The folders.
    pub fn dir(&self) -> SiteDir {
        SiteDir::new(self.root().to_owned())
    }

    /// Opens the site for building.
    pub fn open(&self) -> (Builder, Report) {
        Builder::open(self.dir(), &quiet()).unwrap_or_else(|error| panic!("{error}: {:?}", error.problems()))
    }

    /// Builds what is not as it should be, as `nejiboard build` does, and gives the report.
    pub fn build(&self) -> Report {
        self.build_in(Manner::Incremental)
    }

    /// The same for either manner.
    pub fn build_in(&self, manner: Manner) -> Report {
        let (mut builder, mut report) = self.open();
        builder.build(manner, &quiet(), &mut report).unwrap_or_else(|error| panic!("{error}: {:?}", error.problems()));
        builder.write_purge(&report).unwrap();
        builder.save();
        report
    }
}

/// What a page says without when something was last changed, which programs are told.
pub fn without_changes(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for mark in ["\"last_modified\":", "<updated>", "<lastmod>"] {
        let is_of_time = |c: char| c.is_ascii_digit() || "-:TZ".contains(c);
        let mut parts = text.split(mark);
        let first = parts.next().unwrap_or_default().to_owned();
        text = parts.fold(first, |text, part| text + mark + part.trim_start_matches(is_of_time));
    }
    text
}

/// Progress that nobody sees.
pub fn quiet() -> Progress {
    Progress::new(true)
}

/// Publishes what is due.
pub fn publish(builder: &mut Builder) -> Report {
    let mut report = Report::default();
    builder.publish(&BTreeMap::new(), &quiet(), &mut report);
    report
}

/// What a theme says in English.
pub fn english(files: &ThemeFiles) -> Texts {
    locale::read(files, "en").unwrap_or_else(|problems| panic!("{problems:?}")).texts
}

/// The name of a board.
pub fn slug(text: &str) -> BoardSlug {
    BoardSlug::parse(text).unwrap()
}

/// A post's number.
pub fn number(no: u64) -> PostNo {
    PostNo::new(no).unwrap()
}

/// All files below a folder with their bytes, hidden ones and drafts included.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        let Ok(listing) = fs::read_dir(&inside) else { continue };
        for entry in listing {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = match fs::read(&path) {
                // Somebody who is at work there has removed it since it was listed.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                read => read.unwrap(),
            };
            files.insert(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned(), bytes);
        }
    }
    files
}

/// Where the sample data stands, if it is there.
pub fn samples() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("NEJIBOARD_SAMPLES").map_or_else(default, PathBuf::from);
    if !folder.is_dir() {
        println!("sample data absent at {}: set NEJIBOARD_SAMPLES", folder.display());
        return None;
    }
    Some(folder)
}

/// Copies a folder and all below it, with the times of the files.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => {
                fs::copy(entry.path(), &target).unwrap();
                fs::File::open(target).unwrap().set_modified(entry.metadata().unwrap().modified().unwrap()).unwrap();
            }
        }
    }
}
